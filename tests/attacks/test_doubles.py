"""Money that would come twice, because two ids only look the same."""

from __future__ import annotations

import pytest

from funds.models import Earning, Fund
from tests import factories
from tests.api.client import api_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("double", ["E-1\u200b", "E\u00ad-1", "\ufeffE-1", "\uff25-1", "E-1\u2069", "E\u0301-1"])
def test_an_id_that_only_looks_different_to_a_machine_is_no_second_line(fund: Fund, double: str) -> None:
    line = {
        "external_id": double,
        "location": fund.location.external_id,
        "program": fund.program.code,
        "earned_on": "2023-12-01",
        "amount": "100.00",
        "currency": "USD",
    }
    known = Earning.objects.count()
    answer = api_of(factories.vendor("finance")).post("earnings/", {"lines": [line, {**line, "external_id": "E-1"}]})
    assert (answer.status, answer["created"]) == (201, 1)
    assert [(row["index"], row["field"]) for row in answer["rejected"]] == [(0, "external_id")]
    assert Earning.objects.count() == known + 1
