"""Adjustments over the API: a dry run shows the entries, a second person approves, partners read what was posted."""

from __future__ import annotations

from typing import Any

import pytest

from funds.models import Adjustment, Entry, Fund
from partners.models import Event
from tests import factories
from tests.api.client import Api, api_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def fund() -> Fund:
    return factories.make_fund()


@pytest.fixture
def finance() -> Api:
    return api_of(factories.vendor("finance"))


@pytest.fixture
def finance2() -> Api:
    return api_of(factories.vendor("finance2"))


def body(of: Fund, **changes: Any) -> dict[str, Any]:
    return {
        "fund": str(of.pk),
        "amount": "-500.00",
        "reason_code": "wrong_calculation",
        "effective_on": "2023-12-31",
        "note": "Counted twice.",
        **changes,
    }


def test_a_small_adjustment_is_posted_at_once(finance: Api, fund: Fund) -> None:
    answer = finance.post("adjustments/", body(fund, amount="120.45"), key="one")
    assert answer.status == 201, answer
    assert answer.headers["ETag"] == '"1"'
    shown = {name: answer[name] for name in ("fund", "purpose", "amount", "currency", "status", "second_person_needed")}
    assert shown == {
        "fund": str(fund.pk),
        "purpose": "correction",
        "amount": "120.45",
        "currency": "USD",
        "status": "posted",
        "second_person_needed": False,
    }
    (entry,) = answer["entries"]
    assert (entry["kind"], entry["amount"], entry["reason_code"], entry["note"], entry["effective_on"]) == (
        "adjustment",
        "120.45",
        "wrong_calculation",
        "Counted twice.",
        "2023-12-31",
    )
    again = finance.post("adjustments/", body(fund, amount="120.45"), key="one")
    assert (again.status, again["id"], again.headers["Idempotent-Replayed"]) == (201, answer["id"], "true")
    assert finance.get(f"funds/{fund.pk}/")["available"] == "10124.00"


def test_a_dry_run_shows_the_entries_also_where_a_second_person_is_needed(finance: Api, fund: Fund) -> None:
    tried = finance.post("adjustments/", body(fund, amount="-1003.55"), dry_run="true")
    assert (tried.status, tried["status"], tried["second_person_needed"]) == (201, "requested", True), tried
    assert [(entry["kind"], entry["to_bucket"], entry["amount"]) for entry in tried["entries"]] == [
        ("adjustment", "program", "1003.55"),
        ("conversion", "converted", "9000.00"),
    ]
    assert not Adjustment.objects.exists()
    assert not Entry.objects.filter(kind="adjustment").exists()
    assert not Event.objects.filter(subject_type="adjustment").exists()


def test_a_large_one_is_approved_by_a_second_person(finance: Api, finance2: Api, fund: Fund) -> None:
    asked = finance.post("adjustments/", body(fund, amount="5000.00"))
    path = f"adjustments/{asked['id']}/"
    assert (asked["status"], asked["entries"], asked["approved_by"]) == ("requested", [], None)
    own = finance.post(f"{path}approve/")
    assert (own.status, own.code) == (403, "self_decision")
    assert finance2.post(f"{path}approve/", headers={"If-Match": '"7"'}).code == "stale"
    tried = finance2.post(f"{path}approve/", dry_run="true")
    assert [entry["amount"] for entry in tried["entries"]] == ["5000.00"]
    done = finance2.post(f"{path}approve/", headers={"If-Match": '"1"'})
    assert (done.status, done["status"], done["approved_by"]) == (200, "posted", str(factories.vendor("finance2").pk))
    assert finance2.post(f"{path}approve/").code == "wrong_status"
    assert finance.get(path)["entries"][0]["fund"] == str(fund.pk)


def test_it_is_declined_with_a_reason(finance: Api, finance2: Api, fund: Fund) -> None:
    path = f"adjustments/{finance.post('adjustments/', body(fund, amount='5000.00'))['id']}/decline/"
    assert finance2.post(path, {"reason": ""}).fields == {"reason": "blank"}
    declined = finance2.post(path, {"reason": "The mapping was right."})
    assert (declined["status"], declined["decline_reason"]) == ("declined", "The mapping was right.")


def test_all_faults_come_together_and_money_is_text(finance: Api, fund: Fund) -> None:
    wrong = finance.post(
        "adjustments/",
        body(fund, amount=5, reason_code="because", effective_on="31.12.2023", status="posted", purpose="gift"),
    )
    assert wrong.fields == {
        "amount": "amount_format",
        "reason_code": "invalid_choice",
        "effective_on": "invalid",
        "purpose": "invalid_choice",
        "status": "unknown_field",
    }
    assert finance.post("adjustments/", body(fund, amount="0.00", reason_code="policy_exception", note="")).fields == {
        "amount": "must_not_be_zero",
        "note": "required",
    }
    assert finance.post("adjustments/", body(fund, amount="1.005")).fields == {"amount": "too_many_decimals"}
    assert finance.post("adjustments/", body(fund, fund="987654")).status == 404


def test_a_rollover_names_the_other_fund_and_is_listed_with_both(finance: Api, fund: Fund) -> None:
    factories.earn(fund.enrollment, "30000.00", on="2024-02-10")
    target = Fund.objects.get(enrollment=fund.enrollment, earning_period__code="FY24-H2")
    wanted = body(fund, amount="300.00", purpose="rollover", reason_code="coop_rollover", effective_on="2024-03-04")
    done = finance.post("adjustments/", {**wanted, "to_fund": str(target.pk)})
    assert [(entry["fund"], entry["to_bucket"]) for entry in done["entries"]] == [
        (str(fund.pk), "program"),
        (str(target.pk), "available"),
    ]
    for listed in (fund, target):
        found = finance.get("adjustments/", fund=str(listed.pk), status="posted", reason_code="coop_rollover")[
            "results"
        ]
        assert [row["id"] for row in found] == [done["id"]]
    assert finance.get("adjustments/", reason_code="ar_compliance")["results"] == []
    assert (
        finance.get("adjustments/", partner=str(fund.partner_id), purpose="rollover")["results"][0]["id"] == done["id"]
    )


def test_after_the_deadline_the_refusal_names_a_live_fund(finance: Api, fund: Fund) -> None:
    factories.earn(fund.enrollment, "30000.00", on="2024-02-10")
    target = Fund.objects.get(enrollment=fund.enrollment, earning_period__code="FY24-H2")
    factories.set_clock(factories.DEADLINE)
    refused = finance.post("adjustments/", body(fund, amount="10.00"))
    assert (refused.status, refused.code) == (422, "window_closed")
    assert f"Use fund {target.pk}, FY24 H2, which takes claims until 14 Feb 2025, 23:59:59 UTC." in refused["detail"]


def test_partners_read_their_posted_ones_and_only_finance_writes(finance: Api, fund: Fund) -> None:
    posted = finance.post("adjustments/", body(fund))
    waiting = finance.post("adjustments/", body(fund, amount="-5000.00"))
    partner = api_of(factories.marketer_of(fund.partner))
    assert [row["id"] for row in partner.get("adjustments/")["results"]] == [posted["id"]]
    assert partner.get(f"adjustments/{posted['id']}/")["note"] == "Counted twice."
    assert partner.get(f"adjustments/{waiting['id']}/").status == 404
    assert partner.post("adjustments/", body(fund)).status == 403
    assert partner.post(f"adjustments/{posted['id']}/approve/").status == 403
    other = api_of(factories.marketer_of(factories.make_partner("Another")))
    assert other.get(f"adjustments/{posted['id']}/").status == 404
    auditor = api_of(factories.vendor("auditor"))
    assert auditor.get(f"adjustments/{waiting['id']}/").status == 200
    assert auditor.post(f"adjustments/{waiting['id']}/approve/").status == 403
    limited = api_of(factories.vendor("finance"), "funds:read")
    assert limited.post("adjustments/", body(fund)).status == 403


def test_a_fund_below_zero_is_flagged_and_can_be_listed(finance: Api, fund: Fund) -> None:
    factories.make_approved_claim(fund, "10000.00")
    finance.post("adjustments/", body(fund, amount="-3.55"))
    assert finance.get(f"funds/{fund.pk}/")["overdrawn"] is False
    factories.earn(fund.enrollment, "10000.00", on="2023-11-20")
    factories.make_approved_claim(fund, "4000.00")
    finance.post("adjustments/", body(fund, amount="-0.01"))
    shown = finance.get(f"funds/{fund.pk}/")
    assert (shown["available"], shown["overdrawn"]) == ("-0.01", True)
    assert [row["id"] for row in finance.get("funds/", overdrawn="true")["results"]] == [str(fund.pk)]
    assert finance.get("funds/", overdrawn="false")["results"] == []
    assert finance.get("funds/", overdrawn="yes").fields == {"overdrawn": "invalid"}
    draft = factories.make_claim(fund, "0.01")
    refused = api_of(draft.created_by).post(f"claims/{draft.pk}/submit/")
    assert (refused.status, refused.code) == (422, "insufficient_funds")
    assert "0.01 USD more was taken back than was left in this fund" in refused["detail"]
