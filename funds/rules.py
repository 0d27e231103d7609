"""The calendar, the threshold and the windows as pure functions of plain values. Source: domain.md sections 2 and 3."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from coop.lib.dates import add_months, end_of_day, start_of_day


@dataclass(frozen=True)
class CalendarRule:
    """How a program's earning periods are generated. Months are counted from `first_month` of the fiscal year."""

    first_month: int
    months: int
    claims_open_after_days: int
    days_to_settle: int
    days_to_claim: int
    days_to_cure: int


@dataclass(frozen=True)
class PeriodDates:
    """The days and instants of one earning period. Instants are half-open: `at < ..._at` is the whole test."""

    code: str
    earn_from: date
    earn_to: date
    use_from: date
    use_to: date
    settle_on: date
    claims_open_on: date
    claims_close_on: date
    cure_close_on: date
    earn_open_at: datetime
    earn_close_at: datetime
    use_open_at: datetime
    use_close_at: datetime
    settle_at: datetime
    claims_open_at: datetime
    claims_close_at: datetime
    cure_close_at: datetime


INSTANT_OF_DAY = {
    "earn_from": ("earn_open_at", start_of_day),
    "earn_to": ("earn_close_at", end_of_day),
    "use_from": ("use_open_at", start_of_day),
    "use_to": ("use_close_at", end_of_day),
    "settle_on": ("settle_at", end_of_day),
    "claims_open_on": ("claims_open_at", start_of_day),
    "claims_close_on": ("claims_close_at", end_of_day),
    "cure_close_on": ("cure_close_at", end_of_day),
}


def instants(days: dict[str, date], zone: str) -> dict[str, datetime]:
    """The stored instants that belong to a period's days in the program's zone."""
    return {name: at(days[day], zone) for day, (name, at) in INSTANT_OF_DAY.items()}


def generate_period(rule: CalendarRule, fiscal_year: int, part: int, zone: str) -> PeriodDates:
    """The dates of part `part` (1, 2, ...) of fiscal year `fiscal_year` (2024 is FY24), named after where it was earned.

    FY24 H1 by the half-year rule: earned 1 Jul to 31 Dec 2023, used 1 Jan to 30 Jun 2024, claimed 15 Feb to 14 Aug 2024.
    """
    year = fiscal_year - 1 if rule.first_month > 1 else fiscal_year
    earn_from = add_months(date(year, rule.first_month, 1), (part - 1) * rule.months)
    use_from = add_months(earn_from, rule.months)
    after_use = add_months(use_from, rule.months)
    use_to = after_use - timedelta(days=1)
    claims_close_on = use_to + timedelta(days=rule.days_to_claim)
    days = {
        "earn_from": earn_from,
        "earn_to": use_from - timedelta(days=1),
        "use_from": use_from,
        "use_to": use_to,
        "settle_on": use_from - timedelta(days=1) + timedelta(days=rule.days_to_settle),
        "claims_open_on": use_from + timedelta(days=rule.claims_open_after_days),
        "claims_close_on": claims_close_on,
        "cure_close_on": claims_close_on + timedelta(days=rule.days_to_cure),
    }
    letter = "H" if rule.months == 6 else "Q" if rule.months == 3 else "P"
    # mypy cannot tell the days from the instants in what is unpacked here.
    return PeriodDates(code=f"FY{fiscal_year % 100:02d}-{letter}{part}", **days, **instants(days, zone))  # type: ignore[arg-type]


def period_state(
    at: datetime,
    *,
    earn_close_at: datetime,
    use_open_at: datetime,
    claims_open_at: datetime,
    claims_close_at: datetime,
    cure_close_at: datetime,
) -> str:
    """Which of its clocks a period is in at an instant; the clock decides, no job has to have run.

    *Settling* is the gap between the end of earning and the start of use, which the half-year rule does not have.
    """
    if at < earn_close_at:
        return "earning"
    if at < use_open_at:
        return "settling"
    if at < claims_open_at:
        return "in_use"
    if at < claims_close_at:
        return "claiming"
    if at < cure_close_at:
        return "curing"
    return "closed"


def qualifies(coop_minor: int, threshold_minor: int) -> bool:
    """Whether a fund's co-op reaches the program's threshold; exactly at it qualifies."""
    return coop_minor >= threshold_minor
