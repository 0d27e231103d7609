"""What is told of claims and plans: to whom, with what at stake, and until when."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from claims.models import ClaimLine
from claims.operations.disputes import UPHOLD, decide_dispute, dispute_claim
from claims.operations.invitations import finish_task, invite
from claims.operations.plan_review import PlanDecision, decline_plan, return_plan
from claims.operations.review import approve_claim, reject_claim, return_claim
from claims.operations.sending import lapse_claim, submit_claim
from claims.operations.verdicts import Fix, LineDecision
from coop.lib import clock
from funds.models import Fund
from partners.operations import deactivate_person, set_portfolio
from tests.factories import (
    CURE_DEADLINE,
    DEADLINE,
    LAST_INSTANT,
    approve_plan,
    make_approved_claim,
    make_claim,
    make_declined_claim,
    make_draft,
    make_fund,
    make_partner,
    make_person,
    make_sent_claim,
    make_sent_plan,
    marketer_of,
    set_clock,
    vendor,
)
from tests.notices.world import forget, heard, only, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def fund() -> Fund:
    found = make_fund()
    vendor("manager")
    forget()
    return found


def test_a_sent_claim_waits_for_the_channel_managers_who_may_decide_it(fund: Fund) -> None:
    claim = make_sent_claim(fund)
    told = only(tell())
    assert told.person == vendor("manager")
    assert told.kind == "needs_you"
    assert told.title == f"Decide “{claim.title}” of Northwind Traders"
    assert "Northwind Traders sent" in told.text
    assert "4,000.00 USD" in told.text
    assert (told.link, told.amount_minor, told.currency) == (f"/review/{claim.pk}/", 400_000, "USD")
    assert told.deadline_at == claim.review_due_at


def test_who_has_the_partner_in_the_portfolio_is_asked_before_those_who_see_everybody(fund: Fund) -> None:
    own, other = make_person(None, "channel_manager"), make_person(None, "channel_manager")
    for person, partner in ((own, fund.partner), (other, make_partner())):
        set_portfolio(person.id, partner_ids=[partner.id], by=vendor(), at=clock.now())
    forget()
    make_sent_claim(fund)
    assert only(tell()).person == own


def test_what_was_decided_before_it_was_told_waits_for_nobody(fund: Fund) -> None:
    make_approved_claim(fund)
    assert [(one.kind, one.person) for one in tell()] == [("decision", marketer_of(fund.partner))]


def test_a_returned_claim_tells_its_people_the_fix_list_with_the_fields_and_the_cure_deadline(fund: Fund) -> None:
    claim = make_sent_claim(fund)
    other = make_person(fund.partner)  # does not work on it
    line = claim.lines.get()
    tell()
    fixes = [
        Fix("activity_from", "The activity began later."),
        Fix(f"lines.{line.pk}.amount", "The invoice says 3,900."),
    ]
    return_claim(claim.id, fixes=fixes, note="Thank you.", by=vendor("manager"), at=clock.now())
    told = only(tell())
    assert told.person == claim.created_by != other
    assert told.kind == "needs_you"
    assert told.title == f"2 things have to be mended before we can decide: “{claim.title}”"
    assert "- First day: The activity began later." in told.text
    assert f"- {line}, amount: The invoice says 3,900." in told.text
    assert told.text.endswith("Thank you.")
    assert told.deadline_at == CURE_DEADLINE
    assert told.amount_minor == 400_000


def test_when_nobody_who_worked_on_it_is_here_any_more_all_writers_of_the_partner_are_told(fund: Fund) -> None:
    claim = make_sent_claim(fund)
    colleague, admin = make_person(fund.partner), make_person(fund.partner, "partner_admin")
    tell()
    deactivate_person(claim.created_by_id, by=vendor(), at=clock.now())
    forget()
    reject_claim(claim.id, reason="No call log.", by=vendor("manager"), at=clock.now())
    told = tell()
    assert {one.person for one in told} == {colleague, admin}


def test_an_approval_in_part_says_the_reason_of_each_line(fund: Fund) -> None:
    claim = make_sent_claim(fund, "4000.00", "500.00")
    forget()
    first: ClaimLine = claim.lines.order_by("id")[0]
    less = LineDecision(first.pk, "approve_less", 300_000, "Only 3 of 4 weeks were run.")
    approve_claim(claim.id, decisions=[less], by=vendor("manager"), at=clock.now())
    told = only(tell())
    assert told.kind == "decision"
    assert told.title == f"We approve 3,500.00 USD of the 4,500.00 USD you claimed: “{claim.title}”"
    assert f"- {first}: 3,000.00 USD of 4,000.00 USD. Only 3 of 4 weeks were run." in told.text
    assert told.amount_minor == 350_000


def test_a_declined_claim_says_why_and_until_when_it_can_be_disputed(fund: Fund) -> None:
    claim = make_declined_claim(fund, reason="No call log.")
    told = only(tell())
    assert told.kind == "decision"
    assert "Reason: No call log." in told.text
    assert told.deadline_at == datetime(2024, 4, 4, tzinfo=UTC)
    assert told.link == f"/claims/{claim.pk}/"


def test_a_dispute_waits_for_others_than_who_declined_and_its_decision_is_told(fund: Fund) -> None:
    claim = make_declined_claim(fund)
    other = make_person(None, "channel_manager")
    forget()
    dispute_claim(claim.id, reason="The log is page 3.", by=claim.created_by, at=clock.now())
    told = only(tell())
    assert told.person == other
    assert "The log is page 3" in told.text
    decide_dispute(claim.id, outcome=UPHOLD, reason="Page 3 is an invoice.", by=other, at=clock.now())
    told = only(tell())
    assert (told.person, told.kind) == (claim.created_by, "decision")
    assert "Page 3 is an invoice." in told.text


def test_a_claim_that_lapsed_is_told_to_its_people_and_a_draft_to_nobody_of_the_vendor(fund: Fund) -> None:
    draft = make_claim(fund)
    set_clock(DEADLINE)
    lapse_claim(draft.id, at=clock.now())
    told = only(tell())
    assert (told.person, told.kind, told.title) == (
        draft.created_by,
        "expired",
        f"“{draft.title}” lapsed at its deadline",
    )
    assert "was not sent until 14 Aug 2024, 23:59:59 UTC" in told.text


def test_a_guest_hears_of_its_own_task_without_money_and_of_nothing_else(fund: Fund) -> None:
    claim = make_draft(fund)
    by = claim.created_by
    invitation = invite(
        claim.id, task="proof", email="a@agency.example", name="Ada", note="The call log.", by=by, at=clock.now()
    )
    told = only(tell())
    assert (told.person, told.kind, told.link) == (invitation.person, "needs_you", f"/tasks/{invitation.pk}/")
    assert "“The call log.”" in told.text
    assert told.amount_minor is None
    assert "USD" not in told.text
    assert told.deadline_at == DEADLINE
    finish_task(invitation.id, by=invitation.person, at=clock.now())
    assert heard(tell(), by) == ["Proof of execution of “" + claim.title + "” is done"]


def test_a_plan_waits_for_who_has_the_title_and_its_return_gives_the_reasons(fund: Fund) -> None:
    plan = make_sent_plan(fund)
    told = only(tell())
    assert (told.person, told.link, told.amount_minor) == (vendor("manager"), f"/plans/{plan.pk}/review/", 400_000)
    row = plan.activities.get()
    said = PlanDecision(row.pk, "return", reason="Say how many calls.")
    return_plan(plan.id, decisions=[said], by=vendor("manager"), at=clock.now())
    told = only(tell())
    assert (told.person, told.kind) == (plan.created_by, "needs_you")
    assert f"- {row.title}: Say how many calls." in told.text
    assert told.deadline_at == DEADLINE


def test_the_decision_on_a_plan_is_told_with_what_is_reserved(fund: Fund) -> None:
    plan = make_sent_plan(fund)
    approve_plan(plan.id, by=vendor("manager"), at=clock.now())
    told = only(tell())
    assert (told.kind, told.amount_minor, told.deadline_at) == ("decision", 400_000, DEADLINE)
    other = make_sent_plan(fund, "100.00")
    tell()
    decline_plan(other.id, note="Not now.", by=vendor("manager"), at=clock.now())
    assert "Not now." in only(tell()).text


def test_an_extension_of_ones_own_counts_for_the_deadline_that_a_notice_names(fund: Fund) -> None:
    claim = make_sent_claim(fund)
    forget()
    Fund.objects.filter(id=fund.id).update(
        own_close_on=date(2024, 9, 14),
        own_close_at=DEADLINE + timedelta(31),
        own_cure_on=date(2024, 10, 29),
        own_cure_at=CURE_DEADLINE + timedelta(31),
    )
    return_claim(claim.id, fixes=[Fix("", "Mend it.")], by=vendor("manager"), at=clock.now())
    assert only(tell()).deadline_at == CURE_DEADLINE + timedelta(31)


def test_nobody_is_told_what_they_did_themselves(fund: Fund) -> None:
    claim = make_claim(fund)
    set_clock(LAST_INSTANT)
    submit_claim(claim.id, by=claim.created_by, at=clock.now())
    assert heard(tell(), claim.created_by) == []
