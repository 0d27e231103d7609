"""Payments: what was sent to whom, when, and for which claims. Partners see their own."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from coop.lib.errors import NotFound
from coop.lib.web import asked_number
from funds.models import Payment
from funds.operations.payments import READERS
from funds.queries.vendor import claims_of
from partners.web.request import PersonRequest

PAGE = 50
# How a payment reads, and its tone.
STATUSES = {
    "unprocessed": ("In a run to be approved", "draft"),
    "upcoming": ("Upcoming", "active"),
    "pending_tax_invoice": ("Waits for a tax invoice", "attention"),
    "in_progress": ("With the bank", "active"),
    "sent": ("Sent", "done"),
    "failed": ("Failed", "problem"),
    "reprocessing": ("Tried again", "active"),
    "reversed": ("Reversed", "problem"),
    "rejected": ("Cancelled", "locked"),
}
KINDS = {"claim": "Co-op", "rebate": "Rebate"}


@login_required
@require_safe
def payments(request: PersonRequest) -> HttpResponse:
    """The payments that the reader may see, newest first."""
    before = asked_number(request, "before")
    found = Payment.objects.visible_to(request.user).select_related("partner", "program", "run").order_by("-id")
    found = found if before is None else found.filter(id__lt=before)
    rows = list(found[: PAGE + 1])
    shown = rows[:PAGE]
    claims = claims_of(shown)
    here = reverse("payments")
    context = {
        "payments": [(payment, *STATUSES[payment.status], claims.get(payment.pk, [])) for payment in shown],
        "of_partner": request.user.partner_id is not None,
        "older_url": f"{here}?before={shown[-1].pk}" if len(rows) > PAGE else "",
        "newer_url": here if before else "",
    }
    return render(request, "funds/payments.html", context)


@login_required
@require_safe
def payment(request: PersonRequest, payment_id: int) -> HttpResponse:
    found = Payment.objects.visible_to(request.user).select_related("partner", "program", "run")
    known = found.filter(id=payment_id).first()
    if known is None:
        raise NotFound("There is no such payment.")
    text, tone = STATUSES[known.status]
    context = {
        "payment": known,
        "status_text": text,
        "status_tone": tone,
        "kind": KINDS[known.kind],
        "items": claims_of([known]).get(known.pk, []),
        "sees_run": request.user.role in READERS,
        "of_partner": request.user.partner_id is not None,
        "crumbs": [{"label": "Payments", "url": reverse("payments")}],
    }
    return render(request, "funds/payment.html", context)
