"""The four clocks of each period: the dates that are promised, and which window an instant falls into."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claims.operations.review import Fix, return_claim
from claims.operations.sending import lapse_claim, submit_claim
from coop.lib import clock
from coop.lib.errors import WindowClosed
from funds import rules
from tests import factories as make

HALF_YEAR = rules.CalendarRule(
    first_month=7, months=6, claims_open_after_days=45, days_to_settle=30, days_to_claim=45, days_to_cure=45
)
PERIODS = [rules.generate_period(HALF_YEAR, year, part, "UTC") for year in range(2020, 2028) for part in (1, 2)]
BY_CODE = {period.code: period for period in PERIODS}

# earned from, to; settled on; used from, to; claimed from, to; cured until
TABLE = {
    "FY23-H2": [
        "2023-01-01",
        "2023-06-30",
        "2023-07-30",
        "2023-07-01",
        "2023-12-31",
        "2023-08-15",
        "2024-02-14",
        "2024-03-30",
    ],
    "FY24-H1": [
        "2023-07-01",
        "2023-12-31",
        "2024-01-30",
        "2024-01-01",
        "2024-06-30",
        "2024-02-15",
        "2024-08-14",
        "2024-09-28",
    ],
    "FY24-H2": [
        "2024-01-01",
        "2024-06-30",
        "2024-07-30",
        "2024-07-01",
        "2024-12-31",
        "2024-08-15",
        "2025-02-14",
        "2025-03-31",
    ],
}
DAYS = ("earn_from", "earn_to", "settle_on", "use_from", "use_to", "claims_open_on", "claims_close_on", "cure_close_on")

BEGIN = datetime(2020, 2, 1, tzinfo=UTC)
instants = st.integers(0, 2_676 * 86_400_000_000).map(lambda past: BEGIN + timedelta(microseconds=past))


def state(period: rules.PeriodDates, at: datetime) -> str:
    names = ("earn_close_at", "use_open_at", "claims_open_at", "claims_close_at", "cure_close_at")
    return rules.period_state(at, **{name: getattr(period, name) for name in names})


@pytest.mark.parametrize("code", TABLE)
def test_the_dates_of_a_period_are_those_of_the_published_table(code: str) -> None:
    assert [getattr(BY_CODE[code], day).isoformat() for day in DAYS] == TABLE[code]


def test_c1_the_last_day_to_claim_is_45_days_after_the_use_period() -> None:
    half = BY_CODE["FY24-H1"]
    assert half.claims_close_on == half.use_to + timedelta(days=45) == date(2024, 8, 14)
    assert half.claims_close_at == datetime(2024, 8, 15, tzinfo=UTC)
    assert BY_CODE["FY23-H2"].claims_close_on == date(2023, 12, 31) + timedelta(days=45) == date(2024, 2, 14)
    vancouver = rules.generate_period(HALF_YEAR, 2024, 1, "America/Vancouver")
    assert vancouver.claims_close_at == datetime(2024, 8, 15, 7, tzinfo=UTC)


def test_c2_claims_open_the_day_after_the_deadline_before() -> None:
    """From 30 June plus 45 days to 15 August, and from 31 December to 15 February, in every year."""
    assert BY_CODE["FY23-H2"].claims_close_on == date(2024, 2, 14)
    assert BY_CODE["FY24-H1"].claims_open_on == date(2024, 2, 15)
    for before, after in pairwise(PERIODS):
        assert after.claims_open_at == before.claims_close_at


@pytest.mark.django_db
def test_c3_the_cure_deadline_is_45_days_after_the_claim_deadline() -> None:
    assert BY_CODE["FY24-H1"].cure_close_on == date(2024, 8, 14) + timedelta(days=45) == date(2024, 9, 28)
    fund = make.make_fund(now=datetime(2024, 8, 14, 12, tzinfo=UTC))
    claims = [make.make_sent_claim(fund) for _ in range(2)]
    make.set_clock(datetime(2024, 8, 20, tzinfo=UTC))
    for claim in claims:
        return_claim(claim.id, fixes=[Fix("lines", "Add the log.")], by=make.vendor("manager"), at=clock.now())
    make.set_clock(datetime(2024, 9, 28, 23, 59, 59, tzinfo=UTC))
    assert submit_claim(claims[0].id, by=claims[0].created_by, at=clock.now()).status == "submitted"
    make.set_clock(datetime(2024, 9, 29, tzinfo=UTC))
    with pytest.raises(WindowClosed, match="until 28 Sep 2024, 23:59:59 UTC"):
        submit_claim(claims[1].id, by=claims[1].created_by, at=clock.now())
    assert lapse_claim(claims[1].id, at=clock.now())
    claims[1].refresh_from_db()
    assert (claims[1].status, claims[1].held_minor) == ("lapsed", 0)


@given(instants)
def test_at_any_instant_one_period_earns_one_is_used_and_one_takes_claims(at: datetime) -> None:
    assert sum(p.earn_open_at <= at < p.earn_close_at for p in PERIODS) == 1
    if at >= PERIODS[0].use_open_at:
        assert sum(p.use_open_at <= at < p.use_close_at for p in PERIODS) == 1
    if at >= PERIODS[0].claims_open_at:
        assert [state(p, at) for p in PERIODS].count("claiming") == 1
    assert sum(p.claims_open_at <= at < p.cure_close_at for p in PERIODS) <= 2


@given(instants, instants)
def test_a_period_goes_through_its_states_in_one_direction(one: datetime, other: datetime) -> None:
    order = ("earning", "settling", "in_use", "claiming", "curing", "closed")
    earlier, later = sorted((one, other))
    for period in PERIODS:
        assert order.index(state(period, earlier)) <= order.index(state(period, later))


def test_on_20_january_2024_three_periods_live_at_once() -> None:
    at = datetime(2024, 1, 20, tzinfo=UTC)
    assert [state(BY_CODE[code], at) for code in ("FY24-H2", "FY24-H1", "FY23-H2")] == ["earning", "in_use", "claiming"]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2023-12-31T23:59:59.999999", "earning"),
        ("2024-01-01T00:00:00", "in_use"),
        ("2024-02-14T23:59:59.999999", "in_use"),
        ("2024-02-15T00:00:00", "claiming"),
        ("2024-08-14T23:59:59.999999", "claiming"),
        ("2024-08-15T00:00:00", "curing"),
        ("2024-09-28T23:59:59.999999", "curing"),
        ("2024-09-29T00:00:00", "closed"),
    ],
)
def test_every_clock_is_half_open(at: str, expected: str) -> None:
    assert state(BY_CODE["FY24-H1"], datetime.fromisoformat(at).replace(tzinfo=UTC)) == expected


def test_periods_follow_each_other_without_a_gap() -> None:
    assert [p.code for p in PERIODS[:3]] == ["FY20-H1", "FY20-H2", "FY21-H1"]
    for before, after in pairwise(PERIODS):
        assert after.earn_from == before.use_from == before.earn_to + timedelta(days=1)
        assert after.earn_open_at == before.earn_close_at


def test_other_rules_make_other_periods() -> None:
    quarters = rules.CalendarRule(1, 3, 30, 10, 30, 30)
    first = rules.generate_period(quarters, 2024, 1, "UTC")
    assert (first.code, first.earn_from, first.use_to) == ("FY24-Q1", date(2024, 1, 1), date(2024, 6, 30))
