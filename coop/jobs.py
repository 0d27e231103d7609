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

from claims.checks import CHECKS as CLAIM_CHECKS
from claims.operations.sending import due_to_lapse, lapse_claim
from funds.checks import check_ledger
from funds.models import EarningPeriod
from funds.operations import imports, settlement

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


def each(done: Done, ids: Iterable[int], act: Callable[[int], Any]) -> Done:
    """Call the operation for each id; what fails is counted and leaves nothing behind."""
    for record_id in ids:
        try:
            worked = act(record_id)
        except Exception as error:
            done.failed += 1
            done.notes.append(f"{record_id}: {error}")
            log.exception("job.record_failed", job=done.job, record=record_id)
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


def expire_periods(at: datetime) -> Done:
    """What is left in the funds of every period whose claim deadline has passed."""
    settlement.mark_empty_periods("claims_close_at", "expired_at", at=at)
    return each(
        Done("expire_periods", at), settlement.due_to_expire(at), lambda i: settlement.expire_period(i, at=at).funds > 0
    )


def check_imports(at: datetime) -> Done:
    """Imports that wait to be checked."""
    return each(Done("check_imports", at), imports.waiting(), lambda i: imports.check_import(i, at=at) is not None)


def audit_ledger(at: datetime) -> Done:
    """The nightly check of the ledger."""
    report = check_ledger(CLAIM_CHECKS)
    done = Done("audit_ledger", at, worked=report.funds, failed=len(report.differences))
    done.notes = [f"{d.check}: {d.subject}: {d.detail}" for d in report.differences[:20]]
    for note in done.notes:
        log.error("ledger.differs", difference=note)
    return done


# The order in which jobs that are due at the same instant run.
BY_THE_CLOCK: tuple[Callable[[datetime], Done], ...] = (settle_periods, lapse_claims, expire_periods)


def due_instants(after: datetime, until: datetime) -> list[datetime]:
    """The stored instants in (after, until] at which a job by the clock falls due, in order."""
    found: set[datetime] = set()
    for column in ("settle_at", "claims_close_at", "cure_close_at"):
        periods = EarningPeriod.objects.filter(**{f"{column}__gt": after, f"{column}__lte": until})
        found.update(periods.values_list(column, flat=True))
    return sorted(found)


def run_due(at: datetime) -> list[Done]:
    """Run every job by the clock once, in order."""
    return [job(at) for job in BY_THE_CLOCK]
