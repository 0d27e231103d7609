"""A claim that was sent in time and came back: it keeps its money and has until the cure deadline."""

import pytest

from claims.models import Claim
from coop.lib.errors import WindowClosed
from funds.models import Fund
from tests.scenarios.world import (
    approve,
    begin,
    deliver,
    differences,
    draft,
    fund_of,
    give_back,
    ledger_of,
    money_in,
    partner_in,
    reach,
    send,
    status_of,
)

pytestmark = pytest.mark.django_db


def returned_after_the_deadline() -> tuple[Fund, Claim]:
    """A claim of 4,000.00, sent on the last day, comes back on 20 August 2024."""
    begin()
    reseller = partner_in()
    deliver(reseller, ("25000.00", "2023-08-15"), ("8.88", "2023-09-15"))
    reach("2024-08-14 16:00")
    fund = fund_of(reseller)
    claim = send(draft(fund, "4000.00"))
    reach("2024-08-20 09:00")
    return fund, give_back(claim)


def test_a_returned_claim_keeps_its_money_when_the_rest_of_the_fund_expires() -> None:
    fund, claim = returned_after_the_deadline()

    assert claim.status == "action_required"
    assert money_in(fund) == {"earned": "10,003.55", "in_review": "4,000.00", "expired": "6,003.55"}


def test_a_returned_claim_is_mended_and_paid_although_the_deadline_has_passed() -> None:
    fund, claim = returned_after_the_deadline()

    reach("2024-09-28 23:59:59")
    assert send(claim).status == "submitted"
    reach("2024-10-02")
    approve(claim)

    assert money_in(fund) == {"earned": "10,003.55", "approved": "4,000.00", "expired": "6,003.55"}
    assert ledger_of(fund)[-1] == ("Approved", "4,000.00", "2024-10-02")


def test_a_returned_claim_that_nobody_mends_lapses_at_the_cure_deadline_and_its_money_expires() -> None:
    fund, claim = returned_after_the_deadline()

    reach("2024-09-28 23:59:59")
    assert status_of(claim) == "action_required"
    reach("2024-10-03")  # late, and for the day all the same

    assert status_of(claim) == "lapsed"
    assert ledger_of(fund)[-1] == ("Released after the claim deadline, so expired", "4,000.00", "2024-09-28")
    assert money_in(fund) == {"earned": "10,003.55", "expired": "10,003.55"}
    with pytest.raises(WindowClosed, match="could be mended until 28 Sep 2024, 23:59:59 UTC"):
        send(claim)
    assert differences() == []


def test_a_new_claim_is_refused_in_the_cure_window() -> None:
    fund, _ = returned_after_the_deadline()

    with pytest.raises(WindowClosed, match="takes no more claims"):
        send(draft(fund, "10.00"))
