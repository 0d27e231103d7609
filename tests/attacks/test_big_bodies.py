"""Bodies that are small to send and dear to read."""

from __future__ import annotations

import time

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

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


def test_a_stranger_fills_no_disk(client: Client) -> None:
    """Django would read the whole form for its token before anybody asks who sends it."""
    file = SimpleUploadedFile("x.csv", b"x" * 6_000_000)
    answer = client.post("/imports/", {"file": file})
    assert answer.status_code == 403
    assert answer.wsgi_request._read_started is False
    assert "Sign in before you send a file" in answer.content.decode()


def test_a_form_larger_than_any_is_refused_unread_and_the_command_is_named(client: Client) -> None:
    client.force_login(factories.vendor("finance"))
    answer = client.post("/imports/", {"file": SimpleUploadedFile("x.csv", b"x")}, CONTENT_LENGTH="10000000000")
    assert answer.status_code == 413
    assert answer.wsgi_request._read_started is False
    assert "manage.py import_earnings FILE" in answer.content.decode()


def test_a_file_larger_than_any_is_refused_by_the_api_and_the_command_is_named() -> None:
    api = api_of(factories.vendor("finance"))
    answer = api.client.post(
        "/api/v1/imports/",
        {"file": SimpleUploadedFile("x.csv", b"x")},
        headers={"Authorization": f"Bearer {api.secret}"},
        CONTENT_LENGTH="10000000000",
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert "manage.py import_earnings FILE" in answer.json()["detail"]
