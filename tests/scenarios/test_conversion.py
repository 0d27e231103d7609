"""The threshold test: what stays co-op and what becomes rebate."""

import pytest

from coop.lib.errors import InsufficientFunds
from funds.models import Earning
from tests.scenarios.world import (
    begin,
    deliver,
    differences,
    draft,
    fund_of,
    ledger_of,
    money_in,
    partner_in,
    reach,
    send,
)

pytestmark = pytest.mark.django_db

MIXED_REALITY = "mixed-reality-adr"


def test_33_33_usd_are_13_33_co_op_and_20_00_rebate() -> None:
    begin()
    reseller = partner_in()
    deliver(reseller, ("33.33", "2023-08-15"))

    earning = Earning.objects.get(partner=reseller.partner)
    assert (earning.coop_minor, earning.rebate_minor) == (1333, 2000)
    assert money_in(fund_of(reseller)) == {"earned": "13.33", "available": "13.33"}


def test_a_fund_exactly_at_the_threshold_qualifies_and_one_cent_below_it_converts() -> None:
    begin()
    at_it, below_it = partner_in(), partner_in()
    deliver(at_it, ("25000.00", "2023-08-15"))
    deliver(below_it, ("24999.98", "2023-08-15"))

    reach("2024-01-31")

    assert money_in(fund_of(at_it)) == {"earned": "10,000.00", "available": "10,000.00"}
    assert money_in(fund_of(below_it)) == {"earned": "9,999.99", "converted": "9,999.99"}


def test_m3_conversion_turns_the_whole_fund_into_rebate() -> None:
    begin()
    reseller = partner_in()
    deliver(reseller, ("24999.98", "2023-08-15"))
    reach("2024-01-31")

    assert ledger_of(fund_of(reseller)) == [
        ("Earned", "9,999.99", "2023-08-15"),
        ("Converted to rebate", "9,999.99", "2024-01-30"),
    ]
    reach("2024-03-04")
    with pytest.raises(InsufficientFunds):
        send(draft(fund_of(reseller), "0.01"))
    assert differences() == []


def test_a_fund_of_a_program_that_ended_converts_whatever_its_amount() -> None:
    begin(MIXED_REALITY, at="2023-06-01")
    headsets = partner_in(MIXED_REALITY)
    deliver(headsets, ("30000.00", "2023-05-15"))

    reach("2023-07-31")

    assert ledger_of(fund_of(headsets, "FY23-H2")) == [
        ("Earned", "12,000.00", "2023-05-15"),
        ("Converted to rebate", "12,000.00", "2023-07-30"),
    ]


def test_a_late_clawback_that_takes_a_fund_below_the_threshold_converts_what_is_left() -> None:
    begin()
    reseller = partner_in()
    deliver(reseller, ("25000.00", "2023-08-15"))
    reach("2024-02-10")
    assert money_in(fund_of(reseller))["available"] == "10,000.00"

    deliver(reseller, ("-500.00", "2023-08-15"))

    assert money_in(fund_of(reseller)) == {"earned": "9,800.00", "converted": "9,800.00"}
    assert differences() == []


def test_a_late_line_that_lifts_a_fund_to_the_threshold_brings_back_what_was_converted() -> None:
    begin()
    reseller = partner_in()
    deliver(reseller, ("24000.00", "2023-08-15"))
    reach("2024-02-10")
    assert money_in(fund_of(reseller)) == {"earned": "9,600.00", "converted": "9,600.00"}

    deliver(reseller, ("1000.00", "2023-12-15"))

    assert money_in(fund_of(reseller)) == {"earned": "10,000.00", "available": "10,000.00"}
    assert differences() == []
