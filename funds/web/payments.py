"""Payments: what was sent to whom, when, and for what. Partners see their own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from coop.lib import money
from coop.lib.errors import Invalid, NotFound
from coop.lib.forms import DayField, add_refusal
from coop.lib.web import asked_number, now
from funds.models import Payment
from funds.operations.payments import READERS
from funds.operations.results import REASON_MAX, return_payment
from funds.queries.payments import expected_money
from funds.queries.vendor import claims_of
from funds.remittance import KINDS, advice_csv, advice_pdf, items_of, may_advise, parts_of
from partners.accounts import masked
from partners.models import PayoutAccount
from partners.states import FINANCE, PARTNER_ADMIN
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
    "reversed": ("Sent back", "problem"),
    "rejected": ("Cancelled", "locked"),
}


class ReturnForm(forms.Form):
    """The bank sent a payment back."""

    returned_on = DayField(label="Sent back on", error_messages={"required": "Enter the day on which it came back"})
    reason = forms.CharField(
        label="Why it came back",
        max_length=REASON_MAX,
        help_text="The partner reads this",
        error_messages={"required": "Say why it came back: the partner reads it"},
    )


@login_required
@require_safe
def payments(request: PersonRequest) -> HttpResponse:
    """The payments that the reader may see, newest first; a partner also sees what waits to be paid, and why."""
    before = asked_number(request, "before")
    found = Payment.objects.visible_to(request.user).select_related("partner", "program", "run").order_by("-id")
    found = found if before is None else found.filter(id__lt=before)
    rows = list(found[: PAGE + 1])
    shown = rows[:PAGE]
    claims = claims_of(shown)
    here = reverse("payments")
    of_partner = request.user.partner_id is not None
    context = {
        "payments": [
            (payment, *STATUSES[payment.status], KINDS[payment.kind], claims.get(payment.pk, [])) for payment in shown
        ],
        "of_partner": of_partner,
        "coming": expected_money(request.user, at=now(request)) if of_partner and not before else [],
        "account": account_of(request) if of_partner else None,
        "older_url": f"{here}?before={shown[-1].pk}" if len(rows) > PAGE else "",
        "newer_url": here if before else "",
    }
    return render(request, "funds/payments.html", context)


def account_of(request: PersonRequest) -> dict[str, Any]:
    """What the reader's organisation has said about its bank account."""
    known = PayoutAccount.objects.visible_to(request.user).first()
    return {"known": known, "masked": known.masked if known else "", "mine": request.user.role == PARTNER_ADMIN}


def find_payment(request: PersonRequest, payment_id: int) -> Payment:
    """Raises NotFound."""
    found = Payment.objects.visible_to(request.user).select_related("partner", "program", "run__approved_by")
    known = found.filter(id=payment_id).first()
    if known is None:
        raise NotFound("There is no such payment.")
    return known


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def payment(request: PersonRequest, payment_id: int) -> HttpResponse:
    """One payment: to whom, for what, how it went. A POST notes that the bank sent it back."""
    known = find_payment(request, payment_id)
    acts = request.user.role == FINANCE and known.status == "sent"
    form = ReturnForm(request.POST if request.method == "POST" else None, initial={"returned_on": now(request).date()})
    if request.method == "POST" and form.is_valid():
        try:
            return_payment(known.pk, **form.cleaned_data, by=request.user, at=now(request))
        except Invalid as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, f"{known} came back. What it paid is approved again and goes into a later run.")
            return redirect("payment", known.pk)
    text, tone = STATUSES[known.status]
    context = {
        "payment": known,
        "status_text": text,
        "status_tone": tone,
        "kind": KINDS[known.kind],
        "items": [
            {"text": item.text, "url": item.url, "amount": money.display(item.amount_minor, known.currency)}
            for item in items_of(known)
        ],
        "parts": [
            {"source": part.source, "period": part.period, "amount": money.display(part.amount_minor, known.currency)}
            for part in (parts_of(known) if known.kind == "rebate" else [])
        ],
        "account": masked(known.payee.get("iban") or known.payee.get("account") or ""),
        "advised": may_advise(known),
        "stuck": known.status in ("failed", "reversed"),
        "sees_run": request.user.role in READERS,
        "of_partner": request.user.partner_id is not None,
        "is_admin": request.user.role == PARTNER_ADMIN,
        "acts": acts,
        "form": form,
        "crumbs": [{"label": "Payments", "url": reverse("payments")}],
    }
    return render(request, "funds/payment.html", context, status=400 if form.errors else 200)


@login_required
@require_safe
def remittance_pdf(request: PersonRequest, payment_id: int) -> HttpResponse:
    data = advice_pdf(find_payment(request, payment_id))
    return advice(data, "application/pdf", f"remittance-{payment_id}.pdf")


@login_required
@require_safe
def remittance_csv(request: PersonRequest, payment_id: int) -> HttpResponse:
    data = advice_csv(find_payment(request, payment_id)).encode()
    return advice(data, "text/csv; charset=utf-8", f"remittance-{payment_id}.csv")


def advice(data: bytes, media_type: str, name: str) -> HttpResponse:
    return HttpResponse(
        data, content_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
