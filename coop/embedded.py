"""Where a sandbox lives: its folder, and the addresses of the servers in it (coop/servers.py starts them).

The settings ask this module, so it imports nothing but the standard library. Both servers listen on unix
sockets in folders that only their owner may enter: no port, no password, nothing on the network.
"""

import hashlib
import os
import re
from pathlib import Path
from urllib.parse import quote

ROLE = "coop"
SOCKET_PATH_LIMIT = 100  # bytes; the kernel's own limit is 107 on Linux and 103 on a Mac
ROOTS_DATA = Path("/var/lib")
SHORT_SOCKETS = Path("/tmp")
PLAIN_PATH = re.compile(r"[\w/.+-]+", re.ASCII)


class ServerFailed(Exception):
    """An embedded server cannot run; the message is one sentence that says what to do."""


def home() -> Path:
    """Return the folder of all data of this sandbox: COOP_HOME, or `.coop` beside manage.py.

    PostgreSQL refuses to run as root, so root's servers run as another user, who could not enter a folder
    inside a closed one such as root's own home. The data then live in /var/lib under a name made from the
    folder asked for.
    """
    named = os.environ.get("COOP_HOME") or str(Path(__file__).resolve().parent.parent / ".coop")
    folder = Path(named).expanduser().resolve()
    if os.geteuid() == 0 and not open_to_all(folder.parent):
        return ROOTS_DATA / f"coop-{digest(folder)}"
    return folder


def database_url(home: Path) -> str:
    """Return the address of the sandbox's database, its socket folder percent-encoded.

    COOP_DATABASE names another database than `coop`: tests give their own to a worker that they start.
    """
    folder = socket_folder(home / "postgres", ".s.PGSQL.5432")
    return f"postgresql://{ROLE}@{quote(str(folder), safe='')}/{os.environ.get('COOP_DATABASE', 'coop')}"


def redis_url(home: Path) -> str:
    """Return the address of the embedded broker, as redis-py and Django's cache write it."""
    return f"unix://{quote(str(broker_socket(home)))}?db=0"


def digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:10]


def open_to_all(folder: Path) -> bool:
    """Tell whether any user may pass through `folder` and all folders above it, as far as they exist."""
    return all(part.stat().st_mode & 0o001 for part in (folder, *folder.parents) if part.exists())


def socket_folder(folder: Path, socket_name: str) -> Path:
    """Return where a server of `folder` puts its socket: there, or under /tmp if no client could use the path.

    A socket's path may not be long; a comma separates hosts for PostgreSQL; Celery does not decode a space.
    """
    path = str(folder / socket_name)
    if len(path) <= SOCKET_PATH_LIMIT and PLAIN_PATH.fullmatch(path):
        return folder
    return SHORT_SOCKETS / f"coop-{os.geteuid()}-{digest(folder)}"


def broker_socket(home: Path) -> Path:
    return socket_folder(home / "broker", "broker.sock") / "broker.sock"


def prepare_home(home: Path) -> None:
    """Make the folder of this sandbox, closed to other users. Raises ServerFailed when that cannot be.

    As root, other users may pass through it (not read it), because the servers' own account must reach its
    subfolder.
    """
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        home.chmod(0o711 if os.geteuid() == 0 else 0o700)
        (home / "logs").mkdir(mode=0o700, exist_ok=True)
        trial = home / "logs" / ".writable"
        trial.touch()
        trial.unlink()
    except (FileExistsError, NotADirectoryError):
        raise ServerFailed(
            f"{home} must be a folder but a file is in its way: move the file, or set COOP_HOME."
        ) from None
    except OSError as error:
        reason = (error.strerror or "failed").lower()
        raise ServerFailed(
            f"{home} cannot be used ({reason}): make it writable, or set COOP_HOME to another folder."
        ) from None
