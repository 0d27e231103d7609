"""The year of domain's own example: 25,000.00 and 8.88 earned in FY24 H1, from the earning to the last expired cent."""

import pytest

from claims.models import Claim
from coop.lib.errors import WindowClosed
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
    status_of,
)

pytestmark = pytest.mark.django_db

LEDGER = [
    ("Earned", "10,000.00", "2023-08-15"),
    ("Earned", "3.55", "2023-09-15"),
    ("Held for a claim", "4,000.00", "2024-03-20"),
    ("Approved", "3,600.00", "2024-03-22"),
    ("Released", "400.00", "2024-03-22"),
    ("Paid", "3,600.00", "2024-04-05"),
    ("Held for a claim", "1,250.75", "2024-08-14"),
    ("Expired: not claimed by the deadline", "5,152.80", "2024-08-14"),
]


def spend_the_half(*, jobs: bool) -> tuple[Fund, Claim]:
    """Everything up to the deadline: one claim approved in part and paid, one sent in the last millisecond."""
    begin()
    reseller = partner_in()
    deliver(reseller, ("25000.00", "2023-08-15"), ("8.88", "2023-09-15"))
    fund = fund_of(reseller)
    assert fund.settled_at is None
    assert money_in(fund) == {"earned": "10,003.55", "available": "10,003.55"}

    reach("2024-03-20", jobs=jobs)
    claim = send(draft(fund, "4000.00"))
    assert money_in(fund) == {"earned": "10,003.55", "available": "6,003.55", "in_review": "4,000.00"}

    reach("2024-03-22", jobs=jobs)
    approve(claim, (0, "3600.00"))
    assert money_in(fund) == {"earned": "10,003.55", "available": "6,403.55", "approved": "3,600.00"}

    reach("2024-04-05", jobs=jobs)
    pay_all()
    assert status_of(claim) == "paid"
    assert money_in(fund) == {"earned": "10,003.55", "available": "6,403.55", "paid": "3,600.00"}

    reach("2024-08-14 23:59:59.999", jobs=jobs)
    last = send(draft(fund, "1250.75"))
    assert last.status == "submitted"
    return fund, draft(fund, "100.00")


def test_10_003_55_are_earned_3_600_00_paid_and_what_nobody_claimed_in_time_expires() -> None:
    fund, too_late = spend_the_half(jobs=True)

    reach("2024-08-15")
    with pytest.raises(WindowClosed, match=r"Claims for FY24 H1 were taken until 14 Aug 2024, 23:59:59 UTC"):
        send(too_late)

    assert status_of(too_late) == "lapsed"
    assert money_in(fund) == {"earned": "10,003.55", "in_review": "1,250.75", "paid": "3,600.00", "expired": "5,152.80"}
    assert ledger_of(fund) == LEDGER
    assert differences() == []


def test_the_same_ledger_comes_out_when_no_job_runs_until_september() -> None:
    fund, too_late = spend_the_half(jobs=False)

    reach("2024-08-15", jobs=False)
    with pytest.raises(WindowClosed):
        send(too_late)
    assert status_of(too_late) == "draft"

    reach("2024-09-01", jobs=False)
    assert money_in(fund)["available"] == "5,152.80"
    reach("2024-09-01")

    assert status_of(too_late) == "lapsed"
    assert ledger_of(fund) == LEDGER
    assert differences() == []


def test_the_money_is_an_estimate_until_the_threshold_test_and_cannot_be_claimed_before_15_february() -> None:
    begin()
    reseller = partner_in()
    deliver(reseller, ("25000.00", "2023-08-15"))

    reach("2024-01-30 23:59:59")
    assert fund_of(reseller).estimated_minor == 1_000_000
    reach("2024-01-31")
    assert fund_of(reseller).estimated_minor == 0
    assert ledger_of(fund_of(reseller)) == [("Earned", "10,000.00", "2023-08-15")]
