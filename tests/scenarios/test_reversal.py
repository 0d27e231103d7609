"""An import that should not have been: its own entries take back what it brought, and give back what it took."""

import pytest

from coop.lib import clock
from funds.models import Fund
from funds.operations.reversal import reverse_import
from tests.factories import earn, vendor
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
    rebate_of,
    send,
)

pytestmark = pytest.mark.django_db

TAKEN_BACK = "Taken back: an import was reversed"


def reverse(delivery_id: int) -> None:
    reverse_import(delivery_id, reason="The file was last month's.", by=vendor("finance"), at=clock.now())


def test_an_import_that_is_reversed_after_its_money_was_spent_leaves_less_than_nothing() -> None:
    begin()
    reseller = partner_in()
    deliver(reseller, ("25000.00", "2023-08-15"), ("8.88", "2023-09-15"))
    wrong = earn(reseller, "5000.00", on="2023-09-15")
    reach("2024-03-20")
    fund = fund_of(reseller)
    approve(send(draft(fund, "11500.00")))
    assert money_in(fund) == {"earned": "12,003.55", "available": "503.55", "approved": "11,500.00"}

    reverse(wrong.pk)

    assert ledger_of(fund)[-1][:2] == (TAKEN_BACK, "2,000.00")
    assert money_in(fund) == {"earned": "10,003.55", "available": "-1,496.45", "approved": "11,500.00"}
    assert Fund.objects.get(id=fund.id).overdrawn
    assert differences() == []


def test_an_import_that_took_money_back_is_reversed_and_the_fund_reaches_its_threshold_again() -> None:
    begin()
    reseller = partner_in()
    deliver(reseller, ("25000.00", "2023-08-15"), ("8.88", "2023-09-15"))
    reach("2024-03-20")
    fund = fund_of(reseller)
    wrong = earn(reseller, "-500.00", on="2023-11-20")
    assert money_in(fund) == {"earned": "9,803.55", "converted": "9,803.55"}

    reverse(wrong.pk)

    assert [entry[:2] for entry in ledger_of(fund)[-2:]] == [
        ("Given back: an import was reversed", "200.00"),
        ("Given back from rebate", "9,803.55"),
    ]
    assert money_in(fund) == {"earned": "10,003.55", "available": "10,003.55"}
    assert [amount for amount, _ in rebate_of(fund)] == ["9,803.55", "-9,803.55"]
    assert differences() == []
