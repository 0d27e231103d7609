"""Addresses that nobody was given: what stands in them is read as nothing, and never breaks a page."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from django.test import Client

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
