"""Time comes from the database: the sandbox's row where there is one, else the server's clock."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, connection, transaction

from coop.lib import clock
from coop.lib.models import SandboxClock
from tests import factories as make

pytestmark = pytest.mark.django_db


def test_the_clock_stands_still_where_it_was_set() -> None:
    at = make.set_clock(datetime(2024, 8, 14, 23, 59, 59, 999_999, tzinfo=UTC))
    assert clock.now() == clock.now() == at
    assert clock.today().isoformat() == "2024-08-14"


def test_without_a_row_it_is_the_servers_clock_and_moves_within_a_transaction() -> None:
    first = clock.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.01)")
    assert clock.now() > first  # not now(), which is the transaction's start
    assert first.tzinfo is not None


def test_there_is_one_clock() -> None:
    make.set_clock(make.CLAIMING)
    with pytest.raises(DatabaseError, match="sandbox_clock_is_one_row"), transaction.atomic():
        SandboxClock.objects.create(id=2, now=make.CLAIMING)
