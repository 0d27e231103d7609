"""Earnings files: uploaded, checked by a worker, looked at, committed or discarded."""

from __future__ import annotations

import csv
import io
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from coop.lib import money
from coop.lib.errors import NotFound, Refused
from coop.lib.forms import add_refusal
from coop.lib.nudge import nudge
from coop.lib.spreadsheets import neutral
from coop.lib.web import asked_number, now
from funds.models import Import
from funds.operations.earnings import commit_import, discard_import, rejected_lines
from funds.operations.imports import receive_file
from funds.operations.payments import READERS
from funds.queries.effects import effects_of
from funds.queries.vendor import funds_touched, locations_named, program_names, sums_text
from funds.states import IMPORT_FORMATS
from funds.web.finance import IMPORT_STATUSES
from partners.permissions import require_role
from partners.states import FINANCE
from partners.web.request import PersonRequest

SHOWN = 50
PAGE = 25
TEMPLATES: dict[str, tuple[tuple[str, ...], ...]] = {
    "incentives": (
        ("external_id", "location", "program", "lever", "earned_on", "amount", "currency"),
        ("INC-2024-000001", "LOC-1001", "mci-csp-reseller", "Azure", "2024-03-31", "1250.00", "USD"),
    ),
    "partner_center": (
        (
            "earningId",
            "participantId",
            "participantName",
            "partnerCountryCode",
            "programName",
            "earningType",
            "lever",
            "earningDate",
            "earningAmount",
            "transactionCurrency",
            "earningAmountUSD",
            "earningExchangeRate",
            "exchangeRateDate",
            "reasonCode",
        ),
        (
            "E-0000001",
            "LOC-1001",
            "Halden Cloud GmbH",
            "DE",
            "mci-csp-reseller",
            "Coop",
            "Azure",
            "2024-03-31",
            "500.00",
            "USD",
            "500.00",
            "1",
            "2024-03-31",
            "",
        ),
    ),
}


class UploadForm(forms.Form):
    """The file of an import."""

    file = forms.FileField(
        label="File of earnings",
        help_text="CSV, TSV or Excel (.xlsx) with a line of column names, also packed with gzip; up to 256 MB unpacked. "
        "Its form is told by its columns.",
        error_messages={
            "required": "Choose the file to import",
            "empty": "The file is empty. Choose the file once more.",
        },
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def imports(request: PersonRequest) -> HttpResponse:
    """The imports, newest first; a POST takes a file in."""
    require_role(request.user, *READERS, to="see imports")
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            delivery = receive_file(filename=file.name, file=file, by=request.user, at=now(request))
        except Refused as refusal:
            if refusal.code == "not_allowed":
                raise
            add_refusal(form, refusal, {error.field: "file" for error in refusal.errors} | {"": "file"})
        else:
            nudge("coop.check_imports")
            return redirect("import", delivery.pk)
    before = asked_number(request, "before")
    found = Import.objects.visible_to(request.user).select_related("created_by")
    found = found if before is None else found.filter(id__lt=before)
    rows = list(found[: PAGE + 1])
    here = reverse("imports")
    context = {
        "form": form,
        "imports": [(delivery, *IMPORT_STATUSES[delivery.status]) for delivery in rows[:PAGE]],
        "formats": IMPORT_FORMATS,
        "may_import": request.user.role == FINANCE,
        "older_url": f"{here}?before={rows[PAGE - 1].pk}" if len(rows) > PAGE else "",
        "newer_url": here if before else "",
    }
    return render(request, "funds/imports.html", context, status=400 if form.errors else 200)


@login_required
@require_safe
def import_template(request: PersonRequest, form: str) -> HttpResponse:
    """A file with the columns of one form and a line to be overwritten."""
    if form not in TEMPLATES:
        raise NotFound("There is no such template.")
    return csv_download(TEMPLATES[form], f"earnings-{form.replace('_', '-')}.csv")


def csv_download(rows: Any, filename: str) -> HttpResponse:
    """Rows as a CSV file to download; cells that a spreadsheet would take for formulas are neutralised."""
    file = io.StringIO()
    csv.writer(file, lineterminator="\r\n").writerows([neutral(str(cell)) for cell in row] for row in rows)
    answer = HttpResponse(file.getvalue(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{filename}"'
    return answer


def find_import(request: PersonRequest, import_id: int) -> Import:
    """Raises NotAllowed, NotFound."""
    require_role(request.user, *READERS, to="see imports")
    found = Import.objects.visible_to(request.user).select_related("created_by", "committed_by")
    delivery = found.filter(id=import_id).first()
    if delivery is None:
        raise NotFound("There is no such import.")
    return delivery


@login_required
@require_safe
def import_page(request: PersonRequest, import_id: int) -> HttpResponse:
    """One import: how far it is, what it would do or did, and which lines were not taken."""
    delivery = find_import(request, import_id)
    checked = delivery.status in ("ready", "committed")
    rejected = rejected_lines(delivery.pk) if checked and delivery.rejected else []
    text, tone = IMPORT_STATUSES[delivery.status]
    programs = program_names()
    context = {
        "delivery": delivery,
        "status_text": text,
        "status_tone": tone,
        "form_name": IMPORT_FORMATS.get(delivery.format, ""),
        "waiting": delivery.status in ("queued", "running"),
        "steps": steps(delivery.status),
        "effects": shown_effects(delivery, programs) if checked else [],
        "touched": funds_touched(delivery) if delivery.status == "committed" else [],
        "rejected": rejected[:SHOWN],
        "shown": SHOWN,
        "totals": [shown_total(row, programs) for row in delivery.totals],
        "commit_label": commit_label(delivery),
        "may_act": request.user.role == FINANCE,
        "crumbs": [{"label": "Imports", "url": reverse("imports")}],
    }
    return render(request, "funds/import.html", context)


def steps(status: str) -> list[dict[str, str]]:
    place = {"queued": 1, "running": 1, "failed": 1, "ready": 2, "committed": 4}.get(status, 0)
    labels = ("Upload", "Check", "Look and commit", "Done")
    return [
        {"label": label, "state": "past" if index < place else "current" if index == place else ""}
        for index, label in enumerate(labels)
    ]


def commit_label(delivery: Import) -> str:
    """ "Commit 8,412 lines (+1,284,330.10 USD co-op)": what the button does, in numbers."""
    coop = [(row["currency"], money.from_text(row["coop"], row["currency"])) for row in delivery.totals]
    sign = "" if any(minor < 0 for _, minor in coop) else "+"
    return f"Commit {delivery.new:,} line{'' if delivery.new == 1 else 's'} ({sign}{sums_text(coop)} co-op)"


def shown_total(row: dict[str, str], programs: dict[str, str]) -> dict[str, str]:
    currency = row["currency"]
    amounts = {
        key: money.display(money.from_text(row[key], currency), currency) for key in ("amount", "rebate", "coop")
    }
    return {"program": programs.get(row["program"], row["program"]), **amounts}


def shown_effects(delivery: Import, programs: dict[str, str]) -> list[dict[str, Any]]:
    """What the import does to each fund, with names; the available money before the commit, and after it."""
    found = effects_of(delivery)
    locations = locations_named({row["location"] for row in found})
    rows = []
    for row in found[:SHOWN]:
        currency = row["currency"]
        coop, available = (money.from_text(row[key], currency) for key in ("coop_amount", "available"))
        after = available + coop if delivery.status == "ready" else available
        rows.append(
            {
                **row,
                "location": locations[row["location"]],
                "program": programs.get(row["program"], row["program"]),
                "coop": money.display(coop, currency),
                "after": money.display(after, currency) if coop or row["fund"] else "No fund: rebate only",
                "below_zero": after < 0,
            }
        )
    return rows


@login_required
@require_POST
def import_commit(request: PersonRequest, import_id: int) -> HttpResponse:
    delivery = commit_import(import_id, revision=revision_of(request), by=request.user, at=now(request))
    messages.success(
        request, f"{delivery.new:,} line{'' if delivery.new == 1 else 's'} committed. The funds show them now."
    )
    return redirect("import", import_id)


@login_required
@require_POST
def import_discard(request: PersonRequest, import_id: int) -> HttpResponse:
    discard_import(import_id, revision=revision_of(request), by=request.user, at=now(request))
    messages.success(request, "The import is discarded. Nothing of it was posted.")
    return redirect("imports")


def revision_of(request: PersonRequest) -> int | None:
    """The revision that the reader's page showed, if it said so."""
    sent = request.POST.get("revision", "")
    return int(sent) if sent.isdigit() else None


@login_required
@require_safe
def import_errors(request: PersonRequest, import_id: int) -> HttpResponse:
    """Every line that was not taken, as it was sent, with the line's number, the column and the reason before it."""
    delivery = find_import(request, import_id)
    rows = [["line", "column", "reason", *delivery.columns]]
    for line in rejected_lines(delivery.pk):
        cells = [cell or "" for cell in line["cells"] or []]
        rows.append([str(line["line_no"]), line["field"], line["message"], *cells])
    return csv_download(rows, f"import-{delivery.pk}-rejected.csv")
