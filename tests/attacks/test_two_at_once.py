"""What only the database sees, on a page: a sentence, not a broken page."""

from __future__ import annotations

import threading

import pytest
from django.db import DataError, IntegrityError, OperationalError, connection, transaction
from django.test import Client

from coop.lib.web import refusal_of
from funds.models import Fund
from tests import factories


@pytest.mark.django_db(transaction=True)
def test_a_page_that_waited_in_vain_for_another_writer_says_so() -> None:
    claim = factories.make_sent_claim(factories.make_fund(), "4000.00")
    client = Client(raise_request_exception=False)
    client.force_login(factories.marketer_of(claim.partner))
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Fund.objects.select_for_update().get(pk=claim.fund_id)
            held.set()
            done.wait(20)
        connection.close()

    writer = threading.Thread(target=hold)
    writer.start()
    try:
        assert held.wait(10)
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '200ms'")
        answer = client.post(f"/claims/{claim.pk}/withdraw/", {"revision": str(claim.revision)})
    finally:
        done.set()
        writer.join()
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
    assert answer.status_code == 409
    assert "Somebody else is saving here" in answer.content.decode()


@pytest.mark.parametrize("error", [ValueError("a slip"), OperationalError("gone"), IntegrityError("a rule")])
def test_a_fault_of_ours_stays_a_fault(error: Exception) -> None:
    assert refusal_of(error) is None


def test_a_value_that_no_column_holds_is_invalid() -> None:
    refusal = refusal_of(DataError("out of range"))
    assert refusal is not None
    assert refusal.status == 400
