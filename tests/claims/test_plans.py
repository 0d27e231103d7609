"""The verbs of a plan: which follow which status, who may, what each refusal says, and what versions keep."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import transaction

from claims.models import Decision, Plan, PlanActivity
from claims.operations.drafting import update_claim
from claims.operations.plan_drafts import add_activity, create_plan, remove_activity, update_plan
from claims.operations.plan_review import PlanDecision, approve_plan, decline_plan, return_plan
from claims.operations.plans import (
    amend_plan,
    cancel_plan,
    change_activity,
    close_activity,
    submit_plan,
    withdraw_plan,
)
from claims.operations.review import approve_claim
from claims.operations.sending import submit_claim
from claims.queries.plans import changes_between, claimable_activities
from coop.lib import clock
from coop.lib.errors import (
    InsufficientFunds,
    Invalid,
    NotAllowed,
    NotFound,
    Refused,
    RuleFailed,
    SelfDecision,
    Stale,
    WrongStatus,
)
from funds.models import Fund
from partners.models import Event, Person
from partners.operations import delegate
from tests import factories as make

pytestmark = pytest.mark.django_db
SURFACE = "surface-adr"


def given(by: Person) -> dict[str, Any]:
    return {"by": by, "at": clock.now()}


def manager() -> Person:
    return make.vendor("manager")


def rows_of(plan: Plan) -> list[PlanActivity]:
    return list(plan.activities.order_by("id"))


# --- What may follow what -----------------------------------------------------------------------------------------------

WAYS = {
    "draft": make.make_plan,
    "submitted": make.make_sent_plan,
    "returned": lambda fund: return_plan(make.make_sent_plan(fund).pk, note="When?", **given(manager())),
    "approved": make.make_approved_plan,
    "declined": lambda fund: decline_plan(make.make_sent_plan(fund).pk, note="No.", **given(manager())),
    "cancelled": lambda fund: cancel_plan((p := make.make_approved_plan(fund)).pk, **given(p.created_by)),
    "closed": lambda fund: close_activity(
        (p := make.make_approved_plan(fund)).pk, rows_of(p)[0].pk, **given(p.created_by)
    ),
}
VERBS = {
    "submit": lambda p: submit_plan(p.pk, **given(p.created_by)),
    "withdraw": lambda p: withdraw_plan(p.pk, **given(p.created_by)),
    "approve": lambda p: approve_plan(p.pk, **given(manager())),
    "return": lambda p: return_plan(p.pk, note="When?", **given(manager())),
    "decline": lambda p: decline_plan(p.pk, note="No.", **given(manager())),
    "cancel": lambda p: cancel_plan(p.pk, **given(p.created_by)),
    "amend": lambda p: amend_plan(p.pk, **given(p.created_by)),
    "write": lambda p: update_plan(p.pk, {"title": "Other"}, **given(p.created_by)),
}
ALLOWED = {
    "draft": {"submit", "cancel", "write"},
    "submitted": {"withdraw", "approve", "return", "decline"},
    "returned": {"submit", "cancel", "write"},
    "approved": {"cancel", "amend"},
}


@pytest.mark.parametrize("status", WAYS)
def test_each_verb_leads_from_the_statuses_of_the_table_and_from_no_other(fund: Fund, status: str) -> None:
    plan = WAYS[status](fund)  # type: ignore[no-untyped-call]
    assert plan.status == status
    for name, verb in VERBS.items():
        before, told = Event.objects.count(), ""
        try:
            with transaction.atomic():
                verb(plan)  # type: ignore[no-untyped-call]
                outcome = "done"
                raise Undo
        except Undo:
            pass
        except Refused as refusal:
            outcome, told = refusal.code, refusal.message
        wanted = "done" if name in ALLOWED.get(status, ()) else "wrong_status"
        if status == "draft" and name in ("approve", "return", "decline"):
            wanted = "not_found"  # a draft is the partner's own paper
        assert outcome == wanted, (status, name)
        assert outcome != "wrong_status" or "The last act was “" in told
        assert Event.objects.count() == before


class Undo(Exception):
    pass


# --- Who may ------------------------------------------------------------------------------------------------------------


def test_a_plan_is_written_by_its_own_partners_writers_only(fund: Fund) -> None:
    plan = make.make_approved_plan(fund)
    colleague = make.make_person(fund.partner, "partner_admin")
    assert amend_plan(plan.pk, **given(colleague)).version == 2
    stranger, agency = make.make_person(make.make_partner("Other")), make.make_person(fund.partner, "agency")
    for nobody in (stranger, agency):
        with pytest.raises(NotFound):
            cancel_plan(plan.pk, **given(nobody))
        with pytest.raises(NotFound):
            create_plan(fund_id=fund.pk, title="Mine", **given(nobody))
    with pytest.raises(NotAllowed, match="write and send plans"):
        cancel_plan(plan.pk, **given(manager()))


def test_people_of_a_plan_are_of_its_own_organisation(fund: Fund) -> None:
    plan, colleague = make.make_plan(fund), make.make_person(fund.partner)
    update_plan(plan.pk, {"people": [colleague.pk]}, **given(plan.created_by))
    assert list(plan.people.all()) == [colleague]
    with pytest.raises(Invalid, match="not of your organisation"):
        update_plan(plan.pk, {"people": [manager().pk]}, **given(plan.created_by))


def surface_plan() -> Plan:
    fund = make.make_fund(enrollment=make.make_enrollment(program=SURFACE))
    return make.make_sent_plan(fund, "1000.00")


def test_where_a_program_names_approvers_only_their_titles_decide_and_the_refusal_names_them() -> None:
    plan = surface_plan()
    for role in ("finance", "program", "auditor"):
        with pytest.raises(NotAllowed):
            approve_plan(plan.pk, **given(make.vendor(role)))
    untitled = make.make_person(None, "channel_manager")
    with pytest.raises(NotAllowed, match=r"Go-to-Market Manager, .*or Partner Channel Marketing Manager.*no title"):
        approve_plan(plan.pk, **given(untitled))
    for who in ("gtm", "pcmm"):
        assert make.vendor(who).title in ("gtm_manager", "pcmm")
    assert approve_plan(plan.pk, **given(make.vendor("pcmm"))).status == "approved"


def test_an_approvers_title_counts_on_its_days_only() -> None:
    plan = surface_plan()
    program = plan.fund.program
    program.approvers = [
        {"title": "pdm", "valid_from": "2019-07-01", "valid_to": "2024-03-03"},
        {"title": "pcmm", "valid_from": "2024-03-04"},
    ]
    program.save()
    with pytest.raises(NotAllowed, match="decided by a Partner Channel Marketing Manager"):
        approve_plan(plan.pk, **given(make.make_person(None, "channel_manager", title="pdm")))
    assert approve_plan(plan.pk, **given(make.vendor("pcmm"))).status == "approved"


def test_nobody_decides_for_their_own_organisation(fund: Fund) -> None:
    plan = make.make_sent_plan(fund)
    with pytest.raises(SelfDecision):
        approve_plan(plan.pk, **given(plan.created_by))
    elsewhere = make.make_person(None, "channel_manager", portfolio=[make.make_partner("Other").pk])
    with pytest.raises(NotFound):
        approve_plan(plan.pk, **given(elsewhere))


def test_who_stands_in_decides_on_those_days_and_the_record_says_for_whom(fund: Fund) -> None:
    plan = make.make_sent_plan(fund)
    away = make.make_person(None, "channel_manager", title="pdm", portfolio=[fund.partner_id], name="Ada Away")
    cover = make.make_person(None, "channel_manager", title="pdm", portfolio=[])
    today = clock.now().date()
    delegate(away.pk, cover.pk, starts_on=today, ends_on=today + timedelta(days=2), **given(away))
    approve_plan(plan.pk, **given(Person.objects.get(pk=cover.pk)))
    decision = Decision.objects.get(plan=plan)
    assert (decision.decided_by, decision.acting_for) == (cover, away)
    event = Event.objects.get(verb="plan.approved")
    assert (event.actor_id, event.acting_as, event.data["acting_for"]) == (cover.pk, "for Ada Away", str(away.pk))


def test_who_stands_in_without_the_title_does_not_approve_where_titles_are_asked() -> None:
    plan = surface_plan()
    away = make.make_person(None, "channel_manager", title="pdm", portfolio=[plan.partner_id])
    cover = make.make_person(None, "channel_manager", portfolio=[])
    today = clock.now().date()
    delegate(away.pk, cover.pk, starts_on=today, ends_on=today, **given(away))
    with pytest.raises(NotAllowed, match="You have no title"):
        approve_plan(plan.pk, **given(Person.objects.get(pk=cover.pk)))


# --- What is refused ----------------------------------------------------------------------------------------------------


def test_sending_says_all_failed_findings_at_once_and_keeps_nothing(fund: Fund) -> None:
    plan = make.make_plan(fund, "100.00", starts_on=date(2024, 8, 1), ends_on=date(2024, 8, 2))
    make.add_planned(plan, "100.00", starts_on=date(2023, 8, 1), ends_on=date(2023, 8, 2))
    with pytest.raises(RuleFailed) as refused:
        submit_plan(plan.pk, **given(plan.created_by))
    failed = {found["field"] for found in refused.value.findings if found["outcome"] == "failed"}
    first, second = (row.pk for row in rows_of(plan))
    assert {f"activities.{first}.starts_on", f"activities.{second}.starts_on"} <= failed
    assert Plan.objects.get().sendings == 0


def test_a_fund_below_zero_takes_no_plan_and_says_what_is_missing(fund: Fund) -> None:
    plan = make.make_plan(fund, "100.00")
    make.make_sent_claim(fund, "10003.55")
    make.make_adjustment(fund, "-5.00")
    with pytest.raises(InsufficientFunds, match=r"5\.00 USD more was taken back than was left"):
        submit_plan(plan.pk, **given(plan.created_by))


def test_a_program_without_approval_takes_no_plan_to_be_approved(fund: Fund) -> None:
    plan = make.make_plan(fund)
    program = fund.program
    program.plan_approval = "none"
    program.save()
    with pytest.raises(WrongStatus, match="needs no plan to be approved: do the work and claim it"):
        submit_plan(plan.pk, **given(plan.created_by))


def test_writing_on_an_older_reading_is_refused_and_says_who_was_first(fund: Fund) -> None:
    plan = make.make_plan(fund)
    update_plan(plan.pk, {"title": "Summer"}, **given(make.make_person(fund.partner, name="Tom First")))
    with pytest.raises(Stale, match="The last act was “changed” by Tom First, 4 Mar 2024, 09:00 UTC"):
        update_plan(plan.pk, {"title": "Autumn"}, revision=plan.revision, **given(plan.created_by))


# --- Decisions ----------------------------------------------------------------------------------------------------------


def test_each_activity_is_decided_on_its_own_and_only_what_is_approved_is_reserved(fund: Fund) -> None:
    plan = make.make_sent_plan(fund, "1000.00", "2000.00", "3000.00")
    _, b, c = rows_of(plan)
    decisions = [
        PlanDecision(b.pk, "approve_less", 150_050, "Two days are enough."),
        PlanDecision(c.pk, "decline", reason="No marketing."),
    ]
    plan = approve_plan(plan.pk, decisions=decisions, note="Good.", **given(manager()))
    said = [(row.decision, row.approved_minor, row.reserved_minor, row.reason) for row in rows_of(plan)]
    assert said == [
        ("approve", 100_000, 100_000, ""),
        ("approve_less", 150_050, 150_050, "Two days are enough."),
        ("decline", 0, 0, "No marketing."),
    ]
    decision = Decision.objects.get(plan=plan)
    assert (decision.act, decision.asked_minor, decision.approved_minor) == ("approve", 600_000, 250_050)
    assert decision.findings
    assert [row["reserved"] for row in decision.rows] == ["100000", "150050", "0"]


def test_activities_that_are_all_declined_decline_the_plan(fund: Fund) -> None:
    plan = make.make_sent_plan(fund, "1000.00", "2000.00")
    decisions = [PlanDecision(row.pk, "decline", reason="No.") for row in rows_of(plan)]
    assert approve_plan(plan.pk, decisions=decisions, **given(manager())).status == "declined"
    fund.refresh_from_db()
    assert fund.reserved_minor == 0


def test_what_was_said_of_a_returned_plan_is_forgotten_when_it_is_sent_again(fund: Fund) -> None:
    plan = make.make_sent_plan(fund, "1000.00")
    said = [PlanDecision(rows_of(plan)[0].pk, "return", reason="When?")]
    plan = return_plan(plan.pk, decisions=said, **given(manager()))
    assert rows_of(plan)[0].reason == "When?"
    submit_plan(plan.pk, **given(plan.created_by))
    assert (rows_of(plan)[0].decision, rows_of(plan)[0].reason) == ("", "")


# --- Versions -----------------------------------------------------------------------------------------------------------


def amended(plan: Plan, minor: int) -> Plan:
    """The next version, sent, which asks for this much of the first activity."""
    amendment = amend_plan(plan.pk, **given(plan.created_by))
    change_activity(amendment.pk, rows_of(amendment)[0].pk, {"requested_minor": minor}, **given(plan.created_by))
    return submit_plan(amendment.pk, **given(plan.created_by))


def test_an_amendment_that_is_declined_leaves_the_version_in_force_and_another_may_follow(fund: Fund) -> None:
    plan = make.make_approved_plan(fund, "4000.00")
    decline_plan(amended(plan, 500_000).pk, note="No.", **given(manager()))
    fund.refresh_from_db()
    assert (Plan.objects.get(version=1).status, fund.reserved_minor) == ("approved", 400_000)
    third = amended(plan, 300_000)
    assert (third.version, third.amends and third.amends.version) == (3, 2)
    assert changes_between(third) == ["Telemarketing: 4,000.00 USD becomes 3,000.00 USD, 1,000.00 USD less."]
    approve_plan(third.pk, **given(manager()))
    fund.refresh_from_db()
    assert fund.reserved_minor == 300_000
    assert dict(Plan.objects.values_list("version", "status")) == {1: "closed", 2: "declined", 3: "approved"}


def test_an_amendment_does_not_go_below_what_claims_hold_or_were_granted(fund: Fund) -> None:
    plan = make.make_approved_plan(fund, "4000.00")
    claim = make.make_sent_claim(fund, "1500.00", plan_activity_id=rows_of(plan)[0].pk)
    amendment = amend_plan(plan.pk, **given(plan.created_by))
    row = rows_of(amendment)[0]
    with pytest.raises(Invalid, match=r"Claims hold .*1,500\.00 USD"):
        remove_activity(amendment.pk, row.pk, **given(plan.created_by))
    change_activity(amendment.pk, row.pk, {"requested_minor": 149_999}, **given(plan.created_by))
    with pytest.raises(Invalid, match="not less than that"):
        submit_plan(amendment.pk, **given(plan.created_by))
    change_activity(amendment.pk, row.pk, {"requested_minor": 200_000}, **given(plan.created_by))
    submit_plan(amendment.pk, **given(plan.created_by))
    approve_claim(claim.pk, **given(manager()))
    less = [PlanDecision(row.pk, "approve_less", 149_999, "Less.")]
    with pytest.raises(Invalid, match="not less than that"):
        approve_plan(amendment.pk, decisions=less, **given(manager()))
    approve_plan(amendment.pk, **given(manager()))
    fund.refresh_from_db()
    assert (fund.reserved_minor, fund.approved_minor) == (50_000, 150_000)


@pytest.mark.parametrize("taken_out", [False, True])
def test_an_amendment_moves_money_from_one_activity_to_another_of_a_fund_that_is_all_reserved(
    fund: Fund, taken_out: bool
) -> None:
    plan = make.make_approved_plan(fund, "5000.00", "5003.55")
    who = given(plan.created_by)
    amendment = amend_plan(plan.pk, **who)
    first, second = rows_of(amendment)
    change_activity(amendment.pk, first.pk, {"requested_minor": 600_000}, **who)
    if taken_out:
        remove_activity(amendment.pk, second.pk, **who)
    else:
        change_activity(amendment.pk, second.pk, {"requested_minor": 400_356}, **who)
        with pytest.raises(InsufficientFunds, match=r"0\.01 USD"):
            submit_plan(amendment.pk, **who)
        change_activity(amendment.pk, second.pk, {"requested_minor": 400_355}, **who)
    approve_plan(submit_plan(amendment.pk, **who).pk, **given(manager()))
    fund.refresh_from_db()
    assert (fund.reserved_minor, fund.available_minor) == ((600_000, 400_355) if taken_out else (1_000_355, 0))


def test_an_activity_that_an_amendment_asks_for_again_is_not_closed_under_it(fund: Fund) -> None:
    """Its next version would be approved with nothing behind it."""
    plan = make.make_approved_plan(fund, "4000.00", "500.00")
    first, second = rows_of(plan)
    who = given(plan.created_by)
    amendment = amend_plan(plan.pk, **who)
    with pytest.raises(WrongStatus, match="Version 2 of this plan asks for “Telemarketing” again"):
        close_activity(plan.pk, first.pk, **who)
    remove_activity(amendment.pk, rows_of(amendment)[1].pk, **who)
    close_activity(plan.pk, second.pk, **who)
    approve_plan(submit_plan(amendment.pk, **who).pk, **given(manager()))
    fund.refresh_from_db()
    assert rows_of(amendment)[0].reserved_minor == fund.reserved_minor == 400_000


def test_only_one_amendment_is_open_and_it_goes_with_the_plan_that_is_cancelled(fund: Fund) -> None:
    plan = make.make_approved_plan(fund)
    amend_plan(plan.pk, **given(plan.created_by))
    with pytest.raises(WrongStatus, match="Version 2 of this plan is draft already"):
        amend_plan(plan.pk, **given(plan.created_by))
    cancel_plan(plan.pk, **given(plan.created_by))
    assert set(Plan.objects.values_list("status", flat=True)) == {"cancelled"}


# --- Claims on plans ----------------------------------------------------------------------------------------------------


def test_a_plan_closes_when_all_of_it_was_granted_and_not_while_a_claim_may_give_back(fund: Fund) -> None:
    plan = make.make_approved_plan(fund, "1000.00")
    claim = make.make_sent_claim(fund, "1000.00", plan_activity_id=rows_of(plan)[0].pk)
    assert Plan.objects.get().status == "approved"
    approve_claim(claim.pk, **given(manager()))
    assert Plan.objects.get().status == "closed"


def test_a_claim_stays_for_the_activity_of_its_plan(fund: Fund) -> None:
    plan = make.make_approved_plan(fund, "1000.00")
    row = rows_of(plan)[0]
    claim = make.make_claim(fund, "500.00", plan_activity_id=row.pk)
    with pytest.raises(Invalid, match="was approved as telemarketing"):
        update_claim(claim.pk, {"activity": "seminar"}, **given(claim.created_by))
    update_claim(claim.pk, {"plan_activity": None}, **given(claim.created_by))
    update_claim(claim.pk, {"plan_activity": row.pk}, **given(claim.created_by))
    submit_claim(claim.pk, **given(claim.created_by))
    draft = make.make_plan(fund, "10.00")
    other = make.make_claim(fund, "5.00")
    with pytest.raises(Invalid, match="not in force"):
        update_claim(other.pk, {"plan_activity": rows_of(draft)[0].pk}, **given(claim.created_by))


def test_activities_to_claim_on_are_those_with_money_left_before_the_deadline(fund: Fund) -> None:
    plan = make.make_approved_plan(fund, "1000.00", "2000.00")
    make.make_sent_plan(fund, "500.00")
    first, second = rows_of(plan)
    make.make_sent_claim(fund, "1000.00", plan_activity_id=first.pk)
    person = make.marketer_of(fund.partner)
    assert claimable_activities(person, clock.now()) == [second]
    assert claimable_activities(person, make.DEADLINE) == []
    assert claimable_activities(make.make_person(make.make_partner("Other")), clock.now()) == []


def test_an_activity_that_the_program_does_not_offer_is_refused(fund: Fund) -> None:
    plan = make.make_plan(fund)
    with pytest.raises(Invalid, match="does not pay for"):
        add_activity(plan.pk, activity_code="tv-radio", **given(plan.created_by))
