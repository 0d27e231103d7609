"""A marketer looks for something to spend on: searches, opens an activity, checks ideas, and plans what is left."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from playwright.sync_api import Page, expect

from claims.models import Plan
from coop.people import PASSWORD
from tests.browser.conftest import Visitor
from tests.browser.steps import look
from tests.factories import make_approved_plan, make_draft, make_fund, make_person, vendor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def describe(page: Page, activity: str, amount: str) -> None:
    """On the page that checks an idea: what, how much, and when."""
    page.get_by_label("Activity").select_option(activity)
    page.get_by_label("What it would cost").fill(amount)
    page.get_by_label("First day").fill("2024-04-08")
    page.get_by_label("Last day").fill("2024-04-12")
    page.get_by_label("In your own words").fill("Spring offer")
    page.get_by_role("button", name="Check this idea").click()


def test_from_a_search_to_a_plan_and_what_is_left(visit: Callable[..., Visitor]) -> None:
    fund = make_fund()
    ana = make_person(fund.partner, name="Ana Ruiz", password=PASSWORD)
    vendor("manager")
    make_approved_plan(
        fund, "3000.00", by=ana, title="Calls in spring", starts_on=date(2024, 4, 1), ends_on=date(2024, 4, 12)
    )
    make_draft(fund, by=ana, title="Nothing in it yet")
    visitor = visit()
    visitor.sign_in(ana)
    page = visitor.page

    page.get_by_role("link", name="What can I spend on?").click()
    expect(page.get_by_role("heading", name="Demand Generation")).to_be_visible()
    look(visitor, "catalog")
    page.get_by_label("Words").fill("cashback")
    page.get_by_role("button", name="Apply filters").click()
    expect(page.get_by_role("heading", name="Nothing was found for “cashback”")).to_be_visible()
    expect(page.get_by_text("Mara Lindqvist")).to_be_visible()
    look(visitor, "nothing found")
    page.get_by_label("Words").fill("offer")
    page.get_by_role("button", name="Apply filters").click()
    page.get_by_role("link", name="Customer offers").click()

    expect(page.get_by_role("heading", name="Customer offers", level=1)).to_be_visible()
    expect(page.get_by_text("25 % of 10,003.55 USD: at most 2,500.89 USD, 0.00 USD used")).to_be_visible()
    page.get_by_text("rules that say so").click()
    look(visitor, "activity")
    page.get_by_role("link", name="Could I spend on this?").click()

    describe(page, "customer-offer", "4,20")
    expect(page.get_by_role("alert")).to_contain_text("cannot be read as an amount")
    look(visitor, "refused idea")
    describe(page, "customer-offer", "3,000.00")
    expect(page.get_by_text("Not like this: one thing to mend")).to_be_visible()
    expect(page.get_by_role("link", name="Turn this idea into a plan")).to_have_count(0)
    look(visitor, "idea that fails")
    page.get_by_role("link", name="Plan with 499.11 USD less.").click()
    expect(page.get_by_label("What it would cost")).to_have_value("3,000.00")
    describe(page, "customer-offer", "2,000.00")
    expect(page.get_by_text("Yes: nothing speaks against spending 2,000.00 USD on customer offers.")).to_be_visible()
    look(visitor, "idea that passes")
    page.get_by_role("link", name="Turn this idea into a plan").click()
    expect(page.get_by_role("radio", name="Customer offers")).to_be_checked()
    assert Plan.objects.count() == 1, "an idea stores nothing"

    visitor.go("/catalog/changes/?since=2023-06-30&to=2024-07-01")
    expect(page.get_by_text("Partner Skilling").first).to_be_visible()
    look(visitor, "what changed")

    visitor.go(f"/planner/{fund.pk}/")
    expect(page.get_by_text("7,003.55 USD has no plan yet and expires on 14 Aug 2024")).to_be_visible()
    look(visitor, "planner")
    page.get_by_label("Activity").select_option("customer-offer")
    page.get_by_label("Amount").fill("2,600.00")
    page.get_by_label("First day").fill("2024-05-06")
    page.get_by_role("button", name="Show what that leaves").click()
    expect(page.get_by_text("4,403.55 USD has no plan yet")).to_be_visible()
    expect(page.get_by_text("Plan with 99.11 USD less.")).to_be_visible()
    look(visitor, "planner with an idea")

    visitor.go("/claims/new/")
    expect(page.get_by_role("heading", name="Approved in a plan")).to_be_visible()
    look(visitor, "new claim with a plan")
    page.get_by_role("link", name="Telemarketing").click()
    expect(page.get_by_text("3,000.00 USD is set aside for it")).to_be_visible()
    page.get_by_role("button", name="Start the claim").click()
    expect(page.get_by_role("heading", name="Telemarketing", level=1)).to_be_visible()
