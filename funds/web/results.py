"""The bank's results of a payment run, from the filled file or payment by payment."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from coop.lib.errors import Invalid
from coop.lib.forms import DayField, add_refusal
from coop.lib.web import now
from funds.bank.table import read_csv
from funds.models import PaymentRun
from funds.operations.results import Result, read_results
from funds.web.runs import find_run
from partners.permissions import require_role
from partners.states import FINANCE
from partners.web.request import PersonRequest

FILE_MAX_BYTES = 5 * 1024 * 1024
SHOWN = 100  # payments whose results can be written by hand on one page


class ResultsFileForm(forms.Form):
    """The run's file, filled with results."""

    file = forms.FileField(
        label="The file with its results",
        help_text="The CSV of this run, with the columns status (sent, failed or returned), sent_on, bank_reference and "
        "reason filled. Rows without a status are left as they are.",
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
        for payment in open_payments[:SHOWN]
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
        "takes_file": run.status in ("approved", "exported", "settled"),
        "more": len(open_payments) - SHOWN,
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
    told = {status: sum(result.status == status for result in results) for status in ("sent", "failed", "returned")}
    said = ", ".join(f"{number} {status}" for status, number in told.items() if number or status != "returned")
    settled = " The run is settled." if run.status == "settled" else ""
    messages.success(request, f"Results read: {said}.{settled}")
    return redirect("payment-run", run.pk)
