"""What funds offers to plans and claims: reserve, hold, release, restore, approve.

They pass a reference that funds does not look into.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from coop.lib import clock
from coop.lib.dates import show_day
from coop.lib.errors import InsufficientFunds, WindowClosed, WindowNotOpen
from funds import states
from funds.ledger import TOTALS, Movement, post
from funds.models import Fund, Payable
from funds.operations.threshold import becomes_rebate, retest_funds, settle_locked_fund
from funds.queries.deadlines import is_closed
from partners.models import Person


def hold(
    fund: Fund,
    amount_minor: int,
    *,
    reference: tuple[str, str],
    key: str,
    from_reserved: bool = False,
    by: Person,
    at: datetime,
) -> None:
    """Move an amount from available, or from what is reserved for a plan, to in review on a locked fund.

    Raises WindowNotOpen while the money is an estimate, WindowClosed after the claim deadline, and InsufficientFunds, also
    for a fund below zero.
    """
    require_spendable(fund, at=at)
    source = states.RESERVED if from_reserved else states.AVAILABLE
    _move(fund, "hold", source, states.IN_REVIEW, amount_minor, reference=reference, key=key, by=by, at=at)


def reserve(fund: Fund, amount_minor: int, *, reference: tuple[str, str], key: str, by: Person, at: datetime) -> None:
    """Set an amount of a locked fund aside for a plan. Raises as `hold`."""
    require_spendable(fund, at=at)
    _move(fund, "reserve", states.AVAILABLE, states.RESERVED, amount_minor, reference=reference, key=key, by=by, at=at)


def require_spendable(fund: Fund, *, at: datetime) -> None:
    """Refuse a locked fund of which nothing can be planned or claimed now.

    If the fund's threshold test is due but no job has run it yet, it is run now: the clock decides, not the job.
    Raises WindowNotOpen, WindowClosed, and InsufficientFunds for a fund below zero.
    """
    if is_closed(fund, at):
        raise WindowClosed(
            f"Money of {fund.earning_period} could be claimed until {show_day(fund.claims_close_on)}; "
            "what was left has expired."
        )
    if fund.settled_at is None:
        if at < fund.earning_period.settle_at:
            raise WindowNotOpen(
                f"{fund.show(fund.available_minor)} is still an estimate. It can be claimed once the earnings of "
                f"{fund.earning_period} are final, after {show_day(fund.earning_period.settle_on)}."
            )
        settle_locked_fund(fund, at=at)
    if fund.overdrawn:
        raise InsufficientFunds(overdrawn_text(fund))


def overdrawn_text(fund: Fund) -> str:
    """What to say of a fund below zero: what was seen, what the rule says, what to do."""
    return (
        f"{fund.show(-fund.available_minor)} more was taken back than was left in this fund. Nothing can be planned or "
        "claimed from a fund below zero. Later earnings of the same half make up for it first; until then use another fund, "
        "or ask your channel manager."
    )


def release(
    fund: Fund,
    amount_minor: int,
    *,
    reference: tuple[str, str],
    key: str,
    to_reserved: bool = False,
    effective_on: date | None = None,
    by: Person | None,
    at: datetime,
) -> str:
    """Give back an amount that was in review on a locked fund: to available, or to the reserve of the plan it came from.
    Returns the bucket that it went to. `effective_on` is the day that it is for where that is not today.

    After the claim deadline it cannot be claimed any more, so it goes to expired at once (ADR 0004), whatever was asked; the
    clock is read once more for that, because the lock may have been waited for until after the fund expired. What comes
    back to a fund that is below its threshold by now becomes rebate, as the rest of the fund did.
    """
    at = max(at, clock.now())
    late = is_closed(fund, at)
    to_bucket = states.EXPIRED if late else states.RESERVED if to_reserved else states.AVAILABLE
    day = effective_on or day_of(fund, at)
    post(fund, Movement("release", states.IN_REVIEW, to_bucket, amount_minor, day, *reference, key), by=by, at=at)
    if to_bucket == states.AVAILABLE:
        _retest(fund, key, at=at)
    return to_bucket


def release_reserve(
    fund: Fund, amount_minor: int, *, reference: tuple[str, str], key: str, by: Person | None, at: datetime
) -> None:
    """Give back what was reserved for a plan on a locked fund. After the claim deadline it expires, effective on it."""
    at = max(at, clock.now())
    late = is_closed(fund, at)
    to_bucket = states.EXPIRED if late else states.AVAILABLE
    day = fund.claims_close_on if late else day_of(fund, at)
    post(fund, Movement("release", states.RESERVED, to_bucket, amount_minor, day, *reference, key), by=by, at=at)
    if not late:
        _retest(fund, key, at=at)


def _retest(fund: Fund, occasion: str, *, at: datetime) -> None:
    """Let what came back to a fund below its threshold become rebate."""
    if fund.settled_at is not None and becomes_rebate(fund):
        retest_funds(fund.earning_period, [fund.id], occasion=occasion, at=at, effective_on=day_of(fund, at))
        fund.refresh_from_db(fields=TOTALS)


def restore(fund: Fund, amount_minor: int, *, reference: tuple[str, str], key: str, by: Person, at: datetime) -> None:
    """Put an amount in review for a dispute that was decided for its partner, on a locked fund.

    Before the claim deadline that is a hold like any other. From then on the money is what the first decision gave up: it
    lies in expired, or still in available where the sweep has not come by; the second part has the key `<key>:left`.
    Raises as `hold`, and InsufficientFunds where both together are too little.
    """
    at = max(at, clock.now())
    if not is_closed(fund, at):
        hold(fund, amount_minor, reference=reference, key=key, by=by, at=at)
        return
    expired = min(amount_minor, fund.expired_minor)
    there = expired + max(fund.available_minor, 0)
    if amount_minor > there:
        raise InsufficientFunds(
            f"{fund.show(amount_minor)} was asked for, but {fund.show(there)} of this fund expired or is left. "
            f"{fund.show(amount_minor - there)} is missing: grant less."
        )
    more: dict[str, Any] = {"reference": reference, "by": by, "at": at}
    if expired:
        _move(fund, "restoration", states.EXPIRED, states.IN_REVIEW, expired, key=key, **more)
    if amount_minor > expired:
        _move(fund, "hold", states.AVAILABLE, states.IN_REVIEW, amount_minor - expired, key=f"{key}:left", **more)


def approve(fund: Fund, amount_minor: int, *, reference: tuple[str, str], key: str, by: Person, at: datetime) -> None:
    """Move an amount from in review to approved on a locked fund, and note that it is to be paid."""
    _move(
        fund,
        "approval",
        states.IN_REVIEW,
        states.APPROVED,
        amount_minor,
        reference=reference,
        key=key,
        by=by,
        at=at,
    )
    Payable.objects.get_or_create(
        reference_type=reference[0],
        reference=reference[1],
        defaults={
            "fund": fund,
            "partner_id": fund.partner_id,
            "program_id": fund.program_id,
            "currency": fund.currency,
            "amount_minor": amount_minor,
            "approved_at": at,
        },
    )


def _move(
    fund: Fund,
    kind: str,
    from_bucket: str,
    to_bucket: str,
    amount_minor: int,
    *,
    reference: tuple[str, str],
    key: str,
    by: Person | None,
    at: datetime,
) -> None:
    """Post a movement that is effective on the day of `at` in the program's zone."""
    post(fund, Movement(kind, from_bucket, to_bucket, amount_minor, day_of(fund, at), *reference, key), by=by, at=at)


def day_of(fund: Fund, at: datetime) -> date:
    """The day of an instant in the program's zone."""
    return at.astimezone(ZoneInfo(fund.program.time_zone)).date()
