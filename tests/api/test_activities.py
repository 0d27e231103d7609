"""Activities with all that they ask for, ideas that are checked and never stored, and what changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from claims.models import Plan
from coop.lib.models import IdempotencyRecord
from funds.models import Fund
from partners.models import Event
from tests import factories
from tests.api.client import Api, api_of

IDEA = {
    "program": "mci-csp-reseller",
    "activity": "customer-offer",
    "amount": "2000.00",
    "starts_on": "2024-03-11",
    "ends_on": "2024-03-15",
}


# --- Activities -------------------------------------------------------------------------------------------------------


def test_an_activity_says_what_it_asks_for_and_pays(partner: Api) -> None:
    case = {"program": "mci-csp-reseller", "country": "US", "on": "2024-03-01"}
    offer = partner.get("activities/customer-offer/", **case)
    limit = offer["limits"]["rules"][0]
    assert (limit["percent"], limit["rule"], limit["version"]) == ("25", "limit.customer-offer", 1)
    assert "25 % of the co-op" in offer["limits"]["text"]
    assert offer["approval"]["kind"] == "optional"
    assert {"use_period", "limit.customer-offer"} <= {rule["rule"] for rule in offer["rules"]}
    seminar = partner.get("activities/seminar/", **case)
    slides = next(proof for proof in seminar["proofs"] if proof["code"] == "slides")
    assert slides["when"]["answer"] in {question["code"] for question in seminar["questions"]}
    assert {"code", "name", "kind", "hint", "required", "choices", "example"} == set(seminar["metrics"][0])


def test_who_approves_plans_is_said_for_the_program(partner: Api) -> None:
    factories.need_catalog("surface-adr")
    surface = partner.get("activities/tv-radio/", program="surface-adr", on="2024-03-01")
    assert surface["approval"]["kind"] == "required"
    assert "Partner Development Manager" in surface["approval"]["titles"]
    assert partner.get("activities/tv-radio/", on="2024-03-01")["approval"] is None


def test_a_partner_that_one_does_not_see_cannot_be_asked_for(partner: Api) -> None:
    other = factories.make_partner("Fabrikam")
    assert partner.get("activities/seminar/", partner=str(other.pk)).fields == {"partner": "not_found"}
    assert api_of(factories.vendor("manager")).get("activities/seminar/", partner=str(other.pk)).status == 200


# --- Checking an idea -------------------------------------------------------------------------------------------------


def check(api: Api, **changes: Any) -> Any:
    return api.post("activities/check/", {**IDEA, **changes})


def test_an_idea_is_answered_with_findings_and_nothing_is_stored(partner: Api, fund: Fund) -> None:
    before = Event.objects.count()
    passing = check(partner)
    assert passing.status == 200, passing
    assert passing["fund"] == str(fund.pk)
    assert passing["activities"][0]["passes"]
    assert {"passed"} <= {found["outcome"] for found in passing["findings"]}
    failing = check(partner, amount="3000.00")
    assert not failing["activities"][0]["passes"]
    failed = [found for found in failing["findings"] if found["outcome"] == "failed"]
    assert [(found["rule"], found["field"]) for found in failed] == [("limit.customer-offer", "amount")]
    assert failed[0]["wanted"] == "at most 2,500.89 USD, 25 % of the 10,003.55 USD earned"
    assert failed[0]["basis"].startswith("Rule limit.customer-offer, version 1")
    assert (Event.objects.count(), Plan.objects.count(), IdempotencyRecord.objects.count()) == (before, 0, 0)


def test_without_an_activity_every_offered_one_is_answered_for(partner: Api) -> None:
    answer = check(partner, activity=None, amount="3000.00")
    passes = {row["activity"]: row["passes"] for row in answer["activities"]}
    assert answer["findings"] == []
    assert passes["telemarketing"]
    assert not passes["customer-offer"]
    assert "tv-radio" not in passes


def test_a_key_that_may_only_read_may_check(fund: Fund) -> None:
    person = factories.marketer_of(fund.partner)
    assert check(api_of(person, "funds:read")).status == 200
    assert check(api_of(person, "claims:write")).code == "not_allowed"


def test_all_that_is_wrong_with_an_idea_is_said_at_once(partner: Api) -> None:
    body = {"program": "X y", "amount": 3, "starts_on": "soon", "is_paid": True}
    assert partner.post("activities/check/", body).fields == {
        "program": "invalid",
        "amount": "amount_format",
        "starts_on": "invalid",
        "is_paid": "unknown_field",
    }
    assert check(partner, program="no-such-program").fields == {"program": "not_found"}
    wrong = check(partner, activity="no-such-activity", ends_on="2024-03-01")
    assert wrong.fields == {"activity": "not_found", "ends_on": "invalid"}
    assert check(partner, partner="987654321").fields == {"partner": "not_found"}


def test_another_partners_money_is_nobodys_to_ask_about(vendor: Callable[[str], Api], fund: Fund) -> None:
    stranger = api_of(factories.make_person(factories.make_partner("Fabrikam")))
    assert check(stranger, partner=str(fund.partner_id)).fields == {"partner": "not_found"}
    assert check(stranger)["fund"] is None
    assert check(vendor("manager"), partner=str(fund.partner_id))["fund"] == str(fund.pk)


# --- What changed -----------------------------------------------------------------------------------------------------


def test_a_guest_learns_nothing_of_what_the_partners_limits_have_left(fund: Fund) -> None:
    factories.make_sent_claim(fund, "1234.00", activity="vendor-conference")
    guest = api_of(factories.make_person(fund.partner, "agency"))
    idea = {**IDEA, "activity": "vendor-conference", "country": "US"}
    assert "1,234.00" not in guest.post("activities/check/", idea).content.decode()
    assert guest.post("activities/check/", {**idea, "partner": str(fund.partner_id)}).status == 400
    assert "1,234.00" in api_of(factories.marketer_of(fund.partner)).post("activities/check/", idea).content.decode()


def test_what_changed_is_told_with_its_rule_and_first_day(partner: Api) -> None:
    answer = partner.get("activities/changes/", **{"from": "2023-06-30", "to": "2023-07-01"})
    log = next(row for row in answer["changes"] if row["code"] == "proof_of_execution.telemarketing.call-log")
    assert (log["on"], log["version"], log["example"], log["programs"]) == (
        "2023-07-01",
        1,
        True,
        ["mci-csp-reseller"],
    )
    assert "call log" in log["sentence"].lower()
    renamed = partner.get("activities/changes/", **{"from": "2024-06-30", "to": "2024-07-01"})
    assert any("Partner Skilling" in row["sentence"] for row in renamed["changes"])
    same = partner.get("activities/changes/", **{"from": "2024-03-01", "to": "2024-03-02"})
    assert same["changes"] == []


def test_questions_about_changes_that_cannot_be_meant_are_refused(partner: Api) -> None:
    backwards = partner.get("activities/changes/", **{"from": "2024-03-02", "to": "2024-03-01"})
    assert backwards.fields == {"to": "invalid"}
    assert partner.get("activities/changes/", program="nothing").fields == {"program": "not_found"}
    assert partner.get("activities/changes/", since="2024-03-02").fields == {"since": "unknown_parameter"}


@pytest.mark.parametrize("path", ["activities/", "activities/changes/"])
def test_the_catalog_asks_the_database_little(partner: Api, path: str, django_assert_max_num_queries: Any) -> None:
    partner.get(path)
    with django_assert_max_num_queries(9):
        assert partner.get(path).status == 200
