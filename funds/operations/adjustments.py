"""Adjustments: asked for by one person of finance and, above the program's amount, approved by another.

What an adjustment posts is decided in one place (`movements`), and what must hold before it in another
(funds/operations/adjusting.py). Both are gone through again when the second person approves: the fund may have changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from coop.lib import clock, money
from coop.lib.db import execute
from coop.lib.errors import Invalid, NotFound, SelfDecision, Stale, WrongStatus, check_revision
from coop.lib.text import text_fault
from coop.lib.transitions import follow
from funds import states
from funds.ledger import TOTALS, Movement, lock_fund, post
from funds.models import Adjustment, Entry, Fund
from funds.operations.adjusting import require_money, require_sound, require_windows
from funds.operations.threshold import retest_funds, settle_locked_fund
from partners import events
from partners.models import Person
from partners.permissions import require_role
from partners.states import FINANCE

NO_FUND = "There is no such fund."
NO_ADJUSTMENT = "There is no such adjustment."


@transaction.atomic
def request_adjustment(
    fund_id: int,
    *,
    purpose: str = "correction",
    amount_minor: int,
    reason_code: str,
    effective_on: date,
    note: str = "",
    to_fund_id: int | None = None,
    seen_entries: int | None = None,
    by: Person,
    at: datetime,
) -> Adjustment:
    """Ask for an adjustment: posted at once or, above the program's amount, once a second person approves it.

    Only a correction has a sign; the other purposes say themselves where the money goes. `seen_entries` is the number of
    entries that the fund had when the preview was shown. Raises NotFound, NotAllowed, Stale, Invalid with all that is wrong,
    WindowNotOpen, WindowClosed, InsufficientFunds, and WrongStatus where the same is asked for already.
    """
    wanted = {
        "purpose": purpose,
        "amount_minor": amount_minor,
        "reason_code": reason_code,
        "effective_on": effective_on,
        "note": note.strip(),
        "to_fund_id": to_fund_id,
    }
    adjustment, funds, at = draft(fund_id, wanted, by=by, at=at)
    if seen_entries is not None and seen_entries != adjustment.fund.entries_posted:
        raise Stale("The fund has other entries than when you looked at the preview. Look at it again.")
    require_not_waiting(adjustment)
    if adjustment.second_person_needed:
        adjustment.save()
        note_event("adjustment.requested", adjustment, by=by, at=at, vendor_only=True)
        return adjustment
    adjustment.status = follow(states.ADJUSTMENTS, "post", adjustment.status, what="the adjustment")
    adjustment.decided_at = at
    adjustment.save()
    post_locked(adjustment, funds, by=by, at=at)
    note_event("adjustment.posted", adjustment, by=by, at=at)
    return adjustment


@transaction.atomic
def approve_adjustment(adjustment_id: int, *, revision: int | None = None, by: Person, at: datetime) -> Adjustment:
    """Post an adjustment that somebody else asked for. All is tested once more, as the funds are now.

    Raises NotFound, NotAllowed, SelfDecision, Stale, WrongStatus, and what `request_adjustment` raises.
    """
    adjustment, funds, at = lock_adjustment(adjustment_id, revision=revision, to="approve adjustments", by=by, at=at)
    status = follow(states.ADJUSTMENTS, "post", adjustment.status, what=f"adjustment {adjustment.pk}")
    if adjustment.requested_by_id == by.pk:
        raise SelfDecision("You asked for this adjustment. Another person of finance must look at it and approve it.")
    require_all(adjustment, at=at)
    adjustment.status, adjustment.approved_by, adjustment.decided_at = status, by, at
    adjustment.revision += 1
    adjustment.save()
    post_locked(adjustment, funds, by=by, at=at)
    note_event("adjustment.posted", adjustment, by=by, at=at)
    return adjustment


@transaction.atomic
def decline_adjustment(
    adjustment_id: int, *, reason: str, revision: int | None = None, by: Person, at: datetime
) -> Adjustment:
    """Decline an adjustment that waits, or take one's own back. Raises NotFound, NotAllowed, Stale, WrongStatus, Invalid."""
    adjustment, _, at = lock_adjustment(adjustment_id, revision=revision, to="decline adjustments", by=by, at=at)
    status = follow(states.ADJUSTMENTS, "decline", adjustment.status, what=f"adjustment {adjustment.pk}")
    fault = text_fault(reason, one_line=False)
    if fault or not reason.strip():
        raise Invalid.field("reason", fault or "Say why: whoever asked for it reads the reason.", "required")
    adjustment.status, adjustment.decided_at, adjustment.decline_reason = status, at, reason.strip()
    adjustment.revision += 1
    adjustment.save()
    note_event("adjustment.declined", adjustment, by=by, at=at, vendor_only=True, reason=adjustment.decline_reason)
    return adjustment


# --- What it would do -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Preview:
    """What an adjustment would post: the entries in order, and each fund before and after them."""

    adjustment: Adjustment
    entries: Sequence[Entry]
    funds: Sequence[tuple[Fund, Fund]]


class _Tried(Exception):
    def __init__(self, preview: Preview) -> None:
        self.preview = preview


def preview_adjustment(fund_id: int, *, by: Person, at: datetime, **wanted: Any) -> Preview:
    """What the same `request_adjustment` would post once it is approved. Nothing is kept. Raises the same."""
    try:
        with transaction.atomic():
            adjustment, funds, at = draft(fund_id, wanted, by=by, at=at)
            require_not_waiting(adjustment)
            adjustment.save()
            raise _Tried(tried(adjustment, funds, by=by, at=at))
    except _Tried as found:
        return found.preview


def preview_approval(adjustment_id: int, *, by: Person, at: datetime) -> Preview:
    """What the approval of an adjustment that waits would post now. Nothing is kept. Raises what the approval raises, but
    for SelfDecision: whoever asked for it may look too."""
    try:
        with transaction.atomic():
            adjustment, funds, at = lock_adjustment(adjustment_id, revision=None, to="see this", by=by, at=at)
            require_all(adjustment, at=at)
            raise _Tried(tried(adjustment, funds, by=by, at=at))
    except _Tried as found:
        return found.preview


def tried(adjustment: Adjustment, funds: dict[int, Fund], *, by: Person, at: datetime) -> Preview:
    """Post, and note what that did. The caller undoes it: so what is shown is what would happen, with all its consequences."""
    before = [Fund.objects.with_names().get(id=fund_id) for fund_id in sorted(funds)]
    last = {fund.id: fund.entries_posted for fund in before}
    post_locked(adjustment, funds, by=by, at=at)
    after = [Fund.objects.with_names().get(id=fund_id) for fund_id in sorted(funds)]
    entries = [entry for fund in before for entry in fund.entries.order_by("id")[last[fund.id] :]]
    return Preview(adjustment, sorted(entries, key=lambda entry: entry.id), list(zip(before, after, strict=True)))


# --- Locking and posting ----------------------------------------------------------------------------------------------


def draft(
    fund_id: int, wanted: dict[str, Any], *, by: Person, at: datetime
) -> tuple[Adjustment, dict[int, Fund], datetime]:
    """An adjustment that is not saved, its locked funds by id, and the instant that counts; all that it needs is tested."""
    if not Fund.objects.visible_to(by).filter(id=fund_id).exists():
        raise NotFound(NO_FUND)
    require_role(by, FINANCE, to="adjust funds")
    to_fund_id = wanted.get("to_fund_id")
    if to_fund_id and not Fund.objects.visible_to(by).filter(id=to_fund_id).exists():
        raise Invalid.field("to_fund", NO_FUND, "not_found")
    funds, at = lock_funds([fund_id, *([to_fund_id] if to_fund_id else [])], at=at)
    fund = funds[fund_id]
    adjustment = Adjustment(
        **{name: value for name, value in wanted.items() if name != "to_fund_id"},
        fund=fund,
        to_fund=funds.get(to_fund_id) if to_fund_id else None,
        partner_id=fund.partner_id,
        requested_by=by,
        requested_at=at,
        created_at=at,
    )
    require_all(adjustment, at=at)
    adjustment.second_person_needed = needs_second_person(fund, adjustment.amount_minor)
    return adjustment, funds, at


def needs_second_person(fund: Fund, amount_minor: int) -> bool:
    """Whether an amount is above what one person may move. In another currency than the program's nobody can tell."""
    return fund.currency != fund.program.currency or abs(amount_minor) > fund.program.four_eyes_minor


def lock_adjustment(
    adjustment_id: int, *, revision: int | None, to: str, by: Person, at: datetime
) -> tuple[Adjustment, dict[int, Fund], datetime]:
    """An adjustment that waits, locked after its funds, and the instant that counts."""
    known = Adjustment.objects.visible_to(by).filter(id=adjustment_id).first()
    if known is None:
        raise NotFound(NO_ADJUSTMENT)
    require_role(by, FINANCE, to=to)
    funds, at = lock_funds([known.fund_id, *([known.to_fund_id] if known.to_fund_id else [])], at=at)
    adjustment = Adjustment.objects.select_for_update(of=("self",)).get(id=adjustment_id)
    check_revision(revision, adjustment.revision)
    adjustment.fund = funds[adjustment.fund_id]
    adjustment.to_fund = funds[adjustment.to_fund_id] if adjustment.to_fund_id else None
    return adjustment, funds, at


def lock_funds(ids: Sequence[int], *, at: datetime) -> tuple[dict[int, Fund], datetime]:
    """Share the funds' periods, so that no sweep declares one complete meanwhile, then lock the funds by id.

    A threshold test that is due is done on the way: what is available must be no money that is rebate by now. The clock is
    read once more after the locks; that reading counts.
    """
    execute(
        """SELECT 1 FROM funds_earningperiod WHERE id IN (SELECT earning_period_id FROM funds_fund WHERE id = ANY(%s))
           ORDER BY id FOR SHARE""",
        [list(ids)],
    )
    funds = {fund_id: lock_fund(fund_id) for fund_id in sorted(set(ids))}
    at = max(at, clock.now())
    for fund in funds.values():
        if fund.settled_at is None and at >= fund.earning_period.settle_at:
            settle_locked_fund(fund, at=at)
    return funds, at


def require_all(adjustment: Adjustment, *, at: datetime) -> None:
    """All that must hold before an adjustment is asked for, and again before it is posted."""
    require_sound(adjustment, at=at)
    require_windows(adjustment, at=at)
    require_money(adjustment)


def require_not_waiting(adjustment: Adjustment) -> None:
    """Refuse what is asked for already and waits: a second click must not become a second request. Raises WrongStatus."""
    same = Adjustment.objects.filter(
        fund=adjustment.fund,
        to_fund=adjustment.to_fund,
        purpose=adjustment.purpose,
        amount_minor=adjustment.amount_minor,
        reason_code=adjustment.reason_code,
        effective_on=adjustment.effective_on,
        status="requested",
    ).first()
    if same:
        raise WrongStatus(
            f"{same} asks for the same and waits for its second person. Decline it first, or change what you ask for."
        )


def movements(adjustment: Adjustment) -> list[tuple[int, Movement]]:
    """What an adjustment posts, each with the id of its fund."""
    amount, fund_id = abs(adjustment.amount_minor), adjustment.fund_id

    def movement(kind: str, source: str, target: str, side: str = "") -> Movement:
        return Movement(
            kind,
            source,
            target,
            amount,
            adjustment.effective_on,
            "adjustment",
            str(adjustment.pk),
            f"adjustment:{adjustment.pk}{side}",
            adjustment.reason_code,
            adjustment.note,
        )

    if adjustment.to_fund_id is not None:  # a rollover
        out = movement("adjustment", states.AVAILABLE, states.PROGRAM, ":out")
        into = movement("adjustment", states.PROGRAM, states.AVAILABLE, ":in")
        return [(fund_id, out), (adjustment.to_fund_id, into)]
    if adjustment.purpose == "to_rebate":
        return [(fund_id, movement("conversion", states.AVAILABLE, states.CONVERTED))]
    if adjustment.purpose == "write_off":
        return [(fund_id, movement("write_off", states.PROGRAM, states.AVAILABLE))]
    up = adjustment.amount_minor > 0
    way = (states.PROGRAM, states.AVAILABLE) if up else (states.AVAILABLE, states.PROGRAM)
    return [(fund_id, movement("adjustment", *way))]


def post_locked(adjustment: Adjustment, funds: dict[int, Fund], *, by: Person, at: datetime) -> None:
    """Post what a saved adjustment asks for to its locked funds, and test their thresholds once more."""
    for fund_id, movement in movements(adjustment):
        post(funds[fund_id], movement, by=by, at=at)
    for fund in funds.values():
        occasion = f"adjustment:{adjustment.pk}"
        if retest_funds(fund.earning_period, [fund.id], occasion=occasion, at=at, effective_on=adjustment.effective_on):
            fund.refresh_from_db(fields=TOTALS)


def entries_of(adjustment: Adjustment) -> list[Entry]:
    """The entries of a posted adjustment, with those of the threshold tests that it was the occasion of."""
    own = Q(reference_type="adjustment", reference=str(adjustment.pk))
    tests = Q(kind="conversion", key__endswith=f":adjustment:{adjustment.pk}")
    ids = [adjustment.fund_id, *([adjustment.to_fund_id] if adjustment.to_fund_id else [])]
    return list(Entry.objects.filter(own | tests, fund_id__in=ids).order_by("id"))


def note_event(
    verb: str, adjustment: Adjustment, *, by: Person, at: datetime, vendor_only: bool = False, **data: Any
) -> None:
    fund = adjustment.fund
    events.record(
        verb,
        adjustment,
        by=by,
        at=at,
        vendor_only=vendor_only,
        fund=str(fund.pk),
        purpose=adjustment.purpose,
        amount=money.to_text(adjustment.amount_minor, fund.currency),
        currency=fund.currency,
        reason_code=adjustment.reason_code,
        **data,
    )
