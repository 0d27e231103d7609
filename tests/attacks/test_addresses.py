"""Addresses that nobody was given: what stands in them is read as nothing, and never breaks a page."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from claims.models import Claim
from claims.operations.rule_drafts import begin_draft
from coop.lib import clock
from funds.models import Entry, Fund
from partners.models import Person
from tests import factories

pytestmark = pytest.mark.django_db

# Digits to Python's isdigit, but not to int; more digits than a number of the database has; a NUL.
NUMBERS = ("²", "٣", "9" * 40, "-1", "1\x00")


def signed_in(person: Person) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(person)
    return client


@pytest.mark.parametrize("before", NUMBERS)
@pytest.mark.parametrize("path", ["/payment-runs/", "/imports/", "/payments/", "/claims/"])
def test_a_list_begins_at_its_start_when_its_place_is_none(path: str, before: str, fund: Fund) -> None:
    client = signed_in(factories.vendor("finance"))
    assert client.get(f"{path}?before={quote(before)}").status_code == 200


@pytest.mark.parametrize("after", ["²-1-1", "1-1-²", "9" * 300 + "-1-1", "1\x00-1-1", "--"])
def test_the_worklist_begins_at_its_start_when_its_place_is_none(after: str, fund: Fund) -> None:
    client = signed_in(factories.vendor("manager"))
    assert client.get(f"/worklist/?after={quote(after)}").status_code == 200


def test_a_search_for_what_no_column_holds_finds_nothing(fund: Fund) -> None:
    client = signed_in(factories.marketer_of(fund.partner))
    assert client.get("/search/?q=%00zz").status_code == 200


def test_earnings_after_what_no_id_is_are_all_of_them(fund: Fund) -> None:
    client = signed_in(factories.marketer_of(fund.partner))
    delivery = Entry.objects.filter(fund=fund, reference_type="import").first()
    assert delivery is not None
    assert client.get(f"/funds/{fund.pk}/earnings/?import={delivery.reference}&after=%00").status_code == 200


LONG = "9" * 5_000  # more digits than Python reads as a number


def test_a_number_in_a_form_that_is_none_breaks_no_page(fund: Fund) -> None:
    draft, plan = factories.make_claim(fund), factories.make_plan(fund)
    client = signed_in(draft.created_by)
    claim = f"/claims/{draft.pk}"
    for path, given in (
        ("/claims/?show=all", {}),
        (f"{claim}/withdraw/", {"revision": LONG}),
        (f"{claim}/reuse/?kind=invoice", {"document": LONG}),
        (f"{claim}/work/new/", {"rows": LONG}),
        (f"{claim}/results/", {"metric_calls": LONG, "revision": LONG}),
        ("/plans/copy/", {"plan": LONG, "fund": LONG}),
        (f"/plans/{plan.pk}/withdraw/", {"revision": LONG}),
    ):
        answer = client.post(path, given) if given else client.get(f"{path}&before={LONG}")
        assert answer.status_code < 500, path


def test_a_number_in_a_form_of_the_vendor_that_is_none_breaks_no_page(claim: Claim) -> None:
    draft = begin_draft(title="Next year", by=factories.vendor("program"), at=clock.now())
    deep = SimpleUploadedFile("catalog.toml", b"x = " + b"[" * 5_000 + b"]" * 5_000)
    for who, path, given in (
        ("manager", f"/review/{claim.pk}/return/", {"act": "add", "fix-TOTAL_FORMS": "many"}),
        ("program", f"/rules/drafts/{draft.pk}/act/request/", {"revision": LONG}),
        ("program", f"/rules/drafts/{draft.pk}/rule/invoice_date/end/", {"revision": LONG, "last_day": "2030-06-30"}),
        ("program", f"/rules/drafts/{draft.pk}/file/", {"file": deep}),
        ("program", f"/rules/drafts/{draft.pk}/file/", {"file": SimpleUploadedFile("x.toml", f"x = {LONG}".encode())}),
    ):
        assert signed_in(factories.vendor(who)).post(path, given).status_code < 500, path
