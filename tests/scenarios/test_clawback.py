"""Money that is taken back after it was spent."""

import pytest

from coop.lib.errors import InsufficientFunds
from tests.factories import pay_all
from tests.scenarios.world import (
    approve,
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


def test_a_clawback_after_the_money_was_spent_leaves_less_than_nothing_and_nobody_can_claim() -> None:
    begin()
    reseller = partner_in()
    deliver(reseller, ("25000.00", "2023-08-15"), ("8.88", "2023-09-15"))
    reach("2024-03-20")
    fund = fund_of(reseller)
    approve(send(draft(fund, "9850.25")))
    pay_all()

    reach("2024-04-10")
    deliver(reseller, ("-1250.00", "2023-11-20"))

    assert ledger_of(fund)[-1] == ("Taken back by the vendor", "500.00", "2023-11-20")
    assert money_in(fund) == {"earned": "9,503.55", "available": "-346.70", "paid": "9,850.25"}
    with pytest.raises(InsufficientFunds):
        send(draft(fund, "0.01"))
    assert differences() == []


def test_what_is_earned_later_fills_the_hole_first() -> None:
    begin()
    reseller = partner_in()
    deliver(reseller, ("25000.00", "2023-08-15"))
    reach("2024-03-20")
    fund = fund_of(reseller)
    approve(send(draft(fund, "10000.00")))
    deliver(reseller, ("-1000.00", "2023-11-20"), ("1500.00", "2023-12-20"))

    assert money_in(fund) == {"earned": "10,200.00", "available": "200.00", "approved": "10,000.00"}
    assert send(draft(fund, "200.00")).status == "submitted"


def test_a_fund_below_zero_has_nothing_to_expire() -> None:
    begin()
    reseller = partner_in()
    deliver(reseller, ("25000.00", "2023-08-15"))
    reach("2024-03-20")
    fund = fund_of(reseller)
    approve(send(draft(fund, "10000.00")))
    deliver(reseller, ("-1000.00", "2023-11-20"))

    reach("2024-08-15")

    assert money_in(fund) == {"earned": "9,600.00", "available": "-400.00", "approved": "10,000.00"}
    assert differences() == []
