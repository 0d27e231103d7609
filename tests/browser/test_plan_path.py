"""A plan from its first word to the claim on it: written by a partner, decided in part, refused to whom may not decide."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from claims.models import Claim, Plan, PlanActivity
from coop.people import PASSWORD, load_vendor_people
from tests.browser.steps import Visit, enter, look
from tests.factories import CLAIMING, make_enrollment, make_fund, make_person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PICTURES = Path(os.environ["COOP_PICTURES"]) if "COOP_PICTURES" in os.environ else None


def fill_activity(page: Page, *, outcome: str) -> None:
    """On the page of an activity: what it promotes, and what it is meant to bring about; the script saves it."""
    page.get_by_label("Solution area").select_option("security")
    page.get_by_label("What you expect of it").fill(outcome)
    expect(page.locator("[data-saved]")).to_contain_text("Saved")
    page.get_by_role("button", name="Save and continue").click()


def test_a_plan_is_written_decided_in_part_and_claimed_on(visit: Visit) -> None:
    load_vendor_people(CLAIMING)
    fund = make_fund(enrollment=make_enrollment(program="surface-adr"))
    ana = make_person(fund.partner, name="Ana Ruiz", password=PASSWORD)
    una = make_person(role="channel_manager", name="Una Titled", password=PASSWORD, portfolio=[fund.partner_id])

    # Ana writes a plan with two activities; the second asks for too much first.
    partner = visit()
    partner.sign_in(ana)
    page = partner.page
    expect(page.get_by_role("heading", name="Home", level=1)).to_be_visible()
    partner.go("/plans/")
    look(partner, "no plans", pictures=PICTURES)
    page.get_by_role("link", name="New plan").first.click()
    look(partner, "new plan", pictures=PICTURES)
    page.get_by_label("Name of the plan").fill("Spring in Austria")
    page.get_by_role("radio", name="Telemarketing").check()
    page.get_by_label("First day").fill("2024-03-10")
    page.get_by_label("Last day").fill("2024-03-20")
    page.get_by_label("Amount to ask for").fill("8,000.00")
    page.get_by_role("button", name="Start the plan").click()
    expect(page.get_by_role("heading", name="Spring in Austria", level=1)).to_be_visible()
    page.get_by_role("link", name="Telemarketing", exact=True).click()
    look(partner, "activity", pictures=PICTURES)
    fill_activity(page, outcome="300 calls, 25 first meetings")
    page.get_by_role("link", name="Add an activity").click()
    look(partner, "add an activity", pictures=PICTURES)
    page.get_by_role("button", name="Add the activity").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose the activity that you plan")
    page.get_by_role("radio", name="Customer seminars").check()
    page.get_by_label("Amount to ask for").fill("3,000.00")
    page.get_by_role("button", name="Add the activity").click()
    page.get_by_label("First day").fill("2024-04-02")
    page.get_by_label("Last day").fill("2024-04-02")
    fill_activity(page, outcome="40 guests")
    expect(page.get_by_text("Saved. The rules do not allow it yet: see below.")).to_be_visible()
    look(partner, "activity over budget", pictures=PICTURES)
    page.get_by_role("link", name=re.compile(r"^PL-")).click()
    expect(page.get_by_text("More than there is")).to_be_visible()
    look(partner, "draft over budget", pictures=PICTURES)
    page.get_by_role("link", name="Check and send").click()
    expect(page.get_by_role("heading", name="Not ready to be sent yet")).to_be_visible()
    expect(page.get_by_text("996.45 USD").first).to_be_visible()
    look(partner, "not ready", pictures=PICTURES)
    page.get_by_role("link", name="Back to what the plan needs").click()
    page.get_by_role("link", name=re.compile("Customer seminars")).click()
    page.get_by_label("Amount to ask for").fill("1,000.00")
    page.get_by_role("button", name="Save and continue").click()
    page.get_by_role("link", name="About the plan").or_(
        page.get_by_role("link", name="Change name of the plan")
    ).first.click()
    look(partner, "about the plan", pictures=PICTURES)
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("link", name="Check and send").click()
    look(partner, "check and send plan", pictures=PICTURES)
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Send plan for approval, 9,000.00 USD").click()
    expect(page.get_by_role("heading", name="Your plan is sent")).to_be_visible()
    look(partner, "plan receipt", pictures=PICTURES)
    page.get_by_role("link", name="See the plan").click()
    expect(page.get_by_text("was sent and waits for approval")).to_be_visible()
    look(partner, "sent plan", pictures=PICTURES)
    plan = Plan.objects.get()

    # Una looks after the partner, but has none of the titles that the program asks for.
    untitled = visit()
    untitled.sign_in(una)
    expect(untitled.page.get_by_role("heading", name="Worklist", level=1)).to_be_visible()
    untitled.go(f"/plans/{plan.pk}/review/")
    expect(untitled.page.get_by_text("You may not decide this plan")).to_be_visible()
    expect(untitled.page.get_by_text("You have no title")).to_be_visible()
    expect(untitled.page.get_by_role("button", name="Check the letter")).to_have_count(0)
    look(untitled, "plan that one may not decide", pictures=PICTURES)

    # Mara has: she approves one activity in part and declines the other.
    manager = enter(visit, "manager")
    desk = manager.page
    expect(desk.get_by_role("heading", name="Worklist", level=1)).to_be_visible()
    desk.get_by_role("link", name="Spring in Austria").click()
    look(manager, "plan review", pictures=PICTURES)
    calls = desk.get_by_role("group", name="Telemarketing, 8,000.00 USD")
    calls.get_by_label("Approve less").check()
    calls.get_by_label("Approved amount").fill("6,500.00")
    calls.get_by_label("Reason from the list").select_option(label="The amount is above the limit for this activity.")
    seminar = desk.get_by_role("group", name=re.compile("Customer seminars.*1,000.00 USD"))
    seminar.get_by_label("Decline").check()
    seminar.get_by_label("Reason in your words").fill("The same guests were invited in February.")
    seminar.get_by_label("Reason in your words").blur()
    expect(desk.get_by_text("Approved in all: 6,500.00 USD")).to_be_visible()
    desk.get_by_role("button", name="Check the letter").click()
    expect(desk.get_by_role("button", name="Approve 6,500.00 USD")).to_be_visible()
    look(manager, "plan letter", pictures=PICTURES)
    desk.get_by_role("button", name="Approve 6,500.00 USD").click()
    expect(desk.get_by_text("Approved: 6,500.00 USD")).to_be_visible()
    manager.go(f"/plans/{plan.pk}/review/")
    look(manager, "decided plan", pictures=PICTURES)
    for path, name in (
        ("/portfolio/", "portfolio"),
        (f"/portfolio/{fund.partner_id}/", "partner of the portfolio"),
        ("/portfolio/standing-in/", "standing in"),
        ("/portfolio/standing-in/new/", "let somebody stand in"),
        ("/plans/", "plans of partners"),
    ):
        manager.go(path)
        look(manager, name, pictures=PICTURES)

    # Ana reads the reasons and starts a claim on what was approved.
    page.reload()
    expect(
        page.get_by_role("heading", name="We approve 6,500.00 USD of the 9,000.00 USD you asked for")
    ).to_be_visible()
    expect(page.get_by_text("The same guests were invited in February.").first).to_be_visible()
    look(partner, "approved plan", pictures=PICTURES)
    for verb in ("amend", "cancel"):
        partner.go(f"/plans/{plan.pk}/{verb}/")
        look(partner, f"{verb} a plan", pictures=PICTURES)
    partner.go(f"/plans/{plan.pk}/")
    page.get_by_role("link", name="Start claim").click()
    page.get_by_role("button", name="Start the claim").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    activity = PlanActivity.objects.get(reserved_minor=650_000)
    assert Claim.objects.get().plan_activity == activity
    partner.go("/plans/")
    look(partner, "plans", pictures=PICTURES)
