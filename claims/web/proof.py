"""Proof of execution: the checklist that the activity asks for on its date, each with a file or an address."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.datastructures import MultiValueDict
from django.views.decorators.http import require_http_methods

from claims import rules, states
from claims.models import Claim, Document
from claims.operations.evidence import date_document, put_proof
from claims.queries import document_kinds
from claims.queries.book import dated_proofs, proofs_asked
from claims.queries.overtaken import edits_since
from claims.rules.facts import Proof
from claims.web.access import claim_to_work_on, closed_for_writing
from claims.web.autosave import kept_as_written
from claims.web.conflict import conflict_of, reading
from claims.web.duplicates import hints_for
from claims.web.forms import ProofForm, upload_of
from claims.web.marks import said
from claims.web.papers import file_row
from claims.web.writing import answer, found_for, notes_for
from coop.lib import kept
from coop.lib.errors import Refused, Stale
from coop.lib.web import now
from partners.web.request import PersonRequest

OTHER = Proof("other", "Anything else", "What helps the reviewer and is not asked for above.", required=False)
FIELDS = ("file", "url", "dated", "note", "replace")


@kept.keeps_words
@require_http_methods(["GET", "HEAD", "POST"])
def claim_proof(request: PersonRequest, claim_id: int) -> HttpResponse:
    """All proofs on one page. What can be saved is saved; what is refused stays in its fields with the reason."""
    claim = claim_to_work_on(request, claim_id, "proof")
    if not claim.is_open:
        return closed_for_writing(request, claim)
    if kept.is_autosave(request):
        return kept_as_written(request, claim)
    form = proof_form(claim, kept.written(request, lambda: proof_form(claim, None, None)), request.FILES or None)
    conflict = None
    if request.method == "POST":
        form.is_valid()
        seen = form.cleaned_data.get("revision")
        try:
            refused = put_all(request, claim, form, reading_of(claim, form, seen))
        except Stale:
            claim = claim_to_work_on(request, claim_id, "proof")
            if not claim.is_open:
                return closed_for_writing(request, claim)
            if came_twice(request, claim, form, seen):
                return go_on(request, claim, saved=len(form.given()))
            form = proof_form(claim, kept_input(request, form, claim.revision, list(form.fields)), MultiValueDict())
            conflict = conflict_of(request, claim, form, seen=seen or claim.revision)
        else:
            claim = claim_to_work_on(request, claim_id, "proof")
            if not refused:
                return go_on(request, claim, saved=len(form.given()) + len(form.days()))
            form = with_refused(request, claim, form, refused)
    found = found_for(request, claim, "proof")
    context = {
        "claim": claim,
        "form": form,
        "conflict": conflict,
        "kept": kept.kept(request) if request.method != "POST" else None,
        "items": items(request, claim, form, found),
        "checklist": proofs_of(claim),
        "file_lost": bool(request.FILES) and (bool(form.errors) or conflict is not None),
    }
    return render(request, "claims/proof.html", context, status=answer(form, conflict, request))


def reading_of(claim: Claim, form: ProofForm, seen: int | None) -> int | None:
    """The revision to save on: only who gave the same proofs meanwhile was faster."""
    parts = [f"documents.{code}" for code in (*form.given(), *form.days())]
    return seen if any(reading(claim, seen, part) == seen for part in parts) else claim.revision


def came_twice(request: PersonRequest, claim: Claim, form: ProofForm, seen: int | None) -> bool:
    """Whether all that the form brings was saved already by the same person since it was read: it was sent twice."""
    edits = [edit for edit in edits_since(claim, seen or claim.revision) if edit.actor_id == request.user.pk]
    there = {(edit.data.get("kind"), edit.data.get("sha256")) for edit in edits if edit.verb == "claim.document_added"}
    urls = {(document.kind, document.url) for document in claim.documents.all() if document.url}
    given = form.given()
    return bool(given) and all(
        (code, hash_of(form.cleaned_data.get(f"file_{code}"))) in there
        or (code, form.cleaned_data.get(f"url_{code}")) in urls
        for code in given
    )


def hash_of(file: Any) -> str:
    if not file:
        return "none"
    file.seek(0)
    return hashlib.sha256(file.read()).hexdigest()


def proofs_of(claim: Claim) -> list[Proof]:
    """The proofs that this page takes: those of the activity, without evidence of money, which has its own pages."""
    wanted = proofs_asked(claim)
    return [proof for proof in wanted if proof.code not in states.MONEY_EVIDENCE]


def proof_form(claim: Claim, data: Any, files: Any) -> ProofForm:
    given = {document.kind for document in claim.documents.all()}
    dated = {code: day_on(claim, code) for code in dated_proofs(claim)}
    proofs = [*proofs_of(claim), OTHER]
    return ProofForm(data, files, proofs=proofs, given=given, dated=dated, initial={"revision": claim.revision})


def day_on(claim: Claim, code: str) -> date | None:
    """The day that stands on the last document of a kind, as far as it was said."""
    return next((document.dated_on for document in reversed(claim.documents.all()) if document.kind == code), None)


def put_all(request: PersonRequest, claim: Claim, form: ProofForm, seen: int | None) -> dict[str, str]:
    """Save each proof that was given; returns, by code, why some were refused. Raises Stale before anything is saved."""
    refused = dict.fromkeys(codes_in_error(form), "")
    revision = seen
    for code in form.given():
        if code in refused:
            continue
        data = form.cleaned_data
        try:
            put_proof(
                claim.pk,
                code,
                upload=upload_of(data.get(f"file_{code}")),
                url=(data.get(f"url_{code}") or "").strip(),
                note=data.get(f"note_{code}") or "",
                dated_on=data.get(f"dated_{code}"),
                replace=bool(data.get(f"replace_{code}")),
                revision=revision,
                by=request.user,
                at=now(request),
            )
        except Stale:
            raise
        except Refused as refusal:
            refused[code] = refusal.errors[0].message if refusal.errors else refusal.message
        else:
            revision = None  # the first save was on what the person had read; ours made it newer
    for code, day in form.days().items():
        last = max((document.pk for document in claim.documents.all() if document.kind == code), default=None)
        if code not in form.given() and last is not None:
            date_document(claim.pk, last, day, revision=revision, by=request.user, at=now(request))
            revision = None
        elif code not in form.given() and day is not None:
            refused[code] = "Choose the file too, or give an address."
    return refused


def codes_in_error(form: ProofForm) -> list[str]:
    return [proof.code for proof in form.proofs if any(f"{name}_{proof.code}" in form.errors for name in FIELDS)]


def kept_input(request: PersonRequest, form: ProofForm, revision: int, names: list[str]) -> QueryDict:
    """The text that was typed into some fields, once more."""
    data = QueryDict(mutable=True)
    data["revision"] = str(revision)
    for name in names:
        if name != "revision" and name in request.POST:
            data[name] = request.POST[name]
    return data


def with_refused(request: PersonRequest, claim: Claim, form: ProofForm, refused: dict[str, str]) -> ProofForm:
    """The form after a save in part: what was saved is empty again, what was refused has its text and the reason."""
    names = [f"{name}_{code}" for code in refused for name in FIELDS]
    again = proof_form(claim, kept_input(request, form, claim.revision, names), MultiValueDict())
    again.is_valid()
    for code, message in refused.items():
        for name in FIELDS:
            field = f"{name}_{code}"
            again.errors.pop(field, None)
            for error in form.errors.get(field, []):
                again.add_error(field, error)
        if message:
            again.add_error(f"url_{code}" if form.cleaned_data.get(f"url_{code}") else f"file_{code}", message)
    return again


def go_on(request: PersonRequest, claim: Claim, *, saved: int) -> HttpResponse:
    """To the hub when all is there; else the page once more, which says what is missing."""
    kept.forget(request)
    given = given_kinds(claim)
    groups: dict[str, list[Proof]] = {}
    for proof in proofs_of(claim):
        if proof.required:
            groups.setdefault(proof.group or proof.code, []).append(proof)
    there = sum(any(proof.code in given for proof in proofs) for proofs in groups.values())
    if there == len(groups):
        messages.success(request, "Saved. The proof is complete.")
        return redirect(claim.hub_url)  # type: ignore[attr-defined]
    said = "Saved." if saved else "Nothing was given."
    messages.info(request, f"{said} {there} of {len(groups)} proofs are there.")
    return redirect("claim-proof", claim.pk)


def given_kinds(claim: Claim) -> set[str]:
    """The kinds of documents that are there, also those that a guest does not see."""
    return set(Document.objects.filter(claim_id=claim.pk).values_list("kind", flat=True))


def items(
    request: PersonRequest, claim: Claim, form: ProofForm, found: Sequence[rules.Finding]
) -> list[dict[str, Any]]:
    """The checklist: groups of proofs, of which one is enough, and single ones; each with its documents and its fields."""
    kinds = document_kinds(claim)
    there = given_kinds(claim)
    may_reuse = not claim.for_guest  # type: ignore[attr-defined]
    hints = hints_for(claim) if may_reuse else {}
    notes = notes_for(claim, "proof")
    groups: dict[str, list[dict[str, Any]]] = {}
    for proof in form.proofs:
        documents = [document for document in claim.documents.all() if document.kind == proof.code]
        numbers = {str(document.pk) for document in documents}
        note = notes.get(proof.code) or next((notes[pk] for pk in numbers if pk in notes), "")
        groups.setdefault(proof.group or proof.code, []).append(
            {
                "proof": proof,
                "example": proof.example,
                "files": [file_row(document, kinds, {}, may_remove=True) for document in documents],
                "note": note,
                "hints": [hint for document in documents for hint in hints.get(f"document-{document.pk}", [])],
                "findings": [said(f) | {"missing": not documents} for f in found if is_about(f, proof, there, claim)],
                "elsewhere": proof.code in there and not documents,
                "reuse_url": f"{reverse('claim-reuse', args=[claim.pk])}?kind={proof.code}" if may_reuse else "",
                "in_error": proof.code in codes_in_error(form),
                "fields": [form[f"{name}_{proof.code}"] for name in FIELDS if f"{name}_{proof.code}" in form.fields],
            }
        )
    return [
        {
            "members": members,
            "grouped": len(members) > 1,
            "required": members[0]["proof"].required,
            "given": any(member["files"] or member["elsewhere"] for member in members),
        }
        for members in groups.values()
    ]


def is_about(found: rules.Finding, proof: Proof, there: set[str], claim: Claim) -> bool:
    """Whether a finding belongs to a proof. What somebody else gave is not missing for a guest, who cannot see it."""
    mine = found.outcome in (rules.FAILED, rules.WARNING) and found.field == f"documents.{proof.code}"
    return mine and not (claim.for_guest and proof.code in there)  # type: ignore[attr-defined]
