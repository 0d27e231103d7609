"""Money that is about to be lost because nobody acts: a second person hears of it. And rules, which concern everybody."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from claims.escalating import escalate
from claims.operations import rule_drafts
from claims.operations.drafting import update_claim
from coop.lib import clock
from partners.models import Notice, Partner, Person
from tests.catalog.test_catalog_life import later_invoices
from tests.factories import (
    CLAIMING,
    DEADLINE,
    make_claim,
    make_enrollment,
    make_fund,
    make_person,
    make_plan,
    marketer_of,
    set_clock,
    vendor,
)
from tests.notices.world import forget, only, tell

pytestmark = pytest.mark.django_db

TEN_DAYS_BEFORE = datetime(2024, 8, 4, 9, tzinfo=UTC)


def told_to(at: datetime) -> set[Person]:
    escalate(at=set_clock(at))
    return {one.person for one in Notice.objects.filter(kind="nobody_acted")}


def test_a_draft_that_lies_for_a_week_near_its_deadline_is_told_to_the_second_contact_once() -> None:
    fund = make_fund()
    claim = make_claim(fund)
    second = make_person(fund.partner)
    make_person(fund.partner, "partner_admin")
    Partner.objects.filter(id=fund.partner_id).update(second_contact=second)
    assert told_to(datetime(2024, 7, 31, 9, tzinfo=UTC)) == set()  # more than 14 days before
    assert told_to(TEN_DAYS_BEFORE) == {second}
    assert escalate(at=clock.now()) == 0
    told = Notice.objects.get(kind="nobody_acted")
    assert told.title == f"4,000.00 USD will be lost: nobody sent “{claim.title}”"
    assert f"It is with {claim.created_by.name}: ask, or send it yourself." in told.text
    assert (told.deadline_at, told.amount_minor, told.link) == (DEADLINE, 400_000, f"/claims/{claim.pk}/")


def test_without_a_second_contact_the_admins_of_the_partner_hear_of_it() -> None:
    fund = make_fund()
    make_claim(fund)
    admin = make_person(fund.partner, "partner_admin")
    make_person(fund.partner)
    make_person(None, "program_admin")
    assert told_to(TEN_DAYS_BEFORE) == {admin}


def test_what_somebody_worked_on_this_week_and_what_asks_for_nothing_is_left_alone() -> None:
    fund = make_fund()
    claim = make_claim(fund)
    make_person(fund.partner, "partner_admin")
    set_clock(datetime(2024, 8, 1, 9, tzinfo=UTC))
    update_claim(claim.id, {"title": "Calls in spring"}, by=claim.created_by, at=clock.now())
    assert told_to(TEN_DAYS_BEFORE) == set()
    assert told_to(datetime(2024, 8, 9, 9, tzinfo=UTC)) != set()
    assert told_to(DEADLINE) == told_to(DEADLINE)


def test_after_the_deadline_nobody_is_told_that_something_will_be_lost() -> None:
    fund = make_fund()
    make_claim(fund)
    assert told_to(DEADLINE) == set()


def test_a_plan_that_was_never_sent_is_told_too() -> None:
    fund = make_fund()
    plan = make_plan(fund)
    admin = make_person(fund.partner, "partner_admin")
    assert told_to(TEN_DAYS_BEFORE) == {admin}
    told = Notice.objects.get(kind="nobody_acted")
    assert (told.link, told.amount_minor) == (f"/plans/{plan.pk}/", 400_000)


def test_a_draft_of_rules_waits_for_a_second_admin_and_its_publication_is_told_to_the_partners_of_its_programs() -> (
    None
):
    set_clock(CLAIMING)
    enrollment = make_enrollment()
    reader, manager = marketer_of(enrollment.partner), vendor("manager")
    first, second = vendor("program"), vendor("program2")
    draft = rule_drafts.begin_draft(title="FY28", by=first, at=clock.now())
    row = {**later_invoices(), "examples": [{"outcome": "passed", "facts": {}}]}
    row["examples"].append({"outcome": "failed", "facts": {"invoiced_on": "2026-12-31"}})
    rule_drafts.change_rule(draft.id, row, from_day=date(2027, 7, 1), by=first, at=clock.now())
    forget()
    rule_drafts.request_publication(draft.id, note="As agreed.", by=first, at=clock.now())
    told = only(tell())
    assert (told.person, told.kind, told.link) == (second, "needs_you", f"/rules/drafts/{draft.pk}/")
    rule_drafts.publish_draft(draft.id, by=second, at=clock.now())
    notices = tell()
    assert {one.person for one in notices} == {reader, manager, first}
    assert {one.kind for one in notices} == {"rules"}
    of_partner = next(one for one in notices if one.person == reader)
    assert (of_partner.title, of_partner.link) == ("1 rule changes for your programs", "/catalog/changes/")
    assert "- Changed from 1 Jul 2027 on:" in of_partner.text
