"""From an earnings line to a paid claim and an expired fund: the whole path, clicked through by everybody it needs.

With COOP_SCREENSHOTS naming a folder, pictures of the main pages at both widths are kept there.
"""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from playwright.sync_api import expect

from claims.checks import CHECKS
from claims.models import Claim
from coop import jobs
from coop.lib import clock
from coop.people import PASSWORD, load_vendor_people
from funds.checks import check_ledger
from funds.models import Fund, PaymentRun
from partners.models import Location
from tests.browser import steps
from tests.browser.conftest import Visitor
from tests.browser.steps import Visit
from tests.factories import (
    load_catalog,
    make_claim,
    make_enrollment,
    make_location,
    make_partner,
    make_person,
    set_clock,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

REASON = "Drinks are not covered."
ENTRIES = [
    ("Earned", "+10,003.55"),
    ("Held for a claim", "-4,000.00"),
    ("Approved", "3,600.00 USD from in review to approved"),
    ("Released", "+400.00"),
    ("Paid", "3,600.00 USD from approved to paid"),
    ("Held for a claim", "-1,000.00"),
    ("Expired: not claimed by the deadline", "-5,403.55"),
]


def look(visitor: Visitor, name: str) -> None:
    folder = os.environ.get("COOP_SCREENSHOTS")
    steps.look(visitor, name, pictures=Path(folder) if folder else None)


# --- Finance ----------------------------------------------------------------------------------------------------------


def import_earnings(finance: Visitor, location: Location) -> None:
    page = finance.page
    finance.go("/imports/")
    rows = [
        "external_id,location,program,earned_on,amount,currency",
        f"E1,{location.external_id},mci-csp-reseller,2023-08-15,25000.00,USD",
        f"E2,{location.external_id},mci-csp-reseller,2023-09-15,8.88,USD",
    ]
    steps.upload_earnings(page, rows)
    jobs.check_imports(clock.now())
    commit = page.get_by_role("button", name="Commit 2 lines (+25,008.88 USD)")
    expect(commit).to_be_visible()
    look(finance, "checked import")
    commit.click()
    expect(page.get_by_text("2 lines committed.")).to_be_visible()


def prepare_run(finance: Visitor) -> str:
    """Returns the address of the run, which its own maker cannot approve."""
    page = finance.page
    finance.go("/payment-runs/")
    page.get_by_role("button", name="Prepare payment run").click()
    expect(page.get_by_text("You prepared this run, so somebody else approves it")).to_be_visible()
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    look(finance, "prepared run")
    return f"/payment-runs/{PaymentRun.objects.get().pk}/"


def approve_run(finance2: Visitor, run: str) -> None:
    finance2.go(run)
    # The claim of 3,600.00 and, as a payment of its own, the rebate of 15,005.33 that the earnings brought.
    finance2.page.get_by_role("button", name="Approve 18,605.33 USD to 1 partner").click()
    expect(finance2.page.get_by_text("18,605.33 USD approved.")).to_be_visible()


def pay_run(finance: Visitor, run: str) -> None:
    page = finance.page
    finance.go(run)
    filled = steps.sent_by_bank(steps.export_run(page), "3600.00", "2024-03-01")
    page.get_by_role("link", name="Read results").click()
    steps.read_results(page, filled)
    look(finance, "settled run")


def move_clock(finance: Visitor, day: str, time: str = "") -> None:
    finance.go("/clock/")
    steps.move_clock(finance.page, day, time)
    expect(finance.page.get_by_role("heading", name="The clock moved from")).to_be_visible()


# --- The marketer -----------------------------------------------------------------------------------------------------


def see_money(marketer: Visitor) -> None:
    marketer.go("/")
    expiry = "10,003.55 USD will expire on 14 Aug 2024, 23:59:59 UTC unless claimed."
    expect(marketer.page.get_by_text(expiry)).to_be_visible()
    look(marketer, "home")


def write_claim(marketer: Visitor, title: str, number: str, amount: str) -> Claim:
    """Write a claim until nothing is missing, and end on the page that checks and sends it."""
    page = marketer.page
    marketer.go("/")
    page.get_by_role("link", name="Start a claim").click()
    steps.choose_telemarketing(page, title)
    page.get_by_role("link", name="Invoices", exact=True).click()
    steps.write_invoice(page, number, amount, file=f"invoice {number}.pdf")
    page.get_by_role("link", name="Continue").click()
    page.get_by_role("link", name="Proof of execution").click()
    steps.upload_proof(page, "Call script", f"script {number}.pdf")
    steps.upload_proof(page, "Call log", f"log {number}.png")
    page.get_by_role("link", name="Results").click()
    steps.fill_in_results(page)
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()
    page.get_by_role("link", name="Check and send").first.click()
    expect(page.get_by_role("heading", name="Check your claim and send it")).to_be_visible()
    return Claim.objects.get(title=title)


def see_fund(marketer: Visitor, **figures: str) -> None:
    """Read the fund's page: where its money is."""
    marketer.go(f"/funds/{Fund.objects.get().pk}/")
    where = marketer.page.get_by_role("table", name="where the money is")
    for bucket, amount in figures.items():
        name = bucket.replace("_", " ").capitalize()
        expect(where.get_by_role("row", name=f"{name} {amount}", exact=True)).to_be_visible()


def see_paid_claim(marketer: Visitor, claim: Claim) -> None:
    marketer.go(f"/claims/{claim.pk}/")
    page = marketer.page
    expect(page.get_by_text("3,600.00 USD was paid to you.")).to_be_visible()
    letter = page.get_by_role("region", name="Decision", exact=True).get_by_role("article")
    expect(letter).to_contain_text("We approve 3,600.00 USD of the 4,000.00 USD you claimed")
    expect(letter).to_contain_text(REASON)
    look(marketer, "paid claim")


def send_at_last_moment(marketer: Visitor, claim: Claim) -> None:
    marketer.go(f"/claims/{claim.pk}/send/")
    steps.declare_and_send(marketer.page, "1,000.00 USD")
    expect(marketer.page.get_by_text("14 Aug 2024, 23:59:59.999000 UTC")).to_be_visible()
    look(marketer, "receipt")


def send_too_late(marketer: Visitor) -> None:
    """Press the button of a page that was opened in time."""
    page = marketer.page
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Send claim for 500.00 USD").click()
    deadline = "14 Aug 2024, 23:59:59 UTC"
    expect(page.get_by_text(f"This claim was not sent by its deadline, {deadline}, so it lapsed.")).to_be_visible()
    expect(page.get_by_text(f"The fund took claims until {deadline}")).to_be_visible()
    look(marketer, "lapsed claim")


def told_entries(marketer: Visitor) -> list[tuple[str, str]]:
    """The entries on the fund's page, oldest first: the sentence, and what came in, went out, or moved within."""
    found = []
    for row in marketer.page.get_by_role("table", name="Entries of this fund").locator("tbody tr").all():
        what, *more = row.get_by_role("rowheader").inner_text().splitlines()
        came = row.locator("[data-label=In]").inner_text()
        went = row.locator("[data-label=Out]").inner_text()
        found.append((what, f"+{came}" if came else f"-{went}" if went else " ".join(more)))
    return found[::-1]


# --- The channel manager ----------------------------------------------------------------------------------------------


def accept_less(manager: Visitor) -> None:
    page = manager.page
    manager.go("/worklist/")
    look(manager, "worklist")
    page.get_by_role("link", name="Review next").click()
    steps.accept_less(page, "3,600.00", REASON)
    look(manager, "review")
    page.get_by_role("button", name="Check the letter").click()
    page.get_by_role("button", name="Approve 3,600.00 USD").click()
    expect(page.get_by_text("Queue clear")).to_be_visible()


# --- The story --------------------------------------------------------------------------------------------------------


def test_earnings_become_a_paid_claim_and_what_is_left_expires(visit: Visit) -> None:
    load_vendor_people(set_clock(datetime(2023, 7, 1, tzinfo=UTC)))
    load_catalog(years=(2023, 2025))
    location = make_location(make_partner("Halden Cloud"))
    make_enrollment(location, starts_on=date(2023, 7, 1))
    ana = make_person(location.partner, name="Ana Ruiz", password=PASSWORD)
    marketer = visit()
    marketer.sign_in(ana)
    finance, finance2 = steps.enter(visit, "finance"), steps.enter(visit, "finance2")

    import_earnings(finance, location)
    move_clock(finance, "2024-03-01")
    see_money(marketer)

    first = write_claim(marketer, "Spring calls", "N-1", "4,000.00")
    look(marketer, "check and send")
    steps.declare_and_send(marketer.page, "4,000.00 USD")
    see_fund(marketer, available="6,003.55", in_review="4,000.00")
    accept_less(steps.enter(visit, "manager"))
    run = prepare_run(finance)
    approve_run(finance2, run)
    pay_run(finance, run)
    see_paid_claim(marketer, first)

    in_time = write_claim(marketer, "Summer calls", "N-2", "1,000.00")
    move_clock(finance, "2024-08-14", "23:59:59.999")
    send_at_last_moment(marketer, in_time)
    late = make_claim(Fund.objects.get(), "500.00", by=ana)  # written by operations: the pages wrote two by now
    marketer.go(f"/claims/{late.pk}/send/")
    move_clock(finance, "2024-08-15")
    for job in ("Drafts and returned claims that were not sent in time", "Expiry of what was not claimed"):
        expect(finance.page.get_by_role("row", name=f"{job} 15 Aug 2024, 00:00 UTC 1 0")).to_be_visible()
    look(finance, "moved clock")
    send_too_late(marketer)

    see_fund(marketer, paid="3,600.00", in_review="1,000.00", available="0.00", expired="5,403.55")
    assert told_entries(marketer) == ENTRIES
    look(marketer, "expired fund")
    assert check_ledger(CHECKS).differences == []
