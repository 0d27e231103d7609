"""Days that no calendar of a program reaches."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from coop.lib.forms import DayField
from tests import factories
from tests.api.client import api_of


@pytest.mark.parametrize("text", ["0001-01-01", "1999-12-31", "2101-01-01", "9999-12-31"])
def test_a_page_takes_no_day_that_the_api_would_not_take(text: str) -> None:
    with pytest.raises(ValidationError, match="from 2000 to 2100"):
        DayField().clean(text)


@pytest.mark.django_db
@pytest.mark.parametrize("offset", ["+23:59", "-23:59", "+14:00"])
def test_an_instant_with_any_offset_is_an_instant(client: Client, offset: str) -> None:
    fund = factories.make_fund()
    who = factories.marketer_of(fund.partner)
    client.force_login(who)
    known_at = f"2024-03-02T00:00:00{offset}"
    assert client.get(f"/funds/{fund.pk}/", {"known_at": known_at}).status_code == 200
    assert api_of(who).get("funds/", known_at=known_at).status == 200
