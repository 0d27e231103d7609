"""What the tests of the partner's pages share: somebody who is signed in, and what a page says."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from partners.models import Person
from tests.factories import PDF

QUERIES = 17  # no page may need more


def text_of(response: HttpResponse) -> str:
    """The words of a page, without its tags."""
    body = re.sub(r"<(script|style|title|desc)\b.*?</\1>", " ", response.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body))).replace("\xa0", " ")


@pytest.fixture
def sign_in() -> Callable[[Person], Client]:
    """Sign somebody in: `client = sign_in(person)`."""

    def signed_in(person: Person) -> Client:
        client = Client()
        client.force_login(person)
        return client

    return signed_in


def page(client: Client, path: str, status: int = 200) -> str:
    """The words of the page at a path, which must take no more than the queries that a page may take."""
    with CaptureQueriesContext(connection) as queries:
        response = client.get(path)
    assert response.status_code == status, f"{path} answers {response.status_code}"
    assert len(queries) <= QUERIES, f"{path} takes {len(queries)} queries: " + "\n".join(q["sql"] for q in queries)
    return text_of(response)


def upload(name: str = "invoice.pdf", content: bytes = PDF) -> SimpleUploadedFile:
    """A file as a form sends it."""
    return SimpleUploadedFile(name, content)
