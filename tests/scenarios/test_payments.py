"""Payments as worked examples: rebate by month, the smallest payment, and money that the bank sends back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coop.jobs import run_due
from coop.lib import clock
from coop.lib.dates import add_months
from coop.lib.errors import Invalid
from coop.lib.money import display, to_text
from funds.models import Enrollment, Payable, Payment, PaymentRun, Rebate
from funds.operations.payments import approve_run, prepare_run
from funds.operations.rebates import due_to_gather, gather_rebates
from funds.operations.results import Result, read_results, return_payment
from tests.factories import DEADLINE, RESELLER, load_catalog, make_enrollment, make_location, set_clock, vendor
from tests.scenarios.world import (
    approve,
    begin,
    deliver,
    differences,
    draft,
    fund_of,
    instant,
    ledger_of,
    money_in,
    partner_in,
    reach,
    send,
    status_of,
)

pytestmark = pytest.mark.django_db

# Nothing of an earning is rebate at once: what is paid as rebate is what was converted, and nothing else.
ALL_CO_OP = [{"valid_from": date(2019, 7, 1), "coop_percent": "100"}]


# --- The words of these stories ---------------------------------------------------------------------------------------


def begin_with_a_fund(at: str = "2024-03-01") -> Enrollment:
    """A partner whose fund of FY24 H1 holds 10,000.00 USD and was tested."""
    set_clock(instant("2023-07-01"))
    load_catalog(splits=ALL_CO_OP)
    reseller = partner_in()
    deliver(reseller, ("10000.00", "2023-08-15"))
    reach(at)
    return reseller


def branch_of(enrollment: Enrollment) -> Enrollment:
    """Another location of the same partner, without earnings: its late lines become rebate."""
    return make_enrollment(make_location(enrollment.partner, name="Branch"))


def begin_below_the_threshold(at: str = "2024-02-01") -> Enrollment:
    """A partner whose fund of FY24 H1 holds nothing and was tested: whatever comes late is converted at once."""
    set_clock(instant("2023-07-01"))
    load_catalog(splits=ALL_CO_OP)
    reseller = partner_in()
    reach(at)
    return reseller


def late(enrollment: Enrollment, amount: str) -> None:
    """A late line of FY24 H1, all of it co-op and so, below the threshold, rebate."""
    deliver(enrollment, (amount, "2023-12-15"))


def payables() -> list[tuple[str, str, str]]:
    """Each payable of rebate as its month, its amount, and the day from which it can be paid."""
    found = Payable.objects.filter(kind="rebate").order_by("id")
    return [(p.reference[:7], display(p.amount_minor, p.currency), p.approved_at.date().isoformat()) for p in found]


def prepare() -> PaymentRun:
    return prepare_run(cutoff=clock.now().date(), by=vendor("finance"), at=clock.now())


def pay() -> PaymentRun:
    """A run of all that waits, approved by the second person, every payment sent today."""
    run = approve_run(prepare().id, by=vendor("finance2"), at=clock.now())
    results = [Result(payment.id, "sent", bank_reference=f"B{payment.id}") for payment in run.payments.all()]
    return read_results(run.id, results, by=vendor("finance"), at=clock.now())


def paid(run: PaymentRun) -> list[tuple[str, str]]:
    """What a run pays: the kind and the amount of each payment."""
    return [(p.kind, display(p.amount_minor, p.currency)) for p in run.payments.order_by("kind", "id")]


# --- Rebate by month --------------------------------------------------------------------------------------------------


def test_the_rebate_of_march_is_6_000_33_and_is_paid_in_april_apart_from_the_claims() -> None:
    reseller = begin_with_a_fund()
    branch = branch_of(reseller)
    approve(send(draft(fund_of(reseller), "4000.00")))
    late(branch, "6000.00")
    reach("2024-03-31 23:59:59")
    late(branch, "0.33")
    assert payables() == []

    reach("2024-04-01")

    assert payables() == [("2024-03", "6,000.33 USD", "2024-04-01")]
    assert paid(pay()) == [("claim", "4,000.00 USD"), ("rebate", "6,000.33 USD")]
    assert differences() == []


def test_the_rebate_share_of_what_was_delivered_in_march_is_paid_in_april() -> None:
    begin()
    reseller = partner_in()
    reach("2024-03-11")
    deliver(reseller, ("10000.55", "2024-03-10"))

    reach("2024-04-01")

    assert money_in(fund_of(reseller, "FY24-H2")) == {"earned": "4,000.22", "available": "4,000.22"}
    assert paid(pay()) == [("rebate", "6,000.33 USD")]
    assert differences() == []


def test_a_converted_funds_co_op_is_paid_as_rebate_in_the_next_month() -> None:
    set_clock(instant("2023-07-01"))
    load_catalog(splits=ALL_CO_OP)
    reseller = partner_in()
    deliver(reseller, ("9999.99", "2023-08-15"))
    reach("2024-01-31")
    assert ledger_of(fund_of(reseller))[1:] == [("Converted to rebate", "9,999.99", "2024-01-30")]
    assert payables() == []

    reach("2024-02-01")

    assert payables() == [("2024-01", "9,999.99 USD", "2024-02-01")]
    assert paid(pay()) == [("rebate", "9,999.99 USD")]
    assert money_in(fund_of(reseller)) == {"earned": "9,999.99", "converted": "9,999.99"}
    assert differences() == []


def test_what_was_taken_back_nets_with_the_months_that_follow() -> None:
    reseller = begin_below_the_threshold()
    late(reseller, "300.00")
    reach("2024-03-01")
    assert payables() == [("2024-02", "300.00 USD", "2024-03-01")]
    pay()

    late(reseller, "-450.00")
    reach("2024-04-02")
    assert len(payables()) == 1, "450.00 is owed back and waits"
    late(reseller, "700.00")
    reach("2024-05-01")

    assert payables()[1:] == [("2024-04", "250.00 USD", "2024-05-01")]
    assert paid(pay()) == [("rebate", "250.00 USD")]
    assert money_in(fund_of(reseller)) == {"earned": "550.00", "converted": "550.00"}
    assert differences() == []


def test_the_last_instant_of_a_month_belongs_to_it_and_the_first_of_the_next_does_not() -> None:
    reseller = begin_below_the_threshold()
    reach("2024-02-29 23:59:59.999999")
    late(reseller, "200.01")
    reach("2024-03-01", jobs=False)
    late(reseller, "500.00")
    run_due(clock.now())

    assert payables() == [("2024-02", "200.01 USD", "2024-03-01")]


def test_a_job_that_is_days_late_writes_what_it_would_have_written() -> None:
    reseller = begin_below_the_threshold()
    late(reseller, "300.00")
    reach("2024-03-09", jobs=False)
    late(reseller, "41.00")
    run_due(clock.now())
    run_due(clock.now())

    assert payables() == [("2024-02", "300.00 USD", "2024-03-01")]
    assert next(done for done in run_due(clock.now()) if done.job == "gather_rebates").worked == 0


def test_what_is_recorded_for_a_month_after_it_was_gathered_goes_with_the_next() -> None:
    reseller = begin_below_the_threshold()
    late(reseller, "300.00")
    reach("2024-03-01")
    before = clock.now()
    set_clock(instant("2024-02-29 23:00"))  # an import that began in February and was committed after midnight
    late(reseller, "250.00")
    set_clock(before)
    run_due(before)
    assert payables() == [("2024-02", "300.00 USD", "2024-03-01")]

    reach("2024-04-01")
    assert payables()[1:] == [("2024-03", "250.00 USD", "2024-04-01")]


def test_a_month_is_gathered_in_the_time_zone_of_the_program() -> None:
    set_clock(instant("2023-07-01"))
    load_catalog(splits=ALL_CO_OP, time_zone="Asia/Tokyo")
    reseller = partner_in()
    reach("2024-02-29 14:59")
    late(reseller, "300.00")

    reach("2024-02-29 15:00")  # the first of March in Tokyo

    assert [(month, amount) for month, amount, _ in payables()] == [("2024-02", "300.00 USD")]


def test_each_program_is_paid_by_itself() -> None:
    set_clock(instant("2023-07-01"))
    load_catalog(RESELLER, "hosting", splits=ALL_CO_OP)
    one = partner_in()
    other = partner_in("hosting")
    reach("2024-02-10")
    for enrollment, amount in ((one, "300.00"), (other, "400.00")):
        late(enrollment, amount)
    reach("2024-03-01")
    assert paid(pay()) == [("rebate", "300.00 USD"), ("rebate", "400.00 USD")]


# --- The smallest payment ---------------------------------------------------------------------------------------------


def test_199_99_waits_and_200_00_is_paid() -> None:
    reseller = begin_with_a_fund()
    fund = fund_of(reseller)
    waiting = approve(send(draft(fund, "199.99")))
    with pytest.raises(Invalid) as refused:
        prepare()
    assert [(error.field, error.code) for error in refused.value.errors] == [
        ("cutoff", "nothing_to_pay"),
        ("held.0", "below_minimum"),
    ]
    assert "199.99 USD. It is below 200.00 USD" in refused.value.message

    reach("2024-03-20")
    approve(send(draft(fund, "0.01", on=date(2024, 3, 5))))

    run = pay()
    assert paid(run) == [("claim", "200.00 USD")]
    assert run.held == []
    assert status_of(waiting) == "paid"
    assert differences() == []


def test_rebate_and_claims_do_not_help_each_other_over_the_smallest_payment() -> None:
    reseller = begin_with_a_fund()
    approve(send(draft(fund_of(reseller), "150.00")))
    late(branch_of(reseller), "150.00")
    reach("2024-04-01")
    with pytest.raises(Invalid) as refused:
        prepare()
    assert [error.code for error in refused.value.errors] == ["nothing_to_pay", "below_minimum", "below_minimum"]


# --- What the bank sends back -----------------------------------------------------------------------------------------


def test_a_payment_that_came_back_is_paid_again() -> None:
    reseller = begin_with_a_fund()
    fund = fund_of(reseller)
    claim = approve(send(draft(fund, "4000.00")))
    reach("2024-03-04")
    payment = pay().payments.get()
    assert money_in(fund)["paid"] == "4,000.00"

    reach("2024-03-11")
    return_payment(
        payment.id, returned_on=date(2024, 3, 8), reason="Account closed", by=vendor("finance"), at=clock.now()
    )
    assert money_in(fund)["approved"] == "4,000.00"
    assert "paid" not in money_in(fund)
    assert status_of(claim) == "approved"
    assert differences() == []

    reach("2024-03-18")
    assert paid(pay()) == [("claim", "4,000.00 USD")]
    assert ledger_of(fund)[-3:] == [
        ("Paid", "4,000.00", "2024-03-04"),
        ("Came back from the bank, to be paid again", "4,000.00", "2024-03-08"),
        ("Paid", "4,000.00", "2024-03-18"),
    ]
    assert status_of(claim) == "paid"
    assert differences() == []


def test_a_rebate_that_came_back_is_paid_again_and_touches_no_fund() -> None:
    reseller = begin_below_the_threshold()
    late(reseller, "300.00")
    reach("2024-03-01")
    payment = pay().payments.get()
    entries = ledger_of(fund_of(reseller))
    result = Result(payment.id, "returned", failure="Unknown account", returned_on=date(2024, 3, 1))
    run = read_results(payment.run_id, [result], by=vendor("finance"), at=clock.now())
    assert run.status == "settled"
    assert differences() == []
    assert paid(pay()) == [("rebate", "300.00 USD")]
    assert ledger_of(fund_of(reseller)) == entries
    assert differences() == []


def test_what_came_back_after_the_claim_deadline_is_paid_all_the_same() -> None:
    reseller = begin_with_a_fund("2024-08-01")
    fund = fund_of(reseller)
    approve(send(draft(fund, "4000.00", on=date(2024, 6, 10))))
    payment = pay().payments.get()
    reach("2024-08-16")
    assert money_in(fund) == {"earned": "10,000.00", "paid": "4,000.00", "expired": "6,000.00"}
    return_payment(payment.id, returned_on=date(2024, 8, 15), reason="Closed", by=vendor("finance"), at=clock.now())
    assert money_in(fund) == {"earned": "10,000.00", "approved": "4,000.00", "expired": "6,000.00"}
    pay()
    assert money_in(fund) == {"earned": "10,000.00", "paid": "4,000.00", "expired": "6,000.00"}
    assert differences() == []


# --- Any history ------------------------------------------------------------------------------------------------------

AMOUNTS = st.integers(-90_000, 90_000).filter(bool)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("owe"), AMOUNTS),
        st.tuples(st.just("month"), st.integers(1, 2)),
        st.tuples(st.just("gather"), st.just(0)),
        st.tuples(st.just("pay"), st.just(0)),
        st.tuples(st.just("fail"), st.just(0)),
        st.tuples(st.just("return"), st.just(0)),
    ),
    max_size=14,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_rebate_that_is_owed_is_paid_or_waits_whatever_happens(steps: Sequence[tuple[str, int]]) -> None:
    with transaction.atomic():
        live_through(steps)
        transaction.set_rollback(True)


def live_through(steps: Sequence[tuple[str, int]]) -> None:
    """One history; after each step all that is owed is paid, payable or waits, and no payment was too small."""
    reseller = begin_below_the_threshold()
    for verb, number in steps:
        if verb == "owe" and clock.now() < DEADLINE:  # a closed period takes no more lines
            late(reseller, to_text(number, "USD"))
        elif verb == "month":
            month = add_months(clock.now().date().replace(day=1), number)
            set_clock(instant((month + timedelta(days=number)).isoformat()))
        elif verb == "gather":
            for partner in due_to_gather(clock.now()):
                gather_rebates(partner, at=clock.now())
        else:
            settle(verb)
        owed = sum(Rebate.objects.values_list("amount_minor", flat=True))
        waiting = sum(Rebate.objects.filter(payable__isnull=True).values_list("amount_minor", flat=True))
        payable = sum(Payable.objects.filter(paid_at__isnull=True).values_list("amount_minor", flat=True))
        sent = sum(Payment.objects.filter(status="sent").values_list("amount_minor", flat=True))
        assert owed == waiting + payable + sent
        assert all(amount >= 20_000 for amount in Payment.objects.values_list("amount_minor", flat=True))
    assert differences() == []


def settle(verb: str) -> None:
    """Pay what can be paid, let it fail, or let the last payment come back; where there is nothing, nothing happens."""
    who = {"by": vendor("finance"), "at": clock.now()}
    if verb == "return":
        last = Payment.objects.filter(status="sent").order_by("-id").first()
        if last:
            return_payment(last.id, returned_on=clock.now().date(), reason="Closed", **who)
        return
    try:
        run = prepare()
    except Invalid:
        return  # nothing to pay
    approve_run(run.id, by=vendor("finance2"), at=clock.now())
    failed = verb == "fail"
    results = [
        Result(payment.id, "failed" if failed else "sent", failure="Closed" if failed else "")
        for payment in run.payments.all()
    ]
    read_results(run.id, results, **who)
