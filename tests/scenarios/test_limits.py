"""Limits across claims, funds and currencies, as they stand in the books: what others hold or were granted counts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from claims.models import Activity, Claim, Plan
from claims.operations import plans
from claims.operations.drafting import update_claim
from claims.operations.plan_drafts import change_activity
from claims.operations.plans import amend_plan, submit_plan
from claims.operations.review import LineDecision, approve_claim, reject_claim
from claims.operations.sending import submit_claim
from claims.queries import findings_of
from claims.queries.plan_facts import findings_of_idea, findings_of_plan
from coop.lib import clock
from coop.lib.errors import Refused, RuleFailed
from funds.models import Fund
from tests import factories as make


@pytest.fixture(autouse=True)
def files_in_a_folder_of_this_test(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def send(claim: Claim) -> Claim:
    return submit_claim(claim.id, by=claim.created_by, at=clock.now())


def limit_seen(claim: Claim) -> str:
    """What the limit of the fund saw of a draft."""
    findings = findings_of(claim, clock.now())
    return next(one.seen for one in findings if one.kind == "limit" and not one.rule.endswith(".person"))


@pytest.mark.django_db
def test_a_limit_counts_what_other_claims_hold_or_were_granted_and_nothing_that_was_declined() -> None:
    """25 % of 10,003.55 earned: internal incentives of 2,500.89 in all."""
    fund = make.make_fund()
    first = make.make_sent_claim(fund, "2000.00", activity="spiff")
    second = make.make_claim(fund, "500.90", activity="spiff")
    assert limit_seen(second) == "500.90 USD claimed, 2,000.00 USD held or granted for other claims"
    with pytest.raises(RuleFailed, match=r"Lower the lines by 0\.01 USD in all"):
        send(second)
    less = LineDecision(first.lines.get().pk, "approve_less", 150_000, "Two of the rewards were not paid.")
    approve_claim(first.id, decisions=[less], by=make.vendor("manager"), at=clock.now())
    assert limit_seen(second) == "500.90 USD claimed, 1,500.00 USD held or granted for other claims"

    other = make.make_claim(fund, "1000.89", activity="spiff")
    assert send(other).status == "submitted"
    assert limit_seen(second) == "500.90 USD claimed, 2,500.89 USD held or granted for other claims"
    reject_claim(other.id, reason="The rules do not name a product.", by=make.vendor("manager"), at=clock.now())
    assert limit_seen(second) == "500.90 USD claimed, 1,500.00 USD held or granted for other claims"
    assert send(second).status == "submitted"


@pytest.mark.django_db
def test_an_amended_plan_does_not_count_what_was_claimed_on_it_before() -> None:
    """The new version asks for 2,500.89 in all, of which 1,000.00 are claimed already: exactly the limit."""
    fund = make.make_fund()
    plan = make.make_approved_plan(fund, "2000.00", activity="spiff")
    days = {"activity_from": date(2024, 3, 10), "activity_to": date(2024, 3, 20)}
    make.make_sent_claim(fund, "1000.00", activity="spiff", plan_activity_id=plan.activities.get().pk, **days)
    who = {"by": plan.created_by, "at": clock.now()}
    amendment = amend_plan(plan.pk, **who)
    for asked, outcome in ((250_089, "passed"), (250_090, "failed")):
        change_activity(amendment.pk, amendment.activities.get().pk, {"requested_minor": asked}, **who)
        findings = findings_of_plan(Plan.objects.with_names().get(pk=amendment.pk), clock.now())
        assert [one.outcome for one in findings if one.kind == "limit"] == [outcome]


def two_funds() -> tuple[Fund, Fund]:
    """Two locations of one partner, each with a fund of 32,000.00 USD in the same program and period."""
    partner = make.make_partner()
    make.set_clock(make.EARNING)
    places = [make.make_enrollment(make.make_location(partner, name=name)) for name in ("North", "South")]
    make.earn(places[1], "80000.00")
    first = make.make_fund("80000.00", enrollment=places[0])
    return first, Fund.objects.with_names().get(enrollment=places[1])


def conference(fund: Fund, amount: str) -> Claim:
    claim = make.make_draft(fund, "vendor-conference")
    make.add_invoice(claim, amount)
    make.complete(claim)
    return update_claim(claim.id, {"metrics": {"travellers": "3"}}, by=claim.created_by, at=clock.now())


@pytest.mark.django_db
def test_a_limit_of_the_program_counts_the_funds_of_all_locations() -> None:
    """45,000.00 for conferences in a period and program, wherever the money lies."""
    north, south = two_funds()
    for fund in (north, north, south):
        send(conference(fund, "15000.00"))
    with pytest.raises(RuleFailed, match="Nothing more is paid for this activity here"):
        send(conference(south, "30.00"))
    activity, days = Activity.objects.get(code="vendor-conference"), (date(2024, 4, 1), date(2024, 4, 2))
    idea = findings_of_idea(south, south.program, activity, "US", 100, "USD", *days, south.partner, clock.now())
    assert "limit.vendor-conference" in {found.rule for found in idea if found.outcome == "failed"}


def race(*works: Callable[[], Claim | Plan]) -> list[str]:
    """What came of works that began at one instant: the status, or the code of the refusal, in order."""
    start, outcomes = threading.Barrier(len(works)), []

    def run(work: Callable[[], Claim | Plan]) -> None:
        start.wait()
        try:
            outcomes.append(work().status)
        except Refused as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes)


@pytest.mark.django_db(transaction=True)
def test_two_claims_on_two_funds_do_not_both_take_the_last_of_a_limit() -> None:
    north, south = two_funds()
    for fund in (north, south):
        send(conference(fund, "15000.00"))
    first, second = conference(north, "15000.00"), conference(south, "15000.00")
    assert race(lambda: send(first), lambda: send(second)) == ["rule_failed", "submitted"]


@pytest.mark.django_db(transaction=True)
def test_two_plans_on_two_funds_do_not_both_plan_with_the_last_of_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    north, south = two_funds()
    for fund in (north, south):
        send(conference(fund, "15000.00"))
    trip = {"activity": "vendor-conference", "answers": {"travellers": "3"}}
    first, second = (make.make_plan(fund, "15000.00", **trip) for fund in (north, south))
    who = {"by": first.created_by, "at": clock.now()}

    def judged_slowly(*args: Any, **more: Any) -> Any:
        found = findings_of_plan(*args, **more)
        time.sleep(0.2)
        return found

    monkeypatch.setattr(plans, "findings_of_plan", judged_slowly)
    outcomes = race(lambda: submit_plan(first.pk, **who), lambda: submit_plan(second.pk, **who))
    assert outcomes == ["rule_failed", "submitted"]
