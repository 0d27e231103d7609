"""Payment runs: prepared by one person, approved by another, exported, and settled by the bank's results."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from coop.lib import money
from coop.lib.errors import Invalid, NotFound, WrongStatus
from coop.lib.forms import DayField, add_refusal
from coop.lib.web import asked_number, now
from funds.bank import pain001
from funds.bank.table import export_csv
from funds.models import Payment, PaymentRun
from funds.operations.payments import READERS, approve_run, cancel_run, export_run, prepare_run
from funds.queries.vendor import claims_of, waiting_by_kind
from funds.remittance import KINDS
from funds.web.finance import RUN_STATUSES, totals_text
from funds.web.imports import revision_of
from funds.web.payments import STATUSES
from partners.accounts import masked
from partners.models import Person
from partners.permissions import require_role
from partners.states import FINANCE
from partners.web.request import PersonRequest

PAGE = 25
SHOWN = 200  # payments on the page of a run; all of them are in its files
EXPORTED = ("exported", "settled")


class PrepareForm(forms.Form):
    """Until when an amount must have been approved to be in the run."""

    cutoff = DayField(
        label="Pay what was approved until",
        help_text="The whole day counts, in UTC",
        error_messages={"required": "Enter the last day of approvals to be paid"},
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def runs(request: PersonRequest) -> HttpResponse:
    """The runs, newest first; a POST prepares one."""
    require_role(request.user, *READERS, to="see payment runs")
    at = now(request)
    form = PrepareForm(request.POST if request.method == "POST" else None, initial={"cutoff": at.date()})
    if request.method == "POST" and form.is_valid():
        try:
            run = prepare_run(cutoff=form.cleaned_data["cutoff"], by=request.user, at=at)
        except Invalid as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, f"{run} is prepared. Look at it; then another person of finance approves it.")
            return redirect("payment-run", run.pk)
    before = asked_number(request, "before")
    found = PaymentRun.objects.select_related("prepared_by", "approved_by")
    found = found if before is None else found.filter(id__lt=before)
    rows = list(found[: PAGE + 1])
    here = reverse("payment-runs")
    waits = waiting_by_kind()
    context = {
        "form": form,
        "runs": [(run, *RUN_STATUSES[run.status], totals_text(run)) for run in rows[:PAGE]],
        "waits": [(KINDS[kind], number, text) for kind, number, text in waits],
        "acts": request.user.role == FINANCE,
        "older_url": f"{here}?before={rows[PAGE - 1].pk}" if len(rows) > PAGE else "",
        "newer_url": here if before else "",
    }
    return render(request, "funds/payment_runs.html", context, status=400 if form.errors else 200)


def find_run(request: PersonRequest, run_id: int) -> PaymentRun:
    """Raises NotAllowed, NotFound."""
    require_role(request.user, *READERS, to="see payment runs")
    run = PaymentRun.objects.select_related("prepared_by", "approved_by").filter(id=run_id).first()
    if run is None:
        raise NotFound("There is no such payment run.")
    return run


@login_required
@require_safe
def run_page(request: PersonRequest, run_id: int) -> HttpResponse:
    """One run: what it pays to whom and for what, what it holds back, and what comes next."""
    run = find_run(request, run_id)
    payments = list(run.payments.select_related("partner", "program").order_by("partner__name", "id"))
    shown = payments[:SHOWN]
    claims = claims_of(shown)
    text, tone = RUN_STATUSES[run.status]
    mine = run.prepared_by_id == request.user.pk
    acts = request.user.role == FINANCE
    partners = len({payment.partner_id for payment in payments})
    context = {
        "run": run,
        "status_text": text,
        "status_tone": tone,
        "total": totals_text(run),
        "partners": partners,
        "number": len(payments),
        "payments": [row_of(payment, claims.get(payment.pk, [])) for payment in shown],
        "more": len(payments) - len(shown),
        "totals": totals_of(payments),
        "lede": lede(run),
        "held": held_of(run),
        **bank_of(run),
        "acts": acts,
        "may_approve": acts and not mine and run.status == "draft",
        "approve_label": f"Approve {totals_text(run)} to {partners} partner{'' if partners == 1 else 's'}",
        "self_prepared": acts and mine and run.status == "draft",
        "others": others_of_finance(request.user) if acts and mine and run.status == "draft" else [],
        "crumbs": [{"label": "Payment runs", "url": reverse("payment-runs")}],
    }
    return render(request, "funds/payment_run.html", context)


def row_of(payment: Payment, claims: Sequence[dict[str, Any]]) -> dict[str, Any]:
    text, tone = STATUSES[payment.status]
    return {
        "payment": payment,
        "status": text,
        "tone": tone,
        "kind": KINDS[payment.kind],
        "items": claims,
        "account": masked(payment.payee.get("iban") or payment.payee.get("account") or ""),
    }


def totals_of(payments: Iterable[Payment]) -> list[dict[str, str]]:
    """What a run pays, by program, kind and currency."""
    sums: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for payment in payments:
        sums[(payment.program.name, KINDS[payment.kind], payment.currency)].append(payment.amount_minor)
    return [
        {"program": program, "kind": kind, "number": str(len(found)), "amount": money.display(sum(found), currency)}
        for (program, kind, currency), found in sorted(sums.items())
    ]


def held_of(run: PaymentRun) -> list[dict[str, str]]:
    """What a run holds back, with amounts for people."""
    return [
        {
            **row,
            "kind_name": KINDS[row["kind"]],
            "amount": money.display(money.from_text(row["amount"], row["currency"]), row["currency"]),
        }
        for row in run.held
    ]


def bank_of(run: PaymentRun) -> dict[str, Any]:
    """The files of an exported run, of one that cannot be written why, and the payments that it leaves out."""
    if run.status not in ("approved", *EXPORTED):
        return {"files": [], "without_account": []}
    found, left_out = pain001.sort_out(run)
    if run.status not in EXPORTED:
        return {"files": [], "without_account": left_out}
    name = f"payment-run-{run.pk}"
    table = {"name": f"{name}.csv", "url": reverse("payment-run-csv", args=[run.pk])}
    message = {"name": f"{name}.xml", "url": reverse("payment-run-pain001", args=[run.pk])}
    against = pain001.why_not(found)
    if against:
        message = {"name": "No ISO 20022 file", "size": against}
    else:
        message["size"] = f"ISO 20022 (pain.001.001.09) with {len(found)} payment{'' if len(found) == 1 else 's'}"
    table["size"] = "A table of all payments, with an empty place for each result"
    return {"files": [table, message], "without_account": left_out}


def lede(run: PaymentRun) -> str:
    who = f"Prepared by {run.prepared_by.name}"
    return f"{who}, approved by {run.approved_by.name}." if run.approved_by else f"{who}."


def others_of_finance(person: Person) -> list[Person]:
    """Who else may approve a run."""
    return list(Person.objects.filter(role=FINANCE, is_active=True).exclude(id=person.pk).order_by("name")[:5])


@login_required
@require_POST
def run_approve(request: PersonRequest, run_id: int) -> HttpResponse:
    run = approve_run(run_id, revision=revision_of(request), by=request.user, at=now(request))
    messages.success(request, f"{totals_text(run)} approved. Next, export the file for the bank.")
    return redirect("payment-run", run_id)


@login_required
@require_POST
def run_cancel(request: PersonRequest, run_id: int) -> HttpResponse:
    run = cancel_run(run_id, revision=revision_of(request), by=request.user, at=now(request))
    messages.success(request, f"{run} is cancelled. What it held can go into another run.")
    return redirect("payment-run", run_id)


@login_required
@require_POST
def run_export(request: PersonRequest, run_id: int) -> HttpResponse:
    """Note that the run goes to the bank; its files are on its page from then on."""
    run = export_run(run_id, by=request.user, at=now(request))
    messages.success(request, f"{run} goes to the bank. Take its file below and pay from it.")
    return redirect(f"{reverse('payment-run', args=[run.pk])}#files")


@login_required
@require_safe
def run_csv(request: PersonRequest, run_id: int) -> HttpResponse:
    run = find_exported(request, run_id)
    return download(export_csv(run).encode(), "text/csv; charset=utf-8", f"payment-run-{run.pk}.csv")


@login_required
@require_safe
def run_pain001(request: PersonRequest, run_id: int) -> HttpResponse:
    run = find_exported(request, run_id)
    return download(pain001.export_pain001(run), "application/xml", f"payment-run-{run.pk}.xml")


def find_exported(request: PersonRequest, run_id: int) -> PaymentRun:
    """A run whose files may be taken. They hold account numbers: finance alone. Raises as find_run, WrongStatus."""
    run = find_run(request, run_id)
    require_role(request.user, FINANCE, to="take the files of a payment run")
    if run.status not in EXPORTED:
        raise WrongStatus(f"{run} is {run.status}. Its files are there once it is approved and exported.")
    return run


def download(data: bytes, media_type: str, name: str) -> HttpResponse:
    return HttpResponse(
        data, content_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
