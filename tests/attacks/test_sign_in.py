"""Guessing passwords: the attempts are counted in the database, so that no other process begins anew."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client

from tests import factories as make

pytestmark = pytest.mark.django_db


def attempt(email: str, password: str) -> int:
    return Client().post("/accounts/login/", {"login": email, "password": password}).status_code


def test_a_password_is_not_guessed_by_trying() -> None:
    cache.clear()
    person = make.vendor("finance")
    answers = [attempt(person.email, f"wrong-{n}") for n in range(8)]
    page = Client().post("/accounts/login/", {"login": person.email, "password": "coop-demo-2024"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM lib_cache")
        assert cursor.fetchone()[0] > 0, "the attempts are counted where every process sees them"
    assert 200 in answers
    assert page.status_code in (200, 429), "after too many failures the right password is refused as well, for a while"
    assert not page.wsgi_request.user.is_authenticated
    cache.clear()
