"""Payment runs: prepared by one person, approved by another, exported, and settled by the bank's results."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from coop.lib import money
from coop.lib.errors import Invalid, NotFound
from coop.lib.forms import DayField, add_refusal
from coop.lib.web import asked_number, now
from funds.bank.table import export_csv, read_csv
from funds.models import PaymentRun
from funds.operations.payments import READERS, approve_run, cancel_run, export_run, prepare_run
from funds.operations.results import Result, read_results
from funds.queries.vendor import claims_of, waiting_to_pay
from funds.web.finance import RUN_STATUSES, totals_text
from funds.web.imports import revision_of
from funds.web.payments import STATUSES
from partners.models import Person
from partners.permissions import require_role
from partners.states import FINANCE
from partners.web.request import PersonRequest

PAGE = 25
FILE_MAX_BYTES = 5 * 1024 * 1024


class PrepareForm(forms.Form):
    """Until when an amount must have been approved to be in the run."""

    cutoff = DayField(
        label="Pay what was approved until",
        help_text="The whole day counts, in UTC",
        error_messages={"required": "Enter the last day of approvals to be paid"},
    )


class ResultsFileForm(forms.Form):
    """The run's file, filled with results."""

    file = forms.FileField(
        label="The file with its results",
        help_text="The CSV of this run, with the columns status (sent or failed), sent_on, bank_reference and reason "
        "filled. Rows without a status are left as they are.",
        error_messages={"required": "Choose the file with the results", "empty": "The file is empty."},
    )


class ResultForm(forms.Form):
    """The result of one payment, by hand."""

    status = forms.ChoiceField(
        label="Result",
        required=False,
        choices=[("", "No result yet"), ("sent", "Sent"), ("failed", "Failed")],
    )
    sent_on = DayField(label="Sent on", required=False)
    bank_reference = forms.CharField(label="Bank's reference", required=False, max_length=80)
    reason = forms.CharField(label="Why it failed", required=False, max_length=200)

    def result(self, payment_id: int) -> Result:
        given = self.cleaned_data
        return Result(payment_id, given["status"], given["sent_on"], given["bank_reference"], given["reason"])


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
    number, waiting = waiting_to_pay()
    context = {
        "form": form,
        "runs": [(run, *RUN_STATUSES[run.status], totals_text(run)) for run in rows[:PAGE]],
        "number": number,
        "waiting": waiting,
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
    claims = claims_of(payments)
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
        "payments": [(payment, *STATUSES[payment.status], claims.get(payment.pk, [])) for payment in payments],
        "lede": lede(run),
        "held": [
            {**row, "amount": money.display(money.from_text(row["amount"], row["currency"]), row["currency"])}
            for row in run.held
        ],
        "acts": acts,
        "may_approve": acts and not mine and run.status == "draft",
        "approve_label": f"Approve {totals_text(run)} to {partners} partner{'' if partners == 1 else 's'}",
        "self_prepared": acts and mine and run.status == "draft",
        "others": others_of_finance(request.user) if acts and mine and run.status == "draft" else [],
        "crumbs": [{"label": "Payment runs", "url": reverse("payment-runs")}],
    }
    return render(request, "funds/payment_run.html", context)


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
    """The file for the bank. Taking it is noted, the first time only."""
    run = export_run(run_id, by=request.user, at=now(request))
    answer = HttpResponse(export_csv(run), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="payment-run-{run.pk}.csv"'
    return answer


# --- Results ----------------------------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def run_results(request: PersonRequest, run_id: int) -> HttpResponse:
    """Read the bank's results, from the filled file or payment by payment."""
    run = find_run(request, run_id)
    require_role(request.user, FINANCE, to="read payment results")
    open_payments = [
        payment
        for payment in run.payments.select_related("partner", "program").order_by("partner__name", "id")
        if payment.status in ("upcoming", "in_progress")
    ]
    by_file = request.method == "POST" and request.POST.get("act") == "file"
    by_hand = request.method == "POST" and not by_file
    file_form = ResultsFileForm(request.POST if by_file else None, request.FILES if by_file else None)
    today: date = now(request).date()
    hand = [
        (
            payment,
            ResultForm(
                request.POST if by_hand else None,
                prefix=f"payment-{payment.pk}",
                initial={"sent_on": today},
            ),
        )
        for payment in open_payments
    ]
    if by_file and file_form.is_valid():
        answer = read_file(request, run, file_form)
    elif by_hand and False not in {form.is_valid() for _, form in hand}:
        answer = read_by_hand(request, run, hand)
    else:
        answer = None
    if answer:
        return answer
    hand_forms = [form for _, form in hand]
    refused = file_form.errors or any(form.errors for form in hand_forms if form.is_bound)
    context = {
        "run": run,
        "file_form": file_form,
        "hand": hand,
        "refused": [file_form, *(form for form in hand_forms if form.is_bound)] if refused else [],
        "crumbs": [
            {"label": "Payment runs", "url": reverse("payment-runs")},
            {"label": str(run), "url": reverse("payment-run", args=[run.pk])},
        ],
    }
    return render(request, "funds/payment_results.html", context, status=400 if refused else 200)


def read_file(request: PersonRequest, run: PaymentRun, form: ResultsFileForm) -> HttpResponse | None:
    """Take in a file of results; what is wrong with it goes to its field, row by row."""
    file = form.cleaned_data["file"]
    if file.size > FILE_MAX_BYTES:
        form.add_error("file", f"The file has {file.size:,} bytes; the file of a run has at most {FILE_MAX_BYTES:,}.")
        return None
    try:
        results = read_csv(file.read())
        return taken(request, run, results)
    except Invalid as refusal:
        add_refusal(form, refusal, {error.field: "file" for error in refusal.errors} | {"": "file"})
        return None


def read_by_hand(request: PersonRequest, run: PaymentRun, hand: list[tuple[Any, ResultForm]]) -> HttpResponse | None:
    """Take in the results that were chosen; what is wrong goes to the field of its payment."""
    given = [(payment, form) for payment, form in hand if form.cleaned_data["status"]]
    try:
        return taken(request, run, [form.result(payment.pk) for payment, form in given])
    except Invalid as refusal:
        for error in refusal.errors:
            place = error.field.split(".")
            if len(place) == 3 and place[2] in ResultForm.base_fields:
                given[int(place[1])][1].add_error(place[2], error.message)
            else:
                (given or hand)[0][1].add_error("status", error.message)
        return None


def taken(request: PersonRequest, run: PaymentRun, results: list[Result]) -> HttpResponse:
    run = read_results(run.pk, results, by=request.user, at=now(request))
    sent = sum(result.status == "sent" for result in results)
    said = f"{sent} sent, {len(results) - sent} failed"
    settled = " The run is settled." if run.status == "settled" else ""
    messages.success(request, f"Results read: {said}.{settled}")
    return redirect("payment-run", run.pk)
