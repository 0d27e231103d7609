"""Imports: the list of them, and taking a file in."""

from __future__ import annotations

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from coop.lib.dates import show_instant
from coop.lib.errors import NotFound, Refused
from coop.lib.forms import add_refusal
from coop.lib.nudge import nudge
from coop.lib.web import asked_number, now
from funds.downloads import csv_download
from funds.models import Import
from funds.operations.imports import needs_mapping, receive_file
from funds.operations.payments import READERS
from funds.states import IMPORT_FORMATS
from funds.web.finance import IMPORT_STATUSES
from partners.permissions import require_role
from partners.states import FINANCE
from partners.web.request import PersonRequest

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
        help_text="CSV or TSV, also packed with gzip, or an Excel workbook (.xlsx). The first line names the columns, in any "
        "order. Up to 256 MB unpacked.",
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
        delivery = take_in(request, form)
        if delivery is not None:
            return redirect("import-map" if needs_mapping(delivery) else "import", delivery.pk)
    before = asked_number(request, "before")
    found = Import.objects.visible_to(request.user).select_related("created_by", "committed_by", "reversed_by")
    found = found if before is None else found.filter(id__lt=before)
    rows = list(found[: PAGE + 1])
    here = reverse("imports")
    context = {
        "form": form,
        "imports": [
            (delivery, *status_words(delivery), fate(delivery), counts_of(delivery)) for delivery in rows[:PAGE]
        ],
        "formats": IMPORT_FORMATS,
        "may_import": request.user.role == FINANCE,
        "older_url": f"{here}?before={rows[PAGE - 1].pk}" if len(rows) > PAGE else "",
        "newer_url": here if before else "",
    }
    return render(request, "funds/imports.html", context, status=400 if form.errors else 200)


def take_in(request: PersonRequest, form: UploadForm) -> Import | None:
    """The import of the file that was sent; None where the form says why there is none."""
    file = form.cleaned_data["file"]
    try:
        delivery = receive_file(filename=file.name, file=file, keep_unmapped=True, by=request.user, at=now(request))
    except Refused as refusal:
        if refusal.code == "not_allowed":
            raise
        add_refusal(form, refusal, {error.field: "file" for error in refusal.errors} | {"": "file"})
        return None
    nudge("coop.check_imports")
    return delivery


def status_words(delivery: Import) -> tuple[str, str]:
    """The status as people read it, and its tone: also what a worker is doing with it, and what somebody must say."""
    if delivery.asked_for == "reverse":
        return "Being reversed", "active"
    if delivery.asked_for == "commit":
        return "Being committed", "active"
    if delivery.status == "failed" and needs_mapping(delivery):
        return "Columns to be explained", "attention"
    return IMPORT_STATUSES[delivery.status]


def fate(delivery: Import) -> str:
    """By whom and when it got its last status; empty while nobody has looked at it."""
    if delivery.reversed_at and delivery.reversed_by:
        return f"{show_instant(delivery.reversed_at)} by {delivery.reversed_by.name}"
    if delivery.committed_at and delivery.committed_by:
        return f"{show_instant(delivery.committed_at)} by {delivery.committed_by.name}"
    return ""


def counts_of(delivery: Import) -> list[str]:
    """How many lines it has of each kind; what it has none of is left out, but for the new ones."""
    others = ("changed", "unchanged", "rejected")
    return [f"{delivery.new:,} new", *(f"{n:,} {name}" for name in others if (n := getattr(delivery, name)))]


@login_required
@require_safe
def import_template(request: PersonRequest, form: str) -> StreamingHttpResponse:
    """A file with the columns of one form and a line to be overwritten."""
    if form not in TEMPLATES:
        raise NotFound("There is no such template.")
    return csv_download(TEMPLATES[form], f"earnings-{form.replace('_', '-')}.csv")


def find_import(request: PersonRequest, import_id: int) -> Import:
    """Raises NotAllowed, NotFound."""
    require_role(request.user, *READERS, to="see imports")
    found = Import.objects.visible_to(request.user).select_related(
        "created_by", "committed_by", "reversed_by", "asked_by"
    )
    delivery = found.filter(id=import_id).first()
    if delivery is None:
        raise NotFound("There is no such import.")
    return delivery


def revision_of(request: PersonRequest) -> int | None:
    """The revision that the reader's page showed, if it said so."""
    sent = request.POST.get("revision", "")
    return int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 10 else None


def lines_text(number: int) -> str:
    return f"{number:,} line{'' if number == 1 else 's'}"
