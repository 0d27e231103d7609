"""The one source of time.

Time is read from the database, so that every web process and worker has the same clock. In a sandbox it is a row that
stands still until it is moved. Doors read the time once and pass it on as `at`; an operation that races a deadline reads
it once more after its lock.
"""

from __future__ import annotations

from datetime import date, datetime

from django.db import connection


def now() -> datetime:
    """The present instant, aware, in UTC.

    `coop_now()` is the sandbox's row where there is one and the server's wall clock otherwise. It is not the start of the
    transaction: asked again after a lock was waited for, it tells the later time.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT coop_now()")
        at: datetime = cursor.fetchone()[0]
    return at


def today() -> date:
    """The present day in UTC, for what has no program and so no zone of its own."""
    return now().date()
