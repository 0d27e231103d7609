"""The one settings file, for the sandbox, the tests and production.

`DATABASE_URL` decides: without it this is a sandbox on embedded servers in `COOP_HOME` (see coop/embedded.py), with a
clock that people may move. With it, this is a real installation: then `REDIS_URL` must be set too, `SECRET_KEY` and
`ALLOWED_HOSTS` should be, and nothing of the sandbox is reachable.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sys
from pathlib import Path

import dj_database_url
import structlog
from django.core.exceptions import ImproperlyConfigured

from coop import embedded

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = "0.1.0"
TESTING = os.environ.get("COOP_TESTING") == "1"
SANDBOX = not os.environ.get("DATABASE_URL")


def required(name: str, example: str) -> str:
    """A variable that a real installation must set. Raises ImproperlyConfigured with what to do."""
    value = os.environ.get(name, "")
    if not value:
        raise ImproperlyConfigured(f"DATABASE_URL is set, so {name} must be set too, for example {name}={example}")
    return value


def own_secret(path: Path) -> str:
    """The secret key of an installation that was given none: made once, readable by its user alone."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    except OSError as error:
        raise ImproperlyConfigured(
            f"SECRET_KEY is not set and none can be kept in {path} ({error.strerror})."
        ) from None
    return path.read_text()


LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]

if SANDBOX:
    if os.environ.get("REDIS_URL"):
        raise ImproperlyConfigured(
            "REDIS_URL is set but DATABASE_URL is not. Set both to use real servers, or neither."
        )
    COOP_HOME = embedded.home()
    DATABASE_URL = embedded.database_url(COOP_HOME)
    REDIS_URL = embedded.redis_url(COOP_HOME)
    # Only processes of this machine's user reach a sandbox; the key must merely be the same in all of them.
    SECRET_KEY = "sandbox-" + hashlib.sha256(str(COOP_HOME).encode()).hexdigest()
    ALLOWED_HOSTS = [*LOOPBACK, "testserver", *os.environ.get("ALLOWED_HOSTS", "").split()]
    MEDIA_ROOT = Path(os.environ.get("MEDIA_ROOT", COOP_HOME / "files"))
else:
    COOP_HOME = Path(os.environ.get("COOP_HOME", BASE_DIR / ".coop"))
    DATABASE_URL = os.environ["DATABASE_URL"]
    REDIS_URL = required("REDIS_URL", "redis://:password@redis:6379/0")
    if TESTING:
        raise ImproperlyConfigured("COOP_TESTING is for the test suite alone. Unset it, or unset DATABASE_URL.")
    SECRET_KEY = os.environ.get("SECRET_KEY") or own_secret(COOP_HOME / "secret_key")
    if len(SECRET_KEY) < 40 or SECRET_KEY.startswith("sandbox-"):
        raise ImproperlyConfigured(
            "SECRET_KEY must be at least 40 random characters. Make one with: openssl rand -base64 48"
        )
    # Without host names it serves this machine alone, by plain HTTP: enough to try it on real servers.
    ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "").split() or LOOPBACK
    if "*" in ALLOWED_HOSTS:
        raise ImproperlyConfigured("ALLOWED_HOSTS must name the hosts: with * the links in mails could lead anywhere.")
    MEDIA_ROOT = Path(os.environ.get("MEDIA_ROOT", COOP_HOME / "files"))

# Keys that were in force before: what was signed or encrypted with them is still read.
SECRET_KEY_FALLBACKS = os.environ.get("SECRET_KEY_FALLBACKS", "").split()

DEBUG = False
ROOT_URLCONF = "coop.urls"
WSGI_APPLICATION = "coop.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "partners.Person"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = True

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "rest_framework",
    "drf_spectacular",
    "django_htmx",
    "csp",
    "coop.lib",
    "partners",
    "funds",
    "claims",
    "coop",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "coop.lib.bodies.BodyLimitMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "coop.lib.web.PrivatePagesMiddleware",
    "coop.lib.web.RefusalMiddleware",
    "claims.web.guest.GuestWallMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "coop.shell.shell",
            ],
            "builtins": ["coop.lib.templatetags.coop"],
        },
    }
]

# --- Database ---------------------------------------------------------------------------------------------------------

DATABASES = {"default": dj_database_url.parse(DATABASE_URL, engine="django.db.backends.postgresql")}
_database = DATABASES["default"]
_options = _database.setdefault("OPTIONS", {})
_session = {
    "timezone": "UTC",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
}
_options["options"] = " ".join(f"-c {name}={value}" for name, value in _session.items())
_options["connect_timeout"] = 10
if os.environ.get("COOP_POOL") == "1":
    # Threads of the web server share connections; a worker keeps its own, because Celery closes pools at each task.
    # A page that takes longer is broken; workers may take their time.
    _options["options"] += " -c statement_timeout=30s"
    _options["pool"] = {"min_size": 1, "max_size": 8, "timeout": 10}
else:
    _database["CONN_MAX_AGE"] = 0 if TESTING else 60
    _database["CONN_HEALTH_CHECKS"] = True
if TESTING:
    # Every test process gets a file copy of a database that was migrated once (tests/services.py).
    _database["TEST"] = {"TEMPLATE": "coop_template"}

# Counts of sign-in attempts: shared by all web processes, and there when the broker is not.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "lib_cache"}}

# --- Broker -----------------------------------------------------------------------------------------------------------

# Celery names sockets differently from everybody else.
CELERY_BROKER_URL = (
    REDIS_URL.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=", 1)
    if REDIS_URL.startswith("unix://")
    else REDIS_URL
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Longer than twice the time limit, far below the default hour: a task of a dead worker comes back soon.
    "visibility_timeout": 900,
    "socket_timeout": 10,
    "socket_keepalive": True,
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
}
CELERY_VISIBILITY_TIMEOUT = 900
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_SOFT_TIME_LIMIT = 270
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 500
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 300_000  # kilobytes
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 60
CELERY_WORKER_ENABLE_SOFT_SHUTDOWN_ON_IDLE = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "coop.beat:Scheduler"

# --- Doors ------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["partners.api.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["coop.lib.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "coop.lib.api.pagination.KeysetPagination",
    "DEFAULT_SCHEMA_CLASS": "coop.lib.api.schema.CoopSchema",
    "EXCEPTION_HANDLER": "coop.lib.api.problems.problem_response",
    "COERCE_DECIMAL_TO_STRING": True,
    "URL_FORMAT_OVERRIDE": None,  # `?format=` is a filter of ours, not a way to another renderer
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Coop",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "DESCRIPTION": "Co-op marketing funds: earnings, funds, claims and payments.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [],  # closed lists stay at their fields: as shapes of their own they would need names
}

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
ACCOUNT_ADAPTER = "partners.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_ON_GET = False
ALLAUTH_TRUSTED_PROXY_COUNT = int(os.environ.get("TRUSTED_PROXY_COUNT", "0"))
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"

PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 60 * 60
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "coop.lib.web.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
if not SANDBOX and ALLOWED_HOSTS != LOOPBACK:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sid", "__Host-csrf"
    SECURE_SSL_REDIRECT = os.environ.get("SSL_REDIRECT", "1") == "1"
    SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

# Who knows what an entry's reference is for; funds itself does not look into it (funds/references.py).
FUND_REFERENCES = {
    "claim": "claims.references.ClaimReferences",
    "plan": "claims.references.PlanReferences",
    "rebate": "funds.references.RebateReferences",
    "adjustment": "funds.references.AdjustmentReferences",
}

# --- Files ------------------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = Path(os.environ.get("STATIC_ROOT", COOP_HOME / "static"))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
FILE_UPLOAD_PERMISSIONS = 0o640
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
DATA_UPLOAD_MAX_NUMBER_FILES = 10
DOCUMENT_MAX_BYTES = 10 * 1024 * 1024
DOCUMENTS_PER_CLAIM = 200
CLAIM_MAX_BYTES = 500 * 1024**2
PARTNER_MAX_BYTES = int(os.environ.get("PARTNER_MAX_BYTES", str(20 * 1024**3)))  # of all documents of one organisation
IMPORT_MAX_BYTES = 256 * 1024 * 1024  # of a file over pages and API, unpacked
IMPORT_COMMAND_MAX_BYTES = 8 * 1024**3  # of a file read by `manage.py import_earnings`
EARNINGS_MAX_LINES = 5_000
IMPORT_LINES_AT_ONCE = 20_000  # an import of more is committed and reversed by a worker

# --- Mail and logs ----------------------------------------------------------------------------------------------------

EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if os.environ.get("EMAIL_HOST")
    else "django.core.mail.backends.console.EmailBackend"
)
EMAIL_HOST = os.environ.get("EMAIL_HOST", "localhost")
EMAIL_PORT = int(os.environ.get("EMAIL_PORT", "25"))
EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = os.environ.get("EMAIL_USE_TLS", "") == "1"
DEFAULT_FROM_EMAIL = os.environ.get("DEFAULT_FROM_EMAIL", "coop@vendor.example")

# Where people find this installation: the beginning of the links in mails.
PUBLIC_URL = (
    os.environ.get("PUBLIC_URL") or ("http://127.0.0.1:8000" if SANDBOX else f"https://{ALLOWED_HOSTS[0]}")
).rstrip("/")

# Who keeps the daily heads of the ledger, away from this system; separated by spaces. Nobody: nothing is mailed.
LEDGER_HEAD_MAIL_TO = os.environ.get("LEDGER_HEAD_MAIL_TO", "").split()

# Nothing goes out from the tables: after a restore of an old backup they hold mails and deliveries that went out before it.
OUTGOING_HELD = os.environ.get("OUTGOING_HELD", "") == "1"

# Webhooks call public addresses by https alone. For demonstrations: private ones, by http too (partners/hooks/addresses.py).
WEBHOOK_PRIVATE_ADDRESSES = os.environ.get("WEBHOOK_PRIVATE_ADDRESSES", "") == "1"

# The account that payments are made from, as it stands in the ISO 20022 files for the bank: an IBAN or another number. A
# sandbox has one of its own, at a bank that exists in examples only.
DEMO_PAYER = ("The Vendor", "GB33BUKB20201555555555", "BUKBGB22") if SANDBOX else ("", "", "")
PAYER_NAME, PAYER_ACCOUNT, PAYER_BIC = (
    os.environ.get(name) or demo
    for name, demo in zip(("PAYER_NAME", "PAYER_ACCOUNT", "PAYER_BIC"), DEMO_PAYER, strict=True)
)

# Logs are lines of JSON through the standard library; tracebacks are plain text and never show the values of variables.
ENRICH: list[structlog.typing.Processor] = [
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]
structlog.configure(
    processors=[structlog.stdlib.filter_by_level, *ENRICH, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": "structlog.stdlib.ProcessorFormatter",
            "processor": structlog.processors.JSONRenderer(),
            "foreign_pre_chain": ENRICH,
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json", "stream": sys.stderr}},
    "root": {"handlers": ["console"], "level": os.environ.get("LOG_LEVEL", "INFO")},
}

if TESTING:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = True
