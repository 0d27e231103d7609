"""Until when the vendor is to answer: business days, public holidays, zones."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claims.due import due_at, due_day
from coop.lib.dates import business_days_after, public_holidays
from tests.factories import make_fund, make_sent_claim

COUNTRIES = ["US", "DE", "JP", "SA", "XX"]
ZONES = ["UTC", "America/Vancouver", "Pacific/Auckland", "Asia/Kathmandu"]
INSTANTS = st.integers(0, 365 * 5 * 24).map(lambda hours: datetime(2023, 1, 1, tzinfo=UTC) + timedelta(hours=hours))


@pytest.mark.parametrize(
    ("sent", "days", "country", "zone", "last"),
    [
        (datetime(2024, 3, 4, 9, tzinfo=UTC), 2, "US", "UTC", date(2024, 3, 6)),
        # A Wednesday before Independence Day: Thursday is a holiday, so Friday and Monday count.
        (datetime(2024, 7, 3, 9, tzinfo=UTC), 2, "US", "UTC", date(2024, 7, 8)),
        (datetime(2024, 7, 3, 9, tzinfo=UTC), 2, "DE", "UTC", date(2024, 7, 5)),
        # Over the turn of the year: Christmas and New Year of two calendar years.
        (datetime(2024, 12, 23, 9, tzinfo=UTC), 5, "DE", "UTC", date(2025, 1, 2)),
        # A country that nobody knows has weekends and no holidays.
        (datetime(2024, 7, 3, 9, tzinfo=UTC), 2, "XX", "UTC", date(2024, 7, 5)),
        # 23:00 UTC on Tuesday is Wednesday morning in Auckland.
        (datetime(2024, 3, 5, 23, tzinfo=UTC), 2, "US", "Pacific/Auckland", date(2024, 3, 8)),
        # Sent on a Saturday: Monday is the first day that counts.
        (datetime(2024, 3, 9, 9, tzinfo=UTC), 2, "US", "UTC", date(2024, 3, 12)),
    ],
)
def test_a_review_is_due_at_the_end_of_a_business_day(
    sent: datetime, days: int, country: str, zone: str, last: date
) -> None:
    due = due_at(sent, days, country, zone)
    assert due_day(due, zone) == last
    assert due.astimezone(ZoneInfo(zone)).date() == last + timedelta(days=1)


@given(INSTANTS, st.integers(1, 15), st.sampled_from(COUNTRIES), st.sampled_from(ZONES))
def test_between_sending_and_due_lie_just_so_many_business_days(
    at: datetime, days: int, country: str, zone: str
) -> None:
    last, first = due_day(due_at(at, days, country, zone), zone), at.astimezone(ZoneInfo(zone)).date()
    off = public_holidays(country)
    between = [first + timedelta(days=n) for n in range(1, (last - first).days + 1)]
    assert sum(day.weekday() < 5 and day not in off for day in between) == days
    assert last.weekday() < 5
    assert last not in off


@given(INSTANTS, INSTANTS, st.integers(1, 15), st.sampled_from(COUNTRIES), st.sampled_from(ZONES))
def test_who_sends_later_is_never_due_earlier(
    one: datetime, other: datetime, days: int, country: str, zone: str
) -> None:
    first, second = sorted((one, other))
    assert due_at(first, days, country, zone) <= due_at(second, days, country, zone)
    assert due_at(first, days, country, zone) < due_at(first, days + 1, country, zone)


@given(st.dates(date(2024, 1, 1), date(2026, 12, 31)), st.integers(1, 60))
def test_a_holiday_never_brings_a_day_nearer(day: date, days: int) -> None:
    assert business_days_after(day, days) <= business_days_after(day, days, public_holidays("US"))


@pytest.mark.django_db
def test_a_sent_claim_says_until_when_it_is_reviewed() -> None:
    claim = make_sent_claim(make_fund(now=datetime(2024, 7, 3, 9, tzinfo=UTC)))
    assert claim.review_due_at == datetime(2024, 7, 9, tzinfo=UTC)
