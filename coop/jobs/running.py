"""Running a job and keeping what came of it: by the timetable, because somebody asked, or because a sandbox's clock moved."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from coop.jobs.heartbeat import Heartbeat, mark_killed
from coop.jobs.registry import AT_STOPS, BY_NAME, Job, by_the_clock
from coop.jobs.work import Done
from coop.lib.db import execute
from coop.lib.models import JobRun
from partners import events

log = structlog.get_logger()

BEAT, WORKER = "(beat)", "(worker)"  # they note in the table of the jobs that they are alive
OFTEN = 60  # seconds: the runs of a job that looks more often are added up by the hour


def run_job(name: str, at: datetime, asked_by: str = "", run_id: int | None = None) -> Done:
    """Run one job up to an instant, and keep that it looked and, if it did anything, what.

    A job that breaks altogether is one failure of its run and no exception: the next look finds what it left, and the jobs
    after it go on. `run_id` is the row of a run that somebody asked for.
    """
    job = BY_NAME[name]
    mark_killed()
    with Heartbeat(name, at, run_id=run_id) as heart:
        done = _run(job, at, heart)
    keep(done, heart, asked_by)
    return done


def run_due(at: datetime, *, telling: bool = True) -> list[Done]:
    """Run every job by the clock once, in order; without `telling` those alone that do more than tell."""
    return run_at_stop(by_the_clock(telling=telling), at)


def run_telling(at: datetime) -> list[Done]:
    """Tell of what happened, and write the mails of it."""
    return run_at_stop(AT_STOPS, at)


def run_at_stop(some: Sequence[Job], at: datetime) -> list[Done]:
    """Run jobs at one of the many stops of a sandbox's move. Of one that found nothing it is kept that it looked."""
    found = []
    for job in some:
        with Heartbeat(job.name, at) as heart:
            done = _run(job, at, heart)
        if heart.run_id is not None or done.worked or done.failed:
            keep(done, heart, "")
        found.append(done)
    execute(
        """INSERT INTO lib_jobstate (job, looked_wall) SELECT unnest(%s::text[]), statement_timestamp()
           ON CONFLICT (job) DO UPDATE SET looked_wall = excluded.looked_wall""",
        [[job.name for job in some]],
    )
    return found


def _run(job: Job, at: datetime, heart: Heartbeat) -> Done:
    try:
        return job.run(at, heart)
    except Exception as error:
        log.exception("job.broke", job=job.name)
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        done = Done(job.name, at, worked=heart.worked)
        done.fail(job.name, in_words(error, job))
        return done


def in_words(error: Exception, job: Job) -> str:
    if isinstance(error, SoftTimeLimitExceeded):
        return "It took longer than it may and was stopped; what it left is found by the next run."
    return f"It broke off: {error or type(error).__name__}"


def note_alive(who: str) -> None:
    """Note that beat or a worker was alive just now."""
    execute(
        """INSERT INTO lib_jobstate (job, looked_wall) VALUES (%s, statement_timestamp())
           ON CONFLICT (job) DO UPDATE SET looked_wall = excluded.looked_wall""",
        [who],
    )


# --- What is kept -----------------------------------------------------------------------------------------------------


@transaction.atomic
def keep(done: Done, heart: Heartbeat, asked_by: str) -> None:
    """Note that a job looked, and keep its run if it did something, failed, took its time or was asked for."""
    execute(
        """INSERT INTO lib_jobstate AS s (job, looked_wall, worked_wall, failed_wall)
           SELECT %(job)s, t, CASE WHEN %(worked)s THEN t END, CASE WHEN %(failed)s THEN t END
           FROM (SELECT statement_timestamp() AS t) AS now
           ON CONFLICT (job) DO UPDATE SET looked_wall = excluded.looked_wall,
             worked_wall = coalesce(excluded.worked_wall, s.worked_wall),
             failed_wall = coalesce(excluded.failed_wall, s.failed_wall)""",
        {"job": done.job, "worked": done.worked > 0, "failed": done.failed > 0},
    )
    if heart.run_id is None and not (done.worked or done.failed or asked_by):
        return
    if not asked_by and _add_to_last(done, heart):
        return
    kept = {
        "status": "failed" if done.failed else "done",
        "at": done.at,
        "heartbeat_wall": Now(),
        "ended_wall": Now(),
        "total": heart.total,
        "worked": done.worked,
        "failed": done.failed,
        "failures": done.failures,
        "notes": done.notes[:20],
    }
    if heart.run_id is None:
        run = JobRun.objects.create(job=done.job, asked_by=asked_by, **kept)
    else:
        JobRun.objects.filter(id=heart.run_id).update(**kept)
        run = JobRun.objects.get(id=heart.run_id)
    if done.failed:
        first = done.failures[0] if done.failures else {"record": done.job, "error": ""}
        events.record(
            "job.failed",
            run,
            by=None,
            at=done.at,
            vendor_only=True,
            job=done.job,
            failed=done.failed,
            record=first["record"],
            error=first["error"],
        )


def _add_to_last(done: Done, heart: Heartbeat) -> bool:
    """Add a run to the row before it, where a row of its own would only repeat that one.

    A record that cannot be worked on fails at each look in the same words; and a job that looks every few seconds would write
    a page of rows in an hour.
    """
    mine = JobRun.objects.filter(id=heart.run_id or 0)
    last = JobRun.objects.select_for_update().filter(job=done.job).exclude(id=heart.run_id or 0).first()
    if last is None or last.status not in ("done", "failed") or last.asked_by:
        return False
    same_failure = done.failed > 0 and not done.worked and (last.failed, last.failures) == (done.failed, done.failures)
    every = BY_NAME[done.job].every
    often = isinstance(every, float) and every < OFTEN
    same_hour = JobRun.objects.filter(id=last.id, began_wall__gt=Now() - timedelta(hours=1)).exists()
    if not same_failure and not (often and not done.failed and last.status == "done" and same_hour):
        return False
    mine.delete()
    JobRun.objects.filter(id=last.id).update(
        at=done.at, worked=F("worked") + done.worked, heartbeat_wall=Now(), ended_wall=Now()
    )
    return True
