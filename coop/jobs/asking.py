"""Runs that somebody asks for. They wait in a table for a worker, so a ring that got lost loses none of them."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models.functions import Now

from coop.jobs.registry import BY_NAME
from coop.jobs.running import run_job
from coop.jobs.work import Done
from coop.lib.errors import NotFound
from coop.lib.models import JobRun
from coop.lib.nudge import nudge
from partners import events
from partners.models import Person
from partners.permissions import require_role
from partners.states import PROGRAM_ADMIN

TASK = "coop.run_asked"
EVERY = 5.0  # seconds


@transaction.atomic
def ask_for_run(name: str, *, by: Person, at: datetime) -> JobRun:
    """Ask for a run of a job, once: who asks twice before it began gets the run that waits. Raises NotFound, NotAllowed."""
    if name not in BY_NAME:
        raise NotFound("There is no such job.")
    require_role(by, PROGRAM_ADMIN, to="run jobs")
    waiting = JobRun.objects.filter(job=name, status="asked").first()
    if waiting is not None:
        return waiting
    run = JobRun.objects.create(job=name, status="asked", asked_by=by.email)
    events.record("job.asked_for", run, by=by, at=at, vendor_only=True, job=name)
    nudge(TASK)
    return run


def run_asked(at: datetime) -> list[Done]:
    """Run what was asked for, the oldest first; several workers share it."""
    done = []
    while (run := _take()) is not None:
        if run.job in BY_NAME:  # a release may have dropped it
            done.append(run_job(run.job, at, run.asked_by, run.id))
    return done


@transaction.atomic
def _take() -> JobRun | None:
    run = JobRun.objects.select_for_update(skip_locked=True).filter(status="asked").order_by("id").first()
    if run is not None:
        status = "running" if run.job in BY_NAME else "killed"
        JobRun.objects.filter(id=run.id).update(status=status, began_wall=Now(), heartbeat_wall=Now())
    return run
