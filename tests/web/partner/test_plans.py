"""Plans on the partner's pages: begun, written, checked, sent; read after the decision, amended and cancelled."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from claims.models import Plan, PlanActivity
from claims.operations.plan_review import PlanDecision, approve_plan, decline_plan, return_plan
from claims.operations.plans import change_activity, submit_plan
from claims.web.forms import countries
from coop.lib import clock
from partners.models import Person
from tests.factories import (
    IN_USE,
    add_planned,
    make_fund,
    make_partner,
    make_person,
    make_plan,
    make_sent_plan,
    marketer_of,
    set_clock,
    vendor,
)
from tests.web.partner.conftest import page, text_of

pytestmark = pytest.mark.django_db
SignIn = Callable[[Person], Client]


def send(plan: Plan) -> Plan:
    return submit_plan(plan.pk, by=plan.created_by, at=clock.now())


def decide(plan: Plan, *said: tuple[str, int | None, str]) -> Plan:
    """The manager decides its activities, in their order."""
    rows = plan.activities.order_by("id")
    decisions = [PlanDecision(row.pk, *one) for row, one in zip(rows, said, strict=True)]
    return approve_plan(plan.pk, decisions=decisions, by=vendor("manager"), at=clock.now())


def form_of(activity: PlanActivity, **changes: Any) -> dict[str, Any]:
    """What the page of an activity sends when nothing but `changes` was changed."""
    return {
        "revision": activity.plan.revision,
        "activity": activity.activity.code,
        "title": activity.title,
        "solution_area": activity.solution_area,
        "country": activity.country,
        "starts_on": activity.starts_on or "",
        "ends_on": activity.ends_on or "",
        "amount": f"{activity.requested_minor / 100:,.2f}" if activity.requested_minor else "",
        "expected_outcome": activity.expected_outcome,
        **changes,
    }


# --- Beginning --------------------------------------------------------------------------------------------------------


def test_a_plan_begins_with_its_fund_name_and_first_activity(sign_in: SignIn) -> None:
    fund = make_fund()
    client = sign_in(make_person(fund.partner))
    shown = page(client, reverse("plan-new"))
    assert "10,003.55 USD available, for work done Jan to Jun 2024" in shown
    assert "14 Aug 2024, 23:59:59 UTC" in shown
    sent = {
        "title": "Spring",
        "activity": "telemarketing",
        "amount": "4,000.00",
        "starts_on": "2024-03-10",
        "ends_on": "",
    }
    response = client.post(reverse("plan-new"), sent)
    plan = Plan.objects.get()
    assert response["Location"] == reverse("plan", args=[plan.pk])
    activity = plan.activities.get()
    assert (plan.title, activity.requested_minor, activity.starts_on) == ("Spring", 400_000, date(2024, 3, 10))
    fund.refresh_from_db()
    assert fund.reserved_minor == 0


def test_what_is_wrong_with_a_new_plan_stands_at_its_fields_and_nothing_is_kept(sign_in: SignIn) -> None:
    client = sign_in(make_person(make_fund().partner))
    sent = {"title": "", "activity": "", "amount": "4.000,00", "starts_on": "2024-03-20", "ends_on": "2024-03-10"}
    response = client.post(reverse("plan-new"), sent)
    assert response.status_code == 400
    shown = text_of(response)
    for said in ("Give the plan a name", "Choose the activity that you plan", "cannot be read as an amount"):
        assert said in shown, said
    sent |= {"title": "Spring", "activity": "telemarketing", "amount": ""}
    assert "The last day lies before the first one" in text_of(client.post(reverse("plan-new"), sent))
    assert not Plan.objects.exists(), "a plan whose first activity was refused stays behind"


def test_the_catalog_and_the_planner_fill_the_form_by_the_address(sign_in: SignIn) -> None:
    fund = make_fund()
    client = sign_in(make_person(fund.partner))
    query = f"?fund={fund.pk}&activity=seminar&amount=1200.00&starts_on=2024-04-01&ends_on=2024-04-02&title=Breakfast"
    shown = client.get(reverse("plan-new") + query).content.decode()
    for value in ('value="1200.00"', 'value="2024-04-01"', 'value="2024-04-02"', 'value="Breakfast"'):
        assert value in shown, value
    assert 'value="seminar" checked' in shown


def test_a_copy_takes_the_words_and_amounts_of_an_earlier_plan(sign_in: SignIn) -> None:
    plan = make_plan(make_fund(), "4000.00", "500.00")
    client = sign_in(plan.created_by)
    assert "Begin with a copy of an earlier plan" in page(client, reverse("plan-new"))
    client.post(reverse("plan-copy"), {"plan": plan.pk, "fund": plan.fund_id})
    copy = Plan.objects.exclude(id=plan.pk).get()
    assert copy.title == plan.title
    assert [row.requested_minor for row in copy.activities.all()] == [400_000, 50_000]


# --- Writing ----------------------------------------------------------------------------------------------------------


def test_the_page_of_a_draft_says_how_far_it_is_and_what_it_does_to_the_fund(sign_in: SignIn) -> None:
    plan = make_plan(make_fund(), "4000.00", "500.00", starts_on=None)
    shown = page(sign_in(plan.created_by), reverse("plan", args=[plan.pk]))
    for said in (
        "This plan asks for 4,500.00 USD",
        "Available now 10,003.55 USD",
        "Left once it is approved 5,503.55 USD",
        "To complete",
        "Telemarketing",
        "Do the work until 30 Jun 2024, 23:59:59 UTC",
    ):
        assert said in shown, said


def test_more_than_there_is_is_saved_and_blocked_with_the_exact_shortfall(sign_in: SignIn) -> None:
    plan = make_plan(make_fund(), "10003.56")
    client = sign_in(plan.created_by)
    assert "More than there is 0.01 USD" in page(client, reverse("plan", args=[plan.pk]))
    shown = page(client, reverse("plan-send", args=[plan.pk]))
    assert "Not ready to be sent yet" in shown
    assert "0.01 USD" in shown
    assert "Send plan for approval" not in shown
    response = client.post(reverse("plan-send", args=[plan.pk]), {"revision": plan.revision, "declared": "on"})
    assert response.status_code == 422
    plan.refresh_from_db()
    assert plan.status == "draft"


def test_advice_of_the_rules_stands_beside_the_field_that_mends_it(sign_in: SignIn) -> None:
    plan = make_plan(make_fund(), ends_on=date(2024, 7, 1))
    client = sign_in(plan.created_by)
    activity = plan.activities.get()
    shown = client.get(reverse("plan-activity", args=[plan.pk, activity.pk])).content.decode()
    there = shown[shown.index('id="id_ends_on_found"') : shown.index('name="ends_on"')]
    assert "1 Jan 2024 to 30 Jun 2024" in there
    sent = form_of(activity, amount="4,100.00")
    response = client.post(reverse("plan-activity", args=[plan.pk, activity.pk]), sent)
    assert response["Location"] == reverse("plan-activity", args=[plan.pk, activity.pk]), "it is saved, and shown again"
    activity.refresh_from_db()
    assert activity.requested_minor == 410_000


def test_two_who_write_at_once_see_both_versions(sign_in: SignIn) -> None:
    plan = make_plan(make_fund())
    activity = plan.activities.get()
    seen = form_of(activity, title="Mine")
    colleague = make_person(plan.partner, name="Ben Okafor")
    change_activity(plan.pk, activity.pk, {"title": "Theirs"}, by=colleague, at=clock.now())
    client = sign_in(plan.created_by)
    response = client.post(reverse("plan-activity", args=[plan.pk, activity.pk]), seen)
    assert response.status_code == 409
    shown = text_of(response)
    assert "Ben Okafor changed an activity" in shown
    assert "Your name for it Theirs Mine" in shown
    again = seen | {"revision": Plan.objects.get().revision}
    assert client.post(reverse("plan-activity", args=[plan.pk, activity.pk]), again).status_code == 302
    activity.refresh_from_db()
    assert activity.title == "Mine"


def test_a_page_saves_as_it_is_written_and_keeps_what_cannot_be_read(sign_in: SignIn) -> None:
    plan = make_plan(make_fund(), "4000.00", "500.00")
    first, second = plan.activities.order_by("id")
    client = sign_in(plan.created_by)
    url = reverse("plan-activity", args=[plan.pk, first.pk])
    sent = form_of(first, title="Calls in May", amount="4.000,00", writer=plan.created_by.pk)
    change_activity(plan.pk, second.pk, {"title": "Elsewhere"}, by=make_person(plan.partner), at=clock.now())
    answer = client.post(url, sent, headers={"X-Autosave": "1"})
    assert answer.status_code == 200, "what a colleague changed in another activity is no conflict"
    assert answer.json()["revision"] == Plan.objects.get().revision
    assert "Saved 09:00 UTC, but not" in answer.json()["message"]
    first.refresh_from_db()
    assert (first.title, first.requested_minor) == ("Calls in May", 400_000)
    assert 'value="4.000,00"' in client.get(url).content.decode()
    change_activity(plan.pk, first.pk, {"title": "Theirs"}, by=make_person(plan.partner), at=clock.now())
    assert client.post(url, sent, headers={"X-Autosave": "1"}).status_code == 409


def test_people_and_name_of_a_plan_are_changed_on_one_page(sign_in: SignIn) -> None:
    plan = make_plan(make_fund())
    ben = make_person(plan.partner, name="Ben Okafor")
    client = sign_in(plan.created_by)
    url = reverse("plan-about", args=[plan.pk])
    assert "Ben Okafor" in page(client, url)
    client.post(url, {"revision": plan.revision, "title": "Autumn", "people": [ben.pk]})
    plan.refresh_from_db()
    assert (plan.title, list(plan.people.all())) == ("Autumn", [ben])


def test_an_activity_is_taken_out_after_asking(sign_in: SignIn) -> None:
    plan = make_plan(make_fund(), "4000.00", "500.00")
    client = sign_in(plan.created_by)
    kept, gone = plan.activities.order_by("id")
    url = reverse("plan-activity-remove", args=[plan.pk, gone.pk])
    assert "Take this activity out of the plan?" in page(client, url)
    client.post(url)
    assert list(plan.activities.all()) == [kept]


# --- Sending and after ------------------------------------------------------------------------------------------------


def test_a_plan_is_checked_declared_and_sent_once(sign_in: SignIn) -> None:
    plan = make_plan(make_fund(), "4000.00", "500.00")
    client = sign_in(plan.created_by)
    url = reverse("plan-send", args=[plan.pk])
    shown = page(client, url)
    assert "Send plan for approval, 4,500.00 USD" in shown
    assert client.post(url, {"revision": plan.revision}).status_code == 400
    for _ in range(2):
        response = client.post(url, {"revision": plan.revision, "declared": "on"})
        assert response["Location"] == reverse("plan-receipt", args=[plan.pk])
    plan.refresh_from_db()
    assert (plan.status, plan.sendings) == ("submitted", 1)
    receipt = page(client, reverse("plan-receipt", args=[plan.pk]))
    assert "Receipt: plan for 4,500.00 USD" in receipt
    assert "usually by 6 Mar 2024" in receipt


def test_a_sent_plan_says_who_has_it_and_who_covers(sign_in: SignIn) -> None:
    plan = make_plan(make_fund())
    mara = make_person(role="channel_manager", name="Mara Own", title="pdm", portfolio=[plan.partner_id])
    send(plan)
    client = sign_in(plan.created_by)
    shown = page(client, reverse("plan", args=[plan.pk]))
    assert f"With {mara.name} since 4 Mar 2024" in shown
    assert "A decision usually comes by 6 Mar 2024" in shown


def test_a_decision_is_read_activity_by_activity_with_what_comes_next(sign_in: SignIn) -> None:
    plan = make_sent_plan(make_fund(), "4000.00", "500.00")
    decide(plan, ("approve_less", 360_000, "Fewer calls are enough."), ("decline", None, "It is the same audience."))
    client = sign_in(plan.created_by)
    shown = page(client, reverse("plan", args=[plan.pk]))
    for said in (
        "We approve 3,600.00 USD of the 4,500.00 USD you asked for",
        "The reason: Fewer calls are enough.",
        "The reason: It is the same audience.",
        "Still reserved 3,600.00 USD",
        "What to collect for its claim",
        "Call script",
        "Start claim",
        "Claim it by 14 Aug 2024, 23:59:59 UTC",
    ):
        assert said in shown, said
    row = plan.activities.first()
    assert (
        f"{reverse('claim-new')}?fund={plan.fund_id}&amp;plan_activity={row.pk}"
        in client.get(reverse("plan", args=[plan.pk])).content.decode()
    )


def test_before_claims_are_taken_the_plan_says_from_when(sign_in: SignIn) -> None:
    plan = make_sent_plan(make_fund(now=IN_USE))
    decide(plan, ("approve", None, ""))
    assert "sent from 15 Feb 2024" in page(sign_in(plan.created_by), reverse("plan", args=[plan.pk]))


def test_a_returned_plan_lists_what_to_mend_and_what_was_touched(sign_in: SignIn) -> None:
    plan = make_sent_plan(make_fund(), "4000.00", "500.00")
    rows = list(plan.activities.order_by("id"))
    said = [PlanDecision(row.pk, "return", None, f"Say more about {row.requested_minor // 100:,}.") for row in rows]
    return_plan(plan.pk, decisions=said, note="Nearly there.", by=vendor("manager"), at=clock.now())
    change_activity(plan.pk, rows[0].pk, {"expected_outcome": "50 meetings"}, by=plan.created_by, at=clock.now())
    shown = page(sign_in(plan.created_by), reverse("plan", args=[plan.pk]))
    for words in (
        "Returned to you",
        "Nearly there.",
        "Say more about 4,000. Changed since",
        "Say more about 500. To mend",
    ):
        assert words in shown, words


def test_a_declined_plan_says_why_and_what_else(sign_in: SignIn) -> None:
    plan = make_sent_plan(make_fund())
    decline_plan(plan.pk, note="We do not promote this any more.", by=vendor("manager"), at=clock.now())
    shown = page(sign_in(plan.created_by), reverse("plan", args=[plan.pk]))
    for said in ("We do not promote this any more.", "What else you can do", "See what the program pays for"):
        assert said in shown, said


def test_a_plan_is_taken_back_and_cancelled_after_asking(sign_in: SignIn) -> None:
    plan = make_sent_plan(make_fund())
    client = sign_in(plan.created_by)
    url = reverse("plan-withdraw", args=[plan.pk])
    assert "Take this plan back?" in page(client, url)
    client.post(url, {"revision": plan.revision})
    plan.refresh_from_db()
    assert plan.status == "draft"
    decide(send(plan), ("approve", None, ""))
    plan.refresh_from_db()
    url = reverse("plan-cancel", args=[plan.pk])
    assert "Cancel the plan and release 4,000.00 USD" in page(client, url)
    client.post(url, {"revision": plan.revision, "reason": "The venue burnt down."})
    plan.refresh_from_db()
    assert plan.status == "cancelled"
    plan.fund.refresh_from_db()
    assert (plan.fund.reserved_minor, plan.fund.available_minor) == (0, 1_000_355)


def test_an_approved_plan_is_amended_by_a_version_that_says_what_it_changes(sign_in: SignIn) -> None:
    plan = decide(make_sent_plan(make_fund()), ("approve", None, ""))
    client = sign_in(plan.created_by)
    url = reverse("plan-amend", args=[plan.pk])
    assert "Begin version 2" in page(client, url)
    client.post(url, {"revision": plan.revision})
    draft = Plan.objects.get(version=2)
    activity = draft.activities.get()
    change_activity(draft.pk, activity.pk, {"requested_minor": 500_000}, by=plan.created_by, at=clock.now())
    shown = page(client, reverse("plan", args=[draft.pk]))
    assert "4,000.00 USD becomes 5,000.00 USD, 1,000.00 USD more" in shown
    assert "Available now with 4,000.00 USD that the version in force has 10,003.55 USD" in shown
    assert "There is a newer version" in page(client, reverse("plan", args=[plan.pk]))


# --- The list ---------------------------------------------------------------------------------------------------------


def test_the_list_says_what_was_asked_granted_and_whose_turn_it_is(sign_in: SignIn) -> None:
    fund = make_fund()
    make_plan(fund, title="A draft")
    decide(make_sent_plan(fund, "4000.00", title="Granted"), ("approve_less", 300_000, "Less is enough."))
    client = sign_in(marketer_of(fund.partner))
    shown = page(client, reverse("plans"))
    for said in (
        "2 plans",
        "A draft",
        "Granted",
        "3,000.00 USD",
        "Yours since 4 Mar 2024",
        "10 Mar 2024 to 20 Mar 2024",
    ):
        assert said in shown, said
    narrowed = page(client, f"{reverse('plans')}?status=approved")
    assert "1 plan fits" in narrowed
    assert "A draft" not in narrowed
    assert "No plan fits these filters" in page(client, f"{reverse('plans')}?q=nothing")
    export = b"".join(client.get(f"{reverse('plan-export')}?status=approved").streaming_content).decode()
    assert export.count("\r\n") == 2
    assert "4000.00,3000.00,0.00,Approved" in export


def test_an_empty_list_and_no_fund_say_what_comes(sign_in: SignIn) -> None:
    set_clock(IN_USE)
    client = sign_in(make_person(make_partner()))
    assert "No plan yet" in page(client, reverse("plans"))
    assert "No fund can be planned with now" in page(client, reverse("plan-new"))


def test_others_plans_are_not_there_and_guests_may_not_write(sign_in: SignIn) -> None:
    plan = make_plan(make_fund())
    names = ("plan", "plan-about", "plan-activity-new", "plan-send", "plan-receipt", "plan-withdraw", "plan-cancel")
    stranger = sign_in(make_person(make_partner("Contoso")))
    manager = sign_in(vendor("manager"))
    for name in (*names, "plan-amend"):
        assert stranger.get(reverse(name, args=[plan.pk])).status_code == 404, name
        assert manager.get(reverse(name, args=[plan.pk])).status_code == 404, f"{name}: a draft is the partner's paper"
    guest = sign_in(make_person(plan.partner, "agency"))
    assert guest.get(reverse("plan-new")).status_code in (403, 404)
    assert guest.get(reverse("plan", args=[plan.pk])).status_code == 404


def test_input_to_a_plan_that_is_closed_meanwhile_is_given_back(sign_in: SignIn) -> None:
    plan = make_plan(make_fund())
    activity = plan.activities.get()
    seen = form_of(activity, expected_outcome="Forty meetings")
    send(plan)
    response = sign_in(plan.created_by).post(reverse("plan-activity", args=[plan.pk, activity.pk]), seen)
    assert response.status_code == 409
    assert "Forty meetings" in text_of(response)


def test_what_is_to_be_fixed_names_its_activity(sign_in: SignIn) -> None:
    fund = make_fund()
    plan = make_plan(fund, "100.00")
    add_planned(plan, "200.00", title="Calls without a day", starts_on=None)
    assert "To fix: Calls without a day" in page(sign_in(plan.created_by), reverse("plan-send", args=[plan.pk]))


def test_the_countries_to_choose_from_are_countries() -> None:
    names = {name for _, name in countries()}
    assert {"Germany", "Japan", "Kosovo", "United States"} <= names
    assert not names & {
        "Pseudo-Accents",
        "Pseudo-Bidi",
        "Eurozone",
        "Outlying Oceania",
        "European Union",
        "Diego Garcia",
    }
