"""Bodies that are small to send and dear to read."""

from __future__ import annotations

import time

import pytest

from claims.models import Claim
from funds.models import Fund
from tests import factories
from tests.api.client import api_of

pytestmark = pytest.mark.django_db


def test_a_doubled_name_among_very_many_is_found_at_once(fund: Fund) -> None:
    api = api_of(factories.marketer_of(fund.partner))
    body = b"{" + b",".join(b'"%d":1' % number for number in range(60_000)) + b',"7":2}'
    began = time.monotonic()
    answer = api.send("POST", "claims/", raw=body)
    assert (answer.status, answer.code) == (400, "invalid")
    assert time.monotonic() - began < 5  # name by name it takes a minute, and an hour for the largest body


def test_a_body_that_is_wrong_throughout_is_not_answered_with_many_times_its_size(fund: Fund) -> None:
    api = api_of(factories.marketer_of(fund.partner))
    answer = api.send("POST", "claims/", {str(number): 1 for number in range(20_000)})
    assert answer.status == 400
    assert len(answer["errors"]) == 500


def test_more_decisions_than_a_claim_has_lines_are_not_even_read(claim: Claim) -> None:
    api = api_of(factories.vendor("manager"))
    answer = api.send("POST", f"claims/{claim.pk}/approve/", {"decisions": [1] * 1_001})
    assert answer.status == 400
    assert list(answer.fields) == ["decisions"]
