"""The tasks: each reads the clock and runs one job. Truth is in PostgreSQL; a lost, late or doubled task does no harm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog

from coop.celery import app
from coop.jobs import JOBS, Job, asking, run_job
from coop.jobs.registry import LONG
from coop.jobs.running import WORKER, note_alive
from coop.lib import clock
from coop.sandbox import jobs_are_held
from coop.timetable import TIMETABLE

log = structlog.get_logger()


def alarm(job: Job) -> Callable[[], None]:
    """What the task of a job does. It takes no arguments: what there is to do stands in tables."""

    def ring() -> None:
        note_alive(WORKER)
        if job.holds and jobs_are_held():
            return
        done = run_job(job.name, clock.now())
        if done.worked or done.failed:
            log.info("job.done", **done.as_dict())

    ring.__name__ = job.name
    ring.__doc__ = job.title
    return ring


def limits(job: Job) -> dict[str, Any]:
    """How long its task may take. The broker delivers a long one twice: the second run shares the work, or finds none."""
    return {} if job.limit is None else {"time_limit": job.limit, "soft_time_limit": job.limit - 60}


TASKS = {job.name: app.task(name=job.task, **limits(job))(alarm(job)) for job in JOBS}


@app.task(name=asking.TASK, time_limit=LONG, soft_time_limit=LONG - 60)
def run_asked() -> None:
    """What somebody asked for on the operators' page."""
    asking.run_asked(clock.now())


app.conf.beat_schedule = TIMETABLE
