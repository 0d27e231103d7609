"""Beat's scheduler, which notes in the database that beat is alive."""

from __future__ import annotations

from time import monotonic
from typing import Any

import structlog
from celery.beat import PersistentScheduler
from django.db import Error as DatabaseError
from django.db import connection

from coop.jobs.running import BEAT, note_alive

log = structlog.get_logger()

EVERY = 10.0  # seconds


class Scheduler(PersistentScheduler):
    """Rings as Celery's own does. A database that is away holds up no ring."""

    noted = -EVERY

    def tick(self, *args: Any, **kwargs: Any) -> float:
        if monotonic() - self.noted >= EVERY:
            self.noted = monotonic()
            try:
                note_alive(BEAT)
            except DatabaseError as error:
                connection.close()
                log.warning("beat.not_noted", error=str(error))
        return min(float(super().tick(*args, **kwargs)), EVERY)
