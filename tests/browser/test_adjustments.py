"""Two people of finance correct a fund in a real browser, wide and narrow, and the partner reads what became of it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from coop.people import PASSWORD, load_vendor_people
from funds.models import Adjustment, Fund
from tests.browser.steps import Visit, enter, look
from tests.factories import CLAIMING, earn, make_approved_claim, make_claim, make_fund, make_person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def fund() -> Fund:
    """20,000.00 of FY24 H1, and an estimate of the half after it."""
    load_vendor_people(CLAIMING)
    fund = make_fund("50000.00")
    earn(fund.enrollment, "30000.00", on="2024-02-10")
    return fund


def test_one_person_asks_another_approves_and_the_partner_reads_it(visit: Visit, fund: Fund) -> None:
    marketer = make_person(fund.partner, password=PASSWORD)
    make_approved_claim(fund, "18000.00")
    draft = make_claim(fund, "10.00", by=marketer)
    first = enter(visit, "finance")
    page = first.page
    page.get_by_role("link", name="Adjustments").first.click()
    look(first, "adjustments-empty")
    page.get_by_role("link", name="New adjustment").click()
    page.get_by_label("Partner, location, program or half").fill("northwind FY24-H1")
    page.get_by_role("button", name="Find funds").click()
    look(first, "adjustment-fund")
    page.get_by_role("link", name="Northwind Traders, Head office").click()
    look(first, "adjustment-form")

    page.get_by_role("button", name="Preview the entries").click()
    expect(page.get_by_text("Choose what is to happen").first).to_be_visible()
    look(first, "adjustment-form-errors")
    page.get_by_label("Take from the fund").check()
    page.get_by_label("Amount").fill("2,346.70")
    page.get_by_label("Reason").select_option("AR compliance")
    page.get_by_label("Note").fill("Two invoices were never paid by their customer.")
    page.get_by_role("button", name="Preview the entries").click()
    expect(page.get_by_role("heading", name="Preview of entries")).to_be_visible()
    look(first, "adjustment-check")
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_label("Amount")).to_have_value("2,346.70")
    page.get_by_role("button", name="Preview the entries").click()
    page.get_by_role("button", name="Request adjustment: take 2,346.70 USD").click()
    expect(page.get_by_text("You asked for this, so somebody else approves it")).to_be_visible()
    look(first, "adjustment-own")

    second = enter(visit, "finance2")
    page = second.page
    page.get_by_role("link", name="Adjustments").first.click()
    look(second, "adjustments-waiting")
    page.get_by_role("link", name="Take 2,346.70 USD").click()
    look(second, "adjustment-waiting")
    page.get_by_role("button", name="Approve: take 2,346.70 USD").click()
    expect(page.get_by_role("heading", name="Entries")).to_be_visible()
    look(second, "adjustment-posted")
    page.get_by_role("link", name="Adjustments").first.click()
    look(second, "adjustments")
    second.go("/funds/?show=overdrawn")
    look(second, "funds-below-zero")
    assert Adjustment.objects.get().status == "posted"

    partner = visit()
    partner.sign_in(marketer)
    expect(partner.page.get_by_text("A fund is below zero")).to_be_visible()
    look(partner, "home-below-zero")
    partner.go(f"/claims/{draft.pk}/")
    look(partner, "claim-below-zero")
    partner.go(f"/funds/{fund.pk}/")
    look(partner, "fund-below-zero")
    partner.page.get_by_role("link", name=re.compile("^Adjustment ")).click()
    look(partner, "adjustment-of-partner")


def test_a_rollover_works_without_script(visit: Visit, fund: Fund) -> None:
    visitor = enter(visit, "finance", script=False)
    visitor.go(f"/adjustments/new/?fund={fund.pk}")
    page = visitor.page
    page.get_by_label("Move to another half's fund").check()
    page.get_by_label("Amount").fill("500")
    page.get_by_label("Into which fund").select_option(index=1)
    page.get_by_label("Reason").select_option("Co-op rollover")
    page.get_by_role("button", name="Preview the entries").click()
    page.get_by_role("button", name="Post adjustment: move 500.00 USD to FY24 H2").click()
    expect(page.get_by_text("is posted: move 500.00 USD to FY24 H2")).to_be_visible()
    assert Adjustment.objects.get().purpose == "rollover"
