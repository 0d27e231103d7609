"""The jobs: what each finds due, and which operation it calls for it. Alarm clocks, no rules.

A job takes the instant `at`, works through all that is due by then, and may run late, twice, or together with itself.
One record that fails does not stop the others: it is counted and logged, and found again at the next run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from django.conf import settings

from claims.checks import CHECKS as CLAIM_CHECKS
from claims.operations import files, plans, previews
from claims.operations.sending import due_to_lapse, lapse_claim
from claims.queries import retention
from funds.checks import check_ledger
from funds.models import EarningPeriod
from funds.operations import deliveries, heads, rebates, settlement
from funds.queries.proof import verify_ledger

log = structlog.get_logger()


@dataclass
class Done:
    """What one run of a job did."""

    job: str
    at: datetime
    worked: int = 0
    failed: int = 0
    notes: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {
            "job": self.job,
            "at": self.at.isoformat(),
            "worked": self.worked,
            "failed": self.failed,
            "notes": self.notes,
        }


def each(done: Done, ids: Iterable[Any], act: Callable[[Any], Any]) -> Done:
    """Call the operation for each id; what fails is counted and leaves nothing behind."""
    for record_id in ids:
        try:
            worked = act(record_id)
        except Exception as error:
            done.failed += 1
            done.notes.append(f"{record_id}: {error}")
            log.exception("job.record_failed", job=done.job, record=str(record_id))
        else:
            done.worked += worked is not False
    return done


def settle_periods(at: datetime) -> Done:
    """Threshold test of every period whose earnings are final: open its funds, or convert them."""
    settlement.mark_empty_periods("settle_at", "settled_at", at=at)
    return each(
        Done("settle_periods", at), settlement.due_to_settle(at), lambda i: settlement.settle_period(i, at=at).funds > 0
    )


def lapse_claims(at: datetime) -> Done:
    """Drafts past the claim deadline, and returned claims past the cure deadline."""
    return each(Done("lapse_claims", at), due_to_lapse(at), lambda i: lapse_claim(i, at=at))


def lapse_plans(at: datetime) -> Done:
    """Plans past the claim deadline: what they still reserve expires."""
    return each(Done("lapse_plans", at), plans.due_to_lapse(at), lambda i: plans.lapse_plan(i, at=at))


def expire_periods(at: datetime) -> Done:
    """What is left in the funds of every period whose claim deadline has passed."""
    settlement.mark_empty_periods("claims_close_at", "expired_at", at=at)
    return each(
        Done("expire_periods", at), settlement.due_to_expire(at), lambda i: settlement.expire_period(i, at=at).funds > 0
    )


def gather_rebates(at: datetime) -> Done:
    """What is owed as rebate from months that are over, one payable for each partner, program and currency."""
    return each(Done("gather_rebates", at), rebates.due_to_gather(at), lambda i: rebates.gather_rebates(i, at=at) > 0)


def check_imports(at: datetime) -> Done:
    """Imports that wait to be checked."""
    return each(
        Done("check_imports", at), deliveries.waiting(), lambda i: deliveries.check_import(i, at=at) is not None
    )


def commit_imports(at: datetime) -> Done:
    """Imports that are too large for a request, to be committed or reversed as somebody asked."""
    return each(Done("commit_imports", at), deliveries.asked_for(), lambda i: deliveries.work_on(i, at=at) is not None)


def audit_ledger(at: datetime) -> Done:
    """The nightly check of the ledger."""
    report = check_ledger(CLAIM_CHECKS)
    done = Done("audit_ledger", at, worked=report.funds, failed=len(report.differences))
    done.notes = [f"{d.check}: {d.subject}: {d.detail}" for d in report.differences[:20]]
    for note in done.notes:
        log.error("ledger.differs", difference=note)
    return done


def make_previews(at: datetime) -> Done:
    """Files that wait for their preview."""
    return each(Done("make_previews", at), previews.waiting(), lambda i: previews.make_preview(i, at=at))


def delete_files(at: datetime) -> Done:
    """Files that nobody needs any more: old ones, those that no document names, and bytes that were left over."""
    done = each(Done("delete_files", at), retention.due_to_delete(at), lambda i: files.delete_old(i, at=at))
    each(done, retention.unused(), files.forget)
    return each(done, files.left_over(), lambda found: files.drop_bytes(*found))


def check_files(at: datetime) -> Done:
    """Each night a thirtieth of the files is read through, those first that were not looked at for longest."""
    done = Done("check_files", at)
    for stored_id in retention.to_check():
        fault = files.check_file(stored_id, at=at)
        done.worked += 1
        done.failed += bool(fault)
        if fault:
            done.notes.append(fault)
            log.error("file.differs", fault=fault)
    return done


def verify_links(at: datetime) -> Done:
    """The nightly look for what was changed behind the product's back."""
    verdict = verify_ledger()
    done = Done("verify_links", at, worked=verdict.entries, failed=verdict.found)
    done.notes = [f"{fault.kind}: {fault.subject}: {fault.detail}" for fault in verdict.faults[:20]]
    for note in done.notes:
        log.error("ledger.tampered", fault=note)
    return done


def record_head(at: datetime) -> Done:
    """The head of the day that is over, if anything moved since the head before."""
    head = heads.record_head(heads.day_due(at), at=at)
    return Done("record_head", at, worked=int(head is not None))


def mail_heads(at: datetime) -> Done:
    """Heads that were not mailed yet, to the addresses of LEDGER_HEAD_MAIL_TO; nothing without it."""
    to = settings.LEDGER_HEAD_MAIL_TO
    waiting = heads.days_to_mail() if to else []
    return each(Done("mail_heads", at), waiting, lambda day: heads.mail_head(day, to=to, at=at))


# The order in which jobs that are due at the same instant run.
BY_THE_CLOCK: tuple[Callable[[datetime], Done], ...] = (
    settle_periods,
    lapse_claims,
    lapse_plans,
    expire_periods,
    gather_rebates,
    record_head,
)


def due_instants(after: datetime, until: datetime) -> list[datetime]:
    """The stored instants in (after, until] at which a job by the clock falls due, in order."""
    found: set[datetime] = set()
    for column in ("settle_at", "claims_close_at", "cure_close_at"):
        periods = EarningPeriod.objects.filter(**{f"{column}__gt": after, f"{column}__lte": until})
        found.update(periods.values_list(column, flat=True))
    # A period that falls due may convert co-op to rebate, which is gathered when the month is over.
    if found or rebates.anything_waits():
        found.update(rebates.month_starts(after, until))
    return sorted(found)


def run_due(at: datetime) -> list[Done]:
    """Run every job by the clock once, in order."""
    return [job(at) for job in BY_THE_CLOCK]
