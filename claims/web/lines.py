"""Invoices and in-house work: the list, one page a line, taking a line out."""

from __future__ import annotations

from dataclasses import asdict
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
from claims.web.access import closed_for_writing, own_claim
from claims.web.conflict import conflict_of, with_revision
from claims.web.forms import LINE_FORMS, InvoiceForm, line_values, upload_of
from claims.web.hub import file_row, name_of
from claims.web.places import field_of, line_of
from claims.web.progress import DONE, PROBLEM, RETURNED, is_missing
from claims.web.writing import answer
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
    claim = own_claim(request, claim_id)
    if not claim.is_open:
        return closed_for_writing(request, claim)
    kind = kind_asked(request)
    lines = [line for line in claim.lines.all() if line.kind == kind]
    failed = rules.failed(findings_of(claim, at=now(request)))
    context = {
        "claim": claim,
        "kind": kind,
        "label": LABELS[kind],
        "rows": [row(claim, line, failed) for line in lines],
        "total": claim.show(sum(line.amount_minor for line in lines)),
        "add_url": f"{reverse('claim-line-new', args=[claim.pk])}?kind={kind}",
        "too_much": next((found for found in failed if found.kind == "money_there" and lines), None),
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


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def claim_line_new(request: PersonRequest, claim_id: int) -> HttpResponse:
    """A new invoice, or a new piece of in-house work."""
    claim = own_claim(request, claim_id)
    if not claim.is_open:
        return closed_for_writing(request, claim)
    return edit(request, claim, None, kind_asked(request))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def claim_line(request: PersonRequest, claim_id: int, line_id: int) -> HttpResponse:
    """One line with its file."""
    claim = own_claim(request, claim_id)
    if not claim.is_open:
        return closed_for_writing(request, claim)
    line = line_for(claim, line_id)
    return edit(request, claim, line, line.kind)


def line_for(claim: Claim, line_id: int) -> ClaimLine:
    """Raises NotFound."""
    line = next((line for line in claim.lines.all() if line.pk == line_id), None)
    if line is None:
        raise NotFound("There is no such line in this claim.")
    return line


def edit(request: PersonRequest, claim: Claim, line: ClaimLine | None, kind: str) -> HttpResponse:
    form = line_form(claim, line, kind, request.POST or None, request.FILES or None)
    conflict = None
    if request.method == "POST" and form.is_valid():
        seen = form.cleaned_data["revision"]
        values = form.values() if line else {"kind": kind, **form.values()}
        try:
            save_line(
                claim.pk,
                line.pk if line else None,
                values,
                upload_of(form.cleaned_data["file"]),
                revision=seen,
                by=request.user,
                at=now(request),
            )
        except Stale:
            claim = own_claim(request, claim.pk)
            if not claim.is_open or (line and line.pk not in {known.pk for known in claim.lines.all()}):
                return closed_for_writing(request, claim)
            line = line_for(claim, line.pk) if line else None
            form = line_form(claim, line, kind, with_revision(request, claim), None)
            conflict = conflict_of(request, claim, form, seen=seen)
        except Refused as refusal:
            add_refusal(form, refusal, {"": "file"})
        else:
            return go_on(request, claim, kind)
    return render(
        request,
        "claims/line.html",
        page(request, claim, line, kind, form) | {"conflict": conflict},
        status=answer(form, conflict),
    )


def line_form(claim: Claim, line: ClaimLine | None, kind: str, data: Any, files: Any) -> InvoiceForm:
    initial = line_values(claim, line) if line else {"revision": claim.revision}
    return LINE_FORMS[kind](data, files, currency=claim.currency, initial=initial)


def page(request: PersonRequest, claim: Claim, line: ClaimLine | None, kind: str, form: InvoiceForm) -> dict[str, Any]:
    """What `claims/line.html` shows."""
    notes = {}
    advice: list[dict[str, Any]] = []
    files = []
    if line is not None:
        mine = [fix for fix in claim.returned_fixes if line_of(fix["field"]) == line.pk]
        notes = {field_of(fix["field"]): fix["message"] for fix in mine}
        failed = rules.failed(findings_of(claim, at=now(request)))
        advice = [on_this_page(found) for found in failed if line_of(found.field) == line.pk]
        kinds = document_kinds(claim)
        files = [
            file_row(document, kinds, {}, may_remove=True)
            for document in claim.documents.all()
            if document.line_id == line.pk
        ]
    return {
        "claim": claim,
        "line": line,
        "name": name_of(line) if line else "",
        "kind": kind,
        "label": LABELS[kind],
        "form": form,
        "notes": notes,
        "whole_note": notes.get("", ""),
        "advice": advice,
        "files": files,
        "lines_url": f"{reverse('claim-lines', args=[claim.pk])}?kind={kind}",
        "file_lost": bool(request.FILES) and bool(form.errors) and "file" not in form.errors,
        "chosen": ", ".join(file.name or "" for file in request.FILES.getlist("file")),
    }


def on_this_page(finding: rules.Finding) -> dict[str, Any]:
    """A finding about the line as findings.html takes it, with a link to its field; evidence is the file."""
    return {**asdict(finding), "rule": "", "url": f"#id_{field_of(finding.field) or 'file'}"}


def go_on(request: PersonRequest, claim: Claim, kind: str) -> HttpResponse:
    """To the next line if the person asked for one, else to the list."""
    messages.success(request, "Saved.")
    if request.POST.get("next") == "another":
        return redirect(f"{reverse('claim-line-new', args=[claim.pk])}?kind={kind}")
    return redirect(f"{reverse('claim-lines', args=[claim.pk])}?kind={kind}")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def claim_line_remove(request: PersonRequest, claim_id: int, line_id: int) -> HttpResponse:
    """Ask, then take a line and its files out of the claim."""
    claim = own_claim(request, claim_id)
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
