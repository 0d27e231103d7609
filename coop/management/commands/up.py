"""`manage.py up` (behind `make demo`): the whole product, started by one command and stopped by Ctrl-C."""

import os
import sys
from datetime import datetime
from typing import Any

import redis
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import OperationalError, connection

from coop.embedded import ServerFailed, home
from coop.supervisor import Supervisor, Wishes


class Command(BaseCommand):
    """Read the environment, test what can be tested now, and hand over to the supervisor."""

    help = (
        "Start servers, web, worker and beat (PORT, COOP_HOME, EMPTY, NOW; DATABASE_URL and REDIS_URL for real servers)"
    )
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        wishes = Wishes(
            home=home(),
            embedded=settings.SANDBOX,
            port=os.environ.get("PORT", ""),
            empty=os.environ.get("EMPTY", "") not in ("", "0"),
            now=os.environ.get("NOW", ""),
            host=next((host.lstrip(".") for host in settings.ALLOWED_HOSTS if host != "*"), "127.0.0.1"),
        )
        try:
            _refuse_bad_instant(wishes.now)
            if not wishes.embedded:
                _reach_servers()
            Supervisor(wishes, say=_say).run()
        except ServerFailed as failure:
            sys.exit(str(failure))


def _say(text: str) -> None:
    print(text, flush=True)


def _refuse_bad_instant(text: str) -> None:
    if not text:
        return
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise ServerFailed(f"NOW must be an instant such as 2023-07-01T00:00:00Z, not {text!r}.") from None


def _reach_servers() -> None:
    """Connect once to both servers. Raises ServerFailed with what to do."""
    try:
        connection.ensure_connection()
        connection.close()
    except OperationalError as error:
        reason = str(error).strip().splitlines()[0]
        raise ServerFailed(
            f"The database of DATABASE_URL cannot be reached ({reason}): start it, or correct the address."
        ) from None
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=5, socket_timeout=5) as broker:
            broker.ping()
    except (redis.RedisError, ValueError) as error:
        raise ServerFailed(
            f"The broker of REDIS_URL cannot be reached ({error}): start it, or correct the address."
        ) from None
