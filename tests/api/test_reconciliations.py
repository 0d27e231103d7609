"""Reconciliation over the API: a form in, counts and lines out, with the scope that fits the report."""

from __future__ import annotations

import pytest

from funds.models import Fund, Payment, Reconciliation
from tests import factories
from tests.api.client import Api, api_of

HEADER = "payment_id,currency,amount,sent_on,status\n"


@pytest.fixture
def payment(fund: Fund) -> Payment:
    """3,217.45 USD were sent on 4 March 2024."""
    factories.make_approved_claim(fund, "3217.45")
    factories.pay_all()
    return Payment.objects.get()


def test_a_report_of_payments_is_compared_and_its_lines_are_read(finance: Api, payment: Payment) -> None:
    text = HEADER + f"{payment.pk},USD,3217.44,2024-03-04,sent\n7777,USD,5.00,2024-03-04,sent\n"
    made = finance.upload("reconciliations/", text.encode(), "bank.csv", kind="paid")
    assert made.status == 201, made
    assert made["counts"] == {"matched": 0, "different": 1, "missing_here": 1, "missing_there": 0, "unreadable": 0}
    assert made["totals"] == [{"currency": "USD", "theirs": "3222.44", "ours": "3217.45", "difference": "-4.99"}]
    path = f"reconciliations/{made['id']}/"
    assert finance.get(path)["scope"] == [
        {"program": "", "earning_period": "", "first": "2024-03-04", "last": "2024-03-04"}
    ]
    (line,) = finance.get(f"{path}lines/", outcome="different")["results"]
    assert (line["line"], line["theirs"], line["ours"], line["record"]) == (2, "3217.44", "3217.45", str(payment.pk))
    (unknown,) = finance.get(f"{path}lines/", outcome="missing_here")["results"]
    assert (unknown["theirs"], unknown["ours"], unknown["record_type"]) == ("5.00", None, "")
    assert finance.get(f"{path}lines/", outcome="matched").status == 400
    assert [row["id"] for row in finance.get("reconciliations/", kind="paid")["results"]] == [made["id"]]


def test_a_dry_run_answers_and_keeps_nothing(finance: Api, payment: Payment) -> None:
    text = HEADER + f"{payment.pk},USD,3217.45,2024-03-04,sent\n"
    tried = finance.upload("reconciliations/", text.encode(), "bank.csv", kind="paid", query={"dry_run": "true"})
    assert (tried.status, tried["counts"]["matched"]) == (201, 1)
    assert Reconciliation.objects.count() == 0


def test_each_kind_of_report_needs_its_own_scope(payment: Payment) -> None:
    text = HEADER + f"{payment.pk},USD,3217.45,2024-03-04,sent\n"
    person = factories.vendor("finance")
    for scope, kind, status in (
        ("payments:write", "paid", 201),
        ("earnings:write", "paid", 403),
        ("payments:write", "earned", 403),
        ("funds:read", "paid", 403),
    ):
        answer = api_of(person, scope).upload("reconciliations/", text.encode(), "bank.csv", kind=kind)
        assert answer.status == status, (scope, kind, answer)
    assert api_of(factories.vendor("auditor")).upload("reconciliations/", text.encode(), kind="paid").status == 403


def test_what_is_wrong_is_said_at_once(finance: Api, payment: Payment) -> None:
    assert set(finance.upload("reconciliations/", b"a,b\n1,2\n", kind="paid").fields) >= {
        "columns.key",
        "columns.amount",
    }
    assert set(finance.upload("reconciliations/", None).fields) == {"file", "kind"}
    later = finance.upload("reconciliations/", HEADER.encode(), kind="paid", known_at="2024-03-05T00:00:00Z")
    assert later.fields == {"known_at": "invalid"}
