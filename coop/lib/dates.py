"""Days and instants. A deadline is computed once, here, and then stored; nobody computes it again.

The time zone tables come from the locked `tzdata` package and not from the operating system: two machines that disagree
about a zone would disagree about a deadline.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Container
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from holidays import country_holidays

zoneinfo.reset_tzpath(to=())

# Days outside these years are slips of the pen; further out, counting on from a day leaves the calendar.
FIRST_YEAR, LAST_YEAR = 2000, 2100


def start_of_day(day: date, zone: str) -> datetime:
    """The first instant of a day in a zone, in UTC.

    Where midnight is skipped (some zones change their clocks at 00:00), it is the first instant that exists; where it is
    repeated, the first of the two.
    """
    midnight = datetime.combine(day, time(0), ZoneInfo(zone)).replace(fold=0)
    instant = midnight.astimezone(UTC)
    if instant.astimezone(ZoneInfo(zone)).date() < day:
        # A gap: fold=0 read midnight with the offset before the jump and landed before it on the wall clock's day.
        instant = midnight.replace(fold=1).astimezone(UTC)
    return instant


def end_of_day(day: date, zone: str) -> datetime:
    """The first instant after a day in a zone, in UTC: deadlines are half-open, `at < end_of_day(...)` is in time."""
    return start_of_day(day + timedelta(days=1), zone)


def add_months(day: date, months: int) -> date:
    """The first day of the month that lies `months` after the month of `day`, which must itself be a first day."""
    if day.day != 1:
        raise ValueError("add_months counts from the first day of a month")
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, 1)


def business_days_after(day: date, days: int, holidays: Container[date] = ()) -> date:
    """The day that lies so many business days after a day: weekdays that are not among the `holidays`."""
    while days:
        day += timedelta(days=1)
        days -= day.weekday() < 5 and day not in holidays
    return day


@cache
def public_holidays(country: str) -> Container[date]:
    """The public holidays of a country by its code; none where the library behind this knows nothing of the country.

    Holidays of single regions are left out. Those of a year are worked out when a day of it is first asked for.
    """
    try:
        return country_holidays(country)
    except NotImplementedError:
        return ()


def show_day(day: date) -> str:
    """A full date for people: 14 Aug 2024."""
    return f"{day.day} {day:%b %Y}"


def show_instant(at: datetime, zone: str = "UTC") -> str:
    """An instant for people, zoned: 14 Aug 2024, 23:59 UTC. Seconds are shown when there are any."""
    local = at.astimezone(ZoneInfo(zone))
    clock = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    return f"{show_day(local.date())}, {clock} {local.tzname() if zone == 'UTC' else zone}"


def show_deadline(close_at: datetime, zone: str = "UTC") -> str:
    """The last second that is in time, for a half-open closing instant: 14 Aug 2024, 23:59:59 UTC."""
    return show_instant(close_at - timedelta(seconds=1), zone)
