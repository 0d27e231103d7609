"""Until when the vendor is to answer, in business days. It is shown to both sides as "due by"; nothing is refused for it.

Sources: domain.md section 6 (a review in 2 business days, a dispute in 5); public holidays from the `holidays` library.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from claims.states import DAYS_TO_DISPUTE, DISPUTE_BUSINESS_DAYS, REVIEW_BUSINESS_DAYS
from coop.lib.dates import business_days_after, end_of_day, public_holidays
from funds.models import Program


def due_at(at: datetime, business_days: int, country: str, zone: str) -> datetime:
    """The end of the n-th business day after the day of `at` in the zone, as a half-open instant: before it is in time.

    Saturdays, Sundays and the public holidays of the country are no business days. Of a country that the library does not
    know, only weekends are left out.
    """
    day = at.astimezone(ZoneInfo(zone)).date()
    return end_of_day(business_days_after(day, business_days, public_holidays(country)), zone)


def review_due(sent_at: datetime, program: Program) -> datetime:
    """When the review of what was sent at an instant is due."""
    return due_at(sent_at, REVIEW_BUSINESS_DAYS, program.holiday_country, program.time_zone)


def dispute_due(disputed_at: datetime, program: Program) -> datetime:
    """When the decision of a dispute is due."""
    return due_at(disputed_at, DISPUTE_BUSINESS_DAYS, program.holiday_country, program.time_zone)


def due_day(due: datetime, zone: str) -> date:
    """The last day in time of a due instant, in the zone."""
    return (due - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).date()


def dispute_until(decided_at: datetime, program: Program) -> datetime:
    """Until when a partner can dispute a decision: the end of so many calendar days after its day, in the program's zone."""
    day = decided_at.astimezone(ZoneInfo(program.time_zone)).date()
    return end_of_day(day + timedelta(days=DAYS_TO_DISPUTE), program.time_zone)
