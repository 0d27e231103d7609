# syntax=docker/dockerfile:1
# The production image: web, worker and beat are the same image with different commands (docker-compose.yml).

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
COPY requirements/base.txt requirements/
# From wheels and by hash only: nothing is compiled, and nothing else than what was tested gets in.
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv /venv \
    && /venv/bin/python -m pip install --require-hashes --only-binary :all: -r requirements/base.txt

FROM python:3.13-slim
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    STATIC_ROOT=/app/staticfiles \
    MEDIA_ROOT=/var/lib/coop/files \
    COOP_HOME=/tmp/coop
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin coop \
    && install -d -o coop -g coop /var/lib/coop /var/lib/coop/files
WORKDIR /app
COPY --from=build /venv /venv
COPY . .
# Nothing connects anywhere while static files are collected; the values only satisfy the settings.
RUN DATABASE_URL=postgresql://none/none REDIS_URL=redis://none ALLOWED_HOSTS=none \
    SECRET_KEY=build-time-only-build-time-only-build-time-only \
    python manage.py collectstatic --noinput --verbosity 0
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["gunicorn", "coop.wsgi:application", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", \
     "--workers", "2", "--threads", "4", "--worker-tmp-dir", "/dev/shm", "--no-control-socket", "--access-logfile", "-"]
