"""Plans with real dates and cents: money is set aside, claimed, given back, and lost at the deadline."""

import pytest

from claims.models import Claim, Plan
from claims.operations.disputes import decide_dispute, dispute_claim
from claims.operations.plan_review import approve_plan
from claims.operations.plans import amend_plan, cancel_plan, change_activity, submit_plan
from claims.operations.review import reject_claim
from coop.lib import clock
from coop.lib.errors import InsufficientFunds, WindowClosed, WindowNotOpen
from funds.models import Fund
from funds.operations import holds
from tests import factories
from tests.factories import vendor
from tests.scenarios.world import (
    approve,
    begin,
    deliver,
    differences,
    fund_of,
    ledger_of,
    money_in,
    partner_in,
    reach,
    send,
    withdraw,
)

pytestmark = pytest.mark.django_db


def fund_with_10_003_55(at: str = "2024-03-04 09:00") -> Fund:
    begin()
    reseller = partner_in()
    deliver(reseller, ("25000.00", "2023-08-15"), ("8.88", "2023-09-15"))
    reach(at)
    return fund_of(reseller)


def claim_on(plan: Plan, *amounts: str) -> Claim:
    return factories.make_claim(plan.fund, *amounts, plan_activity_id=plan.activities.get().pk)


def test_4_000_00_are_reserved_3_600_00_of_it_claimed_and_400_00_expire() -> None:
    fund = fund_with_10_003_55()
    plan = factories.make_approved_plan(fund, "4000.00")
    assert money_in(fund) == {"earned": "10,003.55", "available": "6,003.55", "reserved": "4,000.00"}

    reach("2024-03-25 10:00")
    claim = send(claim_on(plan, "3600.00"))
    assert money_in(fund) == {
        "earned": "10,003.55",
        "available": "6,003.55",
        "reserved": "400.00",
        "in_review": "3,600.00",
    }
    approve(claim)
    reach("2024-08-15")

    assert Plan.objects.get().status == "lapsed"
    assert money_in(fund) == {"earned": "10,003.55", "approved": "3,600.00", "expired": "6,403.55"}
    assert ledger_of(fund)[2:] == [
        ("Reserved for a plan", "4,000.00", "2024-03-04"),
        ("Held for a claim", "3,600.00", "2024-03-25"),
        ("Approved", "3,600.00", "2024-03-25"),
        ("Released after the claim deadline, so expired", "400.00", "2024-08-14"),
        ("Expired: not claimed by the deadline", "6,003.55", "2024-08-14"),
    ]
    assert differences() == []


def test_a_claim_of_more_than_its_plan_takes_the_rest_from_the_fund_and_gives_that_back_first() -> None:
    fund = fund_with_10_003_55()
    claim = send(claim_on(factories.make_approved_plan(fund, "4000.00"), "3000.00", "1500.00"))
    assert money_in(fund) == {"earned": "10,003.55", "available": "5,503.55", "in_review": "4,500.00"}

    approve(claim, (1, "250.00"))  # 3,250.00: 500.00 back to the fund, 750.00 back to the plan

    assert money_in(fund) == {
        "earned": "10,003.55",
        "available": "6,003.55",
        "reserved": "750.00",
        "approved": "3,250.00",
    }
    assert ledger_of(fund)[-2:] == [
        ("Released", "500.00", "2024-03-04"),
        ("Given back to the plan", "750.00", "2024-03-04"),
    ]
    assert differences() == []


def test_a_claim_that_is_withdrawn_gives_back_to_its_plan_until_the_deadline_and_loses_it_after() -> None:
    fund = fund_with_10_003_55()
    plan = factories.make_approved_plan(fund, "4000.00")
    withdraw(send(claim_on(plan, "1000.00")))
    assert money_in(fund)["reserved"] == "4,000.00"

    claim = send(claim_on(plan, "1000.00"))
    reach("2024-08-15", jobs=False)
    withdraw(claim)
    assert money_in(fund) == {
        "earned": "10,003.55",
        "available": "6,003.55",
        "reserved": "3,000.00",
        "expired": "1,000.00",
    }

    reach("2024-08-15 01:00")  # the jobs are late; the ledger is the same
    assert money_in(fund) == {"earned": "10,003.55", "expired": "10,003.55"}
    assert differences() == []


def test_an_amendment_moves_the_difference_only_and_takes_the_claims_along() -> None:
    fund = fund_with_10_003_55()
    plan = factories.make_approved_plan(fund, "4000.00")
    claim = send(claim_on(plan, "1000.00"))
    amendment = amend_plan(plan.pk, by=plan.created_by, at=clock.now())
    row = amendment.activities.get()
    change_activity(amendment.pk, row.pk, {"requested_minor": 450_055}, by=plan.created_by, at=clock.now())
    submit_plan(amendment.pk, by=plan.created_by, at=clock.now())
    assert money_in(fund)["reserved"] == "3,000.00"  # the approved version stays in force

    approve_plan(amendment.pk, by=vendor("manager"), at=clock.now())

    assert list(Plan.objects.order_by("version").values_list("status", flat=True)) == ["closed", "approved"]
    claim.refresh_from_db()
    assert claim.plan_activity_id == row.pk
    assert money_in(fund)["reserved"] == "3,500.55"
    assert ledger_of(fund)[-1] == ("Reserved for a plan", "500.55", "2024-03-04")
    assert differences() == []


def test_a_plan_that_is_cancelled_gives_back_what_nobody_claimed() -> None:
    fund = fund_with_10_003_55()
    plan = factories.make_approved_plan(fund, "4000.00")
    claim = send(claim_on(plan, "1000.00"))
    cancel_plan(plan.pk, reason="No time", by=plan.created_by, at=clock.now())
    assert money_in(fund) == {"earned": "10,003.55", "available": "9,003.55", "in_review": "1,000.00"}
    withdraw(claim)
    assert money_in(fund) == {"earned": "10,003.55", "available": "10,003.55"}
    assert differences() == []


def test_nothing_is_planned_with_an_estimate_and_the_refusal_names_the_day() -> None:
    fund = fund_with_10_003_55(at="2023-12-01 12:00")
    plan = factories.make_plan(fund, "4000.00")
    with pytest.raises(InsufficientFunds, match=r"10,003[.]55 USD estimated.* after 30 Jan 2024"):
        submit_plan(plan.pk, by=plan.created_by, at=clock.now())
    with pytest.raises(WindowNotOpen, match=r"still an estimate.* after 30 Jan 2024"):
        holds.require_spendable(fund, at=clock.now())  # what an approval asks for, whoever sent the plan
    reach("2024-01-31 00:00", jobs=False)  # the threshold test is due: approving runs it
    submit_plan(plan.pk, by=plan.created_by, at=clock.now())
    assert approve_plan(plan.pk, by=vendor("manager"), at=clock.now()).status == "approved"
    assert Fund.objects.get().settled_at is not None
    assert differences() == []


def test_the_last_instant_of_the_claim_window_is_the_last_to_approve_a_plan() -> None:
    fund = fund_with_10_003_55()
    first, second = (factories.make_sent_plan(fund, "100.00") for _ in range(2))
    reach("2024-08-14 23:59:59.999999", jobs=False)
    approve_plan(first.pk, by=vendor("manager"), at=clock.now())
    at = clock.now()
    reach("2024-08-15", jobs=False)
    with pytest.raises(WindowClosed):
        approve_plan(second.pk, by=vendor("manager"), at=at)  # the reviewer came in time, but waited for the lock
    assert money_in(fund)["reserved"] == "100.00"


def test_a_dispute_that_is_granted_after_the_deadline_brings_its_money_back() -> None:
    fund = fund_with_10_003_55("2024-08-14 10:00")
    claim = send(factories.make_claim(fund, "4000.00"))
    reject_claim(claim.pk, reason="Not marketing.", by=vendor("manager"), at=clock.now())
    reach("2024-08-20 09:00")
    assert money_in(fund) == {"earned": "10,003.55", "expired": "10,003.55"}
    dispute_claim(claim.pk, reason="It was.", by=claim.created_by, at=clock.now())

    decide_dispute(claim.pk, outcome="grant", reason="It was.", by=vendor("pcmm"), at=clock.now())

    assert money_in(fund) == {"earned": "10,003.55", "approved": "4,000.00", "expired": "6,003.55"}
    assert [row[0] for row in ledger_of(fund)[-2:]] == ["Restored: a dispute was decided for you", "Approved"]
    assert differences() == []
