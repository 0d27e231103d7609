"""A large import in a real browser: columns explained, progress followed, the difference looked at, committed, reversed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from coop import jobs
from coop.lib import clock
from coop.people import load_vendor_people
from funds.models import Earning, Fund, Import, ImportProgress
from tests.browser.steps import Visit, a_table, enter, look
from tests.factories import CLAIMING, make_enrollment, make_fund, make_location, make_partner, set_clock

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HEADER = "Ref;Site;Scheme;When;Sum;Money;Remark"
FIELDS = ("The line's id", "The location's id", "The program, by code or name", "The day it was earned", "The amount")
LINES, SITES = 420, 30


@pytest.fixture
def sites() -> list[str]:
    """Thirty locations that take part; one more has a tested fund of FY24 H1."""
    load_vendor_people(CLAIMING)
    tested = make_fund()
    partner = make_partner("Halden Cloud")
    places = [
        make_enrollment(make_location(partner, name=f"Site {n:02}")).location.external_id for n in range(SITES - 1)
    ]
    set_clock(CLAIMING)
    return [tested.location.external_id, *places]


def table(sites: list[str], *, amount: str = "1250.50") -> str:
    rows = [
        f"R-{n:04};{sites[n % SITES]};mci-csp-reseller;2024-02-{n % 28 + 1:02};{amount if n < 5 else '310.25'};USD;x"
        for n in range(LINES)
    ]
    late = [f"L-1;{sites[0]};mci-csp-reseller;2023-09-01;-26000.00;USD;taken back"]
    bad = [f"B-{n};{sites[1]};mci-csp-reseller;2024-02-30;5.00;USD;no such day" for n in range(3)]
    return "\n".join([HEADER, *rows, *late, *bad])


def upload(page: Page, text: str) -> None:
    page.get_by_label("File of earnings").set_input_files(a_table("other words.csv", text))
    page.get_by_role("button", name="Upload and check").click()


def test_a_few_hundred_lines_are_mapped_followed_committed_and_reversed(visit: Visit, sites: list[str]) -> None:
    visitor = enter(visit, "finance")
    page = visitor.page
    page.get_by_role("link", name="Imports", exact=True).click()
    upload(page, table(sites))

    expect(page.get_by_role("heading", name="Say what the columns are")).to_be_visible()
    look(visitor, "columns")
    for column, field in zip(HEADER.split(";"), FIELDS, strict=False):
        page.get_by_label(f"{column} is").select_option(label=field)
    page.get_by_role("button", name="Read the file with these columns").click()
    expect(page.get_by_role("alert")).to_contain_text("The currency of the amount")
    look(visitor, "refused columns")
    page.get_by_label("Money is").select_option(label="The currency of the amount")
    page.get_by_role("button", name="Read the file with these columns").click()

    expect(page.get_by_text("Checking every line")).to_be_visible()
    delivery = Import.objects.latest("id")
    ImportProgress.objects.create(import_id=delivery.pk, step="Reading", percent=37, at=clock.now())
    expect(page.locator("span", has_text="Reading, 37 %")).to_be_visible()
    look(visitor, "import at work")
    ImportProgress.objects.all().delete()
    jobs.check_imports(clock.now())

    commit = page.get_by_role("button", name=re.compile(r"Commit 421 lines \([+][0-9,.]+ USD\)"))
    expect(commit).to_be_visible()
    expect(page.get_by_text("25 of 30 funds").or_(page.get_by_text("25 of 31 funds"))).to_be_visible()
    look(visitor, "difference")
    page.get_by_label("Funds", exact=True).select_option(label="Below zero after")
    page.get_by_role("button", name="Apply filters").click()
    expect(page.get_by_text("Below zero: nobody can claim from it")).to_be_visible()
    expect(page.get_by_text("1 of 1 fund")).to_be_visible()
    look(visitor, "difference below zero")
    page.get_by_role("link", name="Imports", exact=True).first.click()
    page.get_by_role("link", name="other words.csv").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all 3 with their reasons").click()
    assert "2024-02-30" in download.value.path().read_text(encoding="utf-8")
    commit.click()
    expect(page.get_by_text("421 lines committed.")).to_be_visible()
    look(visitor, "committed import")
    assert Earning.objects.filter(delivery=delivery).count() == 421

    page.get_by_role("link", name="Reverse").click()
    expect(page.get_by_role("heading", name="Reverse this import")).to_be_visible()
    look(visitor, "reversing")
    page.get_by_role("button", name="Reverse 421 lines").click()
    expect(page.get_by_role("alert")).to_contain_text("Say why the import is reversed")
    page.get_by_label("Why is it reversed?").fill("The vendor sent it by mistake.")
    page.get_by_role("button", name="Reverse 421 lines").click()
    expect(page.get_by_text("The import is reversed.")).to_be_visible()
    look(visitor, "reversed import")
    assert not Fund.objects.exclude(earned_minor=1_000_355).exclude(earned_minor=0).exists()

    page.get_by_role("link", name="Imports", exact=True).first.click()
    upload(page, table(sites, amount="1250.51"))  # the header is known by now
    expect(page.get_by_text("Checking every line")).to_be_visible()
    look(visitor, "imports with a history")


def test_an_import_goes_on_without_script(visit: Visit, sites: list[str]) -> None:
    page = enter(visit, "finance", script=False).page
    page.get_by_role("link", name="Imports", exact=True).click()
    upload(page, table(sites))
    fields = [*FIELDS, "The currency of the amount"]
    for column, field in zip(HEADER.split(";"), fields, strict=False):
        page.get_by_label(f"{column} is").select_option(label=field)
    page.get_by_role("button", name="Read the file with these columns").click()
    expect(page.get_by_text("Checking every line")).to_be_visible()
    jobs.check_imports(clock.now())
    page.get_by_role("link", name="reload it").click()
    page.get_by_role("button", name=re.compile("Commit 421 lines")).click()
    expect(page.get_by_text("421 lines committed.")).to_be_visible()


def test_a_report_is_reconciled_in_the_browser(visit: Visit, sites: list[str]) -> None:
    visitor = enter(visit, "finance")
    page = visitor.page
    look(visitor, "finance")
    page.get_by_role("link", name="Reconciliation").click()
    look(visitor, "no reconciliations")
    page.get_by_role("button", name="Compare with our books").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose the report")
    line = Earning.objects.order_by("external_id")[0]
    text = "external_id,location,program,earned_on,amount,currency\n" + "".join(
        f"{name},{sites[0]},mci-csp-reseller,2023-08-15,{amount},USD\n"
        for name, amount in ((line.external_id, "24999.99"), ("X-1", "10.00"))
    )
    page.get_by_label("The vendor's report").set_input_files(a_table("report.csv", text))
    page.get_by_role("button", name="Compare with our books").click()
    expect(page.get_by_text("The amounts differ.")).to_be_visible()
    look(visitor, "reconciliation")
    page.get_by_role("link", name="1", exact=True).first.click()
    expect(page.get_by_text("Showing only: Different")).to_be_visible()
    page.get_by_role("link", name="Reconciliation", exact=True).click()
    look(visitor, "reconciliations")
