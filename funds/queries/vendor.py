"""Reads for the vendor's finance: what waits to be paid, what is owed, and which claims a payment is for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum

from coop.lib import money
from funds import references
from funds.models import Fund, Import, Payment, PaymentItem, PaymentRun, Program
from funds.queries.payables import waiting
from partners.models import Person

RUNS_IN_PROGRESS = ("draft", "approved", "exported")
STUCK = ("failed", "reversed")


def waiting_to_pay() -> tuple[int, str]:
    """How many approved amounts wait for a run, and their sum as a text for people."""
    rows = waiting().order_by().values("currency").annotate(number=Count("id"), minor=Sum("amount_minor"))
    return sum(row["number"] for row in rows), sums_text((row["currency"], row["minor"]) for row in rows)


def waiting_by_kind() -> list[tuple[str, int, str]]:
    """What waits for a run, by kind: how many amounts, and their sum as a text for people."""
    rows = waiting().order_by().values("kind", "currency").annotate(number=Count("id"), minor=Sum("amount_minor"))
    kinds = sorted({row["kind"] for row in rows})
    return [
        (
            kind,
            sum(row["number"] for row in rows if row["kind"] == kind),
            sums_text((row["currency"], row["minor"]) for row in rows if row["kind"] == kind),
        )
        for kind in kinds
    ]


def sums_text(rows: Iterable[tuple[str, int]]) -> str:
    """Amounts summed by currency, as one text; where there is nothing there is no currency either, so it reads 0."""
    sums: dict[str, int] = defaultdict(int)
    for currency, minor in rows:
        sums[currency] += minor
    return " and ".join(money.display(minor, currency) for currency, minor in sorted(sums.items())) or "0"


def failed_payments(person: Person) -> QuerySet[Payment]:
    """Payments that failed or came back, and whose money has not found its way into another payment yet.

    What failed twice waits once: only its last payment counts.
    """
    tried_again = PaymentItem.objects.filter(
        payable=OuterRef("payable"), payment__status__in=STUCK, id__gt=OuterRef("id")
    )
    stuck = PaymentItem.objects.filter(~Exists(tried_again), payment=OuterRef("pk"), payable__in=waiting())
    return (
        Payment.objects.visible_to(person)
        .filter(Exists(stuck), status__in=STUCK)
        .select_related("partner", "program", "run")
    )


def runs_in_progress() -> QuerySet[PaymentRun]:
    return PaymentRun.objects.filter(status__in=RUNS_IN_PROGRESS).select_related("prepared_by", "approved_by")


def imports_in_progress(person: Person) -> QuerySet[Import]:
    return Import.objects.visible_to(person).filter(status__in=("queued", "running", "ready", "failed"))


def liability(person: Person) -> list[dict[str, Any]]:
    """What the vendor may still have to pay, by program, earning period and currency: newest period first.

    Owed is what is available in settled funds, reserved, in review and approved. What is available while its fund is not
    settled is an estimate, given apart in `estimated` and not owed yet. A fund below zero owes nothing and lessens nothing:
    what it lacks is not the other funds' money.
    """
    above = Q(available_minor__gt=0)
    rows = (
        Fund.objects.visible_to(person)
        .values("program__name", "program__code", "earning_period__code", "earning_period__earn_from", "currency")
        .annotate(
            funds=Count("id"),
            available=Sum("available_minor", filter=above & Q(settled_at__isnull=False), default=0),
            estimated=Sum("available_minor", filter=above & Q(settled_at__isnull=True), default=0),
            reserved=Sum("reserved_minor"),
            in_review=Sum("in_review_minor"),
            approved=Sum("approved_minor"),
        )
        .annotate(owed=F("available") + F("reserved") + F("in_review") + F("approved"))
        .filter(Q(owed__gt=0) | Q(estimated__gt=0))
        .order_by("-earning_period__earn_from", "program__name", "currency")
    )
    return [dict(row) for row in rows]


def funds_below_zero(person: Person) -> QuerySet[Fund]:
    """Funds from which a correction took back more than was left, the largest lack first."""
    return Fund.objects.visible_to(person).with_names().filter(available_minor__lt=0).order_by("available_minor", "id")


def claims_of(payments: Iterable[Payment]) -> dict[int, list[dict[str, Any]]]:
    """What each payment is for, by its id: text, address, amount and whether the item is still open."""
    items = PaymentItem.objects.filter(payment__in=[payment.pk for payment in payments]).select_related("payable")
    found = list(items.order_by("id"))
    shown = references.show_all((item.payable.reference_type, item.payable.reference) for item in found)
    rows: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for item in found:
        text, url = shown[(item.payable.reference_type, item.payable.reference)]
        amount = money.display(item.amount_minor, item.payable.currency)
        rows[item.payment_id].append({"text": text, "url": url, "amount": amount, "open": item.open})
    return rows


def program_names() -> dict[str, str]:
    """The names of all programs by their codes."""
    return dict(Program.objects.values_list("code", "name"))
