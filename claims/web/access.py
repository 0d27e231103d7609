"""Who comes to which page of a claim, and what happens to input that comes when nothing can be changed any more."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse

from claims.models import Claim
from claims.permissions import require_writer
from coop.lib.errors import NotFound
from partners import states as roles
from partners.models import Person
from partners.web.request import PersonRequest

HOMES = {
    roles.CHANNEL_MANAGER: "worklist",
    roles.FINANCE: "finance",
    roles.PROGRAM_ADMIN: "finance",
    roles.AUDITOR: "finance",
}


def home_of_vendor(person: Person) -> str:
    """Where somebody of the vendor begins; the funds, where the role has no page of its own."""
    try:
        return reverse(HOMES.get(person.role, "funds"))
    except NoReverseMatch:
        return reverse("funds")


def review_of(claim: Claim) -> str:
    """The vendor's page of a claim."""
    return reverse("review", args=[claim.pk])


def whole_claims(person: Person) -> QuerySet[Claim]:
    """Claims with all that the rules look at, in three queries."""
    found = Claim.objects.visible_to(person).with_names().select_related("fund__enrollment", "reviewer", "submitted_by")
    return found.prefetch_related("lines", "documents__stored")


def claim_for(request: PersonRequest, claim_id: int) -> Claim:
    """A claim that the reader may see. Raises NotFound."""
    claim = whole_claims(request.user).filter(id=claim_id).first()
    if claim is None:
        raise NotFound("There is no such claim.")
    return claim


def own_claim(request: PersonRequest, claim_id: int) -> Claim:
    """A claim that the reader may write while it is open. Raises NotFound, NotAllowed."""
    claim = claim_for(request, claim_id)
    require_writer(request.user, claim)
    return claim


def closed_for_writing(request: PersonRequest, claim: Claim) -> HttpResponse:
    """The answer where a claim is not open: its page, and what was typed, so that it is not lost."""
    if request.method != "POST":
        messages.info(request, f"Claim {claim.number} is {claim.status_name.lower()}, so nothing in it changes now.")
        return redirect("claim", claim.pk)
    kept = [
        {"key": name.replace("_", " ").replace("-", " ").capitalize(), "value": value}
        for name, value in request.POST.items()
        if value and name not in ("csrfmiddlewaretoken", "revision", "next")
    ]
    return render(request, "claims/closed_for_writing.html", {"claim": claim, "kept": kept}, status=409)
