"""What is decided, line by line, and what is paid."""

from datetime import date

import pytest

from claims.models import Claim
from funds.models import Fund
from funds.operations.results import Result, read_results
from tests.factories import make_approved_run, pay_all, vendor
from tests.scenarios.world import (
    approve,
    begin,
    clock,
    deliver,
    differences,
    draft,
    fund_of,
    ledger_of,
    money_in,
    partner_in,
    reach,
    send,
    status_of,
)

pytestmark = pytest.mark.django_db


def fund_in_march() -> Fund:
    begin()
    reseller = partner_in()
    deliver(reseller, ("25000.00", "2023-08-15"), ("8.88", "2023-09-15"))
    reach("2024-03-20")
    return fund_of(reseller)


def test_of_three_lines_one_is_accepted_one_in_part_and_one_declined() -> None:
    fund = fund_in_march()
    claim = send(draft(fund, "2750.40", "1249.60", "318.85"))
    assert money_in(fund)["in_review"] == "4,318.85"

    approve(claim, (1, "849.60"), (2, "0"))

    decided = Claim.objects.get(id=claim.id)
    assert (decided.claimed_minor, decided.approved_minor) == (431_885, 360_000)
    assert [(line.decision, line.approved_minor) for line in decided.lines.all()] == [
        ("approve", 275_040),
        ("approve_less", 84_960),
        ("decline", 0),
    ]
    assert ledger_of(fund)[-2:] == [("Approved", "3,600.00", "2024-03-20"), ("Released", "718.85", "2024-03-20")]
    assert money_in(fund) == {"earned": "10,003.55", "available": "6,403.55", "approved": "3,600.00"}


def test_a_payment_that_fails_goes_out_with_the_next_run() -> None:
    fund = fund_in_march()
    claim = approve(send(draft(fund, "4000.00")))
    first = make_approved_run()
    failed = Result(first.payments.get(kind="claim").id, "failed", failure="The account was closed.")
    read_results(first.id, [failed], by=vendor("finance"), at=clock.now())

    assert status_of(claim) == "approved"
    assert money_in(fund)["approved"] == "4,000.00"

    reach("2024-04-05")
    second = pay_all()

    assert [payment.status for payment in first.payments.filter(kind="claim")] == ["failed"]
    assert [payment.status for payment in second.payments.all()] == ["sent"]
    assert status_of(claim) == "paid"
    assert [entry for entry in ledger_of(fund) if entry[0] == "Paid"] == [("Paid", "4,000.00", "2024-04-05")]
    assert differences() == []


def test_one_payment_settles_all_claims_of_a_partner_in_a_program() -> None:
    fund = fund_in_march()
    claims = [approve(send(draft(fund, amount))) for amount in ("1204.10", "388.65")]

    run = make_approved_run()

    payment = run.payments.get(kind="claim")  # the rebate of these months goes apart
    assert (payment.amount_minor, payment.items.count()) == (159_275, 2)
    assert payment.expected_on == date(2024, 5, 22)  # 45 weekdays after 20 March 2024
    sent = Result(payment.id, "sent", date(2024, 3, 20), "TRF-1")
    read_results(run.id, [sent], by=vendor("finance"), at=clock.now())
    assert [status_of(claim) for claim in claims] == ["paid", "paid"]
    assert [entry for entry in ledger_of(fund) if entry[0] == "Paid"] == [
        ("Paid", "1,204.10", "2024-03-20"),
        ("Paid", "388.65", "2024-03-20"),
    ]
