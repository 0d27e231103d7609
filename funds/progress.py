"""Telling people how far a worker has come with an import, while its transaction is still open.

The rows are written on a connection of their own that commits each, so that pages see them; nothing is decided by them.
Short work says nothing: a message that is gone before anybody reads it is not worth a connection.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection

QUIET = 1.0  # seconds before the first message
PAUSE = 0.5  # seconds between two of the same step

Tell = Callable[[str, float], None]

SAY = """INSERT INTO funds_importprogress (import_id, step, percent, at) VALUES (%s, %s, %s, clock_timestamp())
         ON CONFLICT (import_id) DO UPDATE SET step = excluded.step, at = excluded.at,
           percent = greatest(funds_importprogress.percent, excluded.percent)"""


@contextmanager
def telling(import_id: int) -> Iterator[Tell]:
    """Yields `tell(step, percent)`. Percents never go down; when the work ends, well or not, the message goes."""
    began = last = time.monotonic()
    said = ""
    voice = None

    def tell(step: str, percent: float) -> None:
        nonlocal last, said, voice
        now = time.monotonic()
        if now - began < QUIET or (step == said and now - last < PAUSE):
            return
        if voice is None:
            voice = connection.copy()
        with voice.cursor() as cursor:
            cursor.execute(SAY, [import_id, step, min(99, int(percent))])
        last, said = now, step

    try:
        yield tell
    finally:
        if voice is not None:
            with voice.cursor() as cursor:
                cursor.execute("DELETE FROM funds_importprogress WHERE import_id = %s", [import_id])
            voice.close()


def silent(step: str, percent: float) -> None:
    """For work that nobody waits for."""
