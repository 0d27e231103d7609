"""A marketer asks an agency's guest for the call log; the guest gives it and sees nothing else; no words are lost."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from claims.models import Claim
from claims.operations.documents import add_document
from coop.lib import clock
from coop.people import PASSWORD
from tests.browser.conftest import Visitor, a_file
from tests.browser.steps import look
from tests.factories import PDF, make_claim, make_draft, make_fund, make_person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PICTURES = Path(os.environ["COOP_PICTURES"]) if "COOP_PICTURES" in os.environ else None


def test_a_guest_is_asked_uploads_and_cannot_go_elsewhere(visit: Callable[..., Visitor]) -> None:
    fund = make_fund()
    ana = make_person(fund.partner, name="Ana Ruiz", password=PASSWORD)
    gia = make_person(fund.partner, "agency", name="Gia Rossi", password=PASSWORD)
    earlier = make_claim(fund, "100.00", by=ana)
    add_document(earlier.pk, kind="call-script", filename="spring.pdf", data=PDF, by=ana, at=clock.now())
    draft = make_draft(fund, by=ana, title="Spring calls")

    partner = visit()
    partner.sign_in(ana)
    partner.go(f"/claims/{draft.pk}/")
    page = partner.page
    page.get_by_role("link", name="Ask a colleague or an agency").click()
    page.get_by_role("radio", name="Proof of execution").check()
    page.get_by_role("radio", name="Gia Rossi").check()
    page.get_by_label("Note").fill("The call log of February")
    look(partner, "people", pictures=PICTURES)
    page.get_by_role("button", name="Ask to do this task").click()
    expect(page.get_by_text("Gia Rossi is asked to do this task")).to_be_visible()
    look(partner, "asked", pictures=PICTURES)
    page.get_by_role("link", name="Back to the claim").click()
    look(partner, "hub", pictures=PICTURES)
    page.get_by_role("link", name="Proof of execution").click()
    page.get_by_role("link", name=re.compile("uploaded before.*Call script")).click()
    look(partner, "reuse", pictures=PICTURES)
    page.get_by_role("radio", name="spring.pdf").check()
    page.get_by_role("button", name="Use this file").click()
    expect(page.get_by_text("spring.pdf is used again")).to_be_visible()
    look(partner, "proof", pictures=PICTURES)

    guest = visit()
    guest.sign_in(gia)
    page = guest.page
    expect(page.get_by_text("The call log of February")).to_be_visible()
    look(guest, "guest home", pictures=PICTURES)
    page.get_by_role("link", name="Proof of execution of").click()
    look(guest, "guest task", pictures=PICTURES)
    page.get_by_role("link", name="Begin").click()
    expect(page.get_by_text("spring.pdf")).to_have_count(0)
    look(guest, "guest proof", pictures=PICTURES)
    page.get_by_label("File for Call log").set_input_files(a_file("log.png"))
    page.get_by_role("button", name="Save proof").click()
    expect(page.get_by_role("link", name="log.png", exact=True)).to_be_visible()
    page.get_by_role("button", name="Mark as done").click()
    expect(page.get_by_text("Nothing is asked of you")).to_be_visible()
    for path in (f"/claims/{draft.pk}/", f"/claims/{draft.pk}/proof/", "/claims/", "/funds/", "/plans/"):
        answer = page.goto(guest.address + path)
        assert answer is not None
        assert answer.status == 404, path
    assert sorted(document.filename for document in draft.documents.all()) == ["log.png", "spring.pdf"]


def test_words_are_saved_as_they_come_and_survive_the_end_of_the_session(visit: Callable[..., Visitor]) -> None:
    fund = make_fund()
    ana = make_person(fund.partner, name="Ana Ruiz", password=PASSWORD)
    draft = make_draft(fund, by=ana)
    visitor = visit()
    visitor.sign_in(ana)
    page = visitor.page
    visitor.go(f"/claims/{draft.pk}/about/")
    page.get_by_label("Your name for it").press_sequentially("Calls")
    expect(page.get_by_text("Saved 09:00 UTC")).to_be_visible()
    look(visitor, "saved", pictures=PICTURES)
    Session.objects.all().delete()
    page.get_by_label("Your name for it").fill("Half an hour of work")
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_text("What you were writing there is kept")).to_be_visible()
    page.get_by_label("Email").fill(ana.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("Your name for it")).to_have_value("Half an hour of work")
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_role("heading", name="Half an hour of work")).to_be_visible()
    assert Claim.objects.get(pk=draft.pk).title == "Half an hour of work"


def test_in_house_work_is_described_and_signed(visit: Callable[..., Visitor]) -> None:
    fund = make_fund()
    ana = make_person(fund.partner, name="Ana Ruiz", password=PASSWORD)
    draft = make_draft(fund, by=ana)
    visitor = visit()
    visitor.sign_in(ana)
    page = visitor.page
    visitor.go(f"/claims/{draft.pk}/lines/?kind=csr")
    page.get_by_role("link", name="Describe in-house work").click()
    page.get_by_label("What was done").fill("Calls by our own team")
    for label, value in (("Name", "Ana Ruiz"), ("Role", "Caller"), ("Hours", "7.5"), ("Cost of an hour", "41.33")):
        page.get_by_label(f"{label} of person 1").fill(value)
    page.get_by_label("First day of person 1").fill("2024-03-01")
    look(visitor, "work", pictures=PICTURES)
    page.get_by_role("button", name="Save and see what it cost").click()
    look(visitor, "work saved", pictures=PICTURES)
    page.get_by_role("link", name="Read and sign the statement").click()
    page.get_by_label("Your name").fill("Ana Ruiz")
    page.get_by_label("I certify").check()
    look(visitor, "sign", pictures=PICTURES)
    page.get_by_role("button", name="Sign for 309.98 USD").click()
    expect(page.get_by_text("SHA-256 of the file")).to_be_visible()
    look(visitor, "signed", pictures=PICTURES)
