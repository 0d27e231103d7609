"""Sixteen people at once on one fund, its plans and its claims: exact sums, and each loser is told who was first.

Threads with connections of their own against one PostgreSQL, as in tests/funds/test_races.py. The last test is the control:
without the lock of the fund the same race would spend more than there is, and the database refuses.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable
from threading import Barrier
from typing import Any

import pytest
from django.db import DatabaseError

from claims.models import Claim, Plan, PlanActivity
from claims.operations import plan_drafts
from claims.operations.plan_review import approve_plan, decline_plan, return_plan
from claims.operations.plans import amend_plan, cancel_plan, submit_plan, withdraw_plan
from claims.operations.review import Fix, approve_claim, reject_claim, return_claim
from claims.operations.sending import submit_claim, withdraw_claim
from coop import jobs
from coop.lib import clock
from coop.lib.errors import Refused
from funds.models import Fund
from partners.models import Person
from tests import factories as make
from tests.funds.test_races import agrees, at_once, outcomes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

SIXTEEN = 16


def managers(number: int) -> list[Person]:
    return [make.make_person(None, "channel_manager", title="pdm") for _ in range(number)]


def marketers(fund: Fund, number: int) -> list[Person]:
    return [make.make_person(fund.partner) for _ in range(number)]


def losers(answers: list[Any], *codes: str) -> list[str]:
    """What those were told who came too late; all of them for one of these reasons."""
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert {refusal.code for refusal in refused} <= set(codes)
    return [refusal.message for refusal in refused]


def test_of_sixteen_plans_of_1_000_ten_are_approved_and_six_hear_what_is_missing_and_who_took_it() -> None:
    fund = make.make_fund("25000.00")  # 10,000.00 of co-op
    plans = [make.make_sent_plan(fund, "1000.00") for _ in range(SIXTEEN)]
    people = managers(SIXTEEN)
    answers = at_once([lambda n=n: approve_plan(plans[n].pk, by=people[n], at=clock.now()) for n in range(SIXTEEN)])
    assert outcomes(answers) == {"done": 10, "insufficient_funds": 6}
    names = {person.name for person, answer in zip(people, answers, strict=True) if not isinstance(answer, Exception)}
    for told in losers(answers, "insufficient_funds"):
        assert "1,000.00 USD is missing" in told
        assert re.findall(r"was taken last, by ([\w ]+),", told)[0] in names
    fund.refresh_from_db()
    assert (fund.available_minor, fund.reserved_minor) == (0, 1_000_000)
    assert Counter(Plan.objects.values_list("status", flat=True)) == {"approved": 10, "submitted": 6}
    agrees()


@pytest.mark.parametrize("read_before", [True, False])
def test_one_plan_is_decided_once_and_fifteen_others_hear_by_whom(read_before: bool) -> None:
    plan = make.make_sent_plan(make.make_fund(), "4000.00", "1000.00")
    reviewers, writers = managers(12), marketers(plan.fund, 4)
    seen = plan.revision if read_before else None
    decide: list[Callable[..., Any]] = [approve_plan, return_plan, decline_plan]
    works = [
        lambda n=n, who=who: decide[n % 3](plan.pk, note="So it is.", revision=seen, by=who, at=clock.now())
        for n, who in enumerate(reviewers)
    ]
    works += [lambda who=who: withdraw_plan(plan.pk, revision=seen, by=who, at=clock.now()) for who in writers]
    answers = at_once(works)
    assert outcomes(answers) == {"done": 1, "stale" if read_before else "wrong_status": 15}
    winner = next(
        person
        for person, answer in zip([*reviewers, *writers], answers, strict=True)
        if not isinstance(answer, Exception)
    )
    for told in losers(answers, "stale", "wrong_status"):
        assert f" by {winner.name}, 4 Mar 2024, 09:00 UTC" in told
    plan.refresh_from_db()
    fund = Fund.objects.get()
    assert fund.reserved_minor == (500_000 if plan.status == "approved" else 0)
    agrees()


def test_one_claim_is_sent_once_and_decided_once_and_the_others_hear_by_whom() -> None:
    claim = make.make_claim(make.make_fund())
    writers, reviewers = marketers(claim.fund, SIXTEEN), managers(12)
    answers = at_once([lambda who=who: submit_claim(claim.pk, by=who, at=clock.now()) for who in writers])
    assert outcomes(answers) == {"done": 1, "wrong_status": 15}
    claim.refresh_from_db()
    assert claim.submitted_by is not None
    for told in losers(answers, "wrong_status"):
        assert f"The last act was “submitted” by {claim.submitted_by.name}," in told

    works: list[Callable[[], Any]] = [
        lambda who=who, n=n: [approve_claim, reject_claim][n % 2](  # type: ignore[operator]
            claim.pk, by=who, at=clock.now(), **({"reason": "No."} if n % 2 else {})
        )
        for n, who in enumerate(reviewers)
    ]
    works += [lambda who=who: withdraw_claim(claim.pk, by=who, at=clock.now()) for who in writers[:4]]
    answers = at_once(works)
    assert outcomes(answers) == {"done": 1, "wrong_status": 15}
    winner = next(
        person
        for person, answer in zip([*reviewers, *writers[:4]], answers, strict=True)
        if not isinstance(answer, Exception)
    )
    for told in losers(answers, "wrong_status"):
        assert f" by {winner.name}, 4 Mar 2024, 09:00 UTC" in told
    agrees()


def test_sixteen_who_send_eight_claims_on_one_plan_take_its_reserve_to_the_cent_and_the_rest_from_the_fund() -> None:
    fund = make.make_fund("25000.00")
    planned = make.make_approved_plan(fund, "4000.00").activities.get()
    claims = [make.make_claim(fund, "600.01", plan_activity_id=planned.pk) for _ in range(8)]
    writers = marketers(fund, 2)
    works = [lambda c=c, who=who: submit_claim(c.pk, by=who, at=clock.now()) for c in claims for who in writers]
    assert outcomes(at_once(works)) == {"done": 8, "wrong_status": 8}
    fund.refresh_from_db()
    planned.refresh_from_db()
    assert (fund.available_minor, fund.reserved_minor, fund.in_review_minor) == (519_992, 0, 480_008)
    assert planned.reserved_minor == 0
    assert sum(Claim.objects.values_list("from_plan_minor", flat=True)) == 400_000
    agrees()

    works = [lambda c=c, who=who: withdraw_claim(c.pk, by=who, at=clock.now()) for c in claims for who in writers]
    assert outcomes(at_once(works)) == {"done": 8, "wrong_status": 8}
    fund.refresh_from_db()
    planned.refresh_from_db()
    assert (fund.available_minor, fund.reserved_minor, planned.reserved_minor) == (600_000, 400_000, 400_000)
    agrees()


def test_an_amendment_and_claims_on_what_it_amends_at_once_lose_nothing() -> None:
    """An amendment that asks for less is approved while claims take the reserve: it wins, or is told that claims hold more."""
    fund = make.make_fund("25000.00")
    plan = make.make_approved_plan(fund, "4000.00")
    claims = [make.make_claim(fund, "500.00", plan_activity_id=plan.activities.get().pk) for _ in range(7)]
    amendment = amend_plan(plan.pk, by=plan.created_by, at=clock.now())
    row = amendment.activities.get()
    plan_drafts.change_activity(amendment.pk, row.pk, {"requested_minor": 200_000}, by=plan.created_by, at=clock.now())
    submit_plan(amendment.pk, by=plan.created_by, at=clock.now())
    manager = make.vendor("manager")
    works: list[Callable[[], Any]] = [lambda c=c: submit_claim(c.pk, by=c.created_by, at=clock.now()) for c in claims]
    works.append(lambda: approve_plan(amendment.pk, by=manager, at=clock.now()))
    answers = at_once(works)
    assert outcomes(answers[:7]) == {"done": 7}
    assert outcomes(answers[7:]) in ({"done": 1}, {"invalid": 1})
    taken = sum(Claim.objects.values_list("from_plan_minor", flat=True))
    force = Plan.objects.get(status="approved").activities.get()
    assert taken + force.reserved_minor == force.approved_minor == (200_000 if force.pk == row.pk else 400_000)
    fund.refresh_from_db()
    assert fund.available_minor + fund.reserved_minor + 350_000 == 1_000_000
    agrees()


def test_sixteen_reviewers_and_submitters_on_one_fund_keep_every_sum() -> None:
    """Mixed acts of all kinds on four plans and eight claims of one fund, then the deadline: no act is lost or done twice."""
    fund = make.make_fund("25000.00")
    reviewers, writers = managers(8), marketers(fund, 8)
    for _ in range(2):
        make.make_approved_plan(fund, "1500.00", "500.00")
        make.make_sent_plan(fund, "1500.00")
    planned = list(PlanActivity.objects.filter(plan__status="approved"))
    claims = [make.make_claim(fund, "700.00", plan_activity_id=row.pk) for row in planned]
    claims += [make.make_claim(fund, "700.00") for _ in range(4)]

    def of_writer(chance: random.Random, who: Person) -> Any:
        claim, plan = chance.choice(claims).pk, chance.choice(list(Plan.objects.values_list("id", flat=True)))
        more = {"by": who, "at": clock.now()}
        return chance.choice(
            [
                lambda: submit_claim(claim, **more),
                lambda: submit_claim(claim, **more),
                lambda: withdraw_claim(claim, **more),
                lambda: submit_plan(plan, **more),
                lambda: submit_plan(plan, revision=1, **more),
                lambda: amend_plan(plan, **more),
                lambda: cancel_plan(plan, **more),
            ]
        )()

    def of_reviewer(chance: random.Random, who: Person) -> Any:
        claim, plan = chance.choice(claims).pk, chance.choice(list(Plan.objects.values_list("id", flat=True)))
        more = {"by": who, "at": clock.now()}
        return chance.choice(
            [
                lambda: approve_plan(plan, **more),
                lambda: approve_plan(plan, **more),
                lambda: return_plan(plan, note="Which days?", **more),
                lambda: approve_claim(claim, **more),
                lambda: reject_claim(claim, reason="No.", **more),
                lambda: return_claim(claim, fixes=[Fix("lines", "Add the log.")], **more),
            ]
        )()

    def work(seed: int) -> list[tuple[str, str]]:
        chance, told = random.Random(seed), []
        for _ in range(5):
            try:
                of_writer(chance, writers[seed // 2]) if seed % 2 else of_reviewer(chance, reviewers[seed // 2])
                told.append(("done", ""))
            except Refused as refusal:
                told.append((refusal.code, refusal.message))
        return told

    answers = at_once([lambda seed=seed: work(seed) for seed in range(SIXTEEN)])
    for answer in answers:
        assert isinstance(answer, list), answer
    late = [message for answer in answers for code, message in answer if code in ("wrong_status", "stale")]
    assert [message for message in late if "The last act was “" not in message] == []
    counted = Counter(code for answer in answers for code, _ in answer)
    assert sum(counted.values()) == 80
    assert set(counted) <= {
        "done",
        "wrong_status",
        "stale",
        "insufficient_funds",
        "invalid",
        "not_found",
        "rule_failed",
    }
    assert counted["done"] > 10
    agrees()
    fund.refresh_from_db()
    held = sum(Claim.objects.values_list("held_minor", flat=True))
    granted = sum(Claim.objects.values_list("approved_minor", flat=True))
    reserved = sum(PlanActivity.objects.values_list("reserved_minor", flat=True))
    assert (fund.in_review_minor, fund.approved_minor, fund.reserved_minor) == (held, granted, reserved)
    assert fund.available_minor == 1_000_000 - held - granted - reserved

    make.set_clock(make.DEADLINE)
    jobs.run_due(clock.now())
    fund.refresh_from_db()
    assert (fund.available_minor, fund.reserved_minor) == (0, 0)
    assert not Plan.objects.filter(status__in=["draft", "submitted", "returned", "approved"]).exists()
    agrees()


def test_without_the_lock_of_the_fund_sixteen_find_the_money_and_the_database_refuses_six(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The control of the first test: everybody reads before anybody writes. No plan is told what is missing; a wall breaks."""
    fund = make.make_fund("25000.00")
    plans = [make.make_sent_plan(fund, "1000.00") for _ in range(SIXTEEN)]
    manager, read = make.vendor("manager"), Barrier(SIXTEEN)

    def plain(fund_id: int) -> Fund:
        seen = Fund.objects.with_names().select_related("enrollment").get(id=fund_id)
        read.wait(20)
        return seen

    monkeypatch.setattr(plan_drafts, "lock_fund", plain)
    answers = at_once([lambda p=p: approve_plan(p.pk, by=manager, at=clock.now()) for p in plans])
    broken = [answer for answer in answers if isinstance(answer, DatabaseError)]
    assert len(broken) == 6
    assert all("fund_is_never_overspent" in str(error.__cause__.diag.constraint_name) for error in broken)
    assert sum(not isinstance(answer, Exception) for answer in answers) == 10
    agrees()
