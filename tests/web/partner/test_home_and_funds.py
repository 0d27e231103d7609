"""The partner's home, the list of funds, one fund and the lines behind an entry."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.test import Client

from claims.operations.review import Fix, return_claim, start_review
from claims.operations.sending import submit_claim
from coop.lib import clock
from funds.models import Entry, Fund
from funds.operations.adjustments import request_adjustment
from funds.operations.results import return_payment
from funds.operations.settlement import settle_period
from partners.models import Person
from tests.factories import (
    DEADLINE,
    EARNING,
    IN_USE,
    LAST_INSTANT,
    earn,
    make_approved_claim,
    make_claim,
    make_draft,
    make_enrollment,
    make_fund,
    make_person,
    make_sent_claim,
    marketer_of,
    pay_all,
    period,
    set_clock,
    vendor,
)
from tests.web.partner.conftest import page

pytestmark = pytest.mark.django_db
SignIn = Callable[[Person], Client]


def test_home_says_first_what_will_be_lost(sign_in: SignIn) -> None:
    fund = make_fund()
    said = page(sign_in(marketer_of(fund.partner)), "/")
    assert "10,003.55 USD will expire on 14 Aug 2024, 23:59:59 UTC unless claimed." in said
    assert "Start a claim" in said
    assert "Nothing needs you" in said
    assert "Next date: 30 Jun 2024, last day to spend the fund earned Jul to Dec 2023." in said


def test_home_of_a_new_partner_says_how_it_begins(sign_in: SignIn) -> None:
    enrollment = make_enrollment()
    said = page(sign_in(marketer_of(enrollment.partner)), "/")
    assert "How this begins" in said
    assert "Start a claim" not in said


def test_home_lists_what_needs_the_reader_and_goes_on_with_the_most_urgent(sign_in: SignIn) -> None:
    fund = make_fund()
    make_draft(fund, title="A draft")
    returned = make_sent_claim(fund, "100.00", title="A returned claim")
    return_claim(
        returned.id, fixes=[Fix("documents.call-log", "The log is empty.")], by=vendor("manager"), at=clock.now()
    )
    said = page(sign_in(marketer_of(fund.partner)), "/")
    assert said.index("Finish “A draft”") < said.index("Fix 1 thing in “A returned claim”")
    assert "The log is empty." in said
    assert "by 28 Sep 2024, in 208 days" in said
    assert "Continue “A draft”" in said


def test_home_shows_five_things_at_most_and_says_how_many_there_are(sign_in: SignIn) -> None:
    fund = make_fund()
    for number in range(7):
        make_draft(fund, title=f"Draft {number}")
    said = page(sign_in(marketer_of(fund.partner)), "/")
    assert said.count("Finish “Draft") == 5
    assert "See all 7" in said


def test_home_shows_what_can_still_be_claimed_before_what_is_closed(sign_in: SignIn) -> None:
    fund = make_fund()
    make_sent_claim(fund, "4000.00")
    set_clock(datetime(2024, 4, 2, tzinfo=UTC))
    earn(fund.enrollment, "30000.00", on="2024-03-05")
    half = period("FY24-H2")
    settle_period(half.id, at=set_clock(half.settle_at))
    set_clock(DEADLINE)
    said = page(sign_in(marketer_of(fund.partner)), "/")
    assert said.index("Earned Jan to Jun 2024") < said.index("Earned Jul to Dec 2023")


def test_home_shows_whose_turn_it_is_and_what_money_comes(sign_in: SignIn) -> None:
    fund = make_fund()
    make_sent_claim(fund, "200.00", title="Waiting")
    make_approved_claim(fund, "300.00", title="Approved one")
    said = page(sign_in(marketer_of(fund.partner)), "/")
    assert "Waiting" in said.partition("In review")[2]
    assert "With the channel manager" in said
    assert "by 6 Mar 2024" in said
    assert "Waits for the next payment run" in said
    assert "by 6 May 2024" in said


def test_home_marks_the_half_that_earns_as_an_estimate_and_says_what_is_missing(sign_in: SignIn) -> None:
    fund = make_fund("2500.00", settled=False, now=EARNING)
    said = page(sign_in(marketer_of(fund.partner)), "/")
    assert "Being earned now" in said
    assert "Estimate, not spendable before 1 Jan 2024. 9,000.00 USD more is needed" in said
    assert "will expire" not in said


def test_home_with_much_to_show_takes_no_more_queries(sign_in: SignIn) -> None:
    fund = make_fund()
    enrollment = fund.enrollment
    for number in range(3):
        make_claim(fund, "10.00", title=f"Complete {number}")
        in_review = make_sent_claim(fund, "20.00")
        start_review(in_review.id, by=vendor(["manager", "pcmm", "gtm"][number]), at=clock.now())
        make_approved_claim(fund, "30.00")
    earn(enrollment, "500.00", on="2024-01-15")
    page(sign_in(marketer_of(fund.partner)), "/")


def test_home_says_that_nothing_can_be_sent_without_bank_and_tax_profile(sign_in: SignIn) -> None:
    fund = make_fund(enrollment=make_enrollment(payout_profile_complete=False))
    assert "bank and tax profile is not complete" in page(sign_in(marketer_of(fund.partner)), "/")


@pytest.mark.parametrize(
    ("who", "where"), [("manager", "/worklist/"), ("finance", "/finance/"), ("auditor", "/finance/")]
)
def test_the_vendors_people_begin_on_their_own_page(sign_in: SignIn, who: str, where: str) -> None:
    response = sign_in(vendor(who)).get("/")
    assert (response.status_code, response["Location"]) == (302, where)


def test_an_agency_guest_sees_no_money(sign_in: SignIn) -> None:
    fund = make_fund()
    client = sign_in(make_person(fund.partner, "agency"))
    assert "Nothing is asked of you" in page(client, "/")
    assert client.get(f"/funds/{fund.pk}/").status_code == 404


def test_without_signing_in_every_page_leads_to_the_sign_in() -> None:
    for path in ("/", "/funds/", "/funds/1/", "/claims/", "/claims/new/", "/claims/1/", "/documents/1/content/"):
        response = Client().get(path)
        assert response.status_code == 302
        assert response["Location"].startswith("/accounts/login/")


# --- Funds ------------------------------------------------------------------------------------------------------------


def test_a_fund_says_its_clocks_and_each_figure_leads_to_its_entries(sign_in: SignIn) -> None:
    fund = make_fund()
    claim = make_sent_claim(fund, "4000.00")
    client = sign_in(marketer_of(fund.partner))
    said = page(client, f"/funds/{fund.pk}/")
    assert "Earned Jul to Dec 2023" in said
    assert "Spend Jan to Jun 2024, claim until 14 Aug 2024, 23:59:59 UTC" in said
    assert "Held for a claim" in said
    assert f"Claim {claim.number}" in said
    assert "6,003.55" in said
    content = client.get(f"/funds/{fund.pk}/").content.decode()
    for bucket in ("available", "reserved", "in_review", "approved", "paid", "expired", "converted", "earned"):
        assert f"?bucket={bucket}#entries" in content


def test_the_balance_after_an_entry_is_right_also_when_entries_are_filtered(sign_in: SignIn) -> None:
    fund = make_fund()
    make_sent_claim(fund, "1000.00")
    make_sent_claim(fund, "500.00")
    client = sign_in(marketer_of(fund.partner))
    said = page(client, f"/funds/{fund.pk}/?kind=hold")
    assert "9,003.55" in said
    assert "8,503.55" in said
    assert "2 entries with these filters" in said
    in_review = page(client, f"/funds/{fund.pk}/?bucket=in_review")
    assert "In review after" in in_review
    assert "1,500.00" in in_review


def test_filters_that_fit_nothing_say_so_and_can_be_taken_away(sign_in: SignIn) -> None:
    fund = make_fund()
    said = page(sign_in(marketer_of(fund.partner)), f"/funds/{fund.pk}/?kind=payment")
    assert "No entry fits these filters" in said
    assert "Show all entries" in said


def test_entries_come_in_pages_of_fifty(sign_in: SignIn) -> None:
    fund = make_fund()
    for _ in range(55):
        set_clock(EARNING)
        earn(fund.enrollment, "10.00")
    set_clock(datetime(2024, 3, 4, tzinfo=UTC))
    client = sign_in(marketer_of(fund.partner))
    first = client.get(f"/funds/{fund.pk}/")
    assert first.content.decode().count('<th scope="row" class="lead">') == 50
    oldest_shown = Entry.objects.filter(fund=fund).order_by("-id")[49]
    older = client.get(f"/funds/{fund.pk}/?before={oldest_shown.pk}")
    assert older.content.decode().count('<th scope="row" class="lead">') == Entry.objects.filter(fund=fund).count() - 50
    newer = client.get(f"/funds/{fund.pk}/?after={oldest_shown.pk}")
    assert newer.content.decode().count('<th scope="row" class="lead">') == 49
    page(client, f"/funds/{fund.pk}/")


def test_an_estimate_says_when_it_becomes_money_and_what_it_must_reach(sign_in: SignIn) -> None:
    fund = make_fund("2500.00", settled=False, now=EARNING)
    said = page(sign_in(marketer_of(fund.partner)), f"/funds/{fund.pk}/")
    assert "This is an estimate" in said
    assert "must reach 10,000.00 USD of co-op" in said
    assert "Start a claim" not in said


def test_the_lines_behind_an_entry_add_up_to_it(sign_in: SignIn) -> None:
    fund = make_fund()
    entry = Entry.objects.filter(fund=fund, kind="earning").get()
    said = page(sign_in(marketer_of(fund.partner)), f"/funds/{fund.pk}/earnings/?import={entry.reference}")
    assert "2 lines of one delivery brought 10,003.55 USD of co-op" in said
    assert "15,005.33 USD of rebate" in said


def test_lines_of_an_unknown_delivery_are_not_found(sign_in: SignIn) -> None:
    fund = make_fund()
    client = sign_in(marketer_of(fund.partner))
    for asked in ("999999", "x", "", "9" * 30):
        assert client.get(f"/funds/{fund.pk}/earnings/", {"import": asked}).status_code == 404


def test_the_list_of_funds_parts_open_from_closed(sign_in: SignIn) -> None:
    fund = make_fund(now=IN_USE)
    client = sign_in(marketer_of(fund.partner))
    assert "Claims open on 15 Feb 2024" in page(client, "/funds/")
    set_clock(DEADLINE)
    said = page(client, "/funds/")
    assert "No fund takes claims at present" in said
    assert "Closed" in said


def test_at_the_last_instant_a_fund_can_still_be_claimed_from(sign_in: SignIn) -> None:
    fund = make_fund(now=LAST_INSTANT)
    client = sign_in(marketer_of(fund.partner))
    assert "Claim by 14 Aug 2024, 23:59:59 UTC today" in page(client, f"/funds/{fund.pk}/")
    set_clock(DEADLINE)
    assert "Claims closed 14 Aug 2024, 23:59:59 UTC" in page(client, f"/funds/{fund.pk}/")


def test_others_funds_are_not_found(sign_in: SignIn) -> None:
    mine, others = make_fund(), make_fund()
    client = sign_in(marketer_of(mine.partner))
    entry = Entry.objects.filter(fund=others, kind="earning").get()
    assert client.get(f"/funds/{others.pk}/").status_code == 404
    assert client.get(f"/funds/{others.pk}/earnings/?import={entry.reference}").status_code == 404
    assert client.get(f"/funds/{mine.pk}/earnings/?import={entry.reference}").status_code == 404
    assert str(others.location) not in page(client, "/funds/") or others.location.name == mine.location.name


def test_the_vendor_sees_the_funds_of_its_portfolio_in_one_table(sign_in: SignIn) -> None:
    mine, others = make_fund(), make_fund(enrollment=make_enrollment())
    manager = make_person(role="channel_manager", portfolio=[mine.partner_id])
    client = sign_in(manager)
    assert "Page 1 of 1, 1 fund" in page(client, "/funds/")
    assert client.get(f"/funds/{mine.pk}/").status_code == 200
    assert client.get(f"/funds/{others.pk}/").status_code == 404
    assert Fund.objects.count() == 2


def test_sent_claims_are_named_with_their_number_in_the_entries(sign_in: SignIn) -> None:
    fund = make_fund()
    claim = make_claim(fund, "10.00")
    submit_claim(claim.id, by=claim.created_by, at=clock.now())
    content = sign_in(claim.created_by).get(f"/funds/{fund.pk}/").content.decode()
    assert f'href="/claims/{claim.pk}/"' in content


def test_home_puts_a_payment_that_did_not_arrive_before_all_else(sign_in: SignIn) -> None:
    fund = make_fund()
    make_draft(fund, title="A draft")
    claim = make_approved_claim(fund, "300.00")
    payment = pay_all().payments.get()
    return_payment(
        payment.id, returned_on=clock.now().date(), reason="Account closed.", by=vendor("finance"), at=clock.now()
    )
    reader = sign_in(marketer_of(fund.partner))
    said = page(reader, "/")
    assert said.index(f"Check your bank details: {payment} came back") < said.index("Finish “A draft”")
    assert "Account closed. It is paid again with a later run." in said
    assert "Sent back by the bank" in page(reader, f"/claims/{claim.pk}/")
    pay_all()
    assert "Check your bank details" not in page(reader, "/"), "it was paid with another run"


def test_what_was_rolled_over_to_a_half_does_not_help_it_over_the_threshold(sign_in: SignIn) -> None:
    fund = make_fund("50000.00")
    earn(fund.enrollment, "20000.00", on="2024-02-10")
    then = Fund.objects.get(enrollment=fund.enrollment, earning_period__code="FY24-H2")
    request_adjustment(
        fund.pk,
        purpose="rollover",
        amount_minor=1_000_00,
        reason_code="coop_rollover",
        effective_on=clock.now().date(),
        to_fund_id=then.pk,
        by=vendor("finance"),
        at=clock.now(),
    )
    said = page(sign_in(marketer_of(fund.partner)), "/")
    assert "9,000.00 USD" in said
    assert "2,000.00 USD more is needed to reach the program's threshold" in said
