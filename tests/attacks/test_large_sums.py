"""Sums that are larger than any single amount that is taken."""

from __future__ import annotations

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from coop.lib import money
from funds.models import Fund, Import
from tests import factories
from tests.api.client import api_of

LARGEST = "99999999999.99"


@given(st.integers(-(2**63), 2**63 - 1), st.sampled_from(["USD", "JPY", "KWD"]))
def test_a_sum_that_was_written_is_read_as_it_was(minor: int, currency: str) -> None:
    assert money.from_text(money.to_text(minor, currency), currency) == minor


@pytest.mark.django_db
def test_a_delivery_of_the_largest_amounts_can_be_looked_at(fund: Fund) -> None:
    finance = factories.vendor("finance")
    line = {"location": fund.location.external_id, "program": fund.program.code, "earned_on": "2023-12-01"}
    lines = [{**line, "external_id": f"L-{n}", "amount": LARGEST, "currency": "USD", "kind": "coop"} for n in (1, 2)]
    assert api_of(finance).post("earnings/", {"lines": lines})["created"] == 2
    client = Client(raise_request_exception=False)
    client.force_login(finance)
    for path in (f"/imports/{Import.objects.latest('id').pk}/", "/imports/", f"/funds/{fund.pk}/", "/finance/"):
        assert client.get(path).status_code == 200, path
