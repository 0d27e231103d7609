"""In-house work: who worked and at what cost, the statement, and its signature."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.forms.utils import ErrorDict
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from claims.models import Claim, ClaimLine
from claims.operations.csr import STATEMENT, Work, read_hours, save_csr, sign_csr, statement_of, work_of
from claims.permissions import may_write
from claims.queries import document_kinds, findings_of
from claims.queries.book import line_details_asked
from claims.queries.shares import share_of
from claims.rules.facts import Metric
from claims.web.access import claim_to_work_on, closed_for_writing, own_claim
from claims.web.answers import answer_field, text_of_answer
from claims.web.autosave import kept_as_written
from claims.web.conflict import conflict_of, reading, with_revision
from claims.web.forms import ClaimForm, figure
from claims.web.lines import form_field, line_for
from claims.web.marks import here, mark, said, without_others
from claims.web.papers import file_row
from claims.web.places import field_of, line_of
from claims.web.writing import answer
from coop.lib import kept
from coop.lib.dates import show_day, show_instant
from coop.lib.errors import Refused, Stale
from coop.lib.forms import AmountField, DayField, add_refusal
from coop.lib.web import now, whole_number
from partners.web.request import PersonRequest

ROW = ("name", "role", "first_day", "last_day", "hours", "hourly")
LEAST_ROWS, SPARE_ROWS, MOST_ROWS = 2, 1, 50


class WorkForm(ClaimForm):
    """In-house work as people describe it: a few rows of who worked; rows that are empty do not count."""

    rows = forms.IntegerField(required=False, widget=forms.HiddenInput)
    description = forms.CharField(
        label="What was done", max_length=500, error_messages={"required": "Say what was done, in a few words"}
    )
    statement = forms.CharField(
        label="What you certify", max_length=1000, widget=forms.Textarea(attrs={"rows": 4}), initial=STATEMENT
    )

    def __init__(
        self, *args: Any, currency: str, share: Decimal, details: Sequence[Metric], number: int, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.number = number
        self.details = details
        self.fields["rows"].initial = number
        for index in range(number):
            nth = f"of person {index + 1}"
            self.fields[f"name_{index}"] = forms.CharField(label="Name", max_length=100, required=False)
            self.fields[f"role_{index}"] = forms.CharField(label="Role", max_length=100, required=False)
            self.fields[f"first_day_{index}"] = DayField(label="First day", required=False)
            self.fields[f"last_day_{index}"] = DayField(label="Last day", required=False)
            self.fields[f"hours_{index}"] = forms.CharField(
                label="Hours", max_length=10, required=False, widget=forms.TextInput(attrs={"inputmode": "decimal"})
            )
            hourly = AmountField(label="Cost of an hour", required=False)
            hourly.currency = currency
            self.fields[f"hourly_{index}"] = hourly
            for name in ROW:
                widget = self.fields[f"{name}_{index}"].widget
                widget.attrs["aria-label"] = f"{self.fields[f'{name}_{index}'].label} {nth}"
        if share < 100:
            amount = AmountField(
                label="Amount to claim",
                required=False,
                help_text=f"Leave it empty to claim the {share.normalize():f} % of the cost that is paid",
            )
            amount.currency = currency
            self.fields["amount"] = amount
        for metric in details:
            self.fields[f"detail_{metric.code}"] = answer_field(metric, {}, short=True)

    def row(self, index: int) -> list[Any]:
        """The bound fields of one row."""
        return [self[f"{name}_{index}"] for name in ROW]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for index in self.filled():
            if f"hours_{index}" in self.errors:
                continue
            try:
                data[f"hours_{index}"] = read_hours(data.get(f"hours_{index}") or "")
            except ValueError:
                self.add_error(f"hours_{index}", "Write the hours as a number above zero, for example 7.5.")
        return data

    def accept_unjudged(self) -> None:
        """Find nothing wrong yet: whoever asks for more rows has not finished."""
        self._errors = ErrorDict()

    def filled(self) -> list[int]:
        """The rows in which something was written."""
        return [i for i in range(self.number) if any(str(self[f"{n}_{i}"].data or "").strip() for n in ROW)]

    def work(self) -> list[Work]:
        given = self.cleaned_data
        return [
            Work(
                name=given.get(f"name_{index}") or "",
                role=given.get(f"role_{index}") or "",
                first_day=given.get(f"first_day_{index}"),
                last_day=given.get(f"last_day_{index}"),
                hours=given.get(f"hours_{index}") or "",
                hourly_minor=given.get(f"hourly_{index}") or 0,
            )
            for index in self.filled()
        ]

    def values(self) -> dict[str, Any]:
        """The work as its operation takes it."""
        given = self.cleaned_data
        details = {m.code: text_of_answer(m, given.get(f"detail_{m.code}")) for m in self.details}
        return {
            "description": given["description"],
            "statement": given["statement"],
            "work": self.work(),
            "amount_minor": given.get("amount"),
            "details": details,
        }

    def places(self) -> dict[str, str]:
        """The fields of the form by what the operation calls them; its rows are those that were filled in."""
        found = {"work": f"name_{0}", "hours": "hours_0"}
        for position, index in enumerate(self.filled()):
            found |= {f"work.{position}.{name}": f"{name}_{index}" for name in ROW}
        return found | {f"details.{metric.code}": f"detail_{metric.code}" for metric in self.details}


def work_form(claim: Claim, line: ClaimLine | None, data: Any) -> WorkForm:
    """The form with as many rows as were written or asked for."""
    known = work_of(line) if line else []
    asked = whole_number(str(data.get("rows", ""))) if data is not None else None
    number = max(len(known) + SPARE_ROWS, LEAST_ROWS) if asked is None else asked
    if data is not None and "more" in data:
        number += 2
        data = data.copy()
        data["rows"] = str(min(number, MOST_ROWS))
    form = WorkForm(
        data,
        currency=claim.currency,
        share=share_of(claim),
        details=line_details_asked(claim),
        number=max(1, min(number, MOST_ROWS)),
        initial={"revision": claim.revision, **(work_values(claim, line, known) if line else {})},
    )
    if data is not None and "more" in data:
        form.accept_unjudged()
    return form


def work_values(claim: Claim, line: ClaimLine, known: Sequence[Work]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "description": line.description,
        "statement": statement_of(line),
        "amount": figure(claim, line.amount_minor),
        **{f"detail_{code}": value for code, value in line.details.items() if code != "csr"},
    }
    for index, row in enumerate(known):
        values = (row.name, row.role, row.first_day, row.last_day, row.hours, figure(claim, row.hourly_minor))
        found |= {f"{name}_{index}": value for name, value in zip(ROW, values, strict=True)}
    return found


@kept.keeps_words
@require_http_methods(["GET", "HEAD", "POST"])
def claim_work_new(request: PersonRequest, claim_id: int) -> HttpResponse:
    """New in-house work, described row by row."""
    claim = claim_to_work_on(request, claim_id, "csr")
    if not claim.is_open:
        return closed_for_writing(request, claim)
    return edit(request, claim, None)


@kept.keeps_words
@require_http_methods(["GET", "HEAD", "POST"])
def claim_work(request: PersonRequest, claim_id: int, line_id: int) -> HttpResponse:
    """In-house work that is described here, with its statement: to change, to sign, or signed."""
    claim = claim_to_work_on(request, claim_id, "csr")
    if not claim.is_open:
        return closed_for_writing(request, claim)
    line = line_for(claim, line_id)
    if "csr" not in line.details:
        return redirect("claim-line", claim.pk, line.pk)
    return edit(request, claim, line)


def edit(request: PersonRequest, claim: Claim, line: ClaimLine | None) -> HttpResponse:
    if kept.is_autosave(request):
        return kept_as_written(request, claim)  # a half-written statement must not take a signature away
    form = work_form(claim, line, kept.written(request, lambda: work_form(claim, line, None)))
    conflict = None
    if request.method == "POST" and "more" not in request.POST and form.is_valid():
        seen = form.cleaned_data["revision"]
        was_signed = line is not None and any(document.signed_at for document in files_of(claim, line))
        try:
            saved = save_csr(
                claim.pk,
                line.pk if line else None,
                **form.values(),
                revision=reading(claim, seen, f"lines.{line.pk}") if line else seen,
                by=request.user,
                at=now(request),
            )
        except Stale:
            claim = claim_to_work_on(request, claim.pk, "csr")
            twin = same_as(claim, form)
            if twin is not None and (line is None or twin.pk == line.pk):
                return go_on(request, claim, twin, was_signed=False)
            if not claim.is_open or (line and line.pk not in {known.pk for known in claim.lines.all()}):
                return closed_for_writing(request, claim)
            line = line_for(claim, line.pk) if line else None
            form = work_form(claim, line, with_revision(request, claim))
            conflict = conflict_of(request, claim, form, seen=seen)
        except Refused as refusal:
            add_refusal(form, refusal, form.places())
        else:
            return go_on(request, claim, saved, was_signed=was_signed)
    return render(
        request,
        "claims/work.html",
        page(request, claim, line, form) | {"conflict": conflict},
        status=200 if "more" in request.POST else answer(form, conflict, request),
    )


def same_as(claim: Claim, form: WorkForm) -> ClaimLine | None:
    """The line that says what the form says already: it was sent twice."""
    values = form.values()
    for line in claim.lines.all():
        if line.kind == "csr" and work_of(line) == values["work"] and line.description == values["description"]:
            return line
    return None


def go_on(request: PersonRequest, claim: Claim, line: ClaimLine, *, was_signed: bool) -> HttpResponse:
    kept.forget(request)
    if was_signed:
        messages.warning(
            request, "Saved. What was signed before says something else now, so its signature is void: sign again."
        )
    else:
        messages.success(request, "Saved.")
    return redirect("claim-work", claim.pk, line.pk)


def files_of(claim: Claim, line: ClaimLine) -> list[Any]:
    return [document for document in claim.documents.all() if document.line_id == line.pk]


def page(request: PersonRequest, claim: Claim, line: ClaimLine | None, form: WorkForm) -> dict[str, Any]:
    """What `claims/work.html` shows."""
    found, notes = [], {}
    if line is not None:
        findings = without_others(claim, findings_of(claim, at=now(request)))
        found = [one for one in findings if line_of(one.field) == line.pk]
        mine = [fix for fix in claim.returned_fixes if line_of(fix["field"]) == line.pk]
        notes = {field_of(fix["field"]): fix["message"] for fix in mine}
    left = mark(form, found, form_field)
    signed = next((d for d in files_of(claim, line) if d.signed_at), None) if line else None
    kinds = document_kinds(claim)
    return {
        "claim": claim,
        "line": line,
        "form": form,
        "kept": kept.kept(request) if request.method != "POST" else None,
        "rows": [{"number": index + 1, "fields": form.row(index)} for index in range(form.number)],
        "notes": notes,
        "whole_note": notes.get("", ""),
        "advice": here(found, form, form_field),
        "left": [said(one) for one in left],
        "details": [form[f"detail_{metric.code}"] for metric in form.details],
        "signed": signed_facts(claim, signed) if signed else None,
        "files": [file_row(d, kinds, {}, may_remove=not d.signed_at) for d in files_of(claim, line)] if line else [],
        "report": report(claim, line) if line else None,
        "may_sign": line is not None and may_write(request.user, claim),
        "lines_url": f"{reverse('claim-lines', args=[claim.pk])}?kind=csr",
        "own_url": f"{reverse('claim-line-new', args=[claim.pk])}?kind=csr",
    }


def signed_facts(claim: Claim, document: Any) -> list[dict[str, str]]:
    zone = claim.fund.program.time_zone
    return [
        {"key": "Signed by", "value": document.uploaded_by.name},
        {"key": "At", "value": show_instant(document.signed_at, zone)},
        {"key": "SHA-256 of the file", "value": document.sha256},
    ]


def report(claim: Claim, line: ClaimLine) -> dict[str, Any]:
    """The rows of in-house work as a table, with what they cost."""
    return {
        "rows": [
            {
                "name": row.name,
                "role": row.role,
                "days": days(row.first_day, row.last_day),
                "hours": row.hours,
                "hourly": figure(claim, row.hourly_minor),
                "cost": figure(claim, row.cost_minor()),
            }
            for row in work_of(line)
        ],
        "total": figure(claim, line.cost_minor),
        "claimed": claim.show(line.amount_minor),
        "statement": statement_of(line),
        "description": line.description,
    }


def days(first: date | None, last: date | None) -> str:
    return " to ".join(dict.fromkeys(show_day(day) for day in (first, last) if day))


# --- Signing ----------------------------------------------------------------------------------------------------------


class SignForm(ClaimForm):
    name = forms.CharField(
        label="Your name",
        help_text="Typed in full: it is your signature",
        max_length=200,
        error_messages={"required": "Type your name to sign"},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    certified = forms.BooleanField(
        label="I certify what the statement says, for my organisation",
        error_messages={"required": "Tick this to certify what the statement says"},
    )


@kept.keeps_words
@require_http_methods(["GET", "HEAD", "POST"])
def claim_work_sign(request: PersonRequest, claim_id: int, line_id: int) -> HttpResponse:
    """Read the statement as it will be printed, and sign it. The partner's own people sign, never a guest."""
    claim = own_claim(request, claim_id)
    if not claim.is_open:
        return closed_for_writing(request, claim)
    line = line_for(claim, line_id)
    form = SignForm(request.POST or None, initial={"revision": claim.revision})
    if request.method == "POST" and form.is_valid():
        try:
            sign_csr(
                claim.pk,
                line.pk,
                name=form.cleaned_data["name"],
                revision=reading(claim, form.cleaned_data["revision"], f"lines.{line.pk}"),
                by=request.user,
                at=now(request),
            )
        except Stale:
            messages.warning(request, "It was changed since you read it. Read it once more before you sign.")
            return redirect("claim-work-sign", claim.pk, line.pk)
        except Refused as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, "Signed. The statement is a document of this claim now.")
            return redirect("claim-work", claim.pk, line.pk)
    context = {"claim": claim, "line": line, "form": form, "report": report(claim, line), "at": now(request)}
    return render(request, "claims/work_sign.html", context, status=answer(form, None, request))
