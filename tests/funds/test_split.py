"""How an earning divides, and when a fund keeps what it earned. The worked examples of docs/rules.md, M1 and M2."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from coop.lib.money import share
from funds.models import Earning, Enrollment, Fund
from funds.operations.settlement import settle_period
from funds.rules import qualifies
from tests import factories as make

pytestmark = pytest.mark.django_db


def shares(enrollment: Enrollment, amount: str, on: str) -> tuple[int, int]:
    make.earn(enrollment, amount, on=on)
    line = Earning.objects.order_by("created_at", "external_id").get(earned_on=on, enrollment=enrollment)
    return line.coop_minor, line.rebate_minor


def test_m1_co_op_and_rebate_are_together_the_earning() -> None:
    make.set_clock(datetime(2022, 12, 1, tzinfo=UTC))
    enrollment = make.make_enrollment()
    assert shares(enrollment, "33.33", "2022-10-31") == (0, 3_333)  # the day before co-op came to MCI
    assert shares(enrollment, "33.33", "2022-11-01") == (1_333, 2_000)
    assert shares(enrollment, "-33.33", "2022-11-02") == (-1_333, -2_000)
    assert (share(4, 6_250), share(12, 6_250)) == (2, 8)
    assert (share(1_001, 4_000), 1_001 - share(1_001, 4_000)) == (400, 601)


@pytest.mark.parametrize(
    ("amount", "available", "converted"),
    [("25000.00", 1_000_000, 0), ("24999.98", 0, 999_999), ("25000.02", 1_000_001, 0)],
)
def test_m2_exactly_at_the_threshold_qualifies(amount: str, available: int, converted: int) -> None:
    fund = make.make_fund(amount)
    assert (fund.available_minor, fund.converted_minor) == (available, converted)
    assert qualifies(1_000_000, 1_000_000)
    assert not qualifies(999_999, 1_000_000)


def test_m2_the_threshold_is_the_one_of_the_last_day_of_the_half() -> None:
    """csp-reseller in FY22 H1: 4,000.00 held until 30 September 2021, 10,000.00 from 1 October on."""
    make.load_catalog("csp-reseller", years=(2021, 2022))
    make.set_clock(datetime(2021, 8, 1, tzinfo=UTC))
    small = make.make_enrollment(program="csp-reseller", starts_on=date(2020, 7, 1))
    large = make.make_enrollment(program="csp-reseller", starts_on=date(2020, 7, 1))
    make.earn(small, "15000.00", on="2021-07-15")  # 6,000.00 of co-op
    make.earn(large, "25000.00", on="2021-07-15")
    half = make.period("FY22-H1", "csp-reseller")
    settle_period(half.id, at=make.set_clock(half.settle_at))
    assert Fund.objects.get(enrollment=small).converted_minor == 600_000
    assert Fund.objects.get(enrollment=large).available_minor == 1_000_000


def test_the_test_is_run_once_and_again_changes_nothing() -> None:
    fund = make.make_fund("24999.98")
    half = make.period()
    again = settle_period(half.id, at=make.CLAIMING)
    assert (again.funds, again.moved) == (0, 0)
    assert fund.entries.count() == 2


def test_nothing_is_tested_before_its_time_whoever_calls() -> None:
    fund = make.make_fund("24999.98", settled=False)
    half = make.period()
    assert settle_period(half.id, at=make.EARNING).funds == 0
    fund.refresh_from_db()
    assert (fund.settled_at, fund.available_minor) == (None, 999_999)


def test_a_late_line_that_lifts_a_fund_to_the_threshold_gives_back_what_was_converted() -> None:
    fund = make.make_fund("24999.98")
    make.earn(fund.enrollment, "0.03")
    fund.refresh_from_db()
    assert (fund.earned_minor, fund.available_minor, fund.converted_minor) == (1_000_000, 1_000_000, 0)


def test_a_late_line_to_a_converted_fund_that_stays_below_converts_too() -> None:
    fund = make.make_fund("24000.00")
    make.earn(fund.enrollment, "10.00")
    fund.refresh_from_db()
    assert (fund.available_minor, fund.converted_minor) == (0, 960_400)
