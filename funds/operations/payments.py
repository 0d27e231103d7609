"""Paying what was approved: a run prepared by one person, approved by another, exported, and its results read back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef

from coop.lib import money
from coop.lib.dates import business_days_after, end_of_day, show_day
from coop.lib.errors import FieldError, Invalid, NotFound, SelfDecision, check_revision
from coop.lib.transitions import follow
from funds import references, states
from funds.ledger import Movement, lock_fund, post
from funds.models import Fund, Payable, Payment, PaymentItem, PaymentRun
from partners import events
from partners.models import Person
from partners.permissions import require_role
from partners.states import AUDITOR, FINANCE, PROGRAM_ADMIN

READERS = (FINANCE, PROGRAM_ADMIN, AUDITOR)
PAYABLE_WITHIN_BUSINESS_DAYS = 45


@transaction.atomic
def prepare_run(*, cutoff: date, by: Person, at: datetime) -> PaymentRun:
    """Gather what was approved until the end of the cutoff day (UTC) and is in no open payment.

    One payment for each partner, program, currency and kind. A partner whose payout profile is known to be incomplete is
    held, with the reason. Raises NotAllowed, Invalid when there is nothing to pay.
    """
    require_role(by, FINANCE, to="prepare payment runs")
    waiting = waiting_payables(cutoff)
    held = [p for p in waiting if p.fund.enrollment.payout_profile_complete is False]
    due = [p for p in waiting if p.fund.enrollment.payout_profile_complete is not False]
    run = PaymentRun.objects.create(cutoff=cutoff, prepared_by=by, created_at=at, held=[held_row(p) for p in held])
    if not due:
        raise Invalid.field(
            "cutoff",
            f"Nothing that was approved until {show_day(cutoff)} waits to be paid"
            + (
                f"; {len(held)} held back because a payout profile is not complete."
                if held
                else ". Choose a later day."
            ),
            "nothing_to_pay",
        )
    groups: dict[tuple[str, int, int, str], list[Payable]] = defaultdict(list)
    for payable in due:
        groups[(payable.kind, payable.partner_id, payable.fund.program_id, payable.fund.currency)].append(payable)
    for (kind, partner_id, program_id, currency), payables in sorted(groups.items()):
        payment = Payment.objects.create(
            run=run,
            kind=kind,
            partner_id=partner_id,
            program_id=program_id,
            currency=currency,
            amount_minor=sum(payable.amount_minor for payable in payables),
            expected_on=business_days_after(min(p.approved_at for p in payables).date(), PAYABLE_WITHIN_BUSINESS_DAYS),
            created_at=at,
        )
        PaymentItem.objects.bulk_create(
            PaymentItem(payment=payment, payable=payable, amount_minor=payable.amount_minor) for payable in payables
        )
    run.totals = run_totals(run)
    run.save(update_fields=["totals"])
    events.record("payment_run.prepared", run, by=by, at=at, totals=run.totals, vendor_only=True)
    return run


def waiting_payables(cutoff: date) -> list[Payable]:
    """Approved, unpaid, in no open payment, approved until the end of the day; locked, in order of their ids."""
    in_payment = PaymentItem.objects.filter(payable=OuterRef("pk"), open=True)
    found = Payable.objects.filter(~Exists(in_payment), paid_at__isnull=True, approved_at__lt=end_of_day(cutoff, "UTC"))
    locked = [payable.id for payable in found.select_for_update(of=("self",)).order_by("id")]
    # Asked again now that they are locked: another run may have taken them while this one waited.
    return list(
        found.filter(id__in=locked).select_related("fund__enrollment", "fund__program", "partner").order_by("id")
    )


def held_row(payable: Payable) -> dict[str, str]:
    return {
        "partner": str(payable.partner_id),
        "partner_name": payable.partner.name,
        "amount": money.to_text(payable.amount_minor, payable.fund.currency),
        "currency": payable.fund.currency,
        "reason": "The bank and tax profile for co-op is not complete.",
    }


def run_totals(run: PaymentRun) -> list[dict[str, str]]:
    """The run's sums by currency, as decimal strings."""
    sums: dict[str, int] = defaultdict(int)
    number: dict[str, int] = defaultdict(int)
    for payment in run.payments.all():
        sums[payment.currency] += payment.amount_minor
        number[payment.currency] += 1
    return [{"currency": c, "amount": money.to_text(sums[c], c), "payments": str(number[c])} for c in sorted(sums)]


def lock_run(run_id: int, *, by: Person, revision: int | None, to: str) -> PaymentRun:
    """The run, locked. Runs hold payments of many partners: only the vendor's finance may act on them.

    Raises NotFound, NotAllowed, Stale.
    """
    run = PaymentRun.objects.select_for_update().filter(id=run_id).first() if by.role in READERS else None
    if run is None:
        raise NotFound("There is no such payment run.")
    require_role(by, FINANCE, to=to)
    check_revision(revision, run.revision)
    return run


@transaction.atomic
def approve_run(run_id: int, *, revision: int | None = None, by: Person, at: datetime) -> PaymentRun:
    """Approve a run that somebody else prepared. Raises NotFound, NotAllowed, SelfDecision, Stale, WrongStatus."""
    run = lock_run(run_id, by=by, revision=revision, to="approve payment runs")
    status = follow(states.RUNS, "approve", run.status, what=f"payment run {run.pk}")
    if run.prepared_by_id == by.id:
        raise SelfDecision("You prepared this run. Another person of finance must look at it and approve it.")
    run.status, run.approved_by, run.approved_at = status, by, at
    for payment in run.payments.select_for_update().order_by("id"):
        payment.status = follow(states.PAYMENTS, "schedule", payment.status, what=f"payment {payment.pk}")
        save_payment(payment, "payment.scheduled", by=by, at=at, expected_on=payment.expected_on.isoformat())
    save_run(run, "payment_run.approved", by=by, at=at)
    return run


@transaction.atomic
def cancel_run(run_id: int, *, revision: int | None = None, by: Person, at: datetime) -> PaymentRun:
    """Drop a run that is still a draft; what it held can go into another. Raises as approve_run, but for SelfDecision."""
    run = lock_run(run_id, by=by, revision=revision, to="cancel payment runs")
    run.status = follow(states.RUNS, "cancel", run.status, what=f"payment run {run.pk}")
    for payment in run.payments.select_for_update().order_by("id"):
        payment.status = follow(states.PAYMENTS, "reject", payment.status, what=f"payment {payment.pk}")
        payment.items.update(open=False)
        payment.save(update_fields=["status"])
    save_run(run, "payment_run.cancelled", by=by, at=at)
    return run


@transaction.atomic
def export_run(run_id: int, *, revision: int | None = None, by: Person, at: datetime) -> PaymentRun:
    """Note that an approved run's file was taken for the bank; repeating it changes nothing. Raises WrongStatus."""
    run = lock_run(run_id, by=by, revision=revision, to="export payment runs")
    before = run.status
    run.status = follow(states.RUNS, "export", before, what=f"payment run {run.pk}")
    if before == "approved":
        run.exported_at = at
        start_payments(run, by=by, at=at)
        save_run(run, "payment_run.exported", by=by, at=at)
    return run


def start_payments(run: PaymentRun, *, by: Person, at: datetime) -> None:
    for payment in run.payments.select_for_update().filter(status="upcoming").order_by("id"):
        payment.status = follow(states.PAYMENTS, "start", payment.status, what=f"payment {payment.pk}")
        save_payment(payment, "payment.started", by=by, at=at)


# --- Results ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Result:
    """What the bank says of one payment: status sent or failed, the day, its reference, and why it failed."""

    payment_id: int
    status: str
    sent_on: date | None = None
    bank_reference: str = ""
    failure: str = ""


@transaction.atomic
def read_results(
    run_id: int, results: Sequence[Result], *, revision: int | None = None, by: Person, at: datetime
) -> PaymentRun:
    """Take in the bank's results of a run; all of them or, with the list of all faults, none.

    A sent payment pays its funds and whatever its references are (claims); a failed one frees its items for a later run.
    Results that were taken before change nothing. When every payment has a result the run is settled.
    """
    locked = lock_funds_of(run_id) if by.role == FINANCE else {}
    run = lock_run(run_id, by=by, revision=revision, to="read payment results")
    status = "settled"
    if run.status != "settled":
        status = follow(states.RUNS, "read_results", run.status, what=f"payment run {run.pk}")
    payments = {payment.id: payment for payment in run.payments.select_for_update().order_by("id")}
    require_results(run, payments, results, today=at.date())
    if run.status == "approved":
        run.exported_at = at
    run.status = status
    for result in results:
        payment = payments[result.payment_id]
        if payment.status in ("sent", "failed"):
            continue
        if result.status == "sent":
            settle_payment(payment, result, locked, by=by, at=at)
        else:
            fail_payment(payment, result, by=by, at=at)
    if all(payment.status in ("sent", "failed") for payment in payments.values()) and run.status != "settled":
        run.status, run.settled_at = (
            follow(states.RUNS, "settle", run.status, what=f"payment run {run.pk}"),
            at,
        )
    sent = sum(payment.status == "sent" for payment in payments.values())
    save_run(run, "payment_run.results_read", by=by, at=at, results=len(results), sent=sent)
    return run


def lock_funds_of(run_id: int) -> dict[int, Fund]:
    """The funds that a run pays from, locked before the run itself: the order of locks that everybody keeps."""
    items = PaymentItem.objects.filter(payment__run_id=run_id).order_by("payable__fund_id")
    return {fund_id: lock_fund(fund_id) for fund_id in items.values_list("payable__fund_id", flat=True).distinct()}


def require_results(run: PaymentRun, payments: dict[int, Payment], results: Sequence[Result], *, today: date) -> None:
    """Refuse results that do not fit the run, all faults at once. Raises Invalid."""
    errors = []
    if not results:
        errors.append(
            FieldError("results", "required", "There is no result in this. Give a status for at least one payment.")
        )
    seen: set[int] = set()
    for index, result in enumerate(results):
        place, payment = f"results.{index}", payments.get(result.payment_id)
        if payment is None:
            errors.append(
                FieldError(f"{place}.payment", "not_found", f"Payment {result.payment_id} is not in run {run.pk}.")
            )
            continue
        if result.payment_id in seen:
            errors.append(
                FieldError(
                    f"{place}.payment",
                    "duplicate",
                    f"Payment {result.payment_id} stands in the results twice.",
                )
            )
        seen.add(result.payment_id)
        if result.status not in ("sent", "failed"):
            errors.append(
                FieldError(
                    f"{place}.status",
                    "invalid",
                    f"“{result.status[:20]}” is not a result. Use sent or failed.",
                )
            )
        elif payment.status in ("sent", "failed") and payment.status != result.status:
            errors.append(
                FieldError(
                    f"{place}.status",
                    "conflict",
                    f"Payment {payment.pk} is known as {payment.status} already.",
                )
            )
        if result.sent_on and result.sent_on > today:
            errors.append(FieldError(f"{place}.sent_on", "invalid", f"{show_day(result.sent_on)} has not come yet."))
        if result.status == "failed" and not result.failure.strip():
            errors.append(
                FieldError(f"{place}.reason", "required", "Say why the payment failed: the partner reads it.")
            )
        if result.sent_on and run.approved_at and result.sent_on < run.approved_at.date():
            approved = show_day(run.approved_at.date())
            message = f"{show_day(result.sent_on)} is before {approved}, when this run was approved."
            errors.append(FieldError(f"{place}.sent_on", "invalid", message))
    if errors:
        raise Invalid(errors=errors)


def settle_payment(payment: Payment, result: Result, funds: dict[int, Fund], *, by: Person, at: datetime) -> None:
    sent_on = result.sent_on or at.date()
    for item in payment.items.select_related("payable").order_by("payable__fund_id", "id"):
        payable = item.payable
        movement = Movement(
            "payment",
            states.APPROVED,
            states.PAID,
            item.amount_minor,
            sent_on,
            payable.reference_type,
            payable.reference,
            f"payment:{payment.pk}:{item.pk}",
        )
        post(funds[payable.fund_id], movement, by=by, at=at)
        payable.paid_at = at
        payable.save(update_fields=["paid_at"])
        kind = references.kind_of(payable.reference_type)
        if kind:
            kind.paid(payable.reference, item.amount_minor, by=by, at=at)
    payment.status = follow(states.PAYMENTS, "send", payment.status, what=f"payment {payment.pk}")
    payment.sent_on, payment.bank_reference = sent_on, result.bank_reference[:80]
    amount = money.to_text(payment.amount_minor, payment.currency)
    save_payment(
        payment,
        "payment.sent",
        by=by,
        at=at,
        sent_on=sent_on.isoformat(),
        amount=amount,
        currency=payment.currency,
    )


def fail_payment(payment: Payment, result: Result, *, by: Person, at: datetime) -> None:
    payment.status = follow(states.PAYMENTS, "fail", payment.status, what=f"payment {payment.pk}")
    payment.failure = result.failure.strip()[:200]
    payment.items.update(open=False)
    save_payment(payment, "payment.failed", by=by, at=at, reason=payment.failure)


def save_payment(payment: Payment, verb: str, *, by: Person, at: datetime, **data: Any) -> None:
    payment.revision += 1
    payment.save()
    events.record(verb, payment, by=by, at=at, **data)


def save_run(run: PaymentRun, verb: str, *, by: Person, at: datetime, **data: Any) -> None:
    run.revision += 1
    run.save()
    events.record(verb, run, by=by, at=at, vendor_only=True, **data)
