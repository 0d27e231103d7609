"""The opening of claims and overdue reviews: each said once, whenever and however often the job runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from coop import jobs
from coop.jobs import due_instants
from partners.models import Event
from tests import factories as make

pytestmark = pytest.mark.django_db


def said(verb: str) -> list[tuple[str, datetime]]:
    return list(Event.objects.filter(verb=verb).order_by("id").values_list("subject", "at"))


def test_the_opening_of_claims_is_said_once_from_its_instant_on() -> None:
    make.make_fund("25000.00", now=make.EARNING, settled=False)
    half = make.period()
    assert jobs.open_claims(half.claims_open_at - timedelta(microseconds=1)).worked == 0
    assert half.claims_open_at in due_instants(half.claims_open_at - timedelta(days=1), half.claims_open_at)
    assert jobs.open_claims(half.claims_open_at).worked == 1
    assert jobs.open_claims(half.claims_open_at + timedelta(days=3)).worked == 0
    assert said("earning_period.claims_opened") == [(str(half.pk), half.claims_open_at)]
    event = Event.objects.get(verb="earning_period.claims_opened")
    assert (event.data["claims_open_on"], event.data["claims_close_on"]) == ("2024-02-15", "2024-08-14")
    assert not event.vendor_only, "partners are told"


def test_a_job_that_was_down_for_the_whole_window_does_not_say_that_claims_are_open() -> None:
    make.make_fund("25000.00")
    assert jobs.open_claims(make.DEADLINE).worked == 0
    assert jobs.open_claims(make.DEADLINE - timedelta(microseconds=1)).worked == 1


def test_a_period_without_funds_opens_silently() -> None:
    make.need_catalog()
    assert jobs.open_claims(make.CLAIMING).worked == 0


def test_a_review_is_overdue_from_its_due_instant_on_and_said_once() -> None:
    fund = make.make_fund("25000.00")
    sent = make.make_sent_claim(fund, "1200.00")
    plan = make.make_sent_plan(fund, "4000.00")
    due = sent.review_due_at
    assert due is not None
    assert due in due_instants(due - timedelta(days=1), due)
    assert jobs.notice_overdue(due - timedelta(microseconds=1)).worked == 0
    assert jobs.notice_overdue(due + timedelta(days=2)).worked == 2, "late is as good"
    assert jobs.notice_overdue(due + timedelta(days=3)).worked == 0
    assert [subject for subject, _ in said("claim.review_overdue")] == [str(sent.pk)]
    assert [subject for subject, _ in said("plan.review_overdue")] == [str(plan.pk)]
    event = Event.objects.get(verb="claim.review_overdue")
    assert datetime.fromisoformat(event.data["due_at"]) == due
    assert event.vendor_only
    assert event.partner_id == sent.partner_id


def test_what_was_decided_is_not_overdue_and_a_dispute_has_a_due_date_of_its_own() -> None:
    fund = make.make_fund("25000.00")
    approved = make.make_approved_claim(fund, "1200.00")
    assert jobs.notice_overdue(make.DEADLINE).worked == 0, approved.status
    declined = make.make_declined_claim(fund, "900.00")
    first_due = declined.review_due_at
    declined.status, declined.review_due_at = "disputed", datetime(2024, 6, 7, tzinfo=UTC)
    type(declined).objects.filter(pk=declined.pk).update(status="disputed", review_due_at=declined.review_due_at)
    assert first_due != declined.review_due_at
    assert jobs.notice_overdue(make.DEADLINE).worked == 1
    assert Event.objects.get(verb="claim.review_overdue").data["status"] == "disputed"
