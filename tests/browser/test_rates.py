"""Somebody of finance loads exchange rates in a real browser, wide and narrow, and is told what is wrong with a file."""

from __future__ import annotations

import pytest
from playwright.sync_api import FilePayload, expect

from coop.people import load_vendor_people
from tests.browser.steps import Visit, enter, look
from tests.factories import CLAIMING, set_clock

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HEADER = "base,quote,on,rate,source\n"
GOOD = HEADER + "EUR,USD,2024-02-29,1.0826,ECB\nGBP,USD,2024-02-29,1.2645,ECB\nUSD,JPY,2024-02-29,150.67,ECB\n"


def csv_file(text: str) -> FilePayload:
    return {"name": "rates.csv", "mimeType": "text/csv", "buffer": text.encode()}


def test_rates_are_loaded_and_what_is_wrong_with_a_file_is_said(visit: Visit) -> None:
    load_vendor_people(set_clock(CLAIMING))
    finance = enter(visit, "finance")
    page = finance.page
    page.get_by_role("link", name="Exchange rates").click()
    look(finance, "rates-empty")
    page.get_by_label("File of rates").set_input_files(csv_file(GOOD.replace("EUR", "EURO").replace("1.2645", "x")))
    page.get_by_role("button", name="Load rates").click()
    expect(page.get_by_text("“EURO” is not the code of a current currency").first).to_be_visible()
    look(finance, "rates-refused")
    page.get_by_label("File of rates").set_input_files(csv_file(GOOD))
    page.get_by_role("button", name="Load rates").click()
    expect(page.get_by_text("3 rates loaded.")).to_be_visible()
    expect(page.get_by_text("150.67 JPY")).to_be_visible()
    look(finance, "rates")
