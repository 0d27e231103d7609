"""Who comes to which page of a claim, and what happens to input that comes when nothing can be changed any more."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Prefetch, QuerySet, prefetch_related_objects
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse

from claims.models import Claim, ClaimLine, Invitation
from claims.permissions import invited_to, require_writer
from claims.queries.guests import lines_added_by
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
    found = Claim.objects.visible_to(person).with_names()
    found = found.select_related("fund__enrollment", "reviewer", "submitted_by", "plan_activity__plan")
    found = found.select_related("plan_activity__activity")
    return found.prefetch_related("lines", "documents__stored")


def claim_for(request: PersonRequest, claim_id: int) -> Claim:
    """A claim that the reader may see. Raises NotFound."""
    claim = whole_claims(request.user).filter(id=claim_id).first()
    if claim is None:
        raise NotFound("There is no such claim.")
    return claim


def own_claim(request: PersonRequest, claim_id: int) -> Claim:
    """A claim that the reader may write while it is open. Raises NotFound, NotAllowed.

    `hub_url` is where its pages lead back to, `for_guest` whether only a part of it may be shown.
    """
    claim = claim_for(request, claim_id)
    require_writer(request.user, claim)
    claim.hub_url, claim.for_guest = reverse("claim", args=[claim.pk]), False  # type: ignore[attr-defined]
    return claim


def claim_to_work_on(request: PersonRequest, claim_id: int, task: str) -> Claim:
    """A claim for the page of one task: whole for its writers, for a guest with nothing but what the guest gave.

    Raises NotFound, NotAllowed.
    """
    person = request.user
    if person.role != roles.AGENCY:
        return own_claim(request, claim_id)
    asked = invited_to(person, task).with_names().select_related("fund__enrollment").filter(id=claim_id).first()
    if asked is None:
        raise NotFound("There is no such claim.")
    lines = ClaimLine.objects.filter(id__in=lines_added_by(person, asked), kind=task)
    documents = asked.documents.filter(uploaded_by=person).select_related("stored")
    prefetch_related_objects([asked], Prefetch("lines", lines), Prefetch("documents", documents))
    invitation = Invitation.objects.open().filter(claim=asked, person=person, task=task).earliest("id")
    asked.hub_url = reverse("guest-task", args=[invitation.pk])  # type: ignore[attr-defined]
    asked.for_guest = True  # type: ignore[attr-defined]
    return asked


def closed_for_writing(request: PersonRequest, claim: Claim) -> HttpResponse:
    """The answer where a claim is not open: its page, and what was typed, so that it is not lost."""
    if request.method != "POST":
        messages.info(request, f"Claim {claim.number} is {claim.status_name.lower()}, so nothing in it changes now.")
        return redirect("claim", claim.pk)
    kept = [
        {"key": name.replace("_", " ").replace("-", " ").capitalize(), "value": value}
        for name, value in request.POST.items()
        if value and name not in ("csrfmiddlewaretoken", "revision", "next", "writer")
    ]
    return render(request, "claims/closed_for_writing.html", {"claim": claim, "kept": kept}, status=409)
