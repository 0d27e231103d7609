"""Proof of execution: the checklist that the activity asks for on its date, each with a file or an address."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.datastructures import MultiValueDict
from django.views.decorators.http import require_http_methods

from claims import states
from claims.models import Claim
from claims.operations.evidence import put_proof
from claims.queries import document_kinds
from claims.queries.book import proofs_asked
from claims.rules.facts import Proof
from claims.web.access import closed_for_writing, own_claim
from claims.web.conflict import conflict_of
from claims.web.forms import ProofForm, upload_of
from claims.web.hub import file_row
from claims.web.writing import answer, notes_for
from coop.lib.errors import Refused, Stale
from coop.lib.web import now
from partners.web.request import PersonRequest

OTHER = Proof("other", "Anything else", "What helps the reviewer and is not asked for above.", required=False)
FIELDS = ("file", "url", "note", "replace")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def claim_proof(request: PersonRequest, claim_id: int) -> HttpResponse:
    """All proofs on one page. What can be saved is saved; what is refused stays in its fields with the reason."""
    claim = own_claim(request, claim_id)
    if not claim.is_open:
        return closed_for_writing(request, claim)
    form = proof_form(claim, request.POST or None, request.FILES or None)
    conflict = None
    if request.method == "POST":
        form.is_valid()
        seen = form.cleaned_data.get("revision")
        try:
            refused = put_all(request, claim, form, seen)
        except Stale:
            claim = own_claim(request, claim_id)
            if not claim.is_open:
                return closed_for_writing(request, claim)
            form = proof_form(claim, kept_input(request, form, claim.revision, list(form.fields)), MultiValueDict())
            conflict = conflict_of(request, claim, form, seen=seen or claim.revision)
        else:
            claim = own_claim(request, claim_id)
            if not refused:
                return go_on(request, claim, saved=len(form.given()))
            form = with_refused(request, claim, form, refused)
    context = {
        "claim": claim,
        "form": form,
        "conflict": conflict,
        "items": items(claim, form),
        "checklist": proofs_of(claim),
        "file_lost": bool(request.FILES) and (bool(form.errors) or conflict is not None),
    }
    return render(request, "claims/proof.html", context, status=answer(form, conflict))


def proofs_of(claim: Claim) -> list[Proof]:
    """The proofs that this page takes: those of the activity, without evidence of money, which has its own pages."""
    wanted = proofs_asked(claim)
    return [proof for proof in wanted if proof.code not in states.MONEY_EVIDENCE]


def proof_form(claim: Claim, data: Any, files: Any) -> ProofForm:
    given = {document.kind for document in claim.documents.all()}
    proofs = [*proofs_of(claim), OTHER]
    return ProofForm(data, files, proofs=proofs, given=given, initial={"revision": claim.revision})


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
    given = {document.kind for document in claim.documents.all()}
    groups: dict[str, list[Proof]] = {}
    for proof in proofs_of(claim):
        if proof.required:
            groups.setdefault(proof.group or proof.code, []).append(proof)
    there = sum(any(proof.code in given for proof in proofs) for proofs in groups.values())
    if there == len(groups):
        messages.success(request, "Saved. The proof is complete.")
        return redirect("claim", claim.pk)
    said = "Saved." if saved else "Nothing was given."
    messages.info(request, f"{said} {there} of {len(groups)} proofs are there.")
    return redirect("claim-proof", claim.pk)


def items(claim: Claim, form: ProofForm) -> list[dict[str, Any]]:
    """The checklist: groups of proofs, of which one is enough, and single ones; each with its documents and its fields."""
    kinds = document_kinds(claim)
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
                "in_error": proof.code in codes_in_error(form),
                "fields": [form[f"{name}_{proof.code}"] for name in FIELDS if f"{name}_{proof.code}" in form.fields],
            }
        )
    return [
        {
            "members": members,
            "grouped": len(members) > 1,
            "required": members[0]["proof"].required,
            "given": any(member["files"] for member in members),
        }
        for members in groups.values()
    ]
