"""Who may write a claim and who may decide it."""

from __future__ import annotations

from claims.models import Claim, ClaimQuerySet, Invitation
from coop.lib.errors import NotAllowed, NotFound, SelfDecision
from partners import states
from partners.models import Person
from partners.permissions import may_see, require_role

WRITERS = (states.MARKETER, states.PARTNER_ADMIN)


def may_write(person: Person, claim: Claim) -> bool:
    return person.is_active and person.role in WRITERS and person.partner_id == claim.partner_id


def require_writer(person: Person, claim: Claim) -> None:
    """Refuse whoever may not write this claim: others' claims do not exist for them. Raises NotFound, NotAllowed."""
    if not may_see(person, claim.partner_id) or (person.is_vendor and claim.submitted_at is None):
        raise NotFound("There is no such claim.")
    require_role(person, *WRITERS, to="write and send claims")
    if person.partner_id != claim.partner_id:
        raise NotAllowed("Claims are written by the partner's own people.")


def invited_to(person: Person, task: str = "") -> ClaimQuerySet:
    """The open claims in which an agency's guest was asked to do a task (any, where none is named); for others none."""
    if not person.is_active or person.role != states.AGENCY:
        return Claim.objects.none()
    asked = Invitation.objects.open().filter(person=person, **({"task": task} if task else {}))
    return Claim.objects.filter(id__in=asked.values("claim_id"))


def may_work_on(person: Person, claim: Claim, task: str) -> bool:
    """Whether the person may do this task: the partner's writers each of them, a guest the one that they were asked to do."""
    return may_write(person, claim) or invited_to(person, task).filter(id=claim.pk).exists()


def require_worker(person: Person, claim: Claim, task: str) -> None:
    """Refuse whoever may not do this task of the claim (no task: the whole of it). Raises NotFound, NotAllowed."""
    if not (task and person.role == states.AGENCY and may_work_on(person, claim, task)):
        require_writer(person, claim)


def require_reviewer(person: Person, claim: Claim) -> None:
    """Refuse whoever may not decide this claim. Raises NotFound, NotAllowed, SelfDecision.

    The reviewer is a channel manager whose portfolio holds the partner; never someone of the claim's organisation.
    """
    if not may_see(person, claim.partner_id):
        raise NotFound("There is no such claim.")
    if person.id == claim.submitted_by_id or person.partner_id == claim.partner_id:
        raise SelfDecision("Nobody decides on a claim of their own organisation. A channel manager of the vendor does.")
    require_role(person, states.CHANNEL_MANAGER, to="decide on claims")
