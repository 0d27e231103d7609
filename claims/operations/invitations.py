"""Asking somebody to do one task of a claim: a colleague, or an agency's guest who sees nothing else of it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from claims import states
from claims.models import Claim, Invitation
from claims.operations.opening import lock_open_claim
from claims.permissions import WRITERS, require_writer
from coop.lib.errors import FieldError, Invalid, NotFound, WrongStatus
from coop.lib.text import require_fit_text
from partners import events
from partners.models import Person
from partners.operations import create_guest
from partners.states import AGENCY


@transaction.atomic
def invite(
    claim_id: int,
    *,
    task: str,
    person_id: int | None = None,
    email: str = "",
    name: str = "",
    note: str = "",
    by: Person,
    at: datetime,
) -> Invitation:
    """Ask a person to do a task of an open claim: somebody of the organisation, or an agency's guest.

    Without `person_id` it is the agency's guest with this e-mail address, who is added as one if nobody has it yet; then
    the guest has no password, and `invitation.person.has_usable_password()` says so. Asking twice is asking once.

    Raises NotFound, NotAllowed, WrongStatus, Invalid with all faults.
    """
    claim = lock_open_claim(claim_id, by=by, revision=None)
    require_fit_text({"note": note, "name": name}, ("note", "name"))
    if task not in states.TASKS:
        raise Invalid.field("task", f"“{task[:40]}” is not a task of a claim. Use one of: {', '.join(states.TASKS)}.")
    if len(note) > 500:
        raise Invalid.field("note", "A note has at most 500 characters.", "too_long")
    person = known_person(claim, person_id) if person_id is not None else guest(claim, email, name, by=by, at=at)
    if person.pk == by.pk:
        raise Invalid.field("person", "You can do this task already: choose somebody else.", "is_you")
    known = Invitation.objects.open().filter(claim=claim, task=task, person=person).first()
    if known is not None:
        return known
    invitation = Invitation.objects.create(
        claim=claim, task=task, person=person, note=note, invited_by=by, invited_at=at
    )
    tell("claim.task_given", invitation, by=by, at=at, note=note)
    return invitation


def known_person(claim: Claim, person_id: int) -> Person:
    """Somebody of the claim's organisation who may be asked, or an agency's guest whom it asked before. Raises Invalid."""
    asked = Invitation.objects.filter(person=person_id, claim__partner=claim.partner_id, person__role=AGENCY)
    found: Person | None = Person.objects.filter(id=person_id, is_active=True).first()
    own = found is not None and found.partner_id == claim.partner_id and found.role in (*WRITERS, AGENCY)
    if found is None or not (own or asked.exists()):
        raise Invalid.field(
            "person", "Choose somebody of your organisation, or one of its agencies' guests.", "not_found"
        )
    return found


def guest(claim: Claim, email: str, name: str, *, by: Person, at: datetime) -> Person:
    """The agency's guest with this address, added where nobody has it. Raises Invalid with all faults."""
    address = email.strip().lower()
    known: Person | None = Person.objects.filter(email=address).first()
    if known is not None and known.partner_id == claim.partner_id and known.is_active and known.role in WRITERS:
        return known
    if known is not None and (known.role != AGENCY or not known.is_active):
        raise Invalid.field(
            "email", "Whoever has this address cannot be asked as an agency's guest. Use another address.", "taken"
        )
    if known is not None:
        return known
    errors = []
    if not address:
        errors.append(FieldError("email", "required", "Give the e-mail address of the person at the agency."))
    if not name.strip():
        errors.append(FieldError("name", "required", "Give the name of the person at the agency."))
    if errors:
        raise Invalid(errors=errors)
    return create_guest(email=address, name=name.strip(), partner_id=claim.partner_id, by=by, at=at)


@transaction.atomic
def revoke(invitation_id: int, *, by: Person, at: datetime) -> Invitation:
    """Take a task back from somebody who has not finished it. Whoever is a guest sees nothing of the claim from now on.

    What the person saved stays. Raises NotFound, NotAllowed, WrongStatus.
    """
    invitation = lock_invitation(invitation_id)
    if not Claim.objects.visible_to(by).filter(id=invitation.claim_id).exists():
        raise NotFound("There is no such invitation.")
    require_writer(by, invitation.claim)
    require_open(invitation)
    invitation.revoked_at = at
    invitation.save()
    tell("claim.task_taken_back", invitation, by=by, at=at)
    return invitation


@transaction.atomic
def finish_task(invitation_id: int, *, note: str = "", by: Person, at: datetime) -> Invitation:
    """Say that one has done what one was asked to do. A guest sees nothing of the claim from now on.

    Raises NotFound, also for what others were asked to do; WrongStatus, Invalid.
    """
    invitation = lock_invitation(invitation_id)
    if invitation.person_id != by.pk or not by.is_active:
        raise NotFound("There is no such invitation.")
    require_fit_text({"note": note}, ("note",))
    require_open(invitation)
    invitation.done_at = at
    invitation.save()
    tell("claim.task_done", invitation, by=by, at=at, note=note[:500])
    return invitation


def lock_invitation(invitation_id: int) -> Invitation:
    """The invitation, locked after its claim. Raises NotFound."""
    claim_id = Invitation.objects.filter(id=invitation_id).values_list("claim_id", flat=True).first()
    if claim_id is None:
        raise NotFound("There is no such invitation.")
    claim = Claim.objects.select_related("partner").select_for_update(of=("self",), no_key=True).get(id=claim_id)
    invitation = Invitation.objects.select_related("person").select_for_update(of=("self",)).get(id=invitation_id)
    invitation.claim = claim
    return invitation


def require_open(invitation: Invitation) -> None:
    """Raises WrongStatus."""
    if invitation.revoked_at is not None:
        raise WrongStatus("This task was taken back.")
    if invitation.done_at is not None:
        raise WrongStatus("This task is done already.")
    if not invitation.claim.is_open:
        raise WrongStatus(
            f"Claim {invitation.claim.number} is {invitation.claim.status_name.lower()}; its tasks are closed."
        )


def tell(verb: str, invitation: Invitation, *, by: Person, at: datetime, note: str = "") -> None:
    """Who works on a claim is the partner's own matter: the vendor does not read it."""
    events.record(
        verb,
        invitation.claim,
        by=by,
        at=at,
        partner_only=True,
        number=invitation.claim.number,
        task=invitation.task,
        person=invitation.person.name,
        note=note,
    )
