"""How the jobs stand: when each last looked, what is due, what runs, what fails; and what waits to be told. Reads only.

Ages are of the wall clock, which a sandbox cannot move; what is due is due by the product's clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from celery.schedules import crontab
from django.conf import settings
from django.db import transaction

from coop.jobs.registry import JOBS, Job
from coop.jobs.running import BEAT, WORKER
from coop.lib.db import named_rows, rows
from coop.lib.models import JobRun
from coop.sandbox import jobs_are_held

MINUTE, HOUR = 60, 60 * 60
SELDOM = 26 * HOUR  # a job of every night that did not look for so long missed a night
SILENT_JOB = 15 * MINUTE
SILENT_PROCESS = 2 * MINUTE
STUCK = 10 * MINUTE


@dataclass
class Standing:
    """One job. Ages are in seconds; None where it never happened. `late` means that it did not look when it should have."""

    job: Job
    looked: int | None = None
    looked_wall: datetime | None = None
    worked_wall: datetime | None = None
    failing: bool = False
    late: bool = False
    due: int | None = None
    running: JobRun | None = None
    asked: JobRun | None = None
    last_failed: JobRun | None = None

    @property
    def status(self) -> str:
        if self.running:
            return "running"
        if self.asked:
            return "asked"
        if self.failing:
            return "failing"
        if self.late:
            return "late"
        return "quiet" if self.looked_wall else "new"


STATES = """
SELECT s.job, s.looked_wall, s.worked_wall, s.failed_wall >= s.looked_wall AS failing,
  extract(epoch FROM statement_timestamp() - s.looked_wall)::int AS looked FROM lib_jobstate s"""
# Since when there is a table in which a job can note that it looked: before that nobody could be late.
INSTALLED = """
SELECT extract(epoch FROM statement_timestamp() - max(applied))::int FROM django_migrations WHERE app = 'lib'"""


def standings(at: datetime | None = None) -> list[Standing]:
    """How each job stands, in the order of the list. What is due is counted where an instant is given."""
    states = {state["job"]: state for state in named_rows(STATES)}
    ((installed,),) = rows(INSTALLED)
    held = jobs_are_held()
    unended = list(JobRun.objects.filter(status__in=["running", "asked"]).order_by("id"))
    found = []
    for job in JOBS:
        state = states.get(job.name, {})
        one = Standing(
            job,
            looked=state.get("looked"),
            looked_wall=state.get("looked_wall"),
            worked_wall=state.get("worked_wall"),
            failing=bool(state.get("failing")),
            running=next((run for run in unended if run.job == job.name and run.status == "running"), None),
            asked=next((run for run in unended if run.job == job.name and run.status == "asked"), None),
            due=job.due(at) if at and job.due else None,
        )
        silent = one.looked if one.looked is not None else installed or 0
        one.late = silent > allowed(job) and not one.running and not (held and job.holds)
        if one.failing:
            one.last_failed = JobRun.objects.filter(job=job.name, status="failed").first()
        found.append(one)
    return found


def allowed(job: Job) -> float:
    """For how many seconds a job may not look before that is told."""
    return SELDOM if isinstance(job.every, crontab) else max(SILENT_JOB, 3 * job.every)


# --- Processes --------------------------------------------------------------------------------------------------------


@dataclass
class Alive:
    """Beat or the workers: when they were last seen, and whether that is too long ago."""

    name: str
    seen_wall: datetime | None
    silent: bool


def processes() -> list[Alive]:
    """A worker that is busy with a long run is seen by that run's heartbeat."""
    seen = {state["job"]: state for state in named_rows(STATES)}
    beats = rows(
        """SELECT max(heartbeat_wall), extract(epoch FROM statement_timestamp() - max(heartbeat_wall))::int
           FROM lib_jobrun WHERE status = 'running'"""
    )[0]
    found = []
    for name, label in ((WORKER, "Worker"), (BEAT, "Timetable (beat)")):
        state = seen.get(name, {})
        looks = [(state.get("looked"), state.get("looked_wall"))]
        looks += [(beats[1], beats[0])] if name == WORKER else []
        known = [look for look in looks if look[0] is not None]
        age, wall = min(known, default=(None, None))
        found.append(Alive(label, wall, age is None or age > SILENT_PROCESS))
    return found


def last_look() -> int | None:
    """How many seconds ago any job looked."""
    ((age,),) = rows("SELECT extract(epoch FROM statement_timestamp() - max(looked_wall))::int FROM lib_jobstate")
    return int(age) if age is not None else None


# --- What waits to be told --------------------------------------------------------------------------------------------

WAITING = """
SELECT
  (SELECT count(*) FROM partners_untold) AS untold,
  (SELECT extract(epoch FROM %(at)s - e.at)::bigint FROM partners_untold u JOIN partners_event e ON e.id = u.event_id
    ORDER BY u.event_id LIMIT 1) AS oldest_untold,
  (SELECT count(*) FROM partners_mail WHERE status = 'waiting') AS mails,
  (SELECT count(*) FROM partners_mail WHERE status = 'waiting' AND next_try_wall < statement_timestamp()
    - make_interval(secs => %(stuck)s)) AS mails_stuck,
  (SELECT count(*) FROM partners_mail WHERE status = 'failed') AS mails_failed,
  (SELECT count(*) FROM partners_delivery WHERE status = 'waiting') AS deliveries,
  (SELECT count(*) FROM partners_delivery d JOIN partners_webhook w ON w.id = d.webhook_id
    WHERE d.status = 'waiting' AND d.next_try_wall < statement_timestamp() - make_interval(secs => %(stuck)s)
      AND w.active AND coalesce(w.paused_until_wall, '-infinity') < statement_timestamp() - make_interval(secs => %(stuck)s)
      AND NOT EXISTS (SELECT 1 FROM partners_delivery b WHERE b.webhook_id = d.webhook_id AND b.record = d.record
                      AND b.status = 'waiting' AND b.id < d.id)) AS deliveries_stuck,
  (SELECT count(*) FROM partners_delivery WHERE status = 'failed'
    AND ended_wall > statement_timestamp() - interval '1 day') AS deliveries_failed"""


HELD = "Mails and webhooks are held back (OUTGOING_HELD): nothing goes out until somebody takes that setting away."


def waiting(at: datetime) -> dict[str, Any]:
    """What waits to be told, mailed and delivered. "Stuck" is what should have been tried ten minutes ago."""
    waits = named_rows(WAITING, {"at": at, "stuck": STUCK})[0]
    return {**waits, "mails_stuck": 0, "deliveries_stuck": 0} if settings.OUTGOING_HELD else waits


# --- Health -----------------------------------------------------------------------------------------------------------


@dataclass
class Health:
    """What a watchdog is told: for each check whether it holds, and a sentence without names, amounts or secrets."""

    checks: dict[str, str] = field(default_factory=dict)
    failing: list[str] = field(default_factory=list)

    def say(self, check: str, holds: bool, good: str, bad: str) -> None:
        self.checks[check] = good if holds else bad
        if not holds:
            self.failing.append(check)


@transaction.atomic
def deep_health(at: datetime) -> Health:
    """Whether jobs look, the audit holds, and what should be told is told."""
    health, every = Health(), standings()
    by_name = {one.job.name: one for one in every}
    audit = by_name["audit_ledger"]
    health.say("audit_age", not audit.late, "recent", f"no audit of the ledger for {SELDOM // HOUR} hours")
    health.say("audit", not audit.failing, "nothing differs", "the last audit of the ledger found differences")
    late = [one.job.name for one in every if one.late and one.job.by_the_clock]
    health.say("timetable", not late, "in time", f"did not look for 15 minutes or its night: {', '.join(late)}")
    waits = waiting(at)
    oldest = int(waits["oldest_untold"] or 0)
    health.say("events", oldest <= STUCK, "told", f"the oldest event that nobody was told of is {oldest} seconds old")
    health.say("outgoing", not settings.OUTGOING_HELD, "goes out", HELD)
    for what in ("mails", "deliveries"):
        stuck = waits[f"{what}_stuck"]
        health.say(what, not stuck, "none is stuck", f"{stuck} should have been tried ten minutes ago")
    return health
