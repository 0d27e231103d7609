"""A rule is changed, simulated and published by two people in a real browser, wide and narrow."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from coop.people import load_vendor_people
from tests.browser.steps import Visit, enter, look
from tests.factories import CLAIMING, make_approved_claim, make_fund

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

EXAMPLES = """
[[examples]]
outcome = "passed"
facts = { earned = "10000.00", claimed = "1000.00" }
[[examples]]
outcome = "failed"
facts = { earned = "10000.00", claimed = "1000.01" }
"""


def test_one_person_drafts_and_simulates_a_rule_and_another_publishes_it(visit: Visit) -> None:
    load_vendor_people(CLAIMING)
    make_approved_claim(make_fund(), "2000.00", activity="spiff")
    first = enter(visit, "program")
    page = first.page
    page.get_by_role("link", name="Rules", exact=True).first.click()
    look(first, "rules")
    page.get_by_label("About").select_option("Limits")
    page.get_by_role("button", name="Apply filters").click()
    page.get_by_role("link", name="At most 25 % of the co-op that the fund earned").nth(1).click()
    look(first, "rule")
    page.get_by_role("link", name="Begin a draft to change it").click()
    page.get_by_label("What is to change").fill("FY24 H2: less for SPIFF")
    look(first, "rules-draft-new")
    page.get_by_role("button", name="Begin the draft").click()

    page.get_by_label("Percent").fill("ten")
    page.get_by_role("button", name="Save in the draft").click()
    expect(page.get_by_text("Say from which day on it holds").first).to_be_visible()
    look(first, "rules-draft-rule-errors")
    page.get_by_label("Percent").fill("10")
    page.get_by_label("From this day on").fill("2024-01-01")
    page.get_by_label("Examples").fill(EXAMPLES)
    page.get_by_role("button", name="Save in the draft").click()
    look(first, "rules-draft-rule")
    page.get_by_role("link", name="Back to the draft").click()
    look(first, "rules-draft")

    page.get_by_role("link", name="Simulate on past claims").click()
    page.get_by_label("Decided from").fill("2023-07-01")
    page.get_by_label("Until").fill("2024-06-30")
    page.get_by_role("button", name="Simulate").click()
    expect(page.get_by_text("1 of 1 decisions would have come out otherwise.")).to_be_visible()
    look(first, "rules-simulator")
    page.go_back()
    page.go_back()
    page.get_by_role("button", name="Request publication").click()
    expect(page.get_by_text("another program admin decides")).to_be_visible()

    second = enter(visit, "program2")
    page = second.page
    page.get_by_role("link", name="Rules", exact=True).first.click()
    page.get_by_role("link", name="FY24 H2: less for SPIFF").click()
    look(second, "rules-draft-to-decide")
    page.get_by_role("button", name="Publish these rules").click()
    expect(page.get_by_text("these rules are in force now")).to_be_visible()
    page.get_by_role("link", name="Rules", exact=True).first.click()
    page.get_by_role("link", name="All publications").click()
    expect(page.get_by_text("Paul Novak, asked for by Priya Raman")).to_be_visible()
    look(second, "rules-publications")
