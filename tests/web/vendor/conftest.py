"""What the tests of the vendor's pages share: signing in, and reading a page's words."""

from collections.abc import Callable
from html import unescape
from re import sub
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from partners.models import Person
from tests.factories import vendor

Enter = Callable[[str | Person], Client]
MOST_QUERIES = 13


@pytest.fixture
def enter() -> Enter:
    """Sign in one of the vendor's people by name, or anybody; returns the browser."""

    def sign_in(who: str | Person) -> Client:
        client = Client()
        client.force_login(vendor(who) if isinstance(who, str) else who)
        return client

    return sign_in


def words(response: Any) -> str:
    """A page's text without its tags, each run of spaces as one."""
    return sub(r"\s+", " ", unescape(sub(r"<[^>]+>", " ", response.content.decode())))


def get_within_bound(client: Client, url: str, most: int = MOST_QUERIES) -> Any:
    """The page, asked for with no more queries than a page may use: `most` where one needs more than others."""
    with CaptureQueriesContext(connection) as queries:
        response = client.get(url)
    assert len(queries) <= most, f"{url} used {len(queries)} queries"
    return response
