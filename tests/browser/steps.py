"""What people do at the pages, in steps that several stories share. Each begins and ends on a page that the story shows."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.browser.conftest import WIDTHS, Visitor, a_file
from tests.factories import vendor

Visit = Callable[..., Visitor]
Look = Callable[[str], None]


def enter(visit: Visit, who: str, **window: bool) -> Visitor:
    """Open a window in which one of the vendor's people is signed in; `load_vendor_people` must have made them."""
    visitor = visit(**window)
    visitor.sign_in(vendor(who))
    return visitor


def look(visitor: Visitor, name: str, *, pictures: Path | None = None) -> None:
    """Check the page as it stands, at both widths; keep a picture of each where a folder is given."""
    for width in WIDTHS:
        visitor.page.set_viewport_size({"width": width, "height": 900})
        visitor.check(f"{name} at {width}")
        if pictures:
            visitor.photograph(pictures, f"{name} {width}".replace(" ", "-"))
    visitor.page.set_viewport_size({"width": WIDTHS[0], "height": 900})


# --- The partner writes a claim ---------------------------------------------------------------------------------------


def choose_telemarketing(page: Page, title: str) -> None:
    """On the page of a new claim: what was done, and when."""
    page.get_by_role("radio", name="Telemarketing").check()
    page.get_by_label("First day").fill("2024-02-19")
    page.get_by_label("Last day").fill("2024-02-28")
    page.get_by_label("Your name for it").fill(title)
    page.get_by_role("button", name="Start the claim").click()


def write_invoice(page: Page, number: str, amount: str, *, file: str = "") -> None:
    """On the page of a line: what a call centre charged, with the invoice itself where a file is named."""
    page.get_by_label("Supplier", exact=True).fill("Callcenter Nord")
    page.get_by_label("Invoice number", exact=True).fill(number)
    page.get_by_label("Invoice date", exact=True).fill("2024-02-29")
    page.get_by_label("Amount to claim").fill(amount)
    if file:
        page.get_by_label("Invoice file", exact=True).set_input_files(a_file(file))
    page.get_by_role("button", name="Save and continue").click()


def upload_proof(page: Page, proof: str, file: str) -> None:
    page.get_by_label(f"File for {proof}").set_input_files(a_file(file))
    page.get_by_role("button", name="Save proof").click()


def fill_in_results(page: Page) -> None:
    page.get_by_label("Calls made").fill("1,200")
    page.get_by_label("Successful contacts").fill("85")


def declare_and_send(page: Page, amount: str) -> None:
    """On the page that checks a complete claim; the receipt follows."""
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name=f"Send claim for {amount}").click()
    expect(page.get_by_role("heading", name="Your claim is sent")).to_be_visible()
    expect(page.get_by_role("heading", name=f"Receipt: {amount} claimed")).to_be_visible()


# --- The vendor's people ----------------------------------------------------------------------------------------------


def accept_less(line: Page | Locator, amount: str, reason: str) -> None:
    """Decide one line of a claim in review: `line` is its group, or the page where there is only one."""
    line.get_by_label("Accept less").check()
    line.get_by_label("Approved amount").fill(amount)
    line.get_by_label("Reason, visible to the partner").fill(reason)
    line.get_by_label("Reason, visible to the partner").blur()


def a_table(name: str, text: str) -> FilePayload:
    return {"name": name, "mimeType": "text/csv", "buffer": text.encode()}


def upload_earnings(page: Page, rows: list[str]) -> None:
    """On the page of imports; the worker's job checks the file afterwards."""
    page.get_by_label("File of earnings").set_input_files(a_table("august.csv", "\n".join(rows)))
    page.get_by_role("button", name="Upload and check").click()
    expect(page.get_by_text("Checking every line")).to_be_visible()


def export_run(page: Page) -> str:
    """On the page of an approved run: export it, and take the table for the bank from the page that follows."""
    page.get_by_role("button", name="Export for the bank").click()
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile(r"payment-run-\d+\.csv")).click()
    return download.value.path().read_text(encoding="utf-8")


def sent_by_bank(exported: str, amount: str, sent_on: str) -> str:
    """The exported file as the bank fills it in: all of it was sent, and one payment is of the amount."""
    waiting = f"{amount},,,,"
    assert exported.count(waiting) == 1, exported
    return exported.replace(",,,,", f",sent,{sent_on},BANK-1,")


def read_results(page: Page, filled: str) -> None:
    """On the page of results: give back the file that the bank filled in."""
    page.get_by_label("The file with its results").set_input_files(a_table("run.csv", filled))
    page.get_by_role("button", name="Read the file").click()
    expect(page.get_by_text("The run is settled.")).to_be_visible()


def move_clock(page: Page, day: str, time: str = "") -> None:
    """On the page of the sandbox's clock: move it to an instant of UTC."""
    page.get_by_label("To a day and time of my own").check()
    page.get_by_label("Day", exact=True).fill(day)
    page.get_by_label("Time in UTC").fill(time)
    page.get_by_role("button", name="Move the clock").click()
