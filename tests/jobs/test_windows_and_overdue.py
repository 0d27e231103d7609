"""The opening of claims and overdue reviews: each said once, whenever and however often the job runs."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from coop import jobs
from coop.jobs import due_instants
from funds.ledger import take_fund
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


@pytest.mark.django_db(transaction=True)
def test_jobs_leave_a_fund_that_somebody_holds_and_find_it_at_the_next_look() -> None:
    fund = make.make_fund("25000.00")
    claim, plan = make.make_claim(fund, "10.00"), make.make_approved_plan(fund, "4000.00")
    held, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            take_fund(fund.pk)
            held.set()
            assert go_on.wait(20)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(20)
    try:
        at = make.set_clock(make.DEADLINE)
        for job in (jobs.lapse_claims, jobs.lapse_plans):
            done = job(at)
            assert (done.worked, done.failed) == (0, 0), "it did not wait, and did not fail"
    finally:
        go_on.set()
        holder.join()
    assert (jobs.lapse_claims(at).worked, jobs.lapse_plans(at).worked) == (1, 1)
    claim.refresh_from_db()
    plan.refresh_from_db()
    assert (claim.status, plan.status) == ("lapsed", "lapsed")
