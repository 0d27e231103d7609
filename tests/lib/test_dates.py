"""Days become instants once, in one place: the same in every zone, on every machine."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coop.lib import dates

ZONES = sorted(zone for zone in zoneinfo.available_timezones() if zone not in ("Factory", "localtime"))
MONTH_ENDS = [dates.add_months(date(2024, 1, 1), n) - timedelta(days=1) for n in range(1, 133)]


def test_a_deadline_after_any_month_end_is_a_local_midnight_in_every_zone_and_they_keep_their_order() -> None:
    """554 zones and more, 132 month ends of 2024 to 2034, each plus 45 days."""
    assert len(ZONES) > 400
    assert (MONTH_ENDS[0], MONTH_ENDS[-1]) == (date(2024, 1, 31), date(2034, 12, 31))
    for name in ZONES:
        zone, before = ZoneInfo(name), None
        for month_end in MONTH_ENDS:
            last_day = month_end + timedelta(days=45)
            instant = dates.end_of_day(last_day, name)
            local = instant.astimezone(zone)
            assert (local.date(), local.hour, local.minute) == (last_day + timedelta(days=1), 0, 0), (name, month_end)
            assert (instant - timedelta(microseconds=1)).astimezone(zone).date() == last_day
            assert before is None or before < instant
            before = instant


@pytest.mark.parametrize(
    ("zone", "day", "instant"),
    [
        ("UTC", date(2024, 8, 15), datetime(2024, 8, 15, tzinfo=UTC)),
        ("America/Vancouver", date(2024, 8, 15), datetime(2024, 8, 15, 7, tzinfo=UTC)),
        ("Asia/Kathmandu", date(2024, 8, 15), datetime(2024, 8, 14, 18, 15, tzinfo=UTC)),
        # No midnight: the clocks jump from 00:00 to 01:00.
        ("Africa/Cairo", date(2026, 4, 24), datetime(2026, 4, 23, 22, tzinfo=UTC)),
        ("America/Havana", date(2026, 3, 8), datetime(2026, 3, 8, 5, tzinfo=UTC)),
        ("America/Santiago", date(2026, 9, 6), datetime(2026, 9, 6, 4, tzinfo=UTC)),
        ("Asia/Beirut", date(2026, 3, 29), datetime(2026, 3, 28, 22, tzinfo=UTC)),
        # Two midnights: the first counts.
        ("America/Havana", date(2026, 11, 1), datetime(2026, 11, 1, 4, tzinfo=UTC)),
        # A day that never was.
        ("Pacific/Apia", date(2011, 12, 30), datetime(2011, 12, 30, 10, tzinfo=UTC)),
    ],
)
def test_a_day_begins_at_its_first_instant(zone: str, day: date, instant: datetime) -> None:
    assert dates.start_of_day(day, zone) == instant


@given(st.sampled_from(ZONES), st.dates(date(2024, 1, 1), date(2034, 12, 30)))
def test_each_day_ends_where_the_next_begins_and_none_is_empty(zone: str, day: date) -> None:
    begin, end = dates.start_of_day(day, zone), dates.end_of_day(day, zone)
    assert end == dates.start_of_day(day + timedelta(days=1), zone)
    assert timedelta(hours=22) <= end - begin <= timedelta(hours=26)
    assert begin.tzinfo is UTC
    assert begin.astimezone(ZoneInfo(zone)).date() == day


def test_the_tables_of_zones_come_from_the_locked_package_and_not_from_the_machine() -> None:
    assert zoneinfo.TZPATH == ()


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)).map(lambda day: day.replace(day=1)), st.integers(-240, 240))
def test_months_are_added_and_taken_back(day: date, months: int) -> None:
    there = dates.add_months(day, months)
    assert there.day == 1
    assert dates.add_months(there, -months) == day
    assert (there.year - day.year) * 12 + there.month - day.month == months


def test_months_are_counted_from_a_first_day_only() -> None:
    with pytest.raises(ValueError, match="first day"):
        dates.add_months(date(2024, 1, 31), 1)


def test_a_deadline_is_shown_as_the_last_second_in_time() -> None:
    assert dates.show_deadline(datetime(2024, 8, 15, tzinfo=UTC)) == "14 Aug 2024, 23:59:59 UTC"
    assert dates.show_deadline(datetime(2024, 8, 15, 7, tzinfo=UTC), "America/Vancouver") == (
        "14 Aug 2024, 23:59:59 America/Vancouver"
    )
    assert dates.show_instant(datetime(2024, 8, 14, 9, 5, tzinfo=UTC)) == "14 Aug 2024, 09:05 UTC"
    assert dates.show_day(date(2024, 8, 4)) == "4 Aug 2024"
