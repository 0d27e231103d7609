"""Remittance advice: what a payment is for, so that the partner's books can match the money. As PDF and as CSV.

Both are functions of the payment alone: the same payment gives the same bytes.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import UTC, datetime, time

from django.db.models import Sum

from coop.lib import money
from coop.lib.dates import show_day
from coop.lib.errors import WrongStatus
from coop.lib.pdf import Column, Paper
from coop.lib.spreadsheets import neutral
from funds import references
from funds.models import Payment, Rebate
from partners.accounts import masked

ADVISED = ("upcoming", "pending_tax_invoice", "in_progress", "sent", "reversed")
KINDS = {"claim": "Co-op", "rebate": "Rebate"}
SOURCES = {"import": "Rebate share of earnings", "reversal": "Import reversed", "conversion": "Co-op paid as rebate"}
COLUMNS = (
    "payment_id",
    "run",
    "payee",
    "program",
    "kind",
    "status",
    "sent_on",
    "bank_reference",
    "item",
    "currency",
    "amount",
)


@dataclass(frozen=True)
class Item:
    """One thing that is paid: a claim, or the rebate of a month."""

    text: str
    url: str
    amount_minor: int


@dataclass(frozen=True)
class Part:
    """What a rebate is made of: source, earning period and sum."""

    source: str
    period: str
    amount_minor: int


def may_advise(payment: Payment) -> bool:
    """Whether there is an advice: from the approval on, unless no money left."""
    return payment.status in ADVISED


def require_advised(payment: Payment) -> None:
    if not may_advise(payment):
        known = payment.status.replace("_", " ")
        raise WrongStatus(
            f"Payment {payment.pk} is {known}. There is a remittance advice once it is scheduled, and none if it failed."
        )


def items_of(payment: Payment) -> list[Item]:
    found = list(payment.items.select_related("payable").order_by("id"))
    shown = references.show_all((item.payable.reference_type, item.payable.reference) for item in found)
    said = [shown[(item.payable.reference_type, item.payable.reference)] for item in found]
    return [Item(text, url, item.amount_minor) for item, (text, url) in zip(found, said, strict=True)]


def parts_of(payment: Payment) -> list[Part]:
    """What a payment of rebate adds up, by source and the period in which it was earned."""
    rows = (
        Rebate.objects.filter(payable__items__payment=payment)
        .order_by("earning_period__earn_from", "source")
        .values_list("source", "earning_period__code")
        .annotate(owed=Sum("amount_minor"))
    )
    return [Part(SOURCES[source], code.replace("-", " "), owed) for source, code, owed in rows]


def advice_csv(payment: Payment) -> str:
    """One row for each thing that is paid. Raises WrongStatus."""
    require_advised(payment)
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for item in items_of(payment):
        row = (
            str(payment.pk),
            str(payment.run_id),
            payment.partner.name,
            payment.program.code,
            payment.kind,
            payment.status,
            payment.sent_on.isoformat() if payment.sent_on else "",
            payment.bank_reference,
            item.text,
            payment.currency,
            money.to_text(item.amount_minor, payment.currency),
        )
        writer.writerow([neutral(cell) for cell in row])
    return file.getvalue()


def advice_pdf(payment: Payment) -> bytes:
    """The advice on paper. Its only time is the day of the payment or, before it, that of the approval. Raises WrongStatus."""
    require_advised(payment)
    total = money.display(payment.amount_minor, payment.currency)
    at = datetime.combine(payment.sent_on, time(0), UTC) if payment.sent_on else payment.run.approved_at
    paper = Paper(
        "Remittance advice",
        at=at or payment.created_at,
        subtitle=f"{total} to {payment.partner.name}",
        footer=f"Payment {payment.pk}",
    )
    paper.facts(facts_of(payment))
    paper.heading("What it is for")
    columns = [Column("Item", 3), Column("Amount", 1, amount=True)]
    rows = [(item.text, money.display(item.amount_minor, payment.currency)) for item in items_of(payment)]
    paper.table(columns, rows, total=("Total", total))
    if payment.kind == "rebate":
        paper.heading("What the rebate is made of")
        parts = [
            (part.source, part.period, money.display(part.amount_minor, payment.currency)) for part in parts_of(payment)
        ]
        paper.table([Column("Source", 2), Column("Earned in", 1), Column("Amount", 1, amount=True)], parts)
    return paper.bytes()


def facts_of(payment: Payment) -> list[tuple[str, str]]:
    """What is known of a payment, as names and values; what is not known is left out."""
    account = masked(payment.payee.get("iban") or payment.payee.get("account") or "")
    found = [
        ("Payee", payment.partner.name),
        ("For", f"{KINDS[payment.kind]} of {payment.program.name}"),
        ("Amount", money.display(payment.amount_minor, payment.currency)),
        ("Payment", str(payment.pk)),
        ("Payment run", str(payment.run_id)),
        ("Sent on", show_day(payment.sent_on) if payment.sent_on else ""),
        ("Expected by", "" if payment.sent_on else show_day(payment.expected_on)),
        ("To the account", account),
        ("Bank's reference", payment.bank_reference),
        ("Sent back on", show_day(payment.returned_on) if payment.returned_on else ""),
        ("Why it came back", payment.failure if payment.returned_on else ""),
    ]
    return [(name, value) for name, value in found if value]
