"""Who somebody is does not change by itself."""

from __future__ import annotations

import pytest
from django.test import Client

from funds.models import Fund
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("action", ["action_add", "action_primary"])
def test_nobody_gives_themselves_another_address(fund: Fund, action: str) -> None:
    marketer = factories.marketer_of(fund.partner)
    before = marketer.email
    client = Client(raise_request_exception=False)
    client.force_login(marketer)
    said = client.post("/accounts/email/", {"email": "finance9@vendor.example", action: ""})
    assert said.status_code == 404
    assert client.get("/accounts/email/").status_code == 404
    marketer.refresh_from_db()
    assert marketer.email == before
