"""What is told of money: what opened, became rebate, fell, expired or was paid; dates that moved; who is needed."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from claims.operations.overdue import due_to_notice, notice_overdue
from claims.operations.plans import submit_plan
from coop.lib import clock
from funds.forecasting import due, forecast
from funds.models import Fund
from funds.operations.adjustments import approve_adjustment
from funds.operations.enrollments import update_enrollment
from funds.operations.extensions import ask_extension, decline_extension, grant_extension
from funds.operations.payments import approve_run
from funds.operations.periods import extend_period
from funds.operations.results import Result, read_results
from funds.operations.reversal import reverse_import
from funds.operations.settlement import settle_period
from partners.models import Person
from tests.factories import (
    CLAIMING,
    DEADLINE,
    EARNING,
    earn,
    expire,
    load_catalog,
    make_adjustment,
    make_approved_claim,
    make_enrollment,
    make_fund,
    make_person,
    make_plan,
    make_sent_claim,
    marketer_of,
    period,
    prepare,
    set_clock,
    vendor,
)
from tests.notices.world import forget, heard, only, tell

pytestmark = pytest.mark.django_db


def with_reader(fund: Fund) -> tuple[Fund, Person]:
    """The fund, and its partner's marketer; what happened before is forgotten."""
    reader = marketer_of(fund.partner)
    forget()
    return fund, reader


# --- The threshold and the deadline -----------------------------------------------------------------------------------


def test_a_fund_that_reached_its_threshold_can_be_spent_until_its_dates() -> None:
    enrollment = make_enrollment()
    reader = marketer_of(enrollment.partner)
    fund = make_fund(enrollment=enrollment, now=datetime(2024, 2, 1, tzinfo=UTC))
    told = [one for one in tell() if one.subject_type == "fund" and "can be spent" in one.title]
    assert [(one.person, one.kind) for one in told] == [(reader, "forecast")]
    assert told[0].title == "10,003.55 USD can be spent: MCI CSP indirect reseller, FY24 H1, Head office"
    assert "The threshold of 10,000.00 USD is reached." in told[0].text
    assert "until 30 Jun 2024, 23:59:59 UTC and claim it until 14 Aug 2024, 23:59:59 UTC" in told[0].text
    assert (told[0].deadline_at, told[0].link) == (DEADLINE, f"/funds/{fund.pk}/")


def test_a_fund_below_its_threshold_became_rebate() -> None:
    enrollment = make_enrollment()
    reader = marketer_of(enrollment.partner)
    make_fund("24000.00", enrollment=enrollment)
    titles = heard(tell(), reader)
    assert "9,600.00 USD became rebate: MCI CSP indirect reseller, FY24 H1, Head office" in titles


def test_what_expired_is_told_with_its_amount_and_its_effective_day_also_when_the_job_was_late() -> None:
    fund, reader = with_reader(make_fund())
    set_clock(datetime(2024, 8, 18, 9, tzinfo=UTC))
    expire()
    told = only([one for one in tell() if one.person == reader])
    assert (told.kind, told.amount_minor) == ("expired", 1_000_355)
    assert told.title == "10,003.55 USD expired: MCI CSP indirect reseller, FY24 H1, Head office"
    assert "were taken until 14 Aug 2024, 23:59:59 UTC" in told.text
    assert "expired, effective 14 Aug 2024." in told.text
    assert told.link == f"/funds/{fund.pk}/"


# --- While a half is earned -------------------------------------------------------------------------------------------


def test_earnings_that_carry_a_fund_over_its_threshold_are_told_once() -> None:
    set_clock(EARNING)
    enrollment = make_enrollment()
    reader = marketer_of(enrollment.partner)
    forget()
    earn(enrollment, "24000.00")
    assert heard(tell(), reader) == []
    earn(enrollment, "2000.00")
    told = only([one for one in tell() if one.person == reader])
    assert (told.kind, told.title) == (
        "forecast",
        "The threshold is reached: MCI CSP indirect reseller, FY24 H1, Head office",
    )
    assert "has earned 10,400.00 USD of co-op, and its threshold is 10,000.00 USD" in told.text
    earn(enrollment, "100.00")
    assert heard(tell(), reader) == []


def test_which_earnings_carried_a_fund_over_its_threshold_is_told_rightly_also_when_told_late() -> None:
    set_clock(EARNING)
    enrollment = make_enrollment()
    reader = marketer_of(enrollment.partner)
    forget()
    for amount in ("24000.00", "2000.00", "9000.00"):  # nobody is told in between: 9,600, 10,400 and 14,000 of co-op
        earn(enrollment, amount)
    told = only([one for one in tell() if one.person == reader])
    assert told.title == "The threshold is reached: MCI CSP indirect reseller, FY24 H1, Head office"
    assert "has earned 10,400.00 USD of co-op" in told.text


def test_once_a_month_the_outlook_is_told_for_funds_below_their_threshold() -> None:
    """On 1 October 92 of the 184 days of FY24 H1 are over: what was earned is half of what is expected."""
    set_clock(datetime(2023, 10, 1, tzinfo=UTC))
    there, short = make_enrollment(), make_enrollment()
    readers = [marketer_of(one.partner) for one in (there, short)]
    earn(there, "12500.00")
    earn(short, "12499.00")
    at = clock.now()
    forget()
    assert forecast(at=at) == 2
    assert forecast(at=at) == 0
    assert due(at) == []
    on_the_way, too_little = (reader.notices.get(kind="forecast") for reader in readers)
    assert on_the_way.title.startswith("On the way to the threshold")
    assert (
        "earned 5,000.00 USD of co-op until 1 Oct 2023, which is about 10,000.00 USD by 31 Dec 2023" in on_the_way.text
    )
    assert too_little.title.startswith("The threshold will be missed at this pace")
    assert "5,000.40 USD more of co-op are needed until 31 Dec 2023" in too_little.text
    assert too_little.deadline_at == datetime(2024, 1, 1, tzinfo=UTC)
    assert forecast(at=set_clock(datetime(2023, 11, 15, tzinfo=UTC))) == 2  # late, but this month's
    assert forecast(at=set_clock(datetime(2024, 1, 1, tzinfo=UTC))) == 0  # nothing is earned any more


# --- Corrections ------------------------------------------------------------------------------------------------------


def test_an_adjustment_that_takes_money_is_told_and_one_that_gives_some_is_not() -> None:
    fund, reader = with_reader(make_fund("50000.00"))
    make_adjustment(fund, "-5.00")
    told = only([one for one in tell() if one.person == reader])
    assert (told.kind, told.title) == (
        "balance",
        "The balance fell by 5.00 USD: MCI CSP indirect reseller, FY24 H1, Head office",
    )
    assert "Correction: Wrong calculation. 19,995.00 USD are available now." in told.text
    make_adjustment(fund, "7.00")
    assert heard(tell(), reader) == []


def test_a_balance_below_zero_says_what_cannot_be_done() -> None:
    fund, reader = with_reader(make_fund())
    make_approved_claim(fund, "10003.55")
    forget()
    make_adjustment(fund, "-5.00")
    told = only([one for one in tell() if one.person == reader])
    assert "It is below zero: nothing can be planned or claimed" in told.text


def test_an_adjustment_above_the_limit_waits_for_a_second_person_of_finance() -> None:
    fund, reader = with_reader(make_fund("50000.00"))
    other = vendor("finance2")
    asked = make_adjustment(fund, "-6000.00")
    told = only(tell())
    assert (told.person, told.kind, told.link) == (other, "needs_you", f"/adjustments/{asked.pk}/")
    approve_adjustment(asked.id, by=other, at=clock.now())
    assert heard(tell(), reader) == [
        "The balance fell by 6,000.00 USD: MCI CSP indirect reseller, FY24 H1, Head office"
    ]


def test_earnings_that_are_taken_back_by_an_import_or_its_reversal_are_told() -> None:
    set_clock(EARNING)
    enrollment = make_enrollment()
    reader = marketer_of(enrollment.partner)
    first = earn(enrollment, "26000.00")
    forget()
    earn(enrollment, "-2000.00")
    told = only([one for one in tell() if one.person == reader])
    assert told.title == "The estimate fell by 800.00 USD: MCI CSP indirect reseller, FY24 H1, Head office"
    assert "It is below its threshold of 10,000.00 USD now. 9,600.00 USD are an estimate now." in told.text
    reverse_import(first.pk, reason="The file was last month's.", by=vendor("finance"), at=clock.now())
    told = only([one for one in tell() if one.person == reader])
    assert "The vendor took back a delivery of earnings: The file was last month's." in told.text
    assert told.amount_minor == 1_040_000


# --- Payments ---------------------------------------------------------------------------------------------------------


def test_a_run_waits_for_its_second_person_and_payments_tell_how_they_went() -> None:
    fund, reader = with_reader(make_fund())
    make_approved_claim(fund)
    vendor("finance2")
    forget()
    run = prepare()
    told = only(tell())
    assert (told.person, told.title) == (vendor("finance2"), f"Payment run {run.pk} waits for a second person")
    assert "4,000.00 USD (claim, 1 payment)" in told.text
    approve_run(run.id, by=vendor("finance2"), at=clock.now())
    payment = run.payments.get()
    failed = [Result(payment.id, "failed", failure="Account closed")]
    read_results(run.id, failed, by=vendor("finance"), at=clock.now())
    told = only([one for one in tell() if one.person == reader])
    assert (told.kind, told.link, told.amount_minor) == ("payment", f"/payments/{payment.pk}/", 400_000)
    assert told.title == f"Check your bank details: Payment {payment.pk} of 4,000.00 USD could not be made"
    assert "Account closed" in told.text
    again = prepare()
    approve_run(again.id, by=vendor("finance2"), at=clock.now())
    sent = [Result(one.id, "sent", bank_reference="B-7") for one in again.payments.all()]
    read_results(again.id, sent, by=vendor("finance"), at=clock.now())
    titles = heard(tell(), reader)
    assert titles == ["4,000.00 USD were paid"]


def test_a_run_that_was_approved_before_it_was_told_waits_for_nobody() -> None:
    fund, _ = with_reader(make_fund())
    make_approved_claim(fund)
    run = prepare()
    approve_run(run.id, by=vendor("finance2"), at=clock.now())
    assert "payment_run" not in {one.subject_type for one in tell()}


def test_a_partner_is_told_what_a_run_passed_over_because_its_bank_details_are_missing() -> None:
    fund, reader = with_reader(make_fund())
    make_approved_claim(fund)
    other = make_fund(enrollment=make_enrollment())
    make_approved_claim(other)
    update_enrollment(fund.enrollment_id, {"payout_profile_complete": False}, by=vendor(), at=clock.now())
    forget()
    prepare()
    told = only([one for one in tell() if one.person == reader])
    assert (told.kind, told.title) == ("payment", "4,000.00 USD cannot be paid yet: bank details are missing")
    assert (told.partner_id, told.link) == (fund.partner_id, "/account/payout/")


# --- Dates ------------------------------------------------------------------------------------------------------------


def test_a_deadline_that_moved_for_all_is_told_to_each_partner_with_money_once() -> None:
    _, reader = with_reader(make_fund())
    make_fund("24000.00", enrollment=make_enrollment())  # became rebate: nothing to claim
    second = make_enrollment()
    make_fund(enrollment=second)
    other = marketer_of(second.partner)
    forget()
    extend_period(period().id, claims_close_on=date(2024, 9, 14), reason="Storm.", by=vendor(), at=clock.now())
    notices = tell()
    assert {one.person for one in notices} == {reader, other}
    told = next(one for one in notices if one.person == reader)
    assert (told.kind, told.deadline_at) == ("dates", datetime(2024, 9, 15, tzinfo=UTC))
    assert "moved from 14 Aug 2024 to 14 Sep 2024. Reason: Storm. 10,003.55 USD can still be claimed" in told.text


def test_who_asks_for_more_time_waits_for_a_program_admin_and_hears_what_was_decided() -> None:
    fund, reader = with_reader(make_fund())
    half, admin = period(), make_person(fund.partner, "partner_admin")
    other = marketer_of(make_fund(enrollment=make_enrollment()).partner)
    forget()
    ask = {"until": date(2024, 9, 1), "because": "Our agency is late.", "by": reader}
    extension = ask_extension(half.id, **ask, at=clock.now())
    told = only([one for one in tell() if one.person == vendor()])
    assert (told.kind, told.title) == ("needs_you", "Northwind Traders asks for a later deadline")
    assert "to move to 1 Sep 2024: Our agency is late. 10,003.55 USD can still be claimed" in told.text
    decline_extension(extension.id, reason="Ask earlier.", by=vendor(), at=clock.now())
    notices = tell()
    assert {one.person for one in notices} == {reader, admin}
    assert "It was declined: Ask earlier." in notices[0].text
    again = ask_extension(half.id, **ask, at=clock.now())
    tell()
    grant_extension(again.id, claims_close_on=date(2024, 9, 1), reason="The agency wrote.", by=vendor(), at=clock.now())
    notices = [one for one in tell() if one.kind == "dates"]
    assert {one.person for one in notices} == {reader, admin}
    assert other not in {one.person for one in notices}
    assert notices[0].deadline_at == datetime(2024, 9, 2, tzinfo=UTC)


# --- Overdue, and nobody acted ----------------------------------------------------------------------------------------


def test_an_overdue_decision_is_told_to_who_has_it_and_to_those_who_can_see_to_it() -> None:
    fund, _ = with_reader(make_fund())
    claim = make_sent_claim(fund)
    manager, admin = vendor("manager"), vendor()
    tell()
    assert claim.review_due_at is not None
    at = set_clock(claim.review_due_at)
    for kind, record_id in due_to_notice(at):
        notice_overdue(kind, record_id, at=at)
    notices = tell()
    assert {(one.person, one.kind) for one in notices} == {(manager, "deadline"), (admin, "nobody_acted")}
    assert all(one.title == f"The decision of “{claim.title}” is overdue" for one in notices)
    assert f"It is with {manager.name}: see to it." in next(one.text for one in notices if one.person == admin)


def test_a_colleague_hears_of_what_somebody_else_took_and_did_not_decide() -> None:
    fund, _ = with_reader(make_fund())
    claim = make_sent_claim(fund)
    manager, colleague = vendor("manager"), make_person(None, "channel_manager")
    type(claim).objects.filter(id=claim.id).update(status="in_review", reviewer=manager)
    forget()
    at = set_clock(claim.review_due_at or CLAIMING)
    notice_overdue("claim", claim.id, at=at)
    assert {(one.person, one.kind) for one in tell()} == {(manager, "deadline"), (colleague, "nobody_acted")}


def test_a_plan_needs_one_of_the_titles_of_its_program() -> None:
    load_catalog("surface-add")
    enrollment = make_enrollment(program="surface-add")
    fund = make_fund("25000.00", enrollment=enrollment)
    gtm, untitled = vendor("gtm"), make_person(None, "channel_manager")
    plan = make_plan(fund, "400.00", activity="seminar")
    forget()
    submit_plan(plan.id, by=plan.created_by, at=clock.now())
    people = {one.person for one in tell()}
    assert gtm in people
    assert untitled not in people


def test_settling_again_tells_nothing_twice() -> None:
    fund, reader = with_reader(make_fund())
    settle_period(fund.earning_period_id, at=clock.now())
    assert heard(tell(), reader) == []
