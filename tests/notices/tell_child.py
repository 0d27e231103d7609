"""A process that tells of the outbox and is killed at its first query, then at its second, until one lives to its end.

Called with the name of the test's database. Each try is a process of its own, forked before it has a connection. It prints how
many were killed.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any

import django
from django.conf import settings


def told(kill_at: int) -> None:
    """Tell, and die by SIGKILL instead of asking the database for the n-th time."""
    asked = count(1)

    def wrapper(execute: Callable[..., Any], *arguments: Any) -> Any:
        if next(asked) == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(*arguments)

    with connection.execute_wrapper(wrapper):
        telling.tell_untold(at=datetime(2024, 3, 4, 9, tzinfo=UTC))
    connection.close()


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "coop.settings"
    settings.DATABASES["default"]["NAME"] = sys.argv[1]
    django.setup()

    from django.db import connection
    from django.urls import reverse

    import coop.celery  # noqa: F401 - read once, and not by each child that rings
    from coop import telling

    reverse("home")  # likewise
    telling.BATCH = 3
    for number in count(1):
        child = os.fork()
        if not child:
            told(number)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            print(number - 1, os.WEXITSTATUS(status), flush=True)
            break
