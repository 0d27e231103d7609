"""Evidence that was given twice: the reviewers' list, two pieces side by side, and the partner's hints."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from claims import states
from claims.models import Claim, ClaimLine, Document, Duplicate
from claims.operations.duplicates import keep_duplicate, resolve_duplicate
from claims.queries.duplicates import duplicates_for, hints_of, sentence_for
from claims.web.access import own_claim
from claims.web.documents import preview_of
from claims.web.papers import size
from coop.lib.dates import show_day
from coop.lib.errors import NotFound, Refused
from coop.lib.forms import add_refusal
from coop.lib.web import asked_number, now
from partners.models import Person
from partners.permissions import require_role
from partners.states import AUDITOR, CHANNEL_MANAGER, FINANCE, PROGRAM_ADMIN
from partners.web.request import PersonRequest

LOOKERS = (CHANNEL_MANAGER, FINANCE, PROGRAM_ADMIN, AUDITOR)
A_PAGE = 50
ANOTHER = "Another organisation"


class JudgementForm(forms.Form):
    """What a pair is, and why."""

    resolution = forms.ChoiceField(
        label="These two are",
        choices=list(states.RESOLUTIONS.items()),
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what they are"},
    )
    reason = forms.CharField(
        label="Why",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="For the next reviewer. The partner does not read it.",
        error_messages={"required": "Say why, so that the next reviewer need not look again"},
    )


class WhyForm(forms.Form):
    """Why evidence is given again."""

    why = forms.CharField(
        label="Your reason",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The reviewer reads it beside the evidence. For example: one invoice, half of it in each of two claims.",
        error_messages={"required": "Say why it is right to send it again"},
    )


# --- The vendor's pages ---------------------------------------------------------------------------------------------------


@login_required
@require_safe
def duplicates_page(request: PersonRequest) -> HttpResponse:
    """The pairs that nobody has judged, the newest first."""
    require_role(request.user, *LOOKERS, to="look at evidence that was given twice")
    rows = duplicates_for(request.user).filter(resolution="").order_by("-id")
    before = asked_number(request, "before")
    shown = rows.filter(id__lt=before) if before else rows
    found = list(shown.select_related("line", "document")[: A_PAGE + 1])
    here = reverse("duplicates")
    context = {
        "rows": [row_of(request.user, pair) for pair in found[:A_PAGE]],
        "total": rows.count(),
        "older_url": f"{here}?before={found[A_PAGE - 1].pk}" if len(found) > A_PAGE else "",
        "newer_url": here if before else "",
    }
    return render(request, "claims/duplicates/duplicates.html", context)


def row_of(person: Person, pair: Duplicate) -> dict[str, Any]:
    known = known_claims(person, pair)
    thing: Any = pair.line or pair.document
    return {
        "id": pair.pk,
        "kind": states.DUPLICATE_KINDS[pair.kind],
        "what": str(thing) if pair.claim_id in known else "",
        "kept": pair.kept_because if pair.claim_id in known else "",
        "found_at": pair.found_at,
        "claim": named(pair.claim, pair.claim_id in known),
        "other": named(pair.other, pair.other_id in known),
    }


def named(claim: Claim, known: bool) -> dict[str, str]:
    if not known:
        return {"title": ANOTHER, "sub": ""}
    return {"title": claim.number, "sub": f"{claim.partner.name} · {claim.status_name}"}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def duplicate_page(request: PersonRequest, duplicate_id: int) -> HttpResponse:
    """Both pieces of evidence side by side; a channel manager says what they are."""
    require_role(request.user, *LOOKERS, to="look at evidence that was given twice")
    pair = find_pair(request, duplicate_id)
    decides = request.user.role == CHANNEL_MANAGER and not pair.resolution
    form = JudgementForm(request.POST or None) if decides else None
    if request.method == "POST":
        try:
            if form is None or form.is_valid():
                said = form.cleaned_data if form else {"resolution": "", "reason": ""}
                resolve_duplicate(pair.pk, **said, by=request.user, at=now(request))
                messages.success(
                    request, f"{states.DUPLICATE_KINDS[pair.kind]}: {states.RESOLUTIONS[said['resolution']]}."
                )
                return redirect("duplicates")
        except Refused as refusal:
            if form is None:
                raise
            add_refusal(form, refusal)
    known = known_claims(request.user, pair)
    context = {
        "pair": pair,
        "kind": states.DUPLICATE_KINDS[pair.kind],
        "resolution": states.RESOLUTIONS.get(pair.resolution, ""),
        "lede": lede_of(pair),
        "kept": pair.kept_because if pair.claim_id in known else "",
        "sides": [
            side_of(pair.claim, pair.line, pair.document, known=pair.claim_id in known),
            side_of(pair.other, pair.other_line, pair.other_document, known=pair.other_id in known),
        ],
        "form": form,
        "crumbs": [{"label": "Evidence given twice", "url": reverse("duplicates")}],
    }
    return render(request, "claims/duplicates/duplicate.html", context, status=400 if form and form.errors else 200)


def find_pair(request: PersonRequest, duplicate_id: int) -> Duplicate:
    """Raises NotFound, also for a pair that the reader may not know of."""
    sides = ("document__stored", "other_document__stored", "line", "other_line", "document__reused_from__claim")
    people = ("document__uploaded_by", "other_document__uploaded_by")
    pair = duplicates_for(request.user).select_related(*sides, *people).filter(id=duplicate_id).first()
    if pair is None:
        raise NotFound("There is no such pair.")
    return pair


def known_claims(person: Person, pair: Duplicate) -> set[int]:
    """Which of the two claims the reader may see; of the other one nothing is shown."""
    both = Claim.objects.visible_to(person).filter(id__in=[pair.claim_id, pair.other_id])
    return set(both.values_list("id", flat=True))


def lede_of(pair: Duplicate) -> str:
    if pair.claim_id == pair.other_id:
        return "Twice in one claim."
    if pair.document and pair.document.reused_from_id:
        return "The partner offered a file of an earlier claim again, on purpose."
    return "The first of these two claims came later."


def side_of(claim: Claim, line: ClaimLine | None, document: Document | None, *, known: bool) -> dict[str, Any]:
    """One piece of evidence: what is said of it, and how it looks."""
    if not known:
        where = [{"key": "Status", "value": claim.status_name}]
        nothing = "It belongs to a partner outside your portfolio. Ask who looks after it."
        return {"title": ANOTHER, "facts": where, "previews": [], "nothing": nothing}
    facts = [
        {"key": "Partner", "value": claim.partner.name},
        {"key": "Claim", "value": f"{claim.title}, {claim.status_name.lower()}"},
    ]
    documents = [document] if document else []
    if line is not None:
        facts += facts_of_line(claim, line)
        documents = list(line.documents.select_related("stored")[:3])
    elif document is not None:
        facts += facts_of_document(document)
    return {
        "title": claim.number,
        "url": reverse("review", args=[claim.pk]),
        "facts": facts,
        "previews": [preview_of(found) for found in documents],
        "nothing": "No file belongs to this line.",
    }


def facts_of_line(claim: Claim, line: ClaimLine) -> list[dict[str, str]]:
    rows = [
        {"key": "Supplier", "value": line.supplier},
        {"key": "Number", "value": line.invoice_number},
        {"key": "Date", "value": show_day(line.invoiced_on) if line.invoiced_on else ""},
        {"key": "Claimed", "value": claim.show(line.amount_minor)},
    ]
    if line.cost_minor is not None:
        rows.append({"key": "Cost", "value": claim.show(line.cost_minor)})
    return rows


def facts_of_document(document: Document) -> list[dict[str, str]]:
    return [
        {"key": "File", "value": document.filename},
        {"key": "Size", "value": size(document.size)},
        {"key": "Given", "value": f"{show_day(document.created_at.date())} by {document.uploaded_by.name}"},
    ]


# --- The partner's side -----------------------------------------------------------------------------------------------------


def hints_for(claim: Claim) -> dict[str, list[dict[str, str]]]:
    """What a claim repeats, by its place: "line-17" or "document-5". For `claims/duplicates/_hints.html`."""
    found: dict[str, list[dict[str, str]]] = {}
    for hint in hints_of(claim):
        place = f"line-{hint.line_id}" if hint.line_id else f"document-{hint.document_id}"
        found.setdefault(place, []).append(hint_row(claim, hint))
    return found


def hints_of_line(hints: dict[str, list[dict[str, str]]], claim: Claim, line: ClaimLine) -> list[dict[str, str]]:
    """What a line repeats, and what its files repeat."""
    places = [f"document-{document.pk}" for document in claim.documents.all() if document.line_id == line.pk]
    return [hint for place in [f"line-{line.pk}", *places] for hint in hints.get(place, [])]


def hint_row(claim: Claim, hint: Duplicate) -> dict[str, str]:
    own = hint.other.partner_id == claim.partner_id and hint.other_id != claim.pk
    remove = reverse("document-remove", args=[claim.pk, hint.document_id]) if hint.document_id else ""
    if hint.line_id:
        remove = reverse("claim-line-remove", args=[claim.pk, hint.line_id])
    return {
        "sentence": sentence_for(hint),
        "what": str(hint.line or hint.document),
        "kept": hint.kept_because,
        "keep_url": reverse("duplicate-keep", args=[claim.pk, hint.pk]),
        "remove_url": remove if claim.is_open else "",
        "other": hint.other.number if own else "",
        "other_url": reverse("claim", args=[hint.other_id]) if own else "",
    }


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def duplicate_keep(request: PersonRequest, claim_id: int, duplicate_id: int) -> HttpResponse:
    """The partner says why evidence is given again."""
    claim = own_claim(request, claim_id)
    pair = find_pair(request, duplicate_id)
    if pair.claim_id != claim.pk:
        raise NotFound("There is no such hint.")
    form = WhyForm(request.POST or None, initial={"why": pair.kept_because})
    back = place_of(claim, pair)
    if request.method == "POST" and form.is_valid():
        try:
            keep_duplicate(pair.pk, why=form.cleaned_data["why"], by=request.user, at=now(request))
        except Refused as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, "Kept. The reviewer reads why.")
            return redirect(back)
    own_other = pair.other.partner_id == claim.partner_id
    sides = [side_of(pair.claim, pair.line, pair.document, known=True)]
    if own_other:
        sides.append(side_of(pair.other, pair.other_line, pair.other_document, known=True))
    context = {"claim": claim, "form": form, "sentence": sentence_for(pair), "sides": sides, "back": back}
    return render(request, "claims/duplicates/keep.html", context, status=400 if form.errors else 200)


def place_of(claim: Claim, pair: Duplicate) -> str:
    """Back to where the hint stood."""
    if not claim.is_open:
        return reverse("claim", args=[claim.pk])
    line_id = pair.line_id or (pair.document.line_id if pair.document else None)
    return reverse("claim-line", args=[claim.pk, line_id]) if line_id else reverse("claim-proof", args=[claim.pk])
