"""What a run shows of itself while it lasts: how far it is, and that it is still alive. All times here are the wall clock's."""

from __future__ import annotations

import threading
from datetime import datetime
from types import TracebackType

import structlog
from django.db import DatabaseError, connection
from django.db.models.functions import Now

from coop.jobs.work import Progress
from coop.lib.db import execute
from coop.lib.models import JobRun

log = structlog.get_logger()

FIRST_BEAT = 0.25  # seconds: runs that are quicker leave no row unless they did something
BEAT = 1.0
SILENT_FOR = "2 minutes"  # whose heart did not beat for so long was killed


class Heartbeat(Progress):
    """Writes the row of a run about once a second, from a thread and so over a connection of its own: it shows before the
    run's own transactions end, and a statement that takes minutes does not look like a dead worker.

    Within a transaction it keeps still: who rolls that back rolls the run back, too.
    """

    def __init__(self, job: str, at: datetime, *, run_id: int | None = None) -> None:
        self.job, self.at, self.run_id = job, at, run_id
        self.total: int | None = None
        self.worked = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._beat, name=f"heartbeat of {job}", daemon=True)

    def expect(self, total: int) -> None:
        self.total = (self.total or 0) + total

    def step(self, worked: int = 1) -> None:
        self.worked += worked

    def __enter__(self) -> Heartbeat:
        if not connection.in_atomic_block:
            self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        if self.thread.is_alive():
            self.thread.join(timeout=10)

    def _beat(self) -> None:
        wait = FIRST_BEAT
        try:
            while not self.over.wait(wait):
                wait = BEAT
                self._write()
        finally:
            connection.close()

    def _write(self) -> None:
        try:
            if self.run_id is None:
                self.run_id = JobRun.objects.create(job=self.job, status="running", at=self.at).id
            JobRun.objects.filter(id=self.run_id).update(heartbeat_wall=Now(), total=self.total, worked=self.worked)
        except DatabaseError as error:  # the run itself says what is wrong, if it notices at all
            connection.close()
            log.warning("job.heartbeat_lost", job=self.job, error=str(error))


def mark_killed() -> int:
    """Say of runs whose heart stopped that they were killed. Whoever looks next does it: the killed cannot."""
    return execute(
        f"""UPDATE lib_jobrun SET status = 'killed', ended_wall = heartbeat_wall
            WHERE status = 'running' AND heartbeat_wall < statement_timestamp() - interval '{SILENT_FOR}'"""
    )
