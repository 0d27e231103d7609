"""When each task rings. Beat is only a trigger: what is due is found by the stored instants, so a missed ring costs nothing."""

from __future__ import annotations

from typing import Any

from coop.jobs import asking
from coop.jobs.registry import JOBS

TIMETABLE: dict[str, dict[str, Any]] = {
    job.name.replace("_", " "): {"task": job.task, "schedule": job.every} for job in JOBS
}
# An operator's button rings this one itself; this is for the case that the ring was lost.
TIMETABLE["run asked"] = {"task": asking.TASK, "schedule": asking.EVERY}
