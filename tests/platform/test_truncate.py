"""The tests' own way to empty append-only tables leaves their refusals as they were."""

import pytest
from django.db import DatabaseError, connection, transaction

from tests.truncate import truncate_in_tests

TRIGGERS = "SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2"


@pytest.mark.django_db(transaction=True)
def test_tests_may_empty_the_ledger_and_afterwards_it_refuses_again() -> None:
    with connection.cursor() as cursor:
        cursor.execute(TRIGGERS)
        before = cursor.fetchall()
        truncate_in_tests(["TRUNCATE funds_entry CASCADE"])
        cursor.execute(TRIGGERS)
        assert cursor.fetchall() == before
        with pytest.raises(DatabaseError), transaction.atomic():
            cursor.execute("TRUNCATE funds_entry CASCADE")
