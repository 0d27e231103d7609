"""The sandbox's clock: a row that stands still until it is moved. Not reachable outside a sandbox."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db import transaction

from coop import jobs
from coop.lib import clock
from coop.lib.dates import show_instant
from coop.lib.errors import Invalid, NotFound
from coop.lib.models import SandboxClock
from partners import events
from partners.models import Person


@dataclass
class Moved:
    """What a move did: from where to where, and the jobs that ran on the way, in order."""

    before: datetime
    now: datetime
    ran: list[jobs.Done] = field(default_factory=list)


def require_sandbox() -> None:
    """Raises NotFound outside a sandbox, where there is no such thing as this clock."""
    if not settings.SANDBOX:
        raise NotFound("This is no sandbox: its time is the real one and cannot be moved.")


def start_clock(at: datetime | None = None) -> datetime:
    """Make the clock of a new sandbox stand at an instant (by default, the present). Keeps the one that is there."""
    require_sandbox()
    row, _ = SandboxClock.objects.get_or_create(id=1, defaults={"now": at or clock.now()})
    return row.now


def move_clock(to: datetime, *, run_jobs: bool = True, telling: bool = True, by: Person | None) -> Moved:
    """Move the clock forward; unless told otherwise, run the jobs that fell due on the way, each at its own instant.

    What fell due in an earlier move without jobs is found by the first jobs that run. Moving to where the clock stands
    runs what is due now. Without jobs, the worker's own timetable keeps still too, until a later move runs them.
    Without `telling` nobody is told of anything, and what happens waits in the outbox.
    Raises NotFound outside a sandbox, Invalid for a move backwards.
    """
    require_sandbox()
    with transaction.atomic():
        row, _ = SandboxClock.objects.select_for_update().get_or_create(id=1, defaults={"now": clock.now()})
        before = row.now
        if to < before:
            raise Invalid.field(
                "now",
                f"The clock stands at {show_instant(before)} and only goes forward; {show_instant(to)} is before that. "
                "A new sandbox can begin at any time.",
                "backwards",
            )
        row.jobs_held = not run_jobs
        row.save(update_fields=["jobs_held"])
        events.record("clock.moved", row, by=by, at=before, vendor_only=True, to=to.isoformat(), run_jobs=run_jobs)
    moved = Moved(before, to)
    telling = telling and run_jobs
    if telling:
        jobs.run_telling(before)  # what happened here is told here, as the worker does within seconds
    stops = [*jobs.due_instants(before, to, telling=telling), to] if run_jobs else [to]
    for stop in dict.fromkeys(stops):
        # Never back: two people may move it at the same time.
        SandboxClock.objects.filter(id=1, now__lt=stop).update(now=stop)
        if run_jobs:
            moved.ran += [done for done in jobs.run_due(stop, telling=telling) if done.worked or done.failed]
        if telling:
            jobs.run_telling(stop)
    return moved


def jobs_are_held() -> bool:
    """Whether the sandbox's last move was made without jobs, so that the timetable keeps still too."""
    return settings.SANDBOX and SandboxClock.objects.filter(jobs_held=True).exists()
