"""Paying what was approved: a run prepared by one person, approved by another, exported. Its results are in results.py."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.db import transaction

from coop.lib import money
from coop.lib.dates import end_of_day, show_day
from coop.lib.errors import FieldError, Invalid, NotFound, SelfDecision, check_revision
from coop.lib.transitions import follow
from funds import states
from funds.models import Payable, Payment, PaymentItem, PaymentRun
from funds.queries.payables import INCOMPLETE, Group, groups_of, payable_by, waiting, with_names
from partners import events
from partners.models import PayoutAccount, Person
from partners.permissions import require_role
from partners.states import AUDITOR, FINANCE, PROGRAM_ADMIN

READERS = (FINANCE, PROGRAM_ADMIN, AUDITOR)


@transaction.atomic
def prepare_run(*, cutoff: date, by: Person, at: datetime) -> PaymentRun:
    """Gather what was approved until the end of the cutoff day (UTC) and is in no open payment.

    One payment for each partner, program, currency and kind. What must wait longer is held, with the reason: its payout
    profile is not complete, or it is below the program's smallest payment. Raises NotAllowed, Invalid for a day to come
    and when there is nothing to pay, with all that is held.
    """
    require_role(by, FINANCE, to="prepare payment runs")
    if cutoff > at.date():
        raise Invalid.field(
            "cutoff",
            f"{show_day(cutoff)} has not come yet, and more may be approved until then. Choose a day until "
            f"{show_day(at.date())}.",
            "in_future",
        )
    groups = groups_of(take_waiting(cutoff))
    held = [group for group in groups if group.held]
    if len(held) == len(groups):
        raise nothing_to_pay(cutoff, held)
    run = PaymentRun.objects.create(
        cutoff=cutoff, prepared_by=by, created_at=at, held=[group.as_held() for group in held]
    )
    for group in groups:
        if not group.held:
            make_payment(run, group, at=at)
    run.totals = run_totals(run.payments.all())
    run.save(update_fields=["totals"])
    events.record("payment_run.prepared", run, by=by, at=at, totals=run.totals, vendor_only=True)
    note_held(held, by=by, at=at)
    return run


def note_held(held: Iterable[Group], *, by: Person, at: datetime) -> None:
    """What waits for bank and tax details is the partner's matter: its own record says so, since the run is the vendor's."""
    for group in held:
        if group.held == INCOMPLETE:
            said = {name: value for name, value in group.as_held().items() if name not in ("partner", "partner_name")}
            events.record("payment.held", group.partner, by=by, at=at, partner_id=group.partner.pk, **said)  # type: ignore[arg-type]


def take_waiting(cutoff: date) -> list[Payable]:
    """What waits and was approved until the end of the day (UTC); locked, in order of their ids."""
    found = waiting().filter(approved_at__lt=end_of_day(cutoff, "UTC"))
    locked = [payable.id for payable in found.select_for_update(of=("self",)).order_by("id")]
    # Asked again now that they are locked: another run may have taken them while this one waited.
    return list(with_names(found.filter(id__in=locked)))


def nothing_to_pay(cutoff: date, held: list[Group]) -> Invalid:
    """Why there would be no payment in a run; what is held is listed, so that somebody can do something about it."""
    said = f"Nothing that was approved until {show_day(cutoff)} can be paid now"
    if not held:
        return Invalid.field("cutoff", f"{said}. Choose a later day, once more is approved.", "nothing_to_pay")
    errors = [FieldError("cutoff", "nothing_to_pay", f"{said}: all of it is held back.")] + [
        FieldError(
            f"held.{index}",
            group.held,
            f"{group.partner.name}, {group.program.name}: {money.display(group.amount_minor, group.currency)}. "
            f"{group.reason}",
        )
        for index, group in enumerate(held)
    ]
    return Invalid(" ".join(error.message for error in errors[:5]), errors=errors)


def make_payment(run: PaymentRun, group: Group, *, at: datetime) -> None:
    approved = min(payable.approved_at for payable in group.payables)
    payment = Payment.objects.create(
        run=run,
        kind=group.kind,
        partner=group.partner,
        program=group.program,
        currency=group.currency,
        amount_minor=group.amount_minor,
        expected_on=payable_by(approved, group.program),
        created_at=at,
    )
    PaymentItem.objects.bulk_create(
        PaymentItem(payment=payment, payable=payable, amount_minor=payable.amount_minor) for payable in group.payables
    )


def run_totals(payments: Iterable[Payment]) -> list[dict[str, str]]:
    """The sums of a run by currency and kind, as decimal strings."""
    sums: dict[tuple[str, str], int] = defaultdict(int)
    number: dict[tuple[str, str], int] = defaultdict(int)
    for payment in payments:
        sums[(payment.currency, payment.kind)] += payment.amount_minor
        number[(payment.currency, payment.kind)] += 1
    return [
        {
            "currency": currency,
            "kind": kind,
            "amount": money.to_text(minor, currency),
            "payments": str(number[(currency, kind)]),
        }
        for (currency, kind), minor in sorted(sums.items())
    ]


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
    payments = list(run.payments.select_for_update().order_by("id"))
    note_payees(payments)
    for payment in payments:
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


def note_payees(payments: Iterable[Payment]) -> None:
    """Note on each payment, unless one is known already, the account that its partner has now."""
    payments = list(payments)
    partners = {payment.partner_id for payment in payments}
    accounts = {account.partner_id: account for account in PayoutAccount.objects.filter(partner_id__in=partners)}
    for payment in payments:
        if not payment.payee and payment.partner_id in accounts:
            payment.payee = accounts[payment.partner_id].payee()


def start_payments(run: PaymentRun, *, by: Person, at: datetime) -> None:
    """The payments go to the bank; who had no account when the run was approved may have one by now."""
    payments = list(run.payments.select_for_update().filter(status="upcoming").order_by("id"))
    note_payees(payments)
    for payment in payments:
        payment.status = follow(states.PAYMENTS, "start", payment.status, what=f"payment {payment.pk}")
        save_payment(payment, "payment.started", by=by, at=at)


def save_payment(payment: Payment, verb: str, *, by: Person, at: datetime, **data: Any) -> None:
    payment.revision += 1
    payment.save()
    events.record(verb, payment, by=by, at=at, **data)


def save_run(run: PaymentRun, verb: str, *, by: Person, at: datetime, **data: Any) -> None:
    run.revision += 1
    run.save()
    events.record(verb, run, by=by, at=at, vendor_only=True, **data)
