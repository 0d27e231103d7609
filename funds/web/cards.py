"""What a page says of one fund: the finding in a sentence, the parts of the bar, the deadline that is next."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from coop.lib.dates import show_day, show_deadline, show_instant
from funds import states
from funds.models import Fund
from funds.web.clocks import earned_in, months, time_left

LABELS = {
    states.PAID: "Paid",
    states.APPROVED: "Approved",
    states.IN_REVIEW: "In review",
    states.RESERVED: "Reserved",
    states.AVAILABLE: "Available",
    states.EXPIRED: "Expired",
    states.CONVERTED: "Converted",
}


def is_estimate(fund: Fund, at: datetime) -> bool:
    """Whether the money may still change before it can be spent: the threshold test has not come yet."""
    return fund.settled_at is None and at < fund.earning_period.settle_at


def fund_card(
    fund: Fund,
    *,
    at: datetime,
    whole: bool = False,
    with_place: bool = False,
    kept: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """The parameters of `_components/fund_bar.html`. With `whole` each of the seven buckets is there, empty ones too.

    `at` is the instant that the fund is shown as of; `kept` are parameters of the address that its links carry on.
    """
    label, instant, left, tone = deadline(fund, at)
    name = earned_in(fund.earning_period)
    return {
        "id": f"fund-{fund.pk}",
        "title": f"{name}, {fund.program}, {fund.location}" if with_place else name,
        "url": with_query(reverse("fund", args=[fund.pk]), kept),
        "sentence": sentence(fund, at),
        "currency": fund.currency,
        "deadline_label": label,
        "deadline": instant,
        "deadline_left": left,
        "deadline_tone": tone,
        "parts": parts(fund, at=at, whole=whole, kept=kept),
        "total_label": "Earned and adjusted" if fund.adjustments_minor else "Earned",
        "total": fund.show(fund.earned_minor + fund.adjustments_minor),
    }


def with_query(page: str, query: Mapping[str, str]) -> str:
    return f"{page}?{urlencode(query)}" if query else page


def parts(fund: Fund, *, at: datetime, whole: bool, kept: Mapping[str, str]) -> list[dict[str, Any]]:
    """The seven buckets in the order in which money ends; empty ones only where all are wanted."""
    page = reverse("fund", args=[fund.pk])
    found = []
    for bucket, label in LABELS.items():
        minor = getattr(fund, f"{bucket}_minor")
        if minor or whole or bucket == states.AVAILABLE:
            estimated = bucket == states.AVAILABLE and is_estimate(fund, at)
            found.append(
                {
                    "key": bucket,
                    "label": "Estimate" if estimated else label,
                    "minor": minor,
                    "amount": fund.show(minor).rpartition(" ")[0],
                    "url": f"{with_query(page, {'bucket': bucket, **kept})}#entries",
                    "hint": "not spendable" if estimated else "",
                }
            )
    return found


def deadline(fund: Fund, at: datetime) -> tuple[str, str, str, str]:
    """The clock that counts next for a fund: label, instant, time left, tone."""
    period, zone = fund.earning_period, fund.program.time_zone
    if is_estimate(fund, at):
        return "Final after", show_deadline(period.settle_at, zone), "", ""
    if at >= fund.claims_close_at:
        return "Claims closed", show_deadline(fund.claims_close_at, zone), "", ""
    left, tone = time_left(fund.claims_close_at, at=at, zone=zone)
    return "Claim by", show_deadline(fund.claims_close_at, zone), left, tone if fund.remaining_minor > 0 else ""


def sentence(fund: Fund, at: datetime) -> str:
    """What the numbers say, in words."""
    period = fund.earning_period
    earned = fund.show(fund.earned_minor + fund.adjustments_minor)
    if is_estimate(fund, at):
        when = show_day(period.use_from)
        return f"{fund.show(fund.available_minor)} so far: an estimate, not spendable. It can be spent from {when}."
    if fund.available_minor < 0:
        short = fund.show(-fund.available_minor)
        later = "later earnings make up for it" if at < fund.claims_close_at else "the vendor settles it with you"
        return f"{short} more was taken back than was left here. Nothing can be planned or claimed until {later}."
    if at >= fund.claims_close_at:
        return closed_sentence(fund, earned)
    if fund.converted_minor and not fund.remaining_minor and not fund.claimed_minor:
        return f"{fund.show(fund.converted_minor)} did not reach the program's threshold and is paid out as rebate."
    if not fund.remaining_minor:
        return f"All of the {earned} is claimed." if fund.claimed_minor else "There is nothing to claim in this fund."
    untouched = fund.remaining_minor == fund.earned_minor + fund.adjustments_minor
    share = f"All of the {earned}" if untouched else f"Of {earned}, {fund.show(fund.remaining_minor)}"
    left = f"{share} is still yours to claim"
    if at < period.claims_open_at:
        return f"{left}, for work done {months(period.use_from, period.use_to)}. Claims open on {opens(fund)}."
    if at < period.use_close_at:
        return f"{left}, for work done until {show_day(period.use_to)}."
    return f"{left}, for work done {months(period.use_from, period.use_to)}."


def opens(fund: Fund) -> str:
    """The instant from which claims are taken; a day is enough where it begins at midnight."""
    text = show_instant(fund.earning_period.claims_open_at, fund.program.time_zone)
    return show_day(fund.earning_period.claims_open_on) if ", 00:00 " in text else text


def closed_sentence(fund: Fund, earned: str) -> str:
    """What became of a fund that takes no more claims."""
    if fund.in_review_minor or fund.approved_minor:
        still = fund.show(fund.in_review_minor + fund.approved_minor)
        return f"This fund takes no more claims. {still} is still being decided or paid."
    if fund.available_minor:
        return f"This fund takes no more claims. {fund.show(fund.available_minor)} was not claimed in time and expires."
    if fund.converted_minor:
        return f"This fund is closed. {fund.show(fund.converted_minor)} was paid out as rebate."
    if fund.expired_minor:
        paid, expired = fund.show(fund.paid_minor), fund.show(fund.expired_minor)
        return f"This fund is closed. Of {earned}, {paid} was paid to you and {expired} expired."
    return f"This fund is closed. All of the {earned} was paid to you."
