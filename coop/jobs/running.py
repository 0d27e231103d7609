"""Running a job: by the timetable, because somebody asked, or because a sandbox's clock was moved."""

from __future__ import annotations

from datetime import datetime

from coop.jobs.registry import BY_NAME, BY_THE_CLOCK
from coop.jobs.work import Done


def run_job(name: str, at: datetime, asked_by: str = "") -> Done:
    """Run one job up to an instant."""
    return BY_NAME[name](at)


def run_due(at: datetime) -> list[Done]:
    """Run every job by the clock once, in order."""
    return [run_job(job.name, at) for job in BY_THE_CLOCK]
