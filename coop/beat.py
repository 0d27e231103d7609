"""Beat's scheduler, which notes in the database that beat is alive, and reads there what rang before it was started."""

from __future__ import annotations

from time import monotonic
from typing import Any

import structlog
from celery.beat import PersistentScheduler
from django.db import Error as DatabaseError
from django.db import connection

from coop.jobs.running import BEAT, note_alive
from coop.lib.models import JobState

log = structlog.get_logger()

EVERY = 10.0  # seconds


class Scheduler(PersistentScheduler):
    """Rings as Celery's own does. A database that is away holds up no ring.

    Celery keeps in a file when each entry rang last. In a new container there is no such file, and then it would wait a whole
    interval and pass over last night; the database knows when each job last looked.
    """

    noted = -EVERY

    def setup_schedule(self) -> None:
        super().setup_schedule()
        try:
            looked = dict(JobState.objects.exclude(looked_wall=None).values_list("job", "looked_wall"))
        except DatabaseError as error:
            connection.close()
            log.warning("beat.not_read", error=str(error))
            return
        for entry in self.schedule.values():
            entry.last_run_at = looked.get(str(entry.task).removeprefix("coop."), entry.last_run_at)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        if monotonic() - self.noted >= EVERY:
            self.noted = monotonic()
            try:
                note_alive(BEAT)
            except DatabaseError as error:
                connection.close()
                log.warning("beat.not_noted", error=str(error))
        seconds: float = super().tick(*args, **kwargs)
        return min(seconds, EVERY)
