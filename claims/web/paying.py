"""When approved money arrives, in words."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from claims.models import Claim
from coop.lib.dates import show_day
from funds.models import Payment
from funds.queries.payables import payable_by

STATUSES = {
    "upcoming": ("Scheduled", "active"),
    "pending_tax_invoice": ("Waits for your tax invoice", "attention"),
    "in_progress": ("With the bank", "active"),
    "sent": ("Sent", "done"),
    "failed": ("Failed, will be paid again", "problem"),
    "reprocessing": ("Being paid again", "active"),
    "reversed": ("Sent back by the bank", "problem"),
}


def expected(claim: Claim, payment: Payment | None) -> str:
    """The day by which the money comes."""
    if payment is not None and payment.sent_on:
        return f"sent on {show_day(payment.sent_on)}"
    if payment is not None and payment.status in ("failed", "reversed"):
        return "with a later payment run"
    if payment is not None:
        return f"by {show_day(payment.expected_on)}"
    return f"by {show_day(payable_by(claim.decided_at or claim.turn_since, claim.fund.program))}"


def status_of(payment: Payment | None) -> tuple[str, str]:
    if payment is None:
        return "Waits for the next payment run", "draft"
    return STATUSES.get(payment.status, (payment.status.replace("_", " ").capitalize(), "draft"))


def coming(claim: Claim, payment: Payment | None) -> dict[str, Any]:
    """A row of the payments that are expected."""
    text, tone = status_of(payment)
    return {
        "cells": [
            {"text": claim.title, "url": reverse("claim", args=[claim.pk]), "sub": claim.number},
            {"amount": claim.show(claim.approved_minor)},
            {"text": text, "tone": tone},
            {"text": expected(claim, payment)},
        ]
    }


def payment_facts(claim: Claim, payment: Payment | None) -> list[dict[str, str]]:
    """What is known of a claim's payment, for a list of facts."""
    text, _ = status_of(payment)
    rows = [
        {"key": "Payment", "value": text},
        {"key": "Amount for this claim", "amount": claim.show(claim.approved_minor)},
        {"key": "Expected" if not (payment and payment.sent_on) else "Day", "value": expected(claim, payment)},
    ]
    if payment is not None and payment.bank_reference:
        rows.append({"key": "Bank reference", "value": payment.bank_reference})
    if payment is not None and payment.failure and payment.status == "failed":
        rows.append({"key": "Why it failed", "value": payment.failure})
    return rows
