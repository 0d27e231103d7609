"""What partners and channel managers read in the catalog, what an idea is answered, what changed, and the planner."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from claims.models import Claim, Plan
from claims.operations.catalog import load_catalog as publish
from coop.lib import clock
from funds.models import Fund
from partners.models import Event, Person
from tests.factories import (
    RESELLER,
    make_approved_plan,
    make_draft,
    make_enrollment,
    make_fund,
    make_location,
    make_partner,
    make_person,
    make_sent_claim,
    marketer_of,
    need_catalog,
    shipped_catalog,
    vendor,
)
from tests.web.partner.conftest import page, text_of

pytestmark = pytest.mark.django_db
SignIn = Callable[[Person], Client]


@pytest.fixture
def client(sign_in: SignIn) -> Client:
    """The marketer of a partner with 10,003.55 USD of FY24 H1, on 4 March 2024."""
    return sign_in(marketer_of(make_fund().partner))


# --- Reading the catalog ----------------------------------------------------------------------------------------------


def test_the_catalog_says_what_is_paid_and_what_is_shown(client: Client) -> None:
    said = page(client, "/catalog/")
    assert "MCI CSP indirect reseller, United States, 4 Mar 2024" in said
    assert "Telemarketing Changed since last year" in said  # the call log came on 1 July 2023
    assert "Shown by Call script; Call log" in said
    assert "18,750.00 USD" in said
    assert "TV and radio" not in said


def test_the_catalog_is_of_the_day_that_was_asked_for(client: Client) -> None:
    assert "Partner Readiness" in page(client, "/catalog/?on=2024-06-30")
    said = page(client, "/catalog/?on=2024-07-01")
    assert "Partner Skilling" in said
    assert "Partner Readiness" not in said


def test_words_find_activities_by_name_description_and_proof(client: Client) -> None:
    said = page(client, "/catalog/?q=call+script")
    assert "1 activity found for “call script”" in said
    assert "Telemarketing" in said
    assert "Print advertising" not in said


def test_what_is_not_found_leads_to_the_nearest_and_to_somebody_to_ask(client: Client) -> None:
    vendor("manager")
    said = page(client, "/catalog/?q=semminar")
    assert "Nothing was found for “semminar”" in said
    assert "Customer seminars and boot camps" in said
    assert "Mara Lindqvist , Partner Development Manager" in said


def test_a_filter_that_cannot_be_read_stands_at_its_field(client: Client) -> None:
    response = client.get("/catalog/?on=soon&program=nothing&country=XX")
    assert response.status_code == 400
    assert "This day cannot be read." in text_of(response)


def test_an_activity_says_its_limits_in_the_money_of_the_own_fund(client: Client) -> None:
    make_sent_claim(Fund.objects.with_names().get(), "1200.00", activity="customer-offer")
    said = page(client, "/catalog/customer-offer/")
    assert "25 % of 10,003.55 USD: at most 2,500.89 USD, 1,200.00 USD used, 1,300.89 USD left" in said
    assert "Share paid 100 % of the actual cost" in said
    assert "limit.customer-offer" in said
    assert "A plan is not needed, but an approved one sets the money aside." in said


def test_an_activity_that_the_program_does_not_pay_for_is_not_eligible(client: Client) -> None:
    said = page(client, "/catalog/tv-radio/")
    assert "Not eligible" in said
    assert "TV and radio advertising is paid for by the Surface programs only." in said
    assert client.get("/catalog/nothing/").status_code == 404


def test_a_program_that_wants_plans_names_who_approves(sign_in: SignIn) -> None:
    partner = make_partner()
    make_enrollment(make_location(partner), "surface-adr")
    said = page(sign_in(make_person(partner)), "/catalog/tv-radio/?on=2024-03-04")
    assert "A plan must be approved before you spend." in said
    assert "Product Portfolio Go-to-Market Manager, Partner Development Manager or Partner Channel Marketing" in said
    assert "Start a plan with this" in said


def test_the_vendor_reads_the_same_catalog_and_starts_nothing(sign_in: SignIn) -> None:
    need_catalog()
    client = sign_in(vendor("manager"))
    assert "Telemarketing" in page(client, "/catalog/?program=mci-csp-reseller&on=2024-03-04")
    said = page(client, "/catalog/telemarketing/?program=mci-csp-reseller&on=2024-03-04")
    assert "Could I spend on this?" in said
    assert "Start a plan" not in said


# --- Checking an idea -------------------------------------------------------------------------------------------------


IDEA = "activity=customer-offer&country=US&starts_on=2024-03-11&ends_on=2024-03-15"


def test_an_idea_that_fails_says_what_to_mend_and_where(client: Client) -> None:
    fund = Fund.objects.get()
    response = client.get(f"/catalog/check/?money=fund:{fund.pk}&amount=3,000.00&{IDEA}")
    said = text_of(response)
    assert "Not like this: one thing to mend before 3,000.00 USD could be spent on customer offers." in said
    assert "at most 2,500.89 USD, 25 % of the 10,003.55 USD earned" in said
    assert 'href="#id_amount"' in response.content.decode()
    assert "Turn this idea into a plan" not in said


def test_an_idea_that_passes_becomes_a_plan_with_all_that_was_said(client: Client) -> None:
    fund, before = Fund.objects.get(), Event.objects.count()
    response = client.get(f"/catalog/check/?money=fund:{fund.pk}&amount=2000&title=Spring+offer&{IDEA}")
    assert "Yes: nothing speaks against spending 2,000.00 USD on customer offers." in text_of(response)
    assert "Offer with its terms" in text_of(response)
    link = re.search(r'href="(/plans/new/[^"]+)"', response.content.decode())
    assert link
    assert parse_qs(urlsplit(unescape(link[1])).query) == {
        "fund": [str(fund.pk)],
        "activity": ["customer-offer"],
        "country": ["US"],
        "title": ["Spring offer"],
        "starts_on": ["2024-03-11"],
        "ends_on": ["2024-03-15"],
        "amount": ["2000.00"],
    }
    assert (Event.objects.count(), Plan.objects.count()) == (before, 0)
    said = {"activity": "customer-offer", "title": "Spring offer", "starts_on": "2024-03-11", "amount": "2000"}
    client.post(unescape(link[1]).replace("country=US", "country=CA&solution_area=security"), said)
    activity = Plan.objects.get().activities.get()
    assert (activity.country, activity.solution_area) == ("CA", "security")


def test_an_idea_may_be_asked_about_before_there_is_a_fund(sign_in: SignIn) -> None:
    partner = make_partner()
    make_enrollment(make_location(partner))
    client = sign_in(make_person(partner))
    page(client, "/catalog/")
    said = page(client, f"/catalog/check/?money=program:mci-csp-reseller&amount=900&{IDEA}")
    assert "Ask again once the fund is known" in said
    said = page(
        client,
        f"/catalog/check/?money=program:mci-csp-reseller&amount=900&{IDEA.replace('customer-offer', 'tv-radio')}",
    )
    assert "The program must pay for this activity" in said or "Surface programs only" in said


def test_all_that_is_missing_of_an_idea_is_said_at_once(client: Client) -> None:
    response = client.get(
        "/catalog/check/?money=&amount=4,20&activity=&starts_on=2024-03-11&ends_on=2024-03-10&country=US"
    )
    said = text_of(response)
    assert response.status_code == 400
    for wanted in ("Choose the fund or the program", "Choose the activity", "cannot be read", "on or after the first"):
        assert wanted in said


def test_another_partners_fund_cannot_be_asked_about(client: Client, sign_in: SignIn) -> None:
    other = make_partner("Fabrikam")
    stranger = sign_in(make_person(other))
    fund = Fund.objects.get()
    response = stranger.get(f"/catalog/check/?money=fund:{fund.pk}&amount=900&{IDEA}")
    assert response.status_code == 400
    assert "10,003.55" not in text_of(response)


# --- What changed -----------------------------------------------------------------------------------------------------


def test_what_changed_is_told_with_its_rule_and_day(client: Client) -> None:
    said = page(client, "/catalog/changes/?since=2023-06-30&to=2023-07-01")
    assert "Call log" in said or "call log" in said
    assert "Rule proof_of_execution.telemarketing.call-log, version 1, since 1 Jul 2023" in said
    said = page(client, "/catalog/changes/?since=2024-06-30&to=2024-07-01")
    assert "Partner Skilling" in said
    assert "Trade shows" in said


def test_where_nothing_changed_it_says_so(client: Client) -> None:
    assert "Nothing changed for you" in page(client, "/catalog/changes/?since=2024-03-01&to=2024-03-02")


def test_days_in_the_wrong_order_are_refused(client: Client) -> None:
    response = client.get("/catalog/changes/?since=2024-03-02&to=2024-03-01")
    assert response.status_code == 400
    assert "Give a day after the first one." in text_of(response)


# --- The planner ------------------------------------------------------------------------------------------------------


def test_the_planner_says_what_has_no_plan_and_until_when(client: Client) -> None:
    fund = Fund.objects.with_names().get()
    make_draft(fund, title="Nothing yet")
    assert client.get("/planner/")["Location"] == f"/planner/{fund.pk}/"
    said = page(client, f"/planner/{fund.pk}/")
    assert "10,003.55 USD has no plan yet and expires on 14 Aug 2024, 23:59:59 UTC" in said
    assert "Begin the work by 17 Jun 2024" in said  # fourteen days end on 30 June
    assert "Send the plan by 12 Jun 2024" in said  # decided by the end of Friday the 14th
    assert "Send the claim by 14 Aug 2024" in said
    assert "Nothing is planned: all of the 10,003.55 USD would expire." in said


def test_ideas_are_kept_in_the_address_only(client: Client) -> None:
    fund = Fund.objects.get()
    seminar = "idea1-activity=seminar&idea1-amount=4000&idea1-starts_on=2024-04-01"
    ideas = f"{seminar}&idea2-activity=customer-offer&idea2-amount=7000"
    before = Event.objects.count()
    page(client, f"/planner/{fund.pk}/")
    said = page(client, f"/planner/{fund.pk}/?{ideas}&days=1")
    assert "You intend 996.45 USD more than there is." in said
    assert "at most 2,500.89 USD" in said
    assert "Begin the work by 30 Jun 2024" in said
    assert (Event.objects.count(), Plan.objects.count()) == (before, 0)
    response = client.get(f"/planner/{fund.pk}/?idea1-activity=seminar&idea1-amount=4,20&days=x")
    assert response.status_code == 400
    assert "Enter a whole number of days" in text_of(response)


def test_what_others_do_is_told_from_three_partners_on(sign_in: SignIn) -> None:
    funds = [make_fund() for _ in range(4)]
    client = sign_in(marketer_of(funds[0].partner))
    for fund in funds[1:3]:
        make_sent_claim(fund, "100.00")
    path = f"/planner/{funds[0].pk}/"
    assert "What other partners" not in page(client, path)
    make_sent_claim(funds[0], "100.00")  # one's own claim is nobody else's
    assert "What other partners" not in page(client, path)
    make_sent_claim(funds[3], "100.00")
    assert "Telemarketing : 3 partners claimed it" in page(client, path)


def test_a_strangers_fund_has_no_planner(client: Client, sign_in: SignIn) -> None:
    fund = Fund.objects.get()
    assert sign_in(make_person(make_partner())).get(f"/planner/{fund.pk}/").status_code == 404


# --- Guidance ---------------------------------------------------------------------------------------------------------


def advise() -> None:
    """Publish the shipped catalog with its shares by category for the reseller, from 2019 on."""
    catalog = shipped_catalog()
    advice = next(rule for rule in catalog["rules"] if rule["code"] == "guidance.fy26.category")
    early = {**advice, "code": "guidance.early", "programs": [RESELLER], "valid_from": date(2019, 7, 1)}
    others = [program["code"] for program in catalog["programs"] if program["code"] != RESELLER]
    programs = [program for program in catalog["programs"] if program["code"] == RESELLER]
    part = {"programs": programs, "other_programs": others, "fiscal_years": [2023, 2024]}
    publish({**catalog, **part, "rules": [*catalog["rules"], early]}, at=clock.now())


def test_shares_are_advised_beside_what_is_planned_and_claimed(client: Client) -> None:
    fund = Fund.objects.with_names().get()
    assert "Where the vendor advises to spend" not in page(client, f"/planner/{fund.pk}/")
    make_sent_claim(fund, "900.00")  # telemarketing: Market Development
    make_approved_plan(fund, "100.00", activity="print-advertising")
    page(client, "/catalog/")
    advise()
    said = text_of(client.get(f"/planner/{fund.pk}/"))
    assert "Demand Generation is 30 points below the share that is advised." in said
    assert "This is advice; nothing is refused for it." in said
    assert "Demand Generation 40 % 10 % 100.00 USD 0.00 USD" in said
    assert "Market Development 45 % 90 % 0.00 USD 900.00 USD" in said


# --- A claim on a plan ------------------------------------------------------------------------------------------------


def test_a_claim_starts_on_an_approved_activity_first(client: Client) -> None:
    fund = Fund.objects.with_names().get()
    plan = make_approved_plan(fund, "3000.00")
    activity = plan.activities.get()
    said = page(client, "/claims/new/")
    assert "Approved in a plan" in said
    assert "claim by 14 Aug 2024" in said
    path = f"/claims/new/?plan_activity={activity.pk}"
    said = text_of(client.get(path))
    assert "3,000.00 USD is set aside for it." in said
    assert "Print advertising" not in said
    values = {"activity": "telemarketing", "activity_from": "2024-03-10", "country": "US", "title": "Calls"}
    client.post(path, values)
    claim = Claim.objects.get()
    assert (claim.plan_activity, claim.title) == (activity, "Calls")


def test_a_program_that_wants_plans_says_so_before_a_claim_is_written(sign_in: SignIn) -> None:
    fund = make_fund(enrollment=make_enrollment(program="surface-adr"))
    said = page(sign_in(marketer_of(fund.partner)), "/claims/new/?activity=spiff")
    assert "This program pays only for work that was approved in a plan first" in said
    assert "Start a plan" in said
