"""The jobs that tell people and programs what happened."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db.models.functions import Now

from claims import escalating, reminding
from coop.jobs.work import SILENT, Done, Progress, each
from coop.lib.models import JobRun
from coop.telling import tell_untold as tell
from funds import forecasting
from partners import mailing
from partners.hooks import leasing, operations, sending
from partners.models import Untold

log = structlog.get_logger()

ALIVE = 5  # seconds since the last heartbeat, which comes each second
TOGETHER = 100  # people whose mails are written in one transaction


def tell_untold(at: datetime, progress: Progress = SILENT) -> Done:
    """Every event in the outbox; it is rung by whoever records one."""
    done = Done("tell_untold", at, progress=progress)
    progress.expect(Untold.objects.count())
    tally = tell(at=at, step=progress.step)
    done.worked = tally.events
    for record, error in tally.failures:
        done.fail(record, error)
    return done


def remind(at: datetime, progress: Progress = SILENT) -> Done:
    """Reminders of deadlines, from 60 days before to one."""
    done = Done("remind", at, progress=progress)
    for near in reminding.due_rounds(at):
        done.worked += reminding.make_round(near, at=at, step=progress.step)
    return done


def escalate(at: datetime, progress: Progress = SILENT) -> Done:
    """What nobody worked on while its deadline comes near."""
    return Done("escalate", at, worked=escalating.escalate(at=at, step=progress.step), progress=progress)


def forecast(at: datetime, progress: Progress = SILENT) -> Done:
    """Whether funds will reach their threshold, once a month."""
    return Done("forecast", at, worked=forecasting.forecast(at=at, step=progress.step), progress=progress)


def write_mails(at: datetime, progress: Progress = SILENT) -> Done:
    """The mails whose time has come, of many people together; where that fails, of each alone, so that one holds up nobody."""
    done = Done("write_mails", at, progress=progress)
    people = mailing.people_to_mail(at)
    for start in range(0, len(people), TOGETHER):
        some = people[start : start + TOGETHER]
        try:
            done.worked += mailing.write_mails(some, at=at)
        except Exception:
            log.exception("mails.written_one_by_one", people=len(some))
            each(done, some, lambda i: mailing.write_mails([i], at=at), kind="person")
    return done


def send_mails(at: datetime, progress: Progress = SILENT) -> Done:
    """What waits for the mail server. A server that is away is tried again; what it refuses for good is a failure."""
    done = Done("send_mails", at, progress=progress)
    if settings.OUTGOING_HELD:
        return done
    made = mailing.send_mails(at=at)
    done.worked = made.sent
    if made.later:
        done.notes.append(f"{made.later} go again later{f': {made.error}' if made.error else ''}")
    if made.failed:
        done.fail("mails", f"{made.failed} were given up", made.failed)
    return done


def send_deliveries(at: datetime, progress: Progress = SILENT) -> Done:
    """What waits for webhooks. An address that refuses is its owner's to mend, and in its log; the job has done its work."""
    done = Done("send_deliveries", at, progress=progress)
    if settings.OUTGOING_HELD or somebody_runs("send_deliveries", progress):
        return done
    made = sending.send_deliveries(at=at, step=progress.step)
    done.worked = made.sent + made.failed + made.closed
    if made.failed or made.closed:
        done.notes.append(f"{made.sent} accepted, {made.failed} refused or out of reach, {made.closed} closed unsent")
    return done


def somebody_runs(job: str, progress: Progress) -> bool:
    """Whether another run of a job is alive. Two do no harm; but slow addresses shall not take up every worker."""
    alive = JobRun.objects.filter(job=job, status="running", heartbeat_wall__gt=Now() - timedelta(seconds=ALIVE))
    return alive.exclude(id=getattr(progress, "run_id", None) or 0).exists()


def keep_webhooks(at: datetime, progress: Progress = SILENT) -> Done:
    """The log of what was sent to webhooks is forgotten after a month."""
    return Done("keep_webhooks", at, worked=operations.keep_house(), progress=progress)


def deliveries_due(at: datetime) -> int:
    """How many deliveries could be made now."""
    return leasing.count_due()
