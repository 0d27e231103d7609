"""The words of a fund's clocks: which months, until when, how long still."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from coop.lib.dates import show_day, show_deadline
from funds.models import EarningPeriod, Fund

NEAR_DAYS = 30


def months(first: date, last: date) -> str:
    """A stretch of whole months as people say it: Jul to Dec 2023. Other stretches are said in days."""
    whole = first.day == 1 and (last + timedelta(days=1)).day == 1
    if not whole:
        return f"{show_day(first)} to {show_day(last)}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{last:%b %Y}"
    begin = f"{first:%b}" if first.year == last.year else f"{first:%b %Y}"
    return f"{begin} to {last:%b %Y}"


def earned_in(period: EarningPeriod) -> str:
    """The name of a fund for people: Earned Jul to Dec 2023."""
    return f"Earned {months(period.earn_from, period.earn_to)}"


def span(first: date | None, last: date | None) -> str:
    """The days of a piece of work: one day, from one to another, or what is known of it; empty when nothing is."""
    if first and last and first != last:
        return f"{show_day(first)} to {show_day(last)}"
    if first and not last:
        return f"from {show_day(first)}"
    return show_day(last) if last else ""


def both_clocks(fund: Fund) -> str:
    """What follows "Earned Jul to Dec 2023": Spend Jan to Jun 2024, claim until 14 Aug 2024, 23:59:59 UTC"""
    spend = months(fund.earning_period.use_from, fund.earning_period.use_to)
    return f"Spend {spend}, claim until {show_deadline(fund.claims_close_at, fund.program.time_zone)}"


def time_left(close_at: datetime, *, at: datetime, zone: str) -> tuple[str, str]:
    """How long until a half-open closing instant, by the days of the zone's calendar, and the tone it is said in.

    ("in 12 days", "attention") near the deadline, ("passed", "problem") from the instant on.
    """
    if at >= close_at:
        return "passed", "problem"
    local = ZoneInfo(zone)
    last_day = (close_at - timedelta(microseconds=1)).astimezone(local).date()
    days = (last_day - at.astimezone(local).date()).days
    said = "today" if days == 0 else "tomorrow" if days == 1 else f"in {days} days"
    return said, "attention" if days <= NEAR_DAYS else ""
