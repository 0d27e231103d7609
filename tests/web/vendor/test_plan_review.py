"""Deciding a plan: the page, the check of the letter, sending it, being overtaken, and who may not."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from claims.models import Plan
from claims.operations.plan_review import approve_plan
from claims.operations.plans import submit_plan, withdraw_plan
from coop.lib import clock
from partners.operations import delegate
from tests.factories import (
    make_approved_plan,
    make_claim,
    make_enrollment,
    make_fund,
    make_partner,
    make_person,
    make_plan,
    make_sent_plan,
    vendor,
)
from tests.web.vendor.conftest import Enter, get_within_bound, words

pytestmark = pytest.mark.django_db
Said = tuple[str, str, str, str]
APPROVE = ("approve", "", "", "")


def answer(plan: Plan, *said: Said, note: str = "", revision: int | None = None) -> dict[str, Any]:
    """What the form sends: for each activity outcome, approved amount, reason from the list, and reason in words."""
    sent: dict[str, Any] = {"revision": revision or plan.revision, "note": note}
    for activity, (outcome, approved, code, reason) in zip(plan.activities.order_by("id"), said, strict=True):
        before = f"activity-{activity.pk}-"
        sent |= {f"{before}outcome": outcome, f"{before}approved": approved}
        sent |= {f"{before}reason_code": code, f"{before}reason": reason}
    return sent


def get_within(client: Client, url: str) -> Any:
    """The page: it shows six more things than others beside its record, and precedents for each of two activities."""
    with CaptureQueriesContext(connection) as queries:
        response = client.get(url)
    assert len(queries) <= 19, f"{url} used {len(queries)} queries"
    return response


@pytest.fixture
def plan() -> Plan:
    return make_sent_plan(make_fund(), "4000.00", "500.00", title="Spring calls")


def test_the_page_shows_plan_checks_fund_and_history(enter: Enter, plan: Plan) -> None:
    page = words(get_within(enter("manager"), reverse("plan-review", args=[plan.pk])))
    for said in (
        "Northwind Traders asks for 4,500.00 USD for 2 activities",
        "10 Mar 2024 to 20 Mar 2024",
        "checks passed",
        "Available 10,003.55 USD 5,503.55 USD",
        "Reserved 0.00 USD 4,500.00 USD",
        "Telemarketing 0.00 USD 4,500.00 USD",
        "Decision due 6 Mar 2024 in 2 days",
        "No other plan is decided yet",
        "A part of the cost is not paid for by the program.",
    ):
        assert said in page, said


def test_history_tells_how_earlier_plans_went(enter: Enter) -> None:
    fund = make_fund()
    make_approved_plan(fund, "3000.00", title="Winter calls")
    plan = make_sent_plan(fund)
    page = words(get_within(enter("manager"), reverse("plan-review", args=[plan.pk])))
    assert "1 other plan decided: 1 approved at first sending, 0 declined." in page
    assert "Winter calls" in page
    assert "Telemarketing 3,000.00 USD 4,000.00 USD" in page
    assert "How 1 like activity was decided" in page


def test_the_running_total_is_computed_on_the_server_with_and_without_script(enter: Enter, plan: Plan) -> None:
    client, url = enter("manager"), reverse("plan-review", args=[plan.pk])
    sent = answer(plan, ("approve_less", "3,600.00", "", ""), APPROVE) | {"act": "total"}
    for headers in ({}, {"HX-Request": "true"}):
        page = words(client.post(url, sent, headers=headers))
        assert "Approved in all: 4,100.00 USD of 4,500.00 USD. The other 400.00 USD stay available." in page
        assert "There is a problem" not in page
    assert Plan.objects.get().status == "submitted"


def test_a_decision_without_amount_or_reason_is_refused_at_its_fields(enter: Enter, plan: Plan) -> None:
    sent = answer(plan, ("approve_less", "5000", "", ""), ("decline", "", "over-limit", ""))
    response = enter("manager").post(reverse("plan-decision", args=[plan.pk]), sent)
    assert response.status_code == 400
    page = words(response)
    assert "Enter an amount above zero and below the 4,000.00 USD that were asked for." in page
    assert "Say why: anything but a plain approval needs a reason" in page
    assert "This reason is not one for “Decline”" in page


def test_the_checked_letter_is_the_one_that_the_partner_reads(enter: Enter, plan: Plan) -> None:
    client, url = enter("manager"), reverse("plan-decision", args=[plan.pk])
    sent = answer(plan, ("approve_less", "3,600.00", "over-limit", ""), APPROVE, note="Well thought out.")
    check = words(client.post(url, sent))
    assert "Approve 4,100.00 USD" in check
    letter = check[check.index("Vendor channel team") : check.index("Decided by Mara Lindqvist")]
    assert "We approve 4,100.00 USD of the 4,500.00 USD you asked for" in letter
    assert "The amount is above the limit for this activity." in letter
    assert Plan.objects.get().status == "submitted", "nothing is sent before it is confirmed"

    response = client.post(url, sent | {"act": "confirm"})
    assert response["Location"] == reverse("worklist")
    decided = Plan.objects.get()
    assert decided.status == "approved"
    assert [row.approved_minor for row in decided.activities.order_by("id")] == [360_000, 50_000]
    decided.fund.refresh_from_db()
    assert decided.fund.reserved_minor == 410_000
    partner = words(enter(plan.created_by).get(reverse("plan", args=[plan.pk])))
    assert letter.strip() in partner
    record = words(get_within(client, reverse("plan-review", args=[plan.pk])))
    assert letter.strip() in record


@pytest.mark.parametrize(
    ("outcome", "label", "status"),
    [("decline", "Decline this plan", "declined"), ("return", "Return this plan", "returned")],
)
def test_a_plan_is_declined_or_returned_as_a_whole(
    enter: Enter, plan: Plan, outcome: str, label: str, status: str
) -> None:
    client, url = enter("manager"), reverse("plan-decision", args=[plan.pk])
    sent = answer(plan, *[(outcome, "", "", "Say what comes of it.")] * 2)
    assert label in words(client.post(url, sent))
    client.post(url, sent | {"act": "confirm"})
    decided = Plan.objects.get()
    assert decided.status == status
    assert "Say what comes of it." in words(enter(plan.created_by).get(reverse("plan", args=[plan.pk])))


def test_more_than_the_fund_holds_by_now_is_refused_with_the_shortfall(enter: Enter) -> None:
    fund = make_fund()
    first, second = make_sent_plan(fund, "6000.00"), make_sent_plan(fund, "6000.00")
    approve_plan(first.pk, by=vendor("pcmm"), at=clock.now())
    client = enter("manager")
    assert "1,996.45 USD more than the fund holds" in words(client.get(reverse("plan-review", args=[second.pk])))
    sent = answer(second, APPROVE) | {"act": "confirm"}
    response = client.post(reverse("plan-decision", args=[second.pk]), sent)
    assert response.status_code == 422
    assert "1,996.45 USD is missing" in words(response)


def test_who_was_faster_is_named_and_the_words_are_given_back(enter: Enter, plan: Plan) -> None:
    sent = answer(plan, ("decline", "", "", "Too dear for us."), APPROVE) | {"act": "confirm"}
    approve_plan(plan.pk, by=vendor("pcmm"), at=clock.now())
    response = enter("manager").post(reverse("plan-decision", args=[plan.pk]), sent)
    assert response.status_code == 412
    page = words(response)
    assert "Pedro Campos was faster" in page
    assert "Too dear for us." in page


def test_a_plan_that_was_taken_back_and_sent_again_is_looked_at_anew(enter: Enter, plan: Plan) -> None:
    sent = answer(plan, ("decline", "", "", "Too dear for us."), APPROVE) | {"act": "confirm"}
    withdraw_plan(plan.pk, by=plan.created_by, at=clock.now())
    submit_plan(plan.pk, by=plan.created_by, at=clock.now())
    response = enter("manager").post(reverse("plan-decision", args=[plan.pk]), sent)
    assert response.status_code == 412
    page = words(response)
    assert f"{plan.created_by.name} sent the plan for approval" in page
    assert "Nothing was sent. What you entered is kept below." in page
    assert "Too dear for us." in page


def test_who_has_not_the_title_reads_why_and_who_may(enter: Enter) -> None:
    fund = make_fund(enrollment=make_enrollment(program="surface-adr"))
    plan = make_sent_plan(fund)
    untitled = make_person(role="channel_manager", name="Una Titled", portfolio=[plan.partner_id])
    make_person(role="channel_manager", name="Tilo Titled", title="pdm", portfolio=[plan.partner_id])
    client = enter(untitled)
    page = words(get_within(client, reverse("plan-review", args=[plan.pk])))
    assert "You may not decide this plan" in page
    assert "You have no title" in page
    assert "It is decided by Tilo Titled, Partner Development Manager." in page
    assert "Check the letter" not in page
    response = client.post(reverse("plan-decision", args=[plan.pk]), answer(plan, APPROVE) | {"act": "confirm"})
    assert response.status_code == 403
    assert Plan.objects.get().status == "submitted"


def test_who_stands_in_decides_for_the_other_and_both_sides_read_it(enter: Enter, plan: Plan) -> None:
    away = make_person(role="channel_manager", name="Ada Away", portfolio=[plan.partner_id])
    cover = make_person(role="channel_manager", name="Cleo Cover", portfolio=[])
    client = enter(cover)
    assert client.get(reverse("plan-review", args=[plan.pk])).status_code == 404
    today = clock.now().date()
    delegate(away.pk, cover.pk, starts_on=today, ends_on=today + timedelta(days=7), by=away, at=clock.now())
    shown = words(enter(plan.created_by).get(reverse("plan", args=[plan.pk])))
    assert "With Ada Away (covered by Cleo Cover until 11 Mar 2024)" in shown
    client = enter(cover)
    assert "You stand in for Ada Away" in words(client.get(reverse("plan-review", args=[plan.pk])))
    client.post(reverse("plan-decision", args=[plan.pk]), answer(plan, APPROVE, APPROVE) | {"act": "confirm"})
    letter = words(enter(plan.created_by).get(reverse("plan", args=[plan.pk])))
    assert "Decided by Cleo Cover, channel manager for Ada Away." in letter


def test_others_of_the_vendor_look_and_nobody_else_does(enter: Enter, plan: Plan) -> None:
    url = reverse("plan-review", args=[plan.pk])
    for who in ("finance", "auditor", "program"):
        page = words(get_within(enter(who), url))
        assert "You may not decide this plan" in page, who
    assert enter(plan.created_by).get(url).status_code == 403
    elsewhere = make_person(role="channel_manager", portfolio=[make_partner().pk])
    assert enter(elsewhere).get(url).status_code == 404
    draft = make_plan(plan.fund)
    assert enter("manager").get(reverse("plan-review", args=[draft.pk])).status_code == 404


def test_the_list_of_the_vendor_shows_sent_plans_with_their_partner(enter: Enter, plan: Plan) -> None:
    make_plan(plan.fund, title="Still a draft")
    make_claim(plan.fund)
    page = words(get_within_bound(enter("manager"), reverse("plans")))
    assert "1 plan" in page
    assert "Spring calls" in page
    assert "Northwind Traders" in page
    assert "Still a draft" not in page
