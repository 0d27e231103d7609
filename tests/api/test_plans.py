"""Plans over REST: written with their activities, sent, decided row by row, amended, claimed on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from claims.models import Plan
from funds.models import Fund
from tests import factories
from tests.api.client import Api, api_of

pytestmark = pytest.mark.django_db

CALLS = {
    "activity": "telemarketing",
    "title": "Calls in spring",
    "starts_on": "2024-03-10",
    "ends_on": "2024-03-20",
    "requested_amount": "4000.00",
    "expected_outcome": "300 calls",
}


def write(api: Api, fund: Fund, *activities: dict[str, Any], **more: Any) -> Any:
    body = {"fund": str(fund.pk), "title": "Spring", "activities": [*(activities or (CALLS,))], **more}
    answer = api.post("plans/", body)
    assert answer.status == 201, answer
    return answer


def sent(api: Api, fund: Fund, *activities: dict[str, Any]) -> Any:
    answer = api.post(f"plans/{write(api, fund, *activities)['id']}/submit/")
    assert answer.status == 200, answer
    return answer


def test_a_plan_is_written_sent_approved_row_by_row_and_claimed_on(
    fund: Fund, partner: Api, manager: Api, vendor: Callable[[str], Api]
) -> None:
    second = {**CALLS, "title": "More calls", "requested_amount": "1000.00"}
    draft = write(partner, fund, CALLS, second)
    assert (draft["status"], draft["whose_turn"], draft["requested_amount"]) == ("draft", "partner", "5000.00")
    assert manager.get(f"plans/{draft['id']}/").status == 404  # a draft is the partner's own paper
    first, more = draft["activities"]

    plan = partner.post(f"plans/{draft['id']}/submit/")
    assert (plan["status"], plan["whose_turn"]) == ("submitted", "channel_manager")
    assert plan["review_due_at"] == "2024-03-07T00:00:00Z"  # two business days after Monday, at the end of the day
    assert {found["outcome"] for found in plan["findings"]} <= {"passed", "warning", "person"}

    decisions = [{"id": more["id"], "decision": "approve_less", "approved_amount": "400.00", "reason": "Less will do."}]
    done = manager.post(f"plans/{draft['id']}/approve/", {"decisions": decisions, "note": "Good luck."})
    assert (done["status"], done["approved_amount"], done["reserved_amount"]) == ("approved", "4400.00", "4400.00")
    assert [row["decision"] for row in done["activities"]] == ["approve", "approve_less"]
    money = partner.get(f"funds/{fund.pk}/")
    assert (money["available"], money["reserved"]) == ("5603.55", "4400.00")

    claim = partner.post("claims/", {"fund": str(fund.pk), "plan_activity": first["id"]})
    assert (claim["title"], claim["activity"], claim["plan_activity"]) == (
        "Calls in spring",
        "telemarketing",
        first["id"],
    )
    assert (claim["activity_from"], claim["activity_to"]) == ("2024-03-10", "2024-03-20")
    events = vendor("auditor").get("events/", subject=draft["id"], subject_type="plan")["results"]
    assert [event["verb"] for event in events][-2:] == ["plan.submitted", "plan.approved"]


def test_a_plan_is_rewritten_with_its_whole_list_of_activities(fund: Fund, partner: Api) -> None:
    draft = write(partner, fund, CALLS, {**CALLS, "title": "Drop me"})
    kept = {"id": draft["activities"][0]["id"], "requested_amount": "3500.50"}
    answer = partner.patch(
        f"plans/{draft['id']}/",
        {"title": "Spring and summer", "activities": [kept, {**CALLS, "title": "New"}]},
        headers={"If-Match": draft.headers["ETag"]},
    )
    rows = answer["activities"]
    assert [(row["title"], row["requested_amount"]) for row in rows] == [
        ("Calls in spring", "3500.50"),
        ("New", "4000.00"),
    ]
    assert rows[0]["id"] == kept["id"]
    stale = partner.patch(f"plans/{draft['id']}/", {"title": "Late"}, headers={"If-Match": draft.headers["ETag"]})
    assert (stale.status, stale.code) == (412, "stale")
    assert "The last act was “activity removed”" in stale["detail"] or "by Marketer" in stale["detail"]


def test_all_faults_of_all_activities_are_told_at_once_and_nothing_is_kept(fund: Fund, partner: Api) -> None:
    activities = [
        {**CALLS, "activity": "skywriting"},
        {**CALLS, "ends_on": "2024-03-01"},
        {"title": "Which?"},
        {**CALLS, "answers": {"nonsense": "1"}},
    ]
    answer = partner.post("plans/", {"fund": str(fund.pk), "activities": activities})
    assert answer.fields == {
        "activities.0.activity": "unknown_activity",
        "activities.1.ends_on": "invalid",
        "activities.2.activity": "required",
        "activities.3.answers.nonsense": "unknown_metric",
    }
    assert not Plan.objects.exists()


def test_money_that_is_not_there_is_refused_with_the_shortfall_to_the_cent(fund: Fund, partner: Api) -> None:
    draft = write(partner, fund, {**CALLS, "requested_amount": "6000.00"}, {**CALLS, "requested_amount": "4003.56"})
    refused = partner.post(f"plans/{draft['id']}/submit/")
    assert (refused.status, refused.code) == (422, "insufficient_funds")
    assert "0.01 USD is missing" in refused["detail"]
    assert refused["findings"]


def test_an_incomplete_plan_is_told_all_that_it_lacks(fund: Fund, partner: Api) -> None:
    empty = write(partner, fund, activities=[])
    assert partner.post(f"plans/{empty['id']}/submit/").fields == {"activities": "required"}
    bare = write(partner, fund, {"activity": "telemarketing"})
    place = f"activities.{bare['activities'][0]['id']}"
    lacking = partner.post(f"plans/{bare['id']}/submit/")
    assert {f"{place}.requested_amount", f"{place}.starts_on", f"{place}.ends_on"} <= set(lacking.fields)


def test_decisions_that_do_not_fit_are_refused_all_at_once(fund: Fund, partner: Api, manager: Api) -> None:
    plan = sent(partner, fund, *[{**CALLS, "requested_amount": "1000.00"}] * 3)
    ids = [row["id"] for row in plan["activities"]]
    decisions = [
        {"id": ids[0], "decision": "approve_less", "approved_amount": "1000.00", "reason": "x"},
        {"id": ids[1], "decision": "decline"},
        {"id": "987654321", "decision": "approve"},
        {"id": ids[0], "decision": "approve"},
    ]
    answer = manager.post(f"plans/{plan['id']}/approve/", {"decisions": decisions})
    assert answer.fields == {
        "decisions.0.approved_amount": "invalid",
        "decisions.1.reason": "required",
        "decisions.2.id": "not_found",
        "decisions.3.id": "duplicate",
    }
    assert manager.post(f"plans/{plan['id']}/decline/").fields == {"note": "required"}
    assert manager.post(f"plans/{plan['id']}/return/").fields == {"note": "required"}


def test_one_row_to_be_returned_returns_the_plan_and_reserves_nothing(fund: Fund, partner: Api, manager: Api) -> None:
    plan = sent(partner, fund, CALLS, CALLS)
    decisions = [{"id": plan["activities"][1]["id"], "decision": "return", "reason": "Which days?"}]
    answer = manager.post(f"plans/{plan['id']}/approve/", {"decisions": decisions})
    assert (answer["status"], answer["reserved_amount"], answer["approved_amount"]) == ("returned", "0.00", "0.00")
    assert partner.get(f"funds/{fund.pk}/")["reserved"] == "0.00"
    again = partner.post(f"plans/{plan['id']}/submit/")
    assert (again["status"], again["activities"][1]["decision"]) == ("submitted", "")


def test_an_amendment_is_the_next_version_and_says_what_it_changes(fund: Fund, partner: Api, manager: Api) -> None:
    plan = sent(partner, fund, CALLS)
    manager.post(f"plans/{plan['id']}/approve/")
    draft = partner.post(f"plans/{plan['id']}/amend/")
    assert (draft["version"], draft["amends"], draft["status"]) == (2, plan["id"], "draft")
    assert draft["number"] == plan["number"]
    row = {"id": draft["activities"][0]["id"], "requested_amount": "4500.00"}
    changed = partner.patch(f"plans/{draft['id']}/", {"activities": [row]})
    assert changed["changes"] == ["Calls in spring: 4,000.00 USD becomes 4,500.00 USD, 500.00 USD more."]
    partner.post(f"plans/{draft['id']}/submit/")
    assert manager.post(f"plans/{draft['id']}/approve/")["status"] == "approved"
    versions = partner.get("plans/", number=plan["number"])["results"]
    assert [(row["version"], row["status"]) for row in versions] == [(2, "approved"), (1, "closed")]
    assert partner.get(f"funds/{fund.pk}/")["reserved"] == "4500.00"
    cancelled = partner.post(f"plans/{draft['id']}/cancel/", {"reason": "No time"})
    assert (cancelled["status"], cancelled["reserved_amount"]) == ("cancelled", "0.00")


def test_a_retry_is_answered_and_a_dry_run_keeps_nothing(fund: Fund, partner: Api, manager: Api) -> None:
    plan = sent(partner, fund)
    tried = manager.post(f"plans/{plan['id']}/approve/", dry_run="true")
    assert tried["status"] == "approved"
    assert partner.get(f"funds/{fund.pk}/")["reserved"] == "0.00"
    first = manager.post(f"plans/{plan['id']}/approve/", key="k")
    retry = manager.post(f"plans/{plan['id']}/approve/", key="k")
    assert (first.status, retry.headers["Idempotent-Replayed"]) == (200, "true")
    late = manager.post(f"plans/{plan['id']}/approve/")
    assert (late.status, late.code) == (409, "wrong_status")
    assert "The last act was “approved” by " in late["detail"]


def test_plans_are_found_by_their_fields(fund: Fund, partner: Api, manager: Api) -> None:
    draft, plan = write(partner, fund), sent(partner, fund)
    for query, wanted in (
        ({"status": "draft"}, [draft["id"]]),
        ({"whose_turn": "channel_manager"}, [plan["id"]]),
        ({"fund": str(fund.pk)}, [plan["id"], draft["id"]]),
        ({"number": plan["number"]}, [plan["id"]]),
        ({"partner": str(fund.partner_id)}, [plan["id"], draft["id"]]),
    ):
        assert [row["id"] for row in partner.get("plans/", **query)["results"]] == wanted, query
    assert [row["id"] for row in manager.get("plans/")["results"]] == [plan["id"]]
    assert partner.get("plans/", whose_turn="mine").fields == {"whose_turn": "invalid"}
    assert partner.get("plans/", state="draft").fields == {"state": "unknown_parameter"}


def test_a_key_for_reviews_decides_and_does_not_write(fund: Fund, partner: Api) -> None:
    plan = sent(partner, fund)
    reviewing = api_of(factories.vendor("manager"), "reviews:write", "funds:read")
    writing = api_of(factories.vendor("manager"), "plans:write", "funds:read")
    assert writing.post(f"plans/{plan['id']}/approve/").status == 403
    assert reviewing.post(f"plans/{plan['id']}/approve/").status == 200
