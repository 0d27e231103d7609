"""Money on its way in a real browser: the account is entered, a run is exported and paid, a payment comes back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from coop.lib import clock
from coop.people import PASSWORD, load_vendor_people
from funds.operations.rebates import gather_rebates
from tests.browser.steps import Visit, enter, export_run, look, read_results, sent_by_bank
from tests.factories import (
    CLAIMING,
    make_approved_claim,
    make_approved_run,
    make_fund,
    make_person,
    set_clock,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_payment_goes_out_comes_back_and_its_partner_is_told_what_to_do(visit: Visit, script: bool) -> None:
    load_vendor_people(set_clock(CLAIMING))
    fund = make_fund()
    make_approved_claim(fund, "4000.00")
    gather_rebates(fund.partner_id, at=clock.now())
    admin = visit(script=script)
    admin.sign_in(make_person(fund.partner, "partner_admin", password=PASSWORD))
    admin.go("/payments/")
    admin.page.get_by_role("link", name="Payout account").click()
    admin.page.get_by_label("Account holder").fill("Northwind Traders Inc.")
    admin.page.get_by_label("Country of the bank").fill("DE")
    admin.page.get_by_label("IBAN").fill("DE89 3704 0044 0532 0130 01")
    admin.page.get_by_role("button", name="Save payout account").click()
    expect(admin.page.get_by_text("its check digits are wrong").first).to_be_visible()
    if script:
        look(admin, "account refused")
    admin.page.get_by_label("IBAN").fill("DE89 3704 0044 0532 0130 00")
    admin.page.get_by_role("button", name="Save payout account").click()
    expect(admin.page.get_by_text("The payout account is saved.")).to_be_visible()

    run = make_approved_run()
    finance = enter(visit, "finance", script=script)
    page = finance.page
    finance.go(f"/payment-runs/{run.pk}/")
    table = export_run(page)
    expect(page.get_by_text("With the bank").first).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile(r"payment-run-\d+\.xml")).click()
    assert "DE89370400440532013000" in download.value.path().read_text(encoding="utf-8")
    page.get_by_role("link", name="Read results").click()
    read_results(page, sent_by_bank(table, "4000.00", "2024-03-04"))
    payment = run.payments.get(kind="claim")
    finance.go(f"/payments/{payment.pk}/")
    page.get_by_role("button", name="Note that 4,000.00 USD came back").click()
    expect(page.get_by_text("Say why it came back").first).to_be_visible()
    if script:
        look(finance, "return refused")
    page.get_by_label("Why it came back").fill("The account is closed")
    page.get_by_role("button", name="Note that 4,000.00 USD came back").click()
    expect(page.get_by_text("What it paid is approved again")).to_be_visible()

    admin.go("/")
    admin.page.get_by_role("link", name=f"Check your bank details: {payment} came back").click()
    expect(admin.page.get_by_role("link", name="Update bank details")).to_be_visible()
    if script:
        look(admin, "payment that came back")
        admin.go("/payments/")
        look(admin, "payments of a partner")
        admin.go(f"/payments/{run.payments.get(kind='rebate').pk}/")
        look(admin, "rebate")
