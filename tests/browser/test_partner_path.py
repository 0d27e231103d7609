"""A marketer earns back what a telemarketing campaign cost: from sign-in to the receipt, in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from claims.models import Claim
from coop.people import PASSWORD
from tests.browser.conftest import WIDTHS, Visitor
from tests.browser.steps import (
    Look,
    choose_telemarketing,
    declare_and_send,
    fill_in_results,
    upload_proof,
    write_invoice,
)
from tests.factories import make_claim, make_fund, make_person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def walk_to_the_receipt(visitor: Visitor, look: Look) -> None:
    """Everything between the sign-in and the claim after sending; `look` is called on each page."""
    page = visitor.page
    expect(page.get_by_role("heading", name="Home", level=1)).to_be_visible()
    expect(page.get_by_text("10,003.55 USD will expire on 14 Aug 2024, 23:59:59 UTC unless claimed.")).to_be_visible()
    look("home")

    page.get_by_role("link", name="Start a claim").click()
    look("choose an activity")
    page.get_by_role("button", name="Start the claim").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose the activity")
    look("refused activity")
    choose_telemarketing(page, "Spring calls")

    expect(page.get_by_role("heading", name="Spring calls", level=1)).to_be_visible()
    look("hub")
    page.get_by_role("link", name="Check and send").first.click()
    expect(page.get_by_role("heading", name="Not ready to be sent yet")).to_be_visible()
    expect(page.get_by_role("button", name="Send claim")).to_have_count(0)
    look("what is missing")
    page.get_by_role("link", name="Back to what the claim needs").click()

    page.get_by_role("link", name="Invoices", exact=True).click()
    write_invoice(page, "N-88", "4.200,00")
    expect(page.get_by_role("alert")).to_contain_text("cannot be read as an amount")
    expect(page.get_by_label("Supplier", exact=True)).to_have_value("Callcenter Nord")
    look("refused amount")
    write_invoice(page, "N-88", "4,200.00", file="invoice.pdf")
    expect(page.get_by_role("link", name="Callcenter Nord, N-88", exact=True)).to_be_visible()
    look("invoices")
    page.get_by_role("link", name="Continue").click()

    page.get_by_role("link", name="Proof of execution").click()
    look("proof")
    upload_proof(page, "Call script", "script.pdf")
    expect(page.get_by_text("1 of 2 proofs are there")).to_be_visible()
    upload_proof(page, "Call log", "log.png")

    page.get_by_role("link", name="Results").click()
    fill_in_results(page)
    look("results")
    page.get_by_role("button", name="Save and continue").click()
    look("complete hub")

    page.get_by_role("link", name="Check and send").first.click()
    look("check and send")
    page.get_by_role("button", name="Send claim for 4,200.00 USD").click()
    expect(page.get_by_role("alert")).to_contain_text("Confirm that the claim is true")
    declare_and_send(page, "4,200.00 USD")
    look("receipt")
    page.reload()
    page.get_by_role("link", name="See the claim").click()
    expect(page.get_by_text("With the channel manager")).to_be_visible()
    look("after sending")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_marketer_sends_a_claim_and_every_page_is_in_order(visit: Callable[..., Visitor], width: int) -> None:
    fund = make_fund()
    ana = make_person(fund.partner, name="Ana Ruiz", password=PASSWORD)
    visitor = visit(width=width)
    visitor.sign_in(ana)
    walk_to_the_receipt(visitor, visitor.check)

    claim = Claim.objects.get()
    assert (claim.status, claim.sendings, claim.held_minor) == ("submitted", 1, 420_000)
    visitor.go(f"/claims/{claim.pk}/send/")
    expect(visitor.page.get_by_role("heading", name="Your claim is sent")).to_be_visible()
    for path, name in (("/", "home with a claim in review"), ("/funds/", "funds"), ("/claims/?show=all", "claims")):
        visitor.go(path)
        visitor.check(name)
    visitor.go(f"/funds/{fund.pk}/?bucket=in_review")
    expect(visitor.page.get_by_role("link", name=f"Claim {claim.number}")).to_be_visible()
    visitor.check("fund")
    visitor.go(f"/claims/{claim.pk}/withdraw/")
    visitor.check("withdraw")
    visitor.page.get_by_role("button", name="Withdraw the claim").click()
    expect(visitor.page.get_by_text("You withdrew this claim before a decision.")).to_be_visible()
    visitor.check("withdrawn")


def test_the_same_path_works_without_script(visit: Callable[..., Visitor]) -> None:
    fund = make_fund()
    ana = make_person(fund.partner, name="Ana Ruiz", password=PASSWORD)
    visitor = visit(script=False)
    visitor.sign_in(ana)
    walk_to_the_receipt(visitor, lambda name: None)
    assert Claim.objects.get().status == "submitted"


def test_a_double_click_on_send_sends_once(visit: Callable[..., Visitor]) -> None:
    fund = make_fund()
    ana = make_person(fund.partner, name="Ana Ruiz", password=PASSWORD)
    claim = make_claim(fund, by=ana)
    visitor = visit(script=False)  # the script would hold the second click back; the server must cope without it
    visitor.sign_in(ana)
    visitor.go(f"/claims/{claim.pk}/send/")
    visitor.page.get_by_role("checkbox").check()
    visitor.page.get_by_role("button", name="Send claim").dblclick()
    expect(visitor.page.get_by_role("heading", name="Your claim is sent")).to_be_visible()
    claim.refresh_from_db()
    assert (claim.sendings, claim.held_minor) == (1, 400_000)
