"""Who may do what: each verb tried by each role, as a dry run, on a record that is there."""

from __future__ import annotations

import pytest

from claims.operations.disputes import dispute_claim
from coop.lib import clock
from tests import factories
from tests.api.client import Api, api_of

ROLES = ("marketer", "partner_admin", "agency", "manager", "pcmm", "finance", "finance2", "program", "auditor")
MASTER = {"program": 201, "finance": 201, "finance2": 201}
FINANCE = {"finance": 201, "finance2": 201}
WRITERS = {"marketer": 200, "partner_admin": 200}
NOT_SEEN_BY_PARTNERS = {"marketer": 404, "partner_admin": 404, "agency": 404, "manager": 404, "pcmm": 404}
DRAFT_HIDDEN = dict.fromkeys(("agency", "manager", "pcmm", "finance", "finance2", "program", "auditor"), 404)

# The act, and the status by role; a role that is not named gets 403.
ACTS: dict[str, dict[str, int]] = {
    "add a partner": MASTER,
    "add a location": MASTER,
    "enroll": {"program": 400, "finance": 400, "finance2": 400},  # enrolled already: past the role, refused by content
    "add a person": {"program": 201, "partner_admin": 201},
    "send earnings": FINANCE,
    "extend a period": {"program": 200},
    "begin a claim": {"marketer": 201, "partner_admin": 201, "agency": 404},
    "change a draft": {**WRITERS, **DRAFT_HIDDEN},
    "send a draft": {**WRITERS, **DRAFT_HIDDEN},
    "withdraw a claim": {**WRITERS, "agency": 404},
    "start a review": {"manager": 200, "pcmm": 200, "agency": 404},
    "approve a claim": {"manager": 200, "pcmm": 200, "agency": 404},
    "return a claim": {"manager": 200, "pcmm": 200, "agency": 404},
    "decline a claim": {"manager": 200, "pcmm": 200, "agency": 404},
    "dispute a decision": {**WRITERS, "agency": 404},
    "decide a dispute": {"pcmm": 200, "agency": 404},
    "begin a plan": {"marketer": 201, "partner_admin": 201, "agency": 404},
    "change a planned draft": {**WRITERS, **DRAFT_HIDDEN},
    "send a plan": {**WRITERS, **DRAFT_HIDDEN},
    "withdraw a plan": {**WRITERS, "agency": 404},
    "approve a plan": {"manager": 200, "pcmm": 200, "agency": 404},
    "return a plan": {"manager": 200, "pcmm": 200, "agency": 404},
    "decline a plan": {"manager": 200, "pcmm": 200, "agency": 404},
    "amend a plan": {**WRITERS, "agency": 404},
    "cancel a plan": {**WRITERS, "agency": 404},
    "prepare a run": FINANCE,
    "approve a run": {"finance2": 200, **NOT_SEEN_BY_PARTNERS},
    "ask for an adjustment": {**FINANCE, "agency": 404},
    "approve an adjustment": {"finance2": 200, **NOT_SEEN_BY_PARTNERS},
    "decline an adjustment": {"finance": 200, "finance2": 200, **NOT_SEEN_BY_PARTNERS},
    "cancel a run": {"finance": 200, "finance2": 200, **NOT_SEEN_BY_PARTNERS},
    "deactivate a person": {"program": 200, "partner_admin": 200, "agency": 404},
    "move the clock": {role: 200 for role in ROLES if role != "auditor"},
}


def test_each_role_may_do_what_it_may_and_nothing_else(db: None) -> None:
    fund = factories.make_fund()
    marketer = factories.marketer_of(fund.partner)
    colleague = factories.make_person(fund.partner)
    factories.make_approved_claim(fund, "300.00")
    run = factories.prepare()
    factories.make_approved_claim(fund, "300.00")
    sent, draft = factories.make_sent_claim(fund, "10.00"), factories.make_claim(fund, "10.00")
    declined, disputed = (factories.make_declined_claim(fund, "10.00") for _ in range(2))
    disputed = dispute_claim(disputed.pk, reason="Look again.", by=marketer, at=clock.now())
    waiting = factories.make_adjustment(fund, "5000.00")
    plans = {
        "draft": factories.make_plan(fund, "10.00"),
        "sent": factories.make_sent_plan(fund, "10.00"),
        "approved": factories.make_approved_plan(fund, "10.00"),
    }
    people = {
        "marketer": marketer,
        "partner_admin": factories.make_person(fund.partner, "partner_admin"),
        "agency": factories.make_person(fund.partner, "agency"),
        **{who: factories.vendor(who) for who in ("manager", "pcmm", "finance", "finance2", "program", "auditor")},
    }
    keys: dict[str, Api] = {role: api_of(person) for role, person in people.items()}
    house = str(fund.partner_id)
    line = {"external_id": "E-new", "location": fund.location.external_id, "program": fund.program.code}
    requests = {
        "add a partner": ("POST", "partners/", {"external_id": "P-x", "name": "X", "country": "US"}),
        "add a location": (
            "POST",
            "locations/",
            {"partner": house, "external_id": "L-x", "name": "X", "country": "US"},
        ),
        "enroll": (
            "POST",
            "enrollments/",
            {"location": str(fund.location_id), "program": fund.program.code, "starts_on": "2024-01-01"},
        ),
        "add a person": (
            "POST",
            "people/",
            {"email": "new@x.example", "name": "New", "role": "marketer", "partner": house},
        ),
        "send earnings": (
            "POST",
            "earnings/",
            {"lines": [{**line, "earned_on": "2024-03-01", "amount": "1.00", "currency": "USD"}]},
        ),
        "extend a period": (
            "POST",
            f"earning-periods/{fund.earning_period_id}/extend/",
            {"claims_close_on": "2024-08-20", "reason": "Holidays"},
        ),
        "begin a claim": ("POST", "claims/", {"fund": str(fund.pk), "activity": "telemarketing"}),
        "change a draft": ("PATCH", f"claims/{draft.pk}/", {"title": "Calls"}),
        "send a draft": ("POST", f"claims/{draft.pk}/submit/", None),
        "withdraw a claim": ("POST", f"claims/{sent.pk}/withdraw/", None),
        "start a review": ("POST", f"claims/{sent.pk}/start_review/", None),
        "approve a claim": ("POST", f"claims/{sent.pk}/approve/", None),
        "return a claim": ("POST", f"claims/{sent.pk}/return/", {"reason": "Send the log."}),
        "decline a claim": ("POST", f"claims/{sent.pk}/reject/", {"reason": "Not covered."}),
        "dispute a decision": ("POST", f"claims/{declined.pk}/dispute/", {"reason": "It was there."}),
        "decide a dispute": (
            "POST",
            f"claims/{disputed.pk}/decide_dispute/",
            {"outcome": "uphold", "reason_code": "first-decision-stands"},
        ),
        "begin a plan": ("POST", "plans/", {"fund": str(fund.pk), "title": "Spring"}),
        "change a planned draft": ("PATCH", f"plans/{plans['draft'].pk}/", {"title": "Summer"}),
        "send a plan": ("POST", f"plans/{plans['draft'].pk}/submit/", None),
        "withdraw a plan": ("POST", f"plans/{plans['sent'].pk}/withdraw/", None),
        "approve a plan": ("POST", f"plans/{plans['sent'].pk}/approve/", None),
        "return a plan": ("POST", f"plans/{plans['sent'].pk}/return/", {"note": "Which days?"}),
        "decline a plan": ("POST", f"plans/{plans['sent'].pk}/decline/", {"note": "No."}),
        "amend a plan": ("POST", f"plans/{plans['approved'].pk}/amend/", None),
        "cancel a plan": ("POST", f"plans/{plans['approved'].pk}/cancel/", None),
        "prepare a run": ("POST", "payment-runs/", {"cutoff": "2024-03-04"}),
        "approve a run": ("POST", f"payment-runs/{run.pk}/approve/", None),
        "ask for an adjustment": (
            "POST",
            "adjustments/",
            {
                "fund": str(fund.pk),
                "amount": "5.00",
                "reason_code": "previous_period",
                "effective_on": "2024-03-04",
            },
        ),
        "approve an adjustment": ("POST", f"adjustments/{waiting.pk}/approve/", None),
        "decline an adjustment": ("POST", f"adjustments/{waiting.pk}/decline/", {"reason": "No."}),
        "cancel a run": ("POST", f"payment-runs/{run.pk}/cancel/", None),
        "deactivate a person": ("POST", f"people/{colleague.pk}/deactivate/", None),
        "move the clock": ("PUT", "clock/", {"now": "2024-03-05T00:00:00Z"}),
    }
    assert set(requests) == set(ACTS)
    wrong = []
    for act, (method, path, body) in requests.items():
        for role, api in keys.items():
            answer = api.send(method, path, body, dry_run="true")
            expected = ACTS[act].get(role, 403)
            if act == "deactivate a person" and role == "marketer":
                expected = 404  # a marketer sees only themselves
            if answer.status != expected:
                wrong.append(f"{role} may {act}? {answer} instead of {expected}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("role", ["marketer", "partner_admin"])
def test_a_partners_people_do_not_make_themselves_more(db: None, role: str) -> None:
    partner = factories.make_partner()
    person = factories.make_person(partner, role)
    api = api_of(person)
    for body in ({"role": "finance"}, {"partner": "1"}, {"is_active": True}, {"email": "x@x.example"}, {"scopes": []}):
        assert api.patch(f"people/{person.pk}/", body).status == 400
    vendors = {"email": "x@x.example", "name": "X", "role": "program_admin"}
    assert api.post("people/", vendors).status == 403


def test_a_portfolio_names_partners_that_are_there(db: None) -> None:
    partner = factories.make_partner()
    manager = factories.make_person(None, "channel_manager", title="pdm", portfolio=[partner.pk])
    api, path = api_of(factories.vendor("program")), f"people/{manager.pk}/"
    assert api.get(path)["portfolio"] == [str(partner.pk)]
    assert api.patch(path, {"portfolio": ["987654321"]}).fields == {"portfolio": "not_found"}
    assert api.patch(path, {"portfolio": None})["portfolio"] is None
    assert api.patch(path, {"portfolio": []})["portfolio"] == []
    assert api.patch(path, {"title": "king"}).fields == {"title": "invalid_choice"}
