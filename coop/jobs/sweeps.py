"""The jobs by the clock: each finds what its stored instants make due, and calls one operation for each. No rules here."""

from __future__ import annotations

from datetime import datetime

from claims.operations import overdue, plans
from claims.operations.sending import due_to_lapse, lapse_claim
from coop.jobs.work import SILENT, Done, Progress, each
from funds.operations import heads, rebates, settlement, windows


def settle_periods(at: datetime, progress: Progress = SILENT) -> Done:
    """Threshold test of every period whose earnings are final: open its funds, or convert them."""
    settlement.mark_empty_periods("settle_at", "settled_at", at=at)
    due = settlement.due_to_settle(at)
    progress.expect(settlement.funds_to_settle(due) if due else 0)
    done = Done("settle_periods", at)  # counts funds, of which the sweep itself tells
    return each(done, due, lambda i: settlement.settle_period(i, at=at, tell=progress.step).funds, kind="period")


def open_claims(at: datetime, progress: Progress = SILENT) -> Done:
    """Periods that take claims from now on: partners are told."""
    done = Done("open_claims", at, progress=progress)
    return each(done, windows.due_to_open(at), lambda i: windows.open_claims(i, at=at), kind="period")


def lapse_claims(at: datetime, progress: Progress = SILENT) -> Done:
    """Drafts past the claim deadline, and returned claims past the cure deadline."""
    done = Done("lapse_claims", at, progress=progress)
    return each(done, due_to_lapse(at), lambda i: lapse_claim(i, at=at), kind="claim")


def lapse_plans(at: datetime, progress: Progress = SILENT) -> Done:
    """Plans past the claim deadline: what they still reserve expires."""
    done = Done("lapse_plans", at, progress=progress)
    return each(done, plans.due_to_lapse(at), lambda i: plans.lapse_plan(i, at=at), kind="plan")


def expire_periods(at: datetime, progress: Progress = SILENT) -> Done:
    """What is left in the funds of every period whose claim deadline has passed."""
    settlement.mark_empty_periods("claims_close_at", "expired_at", at=at)
    due = settlement.due_to_expire(at)
    progress.expect(settlement.funds_to_expire(due) if due else 0)
    done = Done("expire_periods", at)  # counts funds, of which the sweep itself tells
    return each(done, due, lambda i: settlement.expire_period(i, at=at, tell=progress.step).funds, kind="period")


def gather_rebates(at: datetime, progress: Progress = SILENT) -> Done:
    """What is owed as rebate from months that are over, one payable for each partner, program and currency."""
    done = Done("gather_rebates", at, progress=progress)
    return each(done, rebates.due_to_gather(at), lambda i: rebates.gather_rebates(i, at=at) > 0, kind="partner")


def record_head(at: datetime, progress: Progress = SILENT) -> Done:
    """The head of the day that is over, if anything moved since the head before."""
    head = heads.record_head(heads.day_due(at), at=at)
    return Done("record_head", at, worked=int(head is not None), progress=progress)


def notice_overdue(at: datetime, progress: Progress = SILENT) -> Done:
    """Claims and plans that were not decided by their due instant."""
    done = Done("notice_overdue", at, progress=progress)
    return each(done, overdue.due_to_notice(at), lambda found: overdue.notice_overdue(*found, at=at))
