"""When each task rings. Beat is only a trigger: what is due is found by the stored instants, so a missed ring costs nothing."""

from __future__ import annotations

from typing import Any

from celery.schedules import crontab

from coop.jobs import asking
from coop.jobs.registry import JOBS

STALE = 600  # seconds
RINGS_THAT_MAY_WAIT = 10


def entry(task: str, every: float | crontab) -> dict[str, Any]:
    """When a task rings. A ring that waited until ten others stand behind it is dropped: after days without a worker there
    would be tens of thousands. One of the night waits as long as it takes.
    """
    if isinstance(every, crontab):
        return {"task": task, "schedule": every}
    return {"task": task, "schedule": every, "options": {"expires": max(STALE, RINGS_THAT_MAY_WAIT * every)}}


TIMETABLE: dict[str, dict[str, Any]] = {job.name.replace("_", " "): entry(job.task, job.every) for job in JOBS}
# An operator's button rings this one itself; this is for the case that the ring was lost.
TIMETABLE["run asked"] = entry(asking.TASK, asking.EVERY)
