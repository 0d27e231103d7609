"""A payment that the bank sends back weeks after it was sent."""

from datetime import date

import pytest

from coop.lib import clock
from funds.models import Payment
from funds.operations.results import return_payment
from tests.factories import pay_all, vendor
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
    status_of,
)

pytestmark = pytest.mark.django_db


def test_a_payment_that_the_bank_sends_back_is_approved_again_and_paid_by_a_later_run() -> None:
    begin()
    reseller = partner_in()
    deliver(reseller, ("25000.00", "2023-08-15"), ("8.88", "2023-09-15"))
    reach("2024-03-20")
    fund = fund_of(reseller)
    claim = approve(send(draft(fund, "4000.00")))
    reach("2024-04-05")
    pay_all()
    assert money_in(fund) == {"earned": "10,003.55", "available": "6,003.55", "paid": "4,000.00"}

    reach("2024-04-26")
    back = {"returned_on": date(2024, 4, 25), "reason": "The account is closed."}
    return_payment(Payment.objects.get().pk, **back, by=vendor("finance"), at=clock.now())
    assert money_in(fund) == {"earned": "10,003.55", "available": "6,003.55", "approved": "4,000.00"}
    assert status_of(claim) == "approved"

    reach("2024-05-06")
    pay_all()
    assert ledger_of(fund)[-3:] == [
        ("Paid", "4,000.00", "2024-04-05"),
        ("Came back from the bank, to be paid again", "4,000.00", "2024-04-25"),
        ("Paid", "4,000.00", "2024-05-06"),
    ]
    assert status_of(claim) == "paid"
    assert differences() == []
