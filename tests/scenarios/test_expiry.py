"""What is left at the deadline, and what comes back after it."""

import pytest

from coop.jobs import run_due
from coop.lib import clock
from funds.models import Fund
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
    withdraw,
)

pytestmark = pytest.mark.django_db

EXPIRED = "Expired: not claimed by the deadline"
RELEASED_LATE = "Released after the claim deadline, so expired"


def fund_of_the_half() -> Fund:
    """10,003.55 of FY24 H1, ready to be claimed."""
    begin()
    reseller = partner_in()
    deliver(reseller, ("25000.00", "2023-08-15"), ("8.88", "2023-09-15"))
    reach("2024-03-04")
    return fund_of(reseller)


def test_m4_what_is_left_at_the_deadline_expires_once() -> None:
    fund = fund_of_the_half()
    approve(send(draft(fund, "3600.00")))

    reach("2024-08-23", jobs=False)
    run_due(clock.now())
    reach("2024-08-24")

    assert [entry for entry in ledger_of(fund) if entry[0] == EXPIRED] == [(EXPIRED, "6,403.55", "2024-08-14")]
    assert money_in(fund) == {"earned": "10,003.55", "approved": "3,600.00", "expired": "6,403.55"}


def test_m5_money_released_after_the_deadline_expires_at_once() -> None:
    fund = fund_of_the_half()
    reach("2024-08-14 16:00")
    claim = send(draft(fund, "4000.00"))

    reach("2024-08-28 10:00")
    approve(claim, (0, "3600.00"))

    assert ledger_of(fund)[-3:] == [
        (EXPIRED, "6,003.55", "2024-08-14"),
        ("Approved", "3,600.00", "2024-08-28"),
        (RELEASED_LATE, "400.00", "2024-08-28"),
    ]
    reach("2024-10-01")
    pay_all()
    assert money_in(fund) == {"earned": "10,003.55", "paid": "3,600.00", "expired": "6,403.55"}
    assert differences() == []


def test_money_released_on_the_day_before_the_deadline_can_be_claimed_again() -> None:
    fund = fund_of_the_half()
    reach("2024-08-13 10:00")
    approve(send(draft(fund, "4000.00")), (0, "3600.00"))

    assert money_in(fund)["available"] == "6,403.55"
    assert send(draft(fund, "6403.55")).status == "submitted"


def test_a_claim_withdrawn_before_the_deadline_gives_its_money_back() -> None:
    fund = fund_of_the_half()
    claim = send(draft(fund, "4000.00"))
    reach("2024-08-14 23:59:59")

    withdraw(claim)

    assert ledger_of(fund)[-1] == ("Released", "4,000.00", "2024-08-14")
    assert money_in(fund) == {"earned": "10,003.55", "available": "10,003.55"}


def test_a_claim_withdrawn_after_the_deadline_loses_its_money() -> None:
    fund = fund_of_the_half()
    claim = send(draft(fund, "4000.00"))
    reach("2024-08-15")

    withdraw(claim)

    assert ledger_of(fund)[-1] == (RELEASED_LATE, "4,000.00", "2024-08-15")
    assert money_in(fund) == {"earned": "10,003.55", "expired": "10,003.55"}
    assert differences() == []
