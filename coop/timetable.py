"""When each task rings. Beat is only a trigger: what is due is found by the stored instants, so a missed ring costs nothing."""

from __future__ import annotations

from typing import Any

from coop.jobs.registry import JOBS

TIMETABLE: dict[str, dict[str, Any]] = {
    job.name.replace("_", " "): {"task": job.task, "schedule": job.every} for job in JOBS
}
