"""Offering a file of an earlier claim once more."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from claims.models import Claim, Document
from claims.operations.evidence import reuse_document
from claims.queries import document_kinds
from claims.queries.reuse import SHOWN, reusable
from claims.web.access import closed_for_writing, own_claim
from claims.web.lines import line_for
from claims.web.papers import name_of, size
from coop.lib.dates import show_day
from coop.lib.errors import NotFound
from coop.lib.web import asked_number, asked_text, now, whole_number
from funds.web.clocks import earned_in
from partners.web.request import PersonRequest


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def claim_reuse(request: PersonRequest, claim_id: int) -> HttpResponse:
    """The partner's earlier files of one kind, newest first, to be searched by name and used again."""
    claim = own_claim(request, claim_id)
    if not claim.is_open:
        return closed_for_writing(request, claim)
    kinds = document_kinds(claim)
    kind, number = request.GET.get("kind", ""), asked_number(request, "line")
    if kind not in kinds:
        raise NotFound("There is no such proof in this claim.")
    line = line_for(claim, number) if number is not None else None
    back = reverse("claim-line", args=[claim.pk, line.pk]) if line else reverse("claim-proof", args=[claim.pk])
    problem = ""
    if request.method == "POST":
        chosen = whole_number(request.POST.get("document", ""))
        there = used_here(claim, kind, line.pk if line else None)
        if chosen in there:
            return redirect(back)  # sent twice: it is there already
        if chosen is not None:
            used = reuse_document(
                claim.pk,
                chosen,
                kind=kind,
                line_id=line.pk if line else None,
                note=request.POST.get("note", "").strip(),
                by=request.user,
                at=now(request),
            )
            messages.success(request, f"{used.filename} is used again.")
            return redirect(back)
        problem = "Choose the file that you want to use again."
    named = asked_text(request, "q").strip()[:80]
    found = list(reusable(claim, kind, named=named)[: SHOWN + 1])
    context = {
        "claim": claim,
        "kind": kind,
        "what": kinds[kind],
        "line": line,
        "line_name": name_of(line) if line else "",
        "back": back,
        "named": named,
        "rows": [row(document) for document in found[:SHOWN]],
        "more": len(found) > SHOWN,
        "shown": SHOWN,
        "problems": [{"text": problem, "href": "#document_0"}] if problem else [],
    }
    return render(request, "claims/reuse.html", context, status=400 if problem else 200)


def used_here(claim: Claim, kind: str, line_id: int | None) -> set[int]:
    """The earlier documents that serve at this place already."""
    here = [d for d in claim.documents.all() if d.kind == kind and d.line_id == line_id]
    return {document.reused_from_id for document in here if document.reused_from_id}


def row(document: Document) -> dict[str, Any]:
    other = document.claim
    return {
        "id": document.pk,
        "name": document.filename,
        "detail": f"{size(document.size)}, added {show_day(document.created_at.date())} to {other.number}, “{other.title}”",
        "fund": earned_in(other.fund.earning_period),
        "url": reverse("document-content", args=[document.pk]),
    }
