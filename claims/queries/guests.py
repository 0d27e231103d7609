"""What one may see of a claim that others own: an agency's guest sees what the guest gave, and nothing else."""

from __future__ import annotations

from django.db.models import QuerySet

from claims.models import Claim, Document, Invitation
from partners.models import Event, Person
from partners.states import AGENCY


def lines_added_by(person: Person, claim: Claim) -> set[int]:
    """The ids of the lines that a person added to a claim, as its events tell."""
    added = Event.objects.about("claim", claim.pk).filter(verb="claim.line_added", actor=person)
    return {int(line) for line in added.values_list("data__line", flat=True)}


def documents_for(person: Person, claim: Claim) -> QuerySet[Document]:
    """The documents of a claim that somebody who works on it may know of: all, or a guest's own uploads."""
    found = claim.documents.all()
    return found.filter(uploaded_by=person) if person.role == AGENCY else found


def tasks_for(person: Person) -> QuerySet[Invitation]:
    """What a person was asked to do and has not done yet, the oldest first."""
    asked = Invitation.objects.open().filter(person=person)
    return asked.select_related(
        "invited_by", "claim__partner", "claim__activity", "claim__fund__earning_period", "claim__fund__program"
    )


def tasks_done_by(person: Person) -> QuerySet[Invitation]:
    """The last tasks that a person finished, the newest first."""
    done = Invitation.objects.filter(person=person, done_at__isnull=False, revoked_at__isnull=True)
    return done.select_related("claim__partner").order_by("-done_at")[:10]


def people_on(claim: Claim) -> list[Invitation]:
    """Everybody who was asked to do a task of a claim and was not taken off it, in the order of asking."""
    asked = claim.invitations.filter(revoked_at__isnull=True).select_related("person", "invited_by")
    return list(asked.order_by("id"))
