"""What the bank says of a run's payments: sent, failed, or sent back later."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import QuerySet

from coop.lib import money
from coop.lib.dates import show_day
from coop.lib.errors import FieldError, Invalid, NotFound, check_revision
from coop.lib.transitions import follow
from funds import references, states
from funds.ledger import Movement, lock_fund, post
from funds.models import Fund, Payment, PaymentItem, PaymentRun
from funds.operations.payments import lock_run, note_payees, save_payment, save_run
from partners.models import Person
from partners.permissions import require_role
from partners.states import FINANCE

RESULTS = ("sent", "failed", "returned")
# What a payment may be told to be, by its status. What is known already is taken once more and changes nothing: "sent" of
# a payment that came back stands in an older file.
TAKEN = {
    "upcoming": ("sent", "failed"),
    "in_progress": ("sent", "failed"),
    "sent": ("sent", "returned"),
    "failed": ("failed",),
    "reversed": ("sent", "returned"),
}
FINAL = ("sent", "failed", "reversed")
REASON_MAX = 200


@dataclass(frozen=True)
class Result:
    """What the bank says of one payment: sent, failed or returned, the days, its reference, and why it failed or came back."""

    payment_id: int
    status: str
    sent_on: date | None = None
    bank_reference: str = ""
    failure: str = ""
    returned_on: date | None = None


@transaction.atomic
def read_results(
    run_id: int, results: Sequence[Result], *, revision: int | None = None, by: Person, at: datetime
) -> PaymentRun:
    """Take in the bank's results of a run; all of them or, with the list of all faults, none.

    A sent payment pays its funds and whatever its references are (claims); a failed one frees its items for a later run;
    so does one that came back after it was sent, whose money goes back to what is approved. Results that were taken
    before change nothing. When every payment has a result the run is settled.
    """
    funds = lock_funds(PaymentItem.objects.filter(payment__run_id=run_id)) if by.role == FINANCE else {}
    run = lock_run(run_id, by=by, revision=revision, to="read payment results")
    if run.status != "settled":
        run.status = follow(states.RUNS, "read_results", run.status, what=f"payment run {run.pk}")
    payments = {payment.id: payment for payment in run.payments.select_for_update().order_by("id")}
    require_results(run, payments, results, today=at.date())
    if run.exported_at is None:  # who has results had the file, so the accounts that it named stay
        run.exported_at = at
        note_payees(payments.values())
        Payment.objects.bulk_update(payments.values(), ["payee"])
    for result in results:
        take_result(payments[result.payment_id], result, funds, by=by, at=at)
    if run.status != "settled" and all(payment.status in FINAL for payment in payments.values()):
        run.status = follow(states.RUNS, "settle", run.status, what=f"payment run {run.pk}")
        run.settled_at = at
    sent = sum(payment.status == "sent" for payment in payments.values())
    save_run(run, "payment_run.results_read", by=by, at=at, results=len(results), sent=sent)
    return run


def take_result(payment: Payment, result: Result, funds: dict[int, Fund], *, by: Person, at: datetime) -> None:
    """Do what one result says; nothing where it is known already."""
    if payment.status == "sent" and result.status == "returned":
        reverse_payment(payment, result.returned_on or at.date(), result.failure, funds, by=by, at=at)
    elif payment.status in FINAL:
        return
    elif result.status == "sent":
        settle_payment(payment, result, funds, by=by, at=at)
    else:
        fail_payment(payment, result, by=by, at=at)


@transaction.atomic
def return_payment(
    payment_id: int, *, returned_on: date, reason: str, revision: int | None = None, by: Person, at: datetime
) -> Payment:
    """Note that the bank sent a payment back: its money is approved again and goes into a later run.

    Raises NotFound, NotAllowed, Stale, WrongStatus, Invalid with all that is wrong.
    """
    found = Payment.objects.visible_to(by).filter(id=payment_id).values_list("run_id", flat=True).first()
    if found is None:
        raise NotFound("There is no such payment.")
    require_role(by, FINANCE, to="note that a payment came back")
    funds = lock_funds(PaymentItem.objects.filter(payment_id=payment_id))
    run = PaymentRun.objects.select_for_update().get(id=found)
    payment = Payment.objects.select_for_update().get(id=payment_id)
    check_revision(revision, payment.revision)
    follow(states.PAYMENTS, "return", payment.status, what=f"payment {payment.pk}")
    result = Result(payment.pk, "returned", failure=reason, returned_on=returned_on)
    errors = [
        FieldError(field, code, message) for field, code, message in faults_of(result, payment, run, today=at.date())
    ]
    if errors:
        raise Invalid(errors=errors)
    reverse_payment(payment, returned_on, reason, funds, by=by, at=at)
    return payment


def lock_funds(items: QuerySet[PaymentItem]) -> dict[int, Fund]:
    """The funds that payments pay from, locked before their run: the order of locks that everybody keeps."""
    paid_from = items.filter(payable__fund__isnull=False).order_by("payable__fund_id")
    return {fund_id: lock_fund(fund_id) for fund_id in paid_from.values_list("payable__fund_id", flat=True).distinct()}


# --- What does not fit ------------------------------------------------------------------------------------------------


def require_results(run: PaymentRun, payments: dict[int, Payment], results: Sequence[Result], *, today: date) -> None:
    """Refuse results that do not fit the run, all faults at once. Raises Invalid."""
    errors = []
    if not results:
        message = "There is no result in this. Give a status for at least one payment."
        errors.append(FieldError("results", "required", message))
    seen: set[int] = set()
    for index, result in enumerate(results):
        place, payment = f"results.{index}", payments.get(result.payment_id)
        if payment is None:
            message = f"Payment {result.payment_id} is not in run {run.pk}."
            errors.append(FieldError(f"{place}.payment", "not_found", message))
            continue
        if result.payment_id in seen:
            message = f"Payment {result.payment_id} stands in the results twice."
            errors.append(FieldError(f"{place}.payment", "duplicate", message))
        seen.add(result.payment_id)
        faults = faults_of(result, payment, run, today=today)
        errors += [FieldError(f"{place}.{field}", code, message) for field, code, message in faults]
    if errors:
        raise Invalid(errors=errors)


def faults_of(result: Result, payment: Payment, run: PaymentRun, *, today: date) -> Iterator[tuple[str, str, str]]:
    """What is wrong with one result, as (field, code, sentence)."""
    if result.status not in RESULTS:
        yield "status", "invalid", f"“{result.status[:20]}” is not a result. Use sent, failed or returned."
    elif result.status not in TAKEN.get(payment.status, ()):
        yield "status", "conflict", conflict(payment, result.status)
    if result.status in ("failed", "returned") and not result.failure.strip():
        what = "failed" if result.status == "failed" else "came back"
        yield "reason", "required", f"Say why the payment {what}: the partner reads it."
    for field, day in (("sent_on", result.sent_on), ("returned_on", result.returned_on)):
        if day and day > today:
            yield field, "invalid", f"{show_day(day)} has not come yet."
    approved = run.approved_at.date() if run.approved_at else None
    if result.sent_on and approved and result.sent_on < approved:
        yield (
            "sent_on",
            "invalid",
            f"{show_day(result.sent_on)} is before {show_day(approved)}, when this run was approved.",
        )
    if result.returned_on and payment.sent_on and result.returned_on < payment.sent_on:
        yield (
            "returned_on",
            "invalid",
            f"{show_day(result.returned_on)} is before {show_day(payment.sent_on)}, when it was sent.",
        )


def conflict(payment: Payment, said: str) -> str:
    """Why a result does not fit what is known of a payment."""
    known = {"reversed": "sent back", "in_progress": "with the bank"}.get(payment.status, payment.status)
    if said == "returned":
        return f"Payment {payment.pk} is {known}: only what was sent can come back. Say failed if it never left."
    if payment.status == "sent":
        return f"Payment {payment.pk} is known as sent already. Say returned if the bank sent it back."
    return f"Payment {payment.pk} is known as {known} already."


# --- What follows -----------------------------------------------------------------------------------------------------


def settle_payment(payment: Payment, result: Result, funds: dict[int, Fund], *, by: Person, at: datetime) -> None:
    sent_on = result.sent_on or at.date()
    for item in payment.items.select_related("payable").order_by("payable__fund_id", "id"):
        payable = item.payable
        if payable.fund_id:  # a rebate has no fund: its co-op left the fund when it was converted
            move(item, "payment", funds[payable.fund_id], sent_on, by=by, at=at)
        payable.paid_at = at
        payable.save(update_fields=["paid_at"])
        kind = references.kind_of(payable.reference_type)
        if kind:
            kind.paid(payable.reference, item.amount_minor, by=by, at=at)
    payment.status = follow(states.PAYMENTS, "send", payment.status, what=f"payment {payment.pk}")
    payment.sent_on, payment.bank_reference = sent_on, result.bank_reference[:80]
    save_payment(payment, "payment.sent", by=by, at=at, sent_on=sent_on.isoformat(), **amount_of(payment))


def fail_payment(payment: Payment, result: Result, *, by: Person, at: datetime) -> None:
    payment.status = follow(states.PAYMENTS, "fail", payment.status, what=f"payment {payment.pk}")
    payment.failure = result.failure.strip()[:REASON_MAX]
    payment.items.update(open=False)
    save_payment(payment, "payment.failed", by=by, at=at, reason=payment.failure)


def reverse_payment(
    payment: Payment, returned_on: date, reason: str, funds: dict[int, Fund], *, by: Person, at: datetime
) -> None:
    for item in payment.items.select_related("payable").order_by("payable__fund_id", "id"):
        payable = item.payable
        if payable.fund_id:
            move(item, "return", funds[payable.fund_id], returned_on, by=by, at=at)
        payable.paid_at = None
        payable.save(update_fields=["paid_at"])
        kind = references.kind_of(payable.reference_type)
        if kind:
            kind.unpaid(payable.reference, item.amount_minor, by=by, at=at)
    payment.items.update(open=False)
    payment.status = follow(states.PAYMENTS, "return", payment.status, what=f"payment {payment.pk}")
    payment.returned_on, payment.failure = returned_on, reason.strip()[:REASON_MAX]
    data = {"returned_on": returned_on.isoformat(), "reason": payment.failure, **amount_of(payment)}
    save_payment(payment, "payment.returned", by=by, at=at, **data)


def move(item: PaymentItem, kind: str, fund: Fund, day: date, *, by: Person, at: datetime) -> None:
    """Post an item's payment or return. Its payable keeps its approval, so the same item is paid or returned once."""
    ((source, target),) = states.MOVEMENTS[kind]
    key = f"payment:{item.payment_id}:{item.pk}" + (":returned" if kind == "return" else "")
    payable = item.payable
    movement = Movement(kind, source, target, item.amount_minor, day, payable.reference_type, payable.reference, key)
    post(fund, movement, by=by, at=at)


def amount_of(payment: Payment) -> dict[str, str]:
    return {"amount": money.to_text(payment.amount_minor, payment.currency), "currency": payment.currency}
