"""What funds offers to plans and claims: hold, release, approve. They pass a reference that funds does not look into."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from coop.lib import clock
from coop.lib.dates import show_day
from coop.lib.errors import InsufficientFunds, WindowClosed, WindowNotOpen
from funds import states
from funds.ledger import TOTALS, Movement, post
from funds.models import Fund, Payable
from funds.operations.settlement import becomes_rebate, retest_funds, settle_locked_fund
from partners.models import Person


def hold(fund: Fund, amount_minor: int, *, reference: tuple[str, str], key: str, by: Person, at: datetime) -> None:
    """Move an amount from available to in review on a locked fund.

    If the fund's threshold test is due but no job has run it yet, it is run now: the clock decides, not the job.
    Raises WindowNotOpen while the money is an estimate, WindowClosed after the claim deadline, and InsufficientFunds, also
    for a fund below zero.
    """
    if at >= fund.earning_period.claims_close_at:
        raise WindowClosed(
            f"Money of {fund.earning_period} could be claimed until {show_day(fund.earning_period.claims_close_on)}; "
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
    _move(
        fund,
        "hold",
        states.AVAILABLE,
        states.IN_REVIEW,
        amount_minor,
        reference=reference,
        key=key,
        by=by,
        at=at,
    )


def overdrawn_text(fund: Fund) -> str:
    """What to say of a fund below zero: what was seen, what the rule says, what to do."""
    return (
        f"{fund.show(-fund.available_minor)} more was taken back than was left in this fund. Nothing can be planned or "
        "claimed from a fund below zero. Later earnings of the same half make up for it first; until then use another fund, "
        "or ask your channel manager."
    )


def release(
    fund: Fund, amount_minor: int, *, reference: tuple[str, str], key: str, by: Person | None, at: datetime
) -> None:
    """Give back an amount that was in review on a locked fund.

    After the claim deadline it cannot be claimed any more, so it goes to expired at once (ADR 0004); the clock is read once
    more for that, because the lock may have been waited for until after the fund expired. What comes back to a fund that is
    below its threshold by now becomes rebate, as the rest of the fund did.
    """
    at = max(at, clock.now())
    late = at >= fund.earning_period.claims_close_at
    to_bucket = states.EXPIRED if late else states.AVAILABLE
    _move(fund, "release", states.IN_REVIEW, to_bucket, amount_minor, reference=reference, key=key, by=by, at=at)
    if not late and fund.settled_at is not None and becomes_rebate(fund):
        retest_funds(fund.earning_period, [fund.id], occasion=key, at=at, effective_on=day_of(fund, at))
        fund.refresh_from_db(fields=TOTALS)


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
