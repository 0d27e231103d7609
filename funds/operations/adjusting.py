"""What must hold before an adjustment is posted: its own words, the windows of its funds, and the money in them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from coop.lib.dates import show_day, show_deadline
from coop.lib.errors import FieldError, InsufficientFunds, Invalid, WindowClosed, WindowNotOpen
from coop.lib.text import text_fault
from funds import states
from funds.models import Adjustment, Fund
from funds.operations.holds import day_of
from funds.operations.threshold import becomes_rebate
from funds.queries.deadlines import closes_at, open_still

# Reasons that say little by themselves: somebody who reads the ledger in a year must find out what was meant.
NOTE_NEEDED = ("ops_adjustment", "policy_exception")
LONGEST_NOTE = 1_000


def require_sound(adjustment: Adjustment, *, at: datetime) -> None:
    """Refuse what does not fit together, all of it at once. Raises Invalid."""
    errors = [*faults_of_words(adjustment), *faults_of_day(adjustment, at), *faults_of_target(adjustment)]
    if errors:
        raise Invalid(errors=errors)


def faults_of_words(adjustment: Adjustment) -> Iterator[FieldError]:
    purpose, reason, note = adjustment.purpose, adjustment.reason_code, adjustment.note
    if purpose not in states.ADJUSTMENT_PURPOSES:
        known = ", ".join(states.ADJUSTMENT_PURPOSES)
        yield FieldError("purpose", "invalid_choice", f"“{purpose[:20]}” is no purpose of an adjustment. Use {known}.")
    if reason not in states.REASON_CODES:
        known = ", ".join(states.REASON_CODES)
        yield FieldError("reason_code", "invalid_choice", f"“{reason[:20]}” is no reason code. Use {known}.")
    elif purpose == "rollover" and reason != "coop_rollover":
        yield FieldError("reason_code", "does_not_fit", "A rollover to another period has the reason coop_rollover.")
    if adjustment.amount_minor == 0:
        yield FieldError("amount", "must_not_be_zero", "Nothing would move. Enter an amount.")
    elif adjustment.amount_minor < 0 and purpose != "correction":
        name = states.ADJUSTMENT_PURPOSES.get(purpose, "This purpose").lower()
        yield FieldError(
            "amount", "must_be_positive", f"A {name} says itself where the money goes. Give the amount without a minus."
        )
    if fault := text_fault(note, one_line=False):
        yield FieldError("note", "invalid", fault)
    elif len(note) > LONGEST_NOTE:
        yield FieldError("note", "too_long", f"The note has {len(note):,} characters; {LONGEST_NOTE:,} fit.")
    elif reason in NOTE_NEEDED and not note:
        name = states.REASON_CODES[reason].lower()
        yield FieldError(
            "note", "required", f"“{name.capitalize()}” alone explains nothing. Say in the note what happened."
        )


def faults_of_day(adjustment: Adjustment, at: datetime) -> Iterator[FieldError]:
    """The day that it is for: not before the earning of a fund began, and not in the future."""
    day, today = adjustment.effective_on, day_of(adjustment.fund, at)
    if day > today:
        yield FieldError(
            "effective_on", "in_the_future", f"{show_day(day)} has not come yet. Use a day until {show_day(today)}."
        )
    for fund in both_funds(adjustment):
        period = fund.earning_period
        if day < period.earn_from:
            yield FieldError(
                "effective_on",
                "too_early",
                f"{show_day(day)} is before {period} began to earn. Use a day from {show_day(period.earn_from)} on.",
            )
            return


def faults_of_target(adjustment: Adjustment) -> Iterator[FieldError]:
    """The other fund of a rollover: another period's, of the same enrollment and currency, and not itself rebate by now."""
    fund, target = adjustment.fund, adjustment.to_fund
    if adjustment.purpose != "rollover":
        if target is not None:
            yield FieldError("to_fund", "not_wanted", "Only a rollover names another fund.")
        return
    if target is None:
        yield FieldError("to_fund", "required", "Say into which fund the money goes.")
    elif target.pk == fund.pk:
        yield FieldError("to_fund", "same_fund", "The money is in this fund already. Choose another period's fund.")
    elif (target.enrollment_id, target.currency) != (fund.enrollment_id, fund.currency):
        yield FieldError(
            "to_fund",
            "does_not_fit",
            f"{target} in {target.currency} is another enrollment or currency. Money is rolled over inside one of both.",
        )
    elif target.settled_at is not None and becomes_rebate(target):
        yield FieldError(
            "to_fund",
            "becomes_rebate",
            f"{target.earning_period} is below its threshold, or its program ended: what comes into it becomes rebate at "
            "once. Choose another fund, or pay the amount out as rebate.",
        )


def both_funds(adjustment: Adjustment) -> list[Fund]:
    return [adjustment.fund, *([adjustment.to_fund] if adjustment.to_fund else [])]


def require_windows(adjustment: Adjustment, *, at: datetime) -> None:
    """Refuse to give money to, or to spend money of, a fund that takes no claims any more, or is an estimate still.

    What takes money away, and a write-off, come at any time. Raises WindowClosed, WindowNotOpen.
    """
    fund, target, purpose = adjustment.fund, adjustment.to_fund, adjustment.purpose
    if target is not None and at >= target.claims_close_at:
        raise WindowClosed(f"{closed(target)} Nothing can be rolled over into it. {instead(target, at)}")
    upwards = purpose == "correction" and adjustment.amount_minor > 0
    if upwards and at >= fund.claims_close_at:
        raise WindowClosed(f"{closed(fund)} What is added now could not be claimed. {instead(fund, at)}")
    if purpose not in ("rollover", "to_rebate"):
        return
    if at >= fund.claims_close_at:
        raise WindowClosed(f"{closed(fund)} What was left in it has expired and cannot be moved.")
    if fund.settled_at is None:
        raise WindowNotOpen(
            f"{fund.show(fund.available_minor)} is an estimate until {show_day(fund.earning_period.settle_on)}, when the "
            "threshold is tested. Move money once it is final."
        )


def closed(fund: Fund) -> str:
    until = show_deadline(fund.claims_close_at, fund.program.time_zone)
    return f"Claims for {fund.earning_period} were taken until {until}."


def instead(fund: Fund, at: datetime) -> str:
    """Which fund of the same enrollment to use in place of a closed one."""
    live = live_fund(fund, at)
    if live is None:
        return "No fund of this enrollment takes claims at present; wait for the first earnings of the next half."
    until = show_deadline(live.claims_close_at, live.program.time_zone)
    return f"Use fund {live.pk}, {live.earning_period}, which takes claims until {until}."


def live_fund(fund: Fund, at: datetime) -> Fund | None:
    """The fund of the same enrollment and currency whose claim deadline comes next."""
    same = Fund.objects.with_names().filter(enrollment=fund.enrollment_id, currency=fund.currency)
    return same.filter(open_still(at)).order_by(closes_at(), "id").first()


def require_money(adjustment: Adjustment) -> None:
    """Refuse to move more than is there, or to write off more than is missing. Raises InsufficientFunds, Invalid.

    A correction downwards may leave less than nothing: what it takes back may have been spent.
    """
    fund, amount = adjustment.fund, adjustment.amount_minor
    if adjustment.purpose in ("rollover", "to_rebate") and amount > fund.available_minor:
        raise InsufficientFunds(
            f"{fund.show(amount)} was asked for, but {fund.show(fund.available_minor)} is available in this fund. "
            "Money that is reserved, in review or approved stays where it is. Move at most what is available."
        )
    if adjustment.purpose == "write_off" and amount > -fund.available_minor:
        missing = fund.show(max(-fund.available_minor, 0))
        raise Invalid.field(
            "amount",
            f"{missing} is missing in this fund, and a write-off lifts it to nothing at most. "
            + ("Write off less." if fund.overdrawn else "There is nothing to write off."),
            "more_than_missing",
        )
