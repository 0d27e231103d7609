"""Invoices and in-house work: the list, one page a line, taking a line out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from claims import rules, states
from claims.models import Claim, ClaimLine
from claims.operations.evidence import remove_line, save_line
from claims.queries import document_kinds, findings_of
from claims.queries.book import line_details_asked
from claims.queries.overtaken import edits_since
from claims.queries.shares import share_of
from claims.web.access import claim_to_work_on, closed_for_writing
from claims.web.autosave import kept_as_written, saved_as_written
from claims.web.conflict import conflict_of, reading, with_revision
from claims.web.duplicates import hints_for, hints_of_line
from claims.web.forms import LINE_FORMS, InvoiceForm, line_values, upload_of
from claims.web.marks import here, mark, said, without_others
from claims.web.papers import file_row, name_of
from claims.web.places import field_of, line_of
from claims.web.progress import DONE, PROBLEM, RETURNED, is_missing
from claims.web.writing import answer
from coop.lib import kept
from coop.lib.dates import show_day
from coop.lib.errors import NotFound, Refused, Stale
from coop.lib.forms import add_refusal
from coop.lib.web import now
from partners.web.request import PersonRequest

LABELS = {
    "invoice": {"title": "Invoices", "one": "invoice", "add": "Add an invoice"},
    "csr": {"title": "In-house work", "one": "piece of in-house work", "add": "Add in-house work"},
}


def kind_asked(request: PersonRequest) -> str:
    asked = request.POST.get("kind") or request.GET.get("kind")
    return asked if asked in states.LINE_KINDS else "invoice"


@login_required
@require_safe
def claim_lines(request: PersonRequest, claim_id: int) -> HttpResponse:
    """The lines of one kind, with what is wrong with each."""
    kind = kind_asked(request)
    claim = claim_to_work_on(request, claim_id, kind)
    if not claim.is_open:
        return closed_for_writing(request, claim)
    lines = [line for line in claim.lines.all() if line.kind == kind]
    found = without_others(claim, findings_of(claim, at=now(request)))
    failed = rules.failed(found)
    context = {
        "claim": claim,
        "kind": kind,
        "label": LABELS[kind],
        "rows": [row(claim, line, failed) for line in lines],
        "total": claim.show(sum(line.amount_minor for line in lines)),
        "add_url": f"{reverse('claim-line-new', args=[claim.pk])}?kind={kind}",
        "work_url": reverse("claim-work-new", args=[claim.pk]),
        "of_all": [said(one) for one in failed if one.field == "lines" and lines],
    }
    return render(request, "claims/lines.html", context)


def row(claim: Claim, line: ClaimLine, failed: list[rules.Finding]) -> dict[str, Any]:
    asked = [fix for fix in claim.returned_fixes if line_of(fix["field"]) == line.pk]
    wrong = [found for found in failed if line_of(found.field) == line.pk]
    missing = all(is_missing(found, [line]) for found in wrong)
    said = PROBLEM if not missing else RETURNED if asked else ("To complete", "active") if wrong else DONE
    return {
        "name": name_of(line),
        "detail": show_day(line.invoiced_on) if line.invoiced_on else line.supplier if line.kind == "csr" else "",
        "url": reverse("claim-line", args=[claim.pk, line.pk]),
        "remove_url": reverse("claim-line-remove", args=[claim.pk, line.pk]),
        "amount": claim.show(line.amount_minor),
        "wrong": wrong[0].fix if wrong else asked[0]["message"] if asked else "",
        "status": said[0],
        "tone": said[1],
    }


@kept.keeps_words
@require_http_methods(["GET", "HEAD", "POST"])
def claim_line_new(request: PersonRequest, claim_id: int) -> HttpResponse:
    """A new invoice, or in-house work with a statement of one's own."""
    kind = kind_asked(request)
    claim = claim_to_work_on(request, claim_id, kind)
    if not claim.is_open:
        return closed_for_writing(request, claim)
    return edit(request, claim, None, kind)


@kept.keeps_words
@require_http_methods(["GET", "HEAD", "POST"])
def claim_line(request: PersonRequest, claim_id: int, line_id: int) -> HttpResponse:
    """One line with its file; in-house work that is described here has a page of its own."""
    claim = claim_to_work_on(request, claim_id, kind_of(claim_id, line_id))
    if not claim.is_open:
        return closed_for_writing(request, claim)
    line = line_for(claim, line_id)
    if "csr" in line.details:
        return redirect("claim-work", claim.pk, line.pk)
    return edit(request, claim, line, line.kind)


def kind_of(claim_id: int, line_id: int) -> str:
    """The task that a line belongs to, by its kind; of a line that is not there, none in particular."""
    kind = ClaimLine.objects.filter(id=line_id, claim_id=claim_id).values_list("kind", flat=True).first()
    return kind or "invoice"


def line_for(claim: Claim, line_id: int) -> ClaimLine:
    """Raises NotFound."""
    line = next((line for line in claim.lines.all() if line.pk == line_id), None)
    if line is None:
        raise NotFound("There is no such line in this claim.")
    return line


def edit(request: PersonRequest, claim: Claim, line: ClaimLine | None, kind: str) -> HttpResponse:
    data = kept.written(request, lambda: line_form(claim, line, kind, None, None))
    form = line_form(claim, line, kind, data, request.FILES or None)
    conflict = None
    if kept.is_autosave(request):
        return autosave(request, claim, line, form)
    if request.method == "POST" and form.is_valid():
        seen = form.cleaned_data["revision"]
        try:
            save(request, claim, line, kind, form, seen)
        except Stale:
            claim = claim_to_work_on(request, claim.pk, kind)
            if not claim.is_open or (line and line.pk not in {known.pk for known in claim.lines.all()}):
                return closed_for_writing(request, claim)
            if came_twice(request, claim, line, form, seen):
                return go_on(request, claim, kind)
            line = line_for(claim, line.pk) if line else None
            form = line_form(claim, line, kind, with_revision(request, claim), None)
            conflict = conflict_of(request, claim, form, seen=seen)
        except Refused as refusal:
            add_refusal(form, refusal, places(form))
        else:
            return go_on(request, claim, kind)
    return render(
        request,
        "claims/line.html",
        page(request, claim, line, kind, form) | {"conflict": conflict},
        status=answer(form, conflict, request),
    )


def save(
    request: PersonRequest, claim: Claim, line: ClaimLine | None, kind: str, form: InvoiceForm, seen: int | None
) -> ClaimLine:
    """Save a line with its file. Raises Stale where somebody changed this line, or where a new one came twice."""
    part = f"lines.{line.pk}" if line else ""
    twice = line is None and came_twice(request, claim, None, form, seen)
    return save_line(
        claim.pk,
        line.pk if line else None,
        form.values() if line else {"kind": kind, **form.values()},
        upload_of(form.cleaned_data.get("file")),
        revision=seen if twice else reading(claim, seen, part),
        by=request.user,
        at=now(request),
    )


def autosave(request: PersonRequest, claim: Claim, line: ClaimLine | None, form: InvoiceForm) -> HttpResponse:
    """A line that is there is saved as it is written; of a new one the words are kept."""
    if line is None:
        return kept_as_written(request, claim)
    return saved_as_written(
        request, claim, form, lambda seen: save(request, claim, line, line.kind, form, seen), places(form)
    )


def places(form: InvoiceForm) -> dict[str, str]:
    """The fields of the form by what operations call them."""
    return {"": "file", **{f"details.{metric.code}": f"detail_{metric.code}" for metric in form.details}}


def came_twice(
    request: PersonRequest, claim: Claim, line: ClaimLine | None, form: InvoiceForm, seen: int | None
) -> bool:
    """Whether what the form says was saved already by the same person since it was read: it was sent twice."""
    values = form.values()
    edits = edits_since(claim, seen) if seen is not None else []
    mine = {edit.data.get("line") for edit in edits if edit.actor_id == request.user.pk}
    return any(
        str(known.pk) in mine and (line is None or known.pk == line.pk) and is_as(known, values)
        for known in ClaimLine.objects.filter(claim_id=claim.pk)
    )


def is_as(line: ClaimLine, values: Mapping[str, Any]) -> bool:
    """Whether a line says what a form says."""
    plain = {name: value for name, value in values.items() if name != "details"}
    return all(getattr(line, name) == value for name, value in plain.items()) and all(
        line.details.get(code, "") == value for code, value in values.get("details", {}).items()
    )


def line_form(claim: Claim, line: ClaimLine | None, kind: str, data: Any, files: Any) -> InvoiceForm:
    initial = line_values(claim, line) if line else {"revision": claim.revision}
    return LINE_FORMS[kind](
        data,
        files,
        currency=claim.currency,
        share=share_of(claim),
        details=line_details_asked(claim),
        initial=initial,
    )


def form_field(field: str) -> str:
    """The form's field for what a rule calls `lines.17.details.course` or `lines.17`; evidence is the file."""
    name = field_of(field) or "file"
    return name.replace("details.", "detail_", 1)


def page(request: PersonRequest, claim: Claim, line: ClaimLine | None, kind: str, form: InvoiceForm) -> dict[str, Any]:
    """What `claims/line.html` shows."""
    notes = {}
    found: list[rules.Finding] = []
    files = []
    if line is not None:
        mine = [fix for fix in claim.returned_fixes if line_of(fix["field"]) == line.pk]
        notes = {field_of(fix["field"]): fix["message"] for fix in mine}
        findings = without_others(claim, findings_of(claim, at=now(request)))
        found = [one for one in findings if line_of(one.field) == line.pk]
        kinds = document_kinds(claim)
        files = [
            file_row(document, kinds, {}, may_remove=True)
            for document in claim.documents.all()
            if document.line_id == line.pk
        ]
    left = mark(form, found, form_field)
    hints = hints_for(claim) if line is not None and not claim.for_guest else {}  # type: ignore[attr-defined]
    may_reuse = line is not None and not claim.for_guest  # type: ignore[attr-defined]
    return {
        "claim": claim,
        "line": line,
        "kept": kept.kept(request) if request.method != "POST" else None,
        "left": [said(one) for one in left],
        "details": [
            {"field": form[f"detail_{metric.code}"], "note": notes.get(f"details.{metric.code}", "")}
            for metric in form.details
        ],
        "reuse_url": f"{reverse('claim-reuse', args=[claim.pk])}?kind={kind}&line={line.pk}"
        if line and may_reuse
        else "",
        "name": name_of(line) if line else "",
        "kind": kind,
        "label": LABELS[kind],
        "form": form,
        "notes": notes,
        "whole_note": notes.get("", ""),
        "advice": here(found, form, form_field),
        "files": files,
        "hints": hints_of_line(hints, claim, line) if line else [],
        "lines_url": f"{reverse('claim-lines', args=[claim.pk])}?kind={kind}",
        "file_lost": bool(request.FILES) and bool(form.errors) and "file" not in form.errors,
        "chosen": ", ".join(file.name or "" for file in request.FILES.getlist("file")),
    }


def go_on(request: PersonRequest, claim: Claim, kind: str) -> HttpResponse:
    """To the next line if the person asked for one, else to the list."""
    kept.forget(request)
    messages.success(request, "Saved.")
    if request.POST.get("next") == "another":
        return redirect(f"{reverse('claim-line-new', args=[claim.pk])}?kind={kind}")
    return redirect(f"{reverse('claim-lines', args=[claim.pk])}?kind={kind}")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def claim_line_remove(request: PersonRequest, claim_id: int, line_id: int) -> HttpResponse:
    """Ask, then take a line and its files out of the claim."""
    claim = claim_to_work_on(request, claim_id, kind_of(claim_id, line_id))
    if not claim.is_open:
        return closed_for_writing(request, claim)
    line = line_for(claim, line_id)
    back = f"{reverse('claim-lines', args=[claim.pk])}?kind={line.kind}"
    if request.method == "POST":
        remove_line(claim.pk, line.pk, by=request.user, at=now(request))
        messages.success(request, f"{name_of(line)} is taken out of the claim.")
        return redirect(back)
    files = [document.filename for document in claim.documents.all() if document.line_id == line.pk]
    context = {
        "claim": claim,
        "name": name_of(line),
        "amount": claim.show(line.amount_minor),
        "files": ", ".join(files),
        "back": back,
        "crumb": LABELS[line.kind]["title"],
    }
    return render(request, "claims/line_remove.html", context)
