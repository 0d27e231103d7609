"""The one list of jobs. Tasks, timetable, `manage.py jobs`, the operators' page and the sandbox's moves come from it.

A new job is a function `(at, progress) -> Done` and one entry in JOBS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from celery.schedules import crontab
from django.conf import settings

from claims import reminding
from claims.operations import overdue, plans, previews
from claims.operations.sending import due_to_lapse
from claims.queries import retention
from coop.jobs import notices, sweeps, upkeep
from coop.jobs.work import SILENT, Done, Progress
from funds import forecasting
from funds.models import EarningPeriod
from funds.operations import deliveries, heads, rebates, settlement, windows
from funds.queries import deadlines
from partners import mailing
from partners.models import Untold

LONG = 2 * 60 * 60  # seconds: sweeps of large periods, files of millions of lines


@dataclass(frozen=True)
class Job:
    """One job: its task is `coop.<name>`.

    `title` says in one sentence what it does. `run` works through all that is due by an instant; `due` counts that without
    doing it (quickly: a page asks), None where nobody can say. `every` is how often it looks: seconds, or a time of day in UTC.
    A job `by_the_clock` acts on promised instants: a sandbox that is moved runs it at each of its `instants` on the way, in the
    order of the list, and after them what runs `at_stops`, which tells of what they did. What only `tells` moves nothing: a
    move through a long past leaves it out. A job `keeps_still` while a sandbox was moved without jobs, as those by the clock
    do. `limit` is how many seconds a run may take.
    """

    do_not_call_in_templates = True

    name: str
    title: str
    run: Callable[[datetime, Progress], Done]
    every: float | crontab
    due: Callable[[datetime], int] | None = None
    by_the_clock: bool = False
    at_stops: bool = False
    tells: bool = False
    instants: Callable[[datetime, datetime], Iterable[datetime]] | None = None
    keeps_still: bool = False
    limit: int | None = None

    def __call__(self, at: datetime) -> Done:
        """Run it without a record of the run."""
        return self.run(at, SILENT)

    @property
    def task(self) -> str:
        return f"coop.{self.name}"

    @property
    def label(self) -> str:
        """E.g. "Settle periods"."""
        return self.name.replace("_", " ").capitalize()

    @property
    def holds(self) -> bool:
        """Whether it keeps still while a sandbox's clock was moved without jobs."""
        return self.by_the_clock or self.keeps_still

    @property
    def how_often(self) -> str:
        """E.g. "every minute", "every 5 seconds", "02:30 UTC"."""
        if isinstance(self.every, crontab):
            hour, minute = (min(getattr(self.every, name)) for name in ("hour", "minute"))
            return f"{hour:02}:{minute:02} UTC"
        seconds = int(self.every)
        if seconds < 60:
            return f"every {seconds} seconds"
        minutes = seconds // 60
        return "every minute" if minutes == 1 else f"every {minutes} minutes"


def stored(column: str) -> Callable[[datetime, datetime], list[datetime]]:
    """The instants that stand in a column of the earning periods."""

    def found(after: datetime, until: datetime) -> list[datetime]:
        periods = EarningPeriod.objects.filter(**{f"{column}__gt": after, f"{column}__lte": until})
        return list(periods.order_by(column).values_list(column, flat=True).distinct())

    return found


def claim_and_cure_deadlines(after: datetime, until: datetime) -> list[datetime]:
    return [*deadlines.closing_instants(after, until), *deadlines.curing_instants(after, until)]


# In the order in which those run that are due at the same instant.
JOBS: tuple[Job, ...] = (
    Job(
        "settle_periods",
        "Tests the funds of a period against the threshold when its earnings are final: opens them or converts them to rebate.",
        sweeps.settle_periods,
        every=60.0,
        due=lambda at: len(settlement.due_to_settle(at)),
        by_the_clock=True,
        instants=stored("settle_at"),
        limit=LONG,
    ),
    Job(
        "open_claims",
        "Says once of each period that it takes claims now, so that its partners are told.",
        sweeps.open_claims,
        every=60.0,
        due=lambda at: len(windows.due_to_open(at)),
        by_the_clock=True,
        instants=stored("claims_open_at"),
    ),
    Job(
        "lapse_claims",
        "Lets drafts lapse at the claim deadline and returned claims at the cure deadline; what they held is released.",
        sweeps.lapse_claims,
        every=60.0,
        due=lambda at: len(due_to_lapse(at)),
        by_the_clock=True,
        instants=claim_and_cure_deadlines,
        limit=LONG,
    ),
    Job(
        "lapse_plans",
        "Lets plans lapse at the claim deadline; what they still reserve expires.",
        sweeps.lapse_plans,
        every=60.0,
        due=lambda at: len(plans.due_to_lapse(at)),
        by_the_clock=True,
        instants=deadlines.closing_instants,
        limit=LONG,
    ),
    Job(
        "expire_periods",
        "Expires what is left in the funds of a period after its claim deadline, effective on it.",
        sweeps.expire_periods,
        every=60.0,
        due=lambda at: len(settlement.due_to_expire(at)),
        by_the_clock=True,
        instants=deadlines.closing_instants,
        limit=LONG,
    ),
    Job(
        "gather_rebates",
        "Makes the rebate of a month that is over payable, once for each partner, program and currency.",
        sweeps.gather_rebates,
        every=60.0,
        due=lambda at: len(rebates.due_to_gather(at)),
        by_the_clock=True,
        limit=LONG,
    ),
    Job(
        "notice_overdue",
        "Says once of each claim, dispute and plan that it was not decided by its due date.",
        sweeps.notice_overdue,
        every=60.0,
        due=lambda at: len(overdue.due_to_notice(at)),
        by_the_clock=True,
        instants=overdue.due_instants,
    ),
    Job(
        "remind",
        "Reminds of claim and cure deadlines 60, 30, 14, 7, 2 and 1 days before, while money is at stake.",
        notices.remind,
        every=60.0,
        due=lambda at: len(reminding.due_rounds(at)),
        by_the_clock=True,
        tells=True,
        instants=reminding.instants,
        limit=LONG,
    ),
    Job(
        "forecast",
        "Tells once a month whether funds that are being earned will reach their threshold at the present pace.",
        notices.forecast,
        every=600.0,
        due=lambda at: len(forecasting.due(at)),
        by_the_clock=True,
        tells=True,
        instants=forecasting.instants,
        limit=LONG,
    ),
    Job(
        "escalate",
        "Tells a second person of a partner when a claim or plan lies untouched and its deadline comes near.",
        notices.escalate,
        every=600.0,
        by_the_clock=True,
        tells=True,
        limit=LONG,
    ),
    Job(
        "record_head",
        "Anchors the funds that moved and records the head of the day that is over.",
        sweeps.record_head,
        every=crontab(hour=0, minute=5),
        by_the_clock=True,
    ),
    Job(
        "tell_untold",
        "Tells people and webhooks of what happened: takes events out of the outbox and writes notices and deliveries.",
        notices.tell_untold,
        every=5.0,
        due=lambda at: Untold.objects.count(),
        at_stops=True,
        limit=LONG,
    ),
    Job(
        "write_mails",
        "Writes the mails whose time has come: notices that go at once, and the morning's digests.",
        notices.write_mails,
        every=5.0,
        due=lambda at: len(mailing.people_to_mail(at)),
        at_stops=True,
    ),
    Job(
        "send_mails",
        "Gives written mails to the mail server, again and again for three days where it does not take them.",
        notices.send_mails,
        every=5.0,
        due=lambda at: mailing.count_to_send(),
        limit=LONG,
    ),
    Job(
        "send_deliveries",
        "Posts to webhooks what waits for them: at growing gaps for three days, the events of one record in their order.",
        notices.send_deliveries,
        every=5.0,
        due=notices.deliveries_due,
    ),
    Job(
        "check_imports",
        "Checks files of earnings that were uploaded.",
        upkeep.check_imports,
        every=5.0,
        due=lambda at: len(deliveries.waiting()),
        limit=LONG,
    ),
    Job(
        "commit_imports",
        "Commits or reverses imports of more than 20,000 lines that somebody asked for.",
        upkeep.commit_imports,
        every=5.0,
        due=lambda at: len(deliveries.asked_for()),
        limit=LONG,
    ),
    Job(
        "make_previews",
        "Draws the previews of files, each in a confined process.",
        upkeep.make_previews,
        every=30.0,
        due=lambda at: len(previews.waiting()),
    ),
    Job(
        "mail_heads",
        "Mails the head of each day to the addresses of LEDGER_HEAD_MAIL_TO.",
        upkeep.mail_heads,
        every=600.0,
        due=lambda at: len(heads.days_to_mail()) if settings.LEDGER_HEAD_MAIL_TO else 0,
    ),
    Job(
        "audit_ledger",
        "Recomputes every fund from its entries (check_ledger) and reports what differs.",
        upkeep.audit_ledger,
        every=crontab(hour=2, minute=0),
        limit=LONG,
    ),
    Job(
        "verify_links",
        "Computes every hash of the ledger's chain anew (verify_ledger) and reports what was changed behind its back.",
        upkeep.verify_links,
        every=crontab(hour=2, minute=30),
        limit=LONG,
    ),
    Job(
        "delete_files",
        "Deletes files that were kept as long as they had to be, and what no document names.",
        upkeep.delete_files,
        every=crontab(hour=3, minute=0),
        due=lambda at: len(retention.due_to_delete(at)),
        keeps_still=True,
        limit=LONG,
    ),
    Job(
        "keep_webhooks",
        "Forgets deliveries to webhooks that ended a month ago, and keeps secrets under the present SECRET_KEY.",
        notices.keep_webhooks,
        every=crontab(hour=3, minute=45),
    ),
    Job(
        "forget_runs",
        "Deletes the rows of runs of jobs that ended 90 days ago.",
        upkeep.forget_runs,
        every=crontab(hour=4, minute=0),
    ),
    Job(
        "check_files",
        "Reads a thirtieth of the files through and compares their hashes.",
        upkeep.check_files,
        every=crontab(hour=3, minute=30),
        limit=LONG,
    ),
)
BY_NAME = {job.name: job for job in JOBS}
BY_THE_CLOCK = tuple(job for job in JOBS if job.by_the_clock)
AT_STOPS = tuple(job for job in JOBS if job.at_stops)


def by_the_clock(*, telling: bool) -> list[Job]:
    """The jobs by the clock; without `telling` those alone that do more than tell."""
    return [job for job in BY_THE_CLOCK if telling or not job.tells]


def due_instants(after: datetime, until: datetime, *, telling: bool = True) -> list[datetime]:
    """The stored instants in (after, until] at which a job by the clock falls due, in order."""
    concerned = [*by_the_clock(telling=telling), *(AT_STOPS if telling else ())]
    found = {instant for job in concerned if job.instants for instant in job.instants(after, until)}
    # A period that falls due may convert co-op to rebate, which is gathered when the month is over.
    if found or rebates.anything_waits():
        found.update(rebates.month_starts(after, until))
    return sorted(found)
