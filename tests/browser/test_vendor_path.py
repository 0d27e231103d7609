"""The vendor's people at work in a real browser: reviewing, importing, paying, moving the clock; wide and narrow."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from claims.models import Claim
from claims.operations.sending import submit_claim
from coop import jobs
from coop.lib import clock
from coop.people import PASSWORD, load_vendor_people
from funds.models import Fund, Import, PaymentRun
from tests.browser.steps import (
    Visit,
    accept_less,
    enter,
    export_run,
    look,
    move_clock,
    read_results,
    sent_by_bank,
    upload_earnings,
)
from tests.factories import (
    CLAIMING,
    make_approved_claim,
    make_enrollment,
    make_fund,
    make_location,
    make_partner,
    make_person,
    make_sent_claim,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def vendors_people() -> None:
    """The people of every sandbox, who can sign in."""
    load_vendor_people(CLAIMING)


def test_a_channel_manager_approves_in_part_and_returns_with_fixes(visit: Visit) -> None:
    fund = make_fund()
    large = make_sent_claim(fund, "3000.00", "1000.00", title="Spring calls")
    small = make_sent_claim(fund, "500.00", title="Autumn calls")
    visitor = enter(visit, "manager")
    page = visitor.page
    expect(page.get_by_role("heading", name="Worklist", level=1)).to_be_visible()
    look(visitor, "worklist")

    page.get_by_role("link", name="Review next").click()
    expect(page.get_by_role("heading", name="Spring calls", level=1)).to_be_visible()
    page.get_by_role("button", name="Start review").click()
    expect(page.get_by_text("You are reviewing this claim.")).to_be_visible()
    look(visitor, "review")

    second = page.get_by_role("group", name="1,000.00 USD")
    second.get_by_label("Accept less").check()
    page.get_by_role("button", name="Check the letter").click()
    expect(page.get_by_role("alert")).to_contain_text("Enter an amount above zero and below the 1,000.00 USD")
    look(visitor, "refused decision")
    accept_less(second, "600", "Drinks are not covered.")
    expect(page.locator("#total")).to_contain_text("Approved in all: 3,600.00 USD of 4,000.00 USD")
    page.get_by_role("button", name="Check the letter").click()
    expect(page.get_by_role("heading", name="We approve 3,600.00 USD of the 4,000.00 USD you claimed")).to_be_visible()
    look(visitor, "letter of approval")
    page.get_by_role("button", name="Change the decision").click()
    expect(second.get_by_label("Approved amount")).to_have_value("600")
    page.get_by_role("button", name="Check the letter").click()
    page.get_by_role("button", name="Approve 3,600.00 USD").click()

    expect(page.get_by_text("Approved: 3,600.00 USD")).to_be_visible()
    expect(page.get_by_role("heading", name="Autumn calls", level=1)).to_be_visible()
    page.get_by_label("Return", exact=True).check()
    page.get_by_label("Reason, visible to the partner").fill("The invoice is of another year.")
    page.get_by_role("button", name="Check the letter").click()
    expect(page.get_by_role("heading", name="What has to be mended?")).to_be_visible()
    expect(page.get_by_label("What to mend").first).to_have_value("The invoice is of another year.")
    page.get_by_label("Where").nth(1).select_option(label="Result: Calls made")
    page.get_by_label("What to mend").nth(1).fill("Count the calls of March only.")
    look(visitor, "fix list")
    page.get_by_role("button", name="Check the letter").click()
    look(visitor, "letter of return")
    page.get_by_role("button", name="Return with 2 fixes").click()
    expect(page.get_by_text("Queue clear")).to_be_visible()
    look(visitor, "clear queue")

    found = {claim.pk: claim for claim in Claim.objects.all()}
    assert (found[large.pk].status, found[large.pk].approved_minor) == ("approved", 360_000)
    assert found[small.pk].status == "action_required"
    assert len(found[small.pk].returned_fixes) == 2


def test_a_document_is_returned_and_a_decision_disputed_and_decided_by_another_person(visit: Visit) -> None:
    fund = make_fund()
    partner = make_person(fund.partner, password=PASSWORD)
    claim = make_sent_claim(fund, "3000.00", by=partner, title="Spring calls")
    declined = make_sent_claim(fund, "500.00", by=partner, title="Autumn calls")
    clean = make_sent_claim(fund, "20.00", by=partner, title="Winter calls")
    visitor = enter(visit, "manager")
    page = visitor.page

    # Several at once: only where nothing is open.
    page.get_by_role("checkbox", name=f"Pick {clean.number}").check()
    page.get_by_role("button", name="Approve picked claims").click()
    expect(page.get_by_role("heading", name="Approve several claims")).to_be_visible()
    look(visitor, "several claims")
    page.get_by_role("button", name="Approve 1 claim for 20.00 USD").click()
    expect(page.get_by_text("1 of 1 claim approved")).to_be_visible()
    look(visitor, "several claims approved")
    page.get_by_role("link", name="Back to the worklist").click()

    # A document is returned, with a reason of the list; the partner reads the very words, and mends it.
    page.get_by_role("link", name="Spring calls").click()
    page.get_by_label("Internal note, not visible to the partner").fill("Ask Pedro what he saw.")
    page.get_by_role("button", name="Keep the note").click()
    expect(page.get_by_text("Internal: the partner does not see this")).to_be_visible()
    script = page.get_by_role("group", name="Decision on proof.png").first
    script.get_by_label("This document").select_option("Return")
    script.get_by_text("Reason to return or decline it").click()
    script.get_by_label("From the list of reasons").select_option(
        "The file cannot be read, or a part of it is missing."
    )
    look(visitor, "document decision")
    page.get_by_role("button", name="Check the letter").click()
    words = "“proof.png”: The file cannot be read, or a part of it is missing."
    expect(page.get_by_label("What to mend").first).to_have_value(words)
    page.get_by_role("button", name="Check the letter").click()
    page.get_by_role("button", name="Return with 1 fix").click()
    expect(page.get_by_role("heading", name="Autumn calls", level=1)).to_be_visible()

    # The next one is declined.
    page.get_by_label("Decline", exact=True).check()
    page.get_by_label("Reason, visible to the partner").fill("The call log is missing.")
    page.get_by_role("button", name="Check the letter").click()
    page.get_by_role("button", name="Decline this claim").click()
    expect(page.get_by_text("Queue clear")).to_be_visible()

    theirs = visit()
    theirs.sign_in(partner)
    expect(theirs.page.get_by_role("heading", level=1)).to_be_visible()
    theirs.go(f"/claims/{claim.pk}/")
    expect(theirs.page.get_by_text(words).first).to_be_visible()
    expect(theirs.page.get_by_text("Ask Pedro what he saw.")).to_have_count(0)
    look(theirs, "returned claim")
    submit_claim(claim.pk, by=partner, at=clock.now())
    theirs.go(f"/claims/{declined.pk}/")
    expect(theirs.page.get_by_text("decided on rules of publication").first).to_be_visible()
    look(theirs, "declined claim")
    theirs.page.get_by_role("link", name="Dispute this decision").click()
    theirs.page.get_by_role("button", name="Dispute the decision").click()
    expect(theirs.page.get_by_role("alert")).to_contain_text("Say why the decision is wrong")
    look(theirs, "dispute without a reason")
    theirs.page.get_by_label("Why is the decision wrong?").fill("The log is on page 3 of the invoice.")
    theirs.page.get_by_role("button", name="Dispute the decision").click()
    expect(theirs.page.get_by_text("A decision is due by 11 Mar 2024")).to_be_visible()
    look(theirs, "disputed claim")

    # Who decided first only looks on; somebody else decides, after having approved in part what came again.
    visitor.go(f"/review/{declined.pk}/dispute/")
    expect(page.get_by_text("Somebody else decides this dispute")).to_be_visible()
    look(visitor, "dispute of one's own decision")
    second = enter(visit, "pcmm")
    page = second.page
    page.get_by_role("link", name="Spring calls").click()
    accept_less(page, "2500", "Drinks are not covered.")
    page.get_by_role("button", name="Check the letter").click()
    page.get_by_role("button", name="Approve 2,500.00 USD").click()
    expect(page.get_by_text("The log is on page 3 of the invoice.").first).to_be_visible()
    page.get_by_role("button", name="Take this dispute").click()
    look(second, "dispute")
    page.get_by_label("Grant it").check()
    page.get_by_role("button", name="Check the letter").click()
    expect(page.get_by_role("alert")).to_contain_text("Say why: the partner reads it")
    page.get_by_label("Why, from the list").select_option("The evidence was there and was overlooked.")
    page.get_by_role("button", name="Check the letter").click()
    look(second, "letter of a dispute")
    page.get_by_role("button", name="Grant the dispute and approve 500.00 USD").click()
    expect(page.get_by_text("Dispute granted: 500.00 USD")).to_be_visible()

    found = {one.pk: (one.status, one.approved_minor) for one in Claim.objects.all()}
    assert found == {
        claim.pk: ("approved", 250_000),
        declined.pk: ("approved", 50_000),
        clean.pk: ("approved", 2_000),
    }


def test_a_claim_is_decided_without_script(visit: Visit) -> None:
    claim = make_sent_claim(make_fund(), "4000.00")
    page = enter(visit, "manager", script=False).page
    page.get_by_role("link", name="Review next").click()
    accept_less(page, "3,600.00", "Drinks are not covered.")
    page.get_by_role("button", name="Add up again").click()
    expect(page.locator("#total")).to_contain_text("Approved in all: 3,600.00 USD of 4,000.00 USD")
    page.get_by_role("button", name="Check the letter").click()
    page.get_by_role("button", name="Approve 3,600.00 USD").click()
    expect(page.get_by_text("Queue clear")).to_be_visible()
    claim.refresh_from_db()
    assert claim.approved_minor == 360_000


def test_two_people_of_finance_pay_a_claim(visit: Visit) -> None:
    claim = make_approved_claim(make_fund(), "4000.00")
    first, second = enter(visit, "finance"), enter(visit, "finance2")
    page = first.page
    expect(page.get_by_role("heading", name="Finance", level=1)).to_be_visible()
    look(first, "finance")
    page.get_by_role("link", name="Prepare payment run").click()
    look(first, "payment runs")
    page.get_by_role("button", name="Prepare payment run").click()
    expect(page.get_by_text("You prepared this run, so somebody else approves it")).to_be_visible()
    look(first, "prepared run")

    run = PaymentRun.objects.get()
    second.go(f"/payment-runs/{run.pk}/")
    second.page.get_by_role("button", name="Approve 4,000.00 USD to 1 partner").click()
    expect(second.page.get_by_text("4,000.00 USD approved.")).to_be_visible()
    look(second, "approved run")

    page.reload()
    filled = sent_by_bank(export_run(page), "4000.00", "2024-03-04")
    page.get_by_role("link", name="Read results").click()
    look(first, "results")
    read_results(page, filled)
    look(first, "settled run")
    page.get_by_role("link", name="Payments", exact=True).click()
    look(first, "payments")
    page.get_by_role("link", name="Northwind Traders").click()
    look(first, "payment")
    first.go("/finance/")
    page.get_by_role("button", name="Check the ledger now").click()
    expect(page.get_by_role("heading", name="The ledger agrees")).to_be_visible()
    look(first, "ledger")
    claim.refresh_from_db()
    assert claim.status == "paid"


def test_finance_imports_a_file_that_goes_on_by_itself(visit: Visit) -> None:
    location = make_enrollment(make_location(make_partner("Halden Cloud"))).location.external_id
    rows = [
        "external_id,location,program,earned_on,amount,currency",
        f"E1,{location},mci-csp-reseller,2023-08-15,25000.00,USD",
        f"E2,{location},mci-csp-reseller,2023-08-15,8.88,USD",
        f"E3,{location},mci-csp-reseller,2023-08-15,1.234,USD",
    ]
    visitor = enter(visit, "finance")
    page = visitor.page
    visitor.go("/imports/")
    look(visitor, "imports")
    upload_earnings(page, rows)
    look(visitor, "waiting import")
    jobs.check_imports(clock.now())
    commit = page.get_by_role("button", name="Commit 2 lines (+25,008.88 USD)")
    expect(commit).to_be_visible()
    look(visitor, "checked import")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all 1 with their reasons").click()
    assert "Amounts are never rounded" in download.value.path().read_text(encoding="utf-8")
    commit.click()
    expect(page.get_by_text("2 lines committed.")).to_be_visible()
    look(visitor, "committed import")
    assert Fund.objects.get().earned_minor == 1_000_355
    assert Import.objects.get().status == "committed"


def test_anybody_moves_the_clock_and_reads_what_ran(visit: Visit) -> None:
    fund = make_fund()
    visitor = enter(visit, "program")
    page = visitor.page
    page.get_by_role("link", name="Move the clock").click()
    look(visitor, "clock")
    page.get_by_label("To a day and time of my own").check()
    page.get_by_role("button", name="Move the clock").click()
    expect(page.get_by_role("alert")).to_contain_text("Enter the day to move to")
    move_clock(page, "2024-08-15")
    expect(page.get_by_text("Expiry of what was not claimed")).to_be_visible()
    look(visitor, "moved clock")
    assert clock.now() == datetime(2024, 8, 15, tzinfo=UTC)
    fund.refresh_from_db()
    assert fund.expired_minor == 1_000_355


def test_search_glossary_and_missing_pages_are_in_order(visit: Visit) -> None:
    make_sent_claim(make_fund(), title="Spring calls")
    visitor = enter(visit, "manager")
    page = visitor.page
    page.keyboard.press("/")
    page.keyboard.type("spring")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Spring calls")).to_be_visible()
    look(visitor, "search")
    visitor.go("/glossary/")
    look(visitor, "glossary")
