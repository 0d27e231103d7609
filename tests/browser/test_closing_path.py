"""A partner asks for more time, a program admin decides, finance looks at the closing before it runs; wide and narrow."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from coop.people import PASSWORD, load_vendor_people
from funds.models import Fund
from tests.browser import steps
from tests.browser.steps import Visit, Visitor, enter
from tests.factories import (
    CLAIMING,
    make_approved_plan,
    make_claim,
    make_enrollment,
    make_fund,
    make_location,
    make_partner,
    make_person,
    marketer_of,
    period,
    set_clock,
)

PICTURES = Path(os.environ["COOP_PICTURES"]) if "COOP_PICTURES" in os.environ else None
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def fund() -> Fund:
    """10,003.55 of FY24 H1 with a draft and a plan, and another partner's 20,000.00."""
    load_vendor_people(CLAIMING)
    fund = make_fund()
    make_person(fund.partner, password=PASSWORD)
    make_claim(fund, "100.00")
    make_approved_plan(fund, "500.00")
    make_fund("50000.00", enrollment=make_enrollment(make_location(make_partner("Contoso"))))
    set_clock(CLAIMING)
    return fund


def test_a_partner_asks_for_time_and_finance_sees_what_closes_when(visit: Visit, fund: Fund) -> None:
    partner = visit()
    partner.sign_in(marketer_of(fund.partner))
    ask(partner, fund)

    admin = enter(visit, "program")
    page = admin.page
    page.get_by_role("link", name="Periods").first.click()
    expect(page.get_by_role("heading", name="Requests for more time")).to_be_visible()
    look(admin, "periods")
    page.get_by_role("link", name="Decide on Northwind Traders").click()
    look(admin, "extension")
    page.get_by_role("button", name="Move the deadline").click()
    expect(page.get_by_text("Say why").first).to_be_visible()
    look(admin, "extension-errors")
    page.get_by_label("Reason").fill("Their supplier invoices late.")
    page.get_by_label("New last day to claim").fill("2024-08-30")
    page.get_by_role("button", name="Move the deadline").click()
    expect(page.get_by_text("Northwind Traders may claim until 30 Aug 2024")).to_be_visible()
    extend_everybody(admin)

    partner.go(f"/funds/{fund.pk}/")
    said = "Extended from 14 Aug 2024 to 30 Aug 2024 because: Their supplier invoices late."
    expect(partner.page.get_by_text(said)).to_be_visible()
    look(partner, "fund-extended")

    finance = enter(visit, "finance")
    page = finance.page
    page.get_by_role("link", name="Finance", exact=True).first.click()
    page.get_by_role("link", name="Periods and closing").click()
    look(finance, "periods-finance")
    page.get_by_role("link", name="FY24 H1").first.click()
    expect(page.get_by_text("29,503.55 USD expires, in 2 of 2 funds.")).to_be_visible()
    expect(page.get_by_text("1 draft and 1 plan lapse, with 500.00 USD that is reserved.")).to_be_visible()
    expect(page.get_by_role("link", name="Extend the deadline")).to_have_count(0)
    look(finance, "closing")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download preview (CSV)").click()
    lines = download.value.path().read_text(encoding="utf-8").splitlines()
    assert any(",20000.00,0.00,0,0,0.00,2024-08-20" in line for line in lines)
    assert any(",9503.55,500.00,1,1,0.00,2024-08-30" in line for line in lines)
    page.get_by_role("link", name="Threshold test").click()
    expect(page.get_by_text("It is complete since").first).to_be_visible()
    look(finance, "closing-test")


def look(visitor: Visitor, name: str) -> None:
    steps.look(visitor, name, pictures=PICTURES)


def ask(partner: Visitor, fund: Fund) -> None:
    page = partner.page
    partner.go(f"/funds/{fund.pk}/")
    page.get_by_role("link", name="Ask for more time to claim").click()
    look(partner, "extension-ask")
    page.get_by_role("button", name="Ask for more time").click()
    expect(page.get_by_text("Enter the day you need").first).to_be_visible()
    look(partner, "extension-ask-errors")
    page.get_by_label("Last day to claim that you need").fill("2024-08-28")
    page.get_by_label("Why you need more time").fill("Our printer invoices in August.")
    page.get_by_role("button", name="Ask for more time").click()
    expect(page.get_by_text("It waits for its decision")).to_be_visible()
    look(partner, "fund-asked")


def extend_everybody(admin: Visitor) -> None:
    page = admin.page
    admin.go(f"/periods/{period().pk}/closing/")
    page.get_by_role("link", name="Extend the deadline").click()
    page.get_by_label("New last day to claim").fill("2024-08-01")
    page.get_by_label("Reason").fill("The portal was down.")
    page.get_by_role("button", name="Move the deadline").click()
    expect(page.get_by_text("it only moves to a later day").first).to_be_visible()
    look(admin, "period-extend")
    page.get_by_label("New last day to claim").fill("2024-08-20")
    page.get_by_role("button", name="Move the deadline").click()
    expect(page.get_by_text("Extended from 14 Aug 2024 to 20 Aug 2024 because: The portal was down.")).to_be_visible()
