"""Who may write plans and claims, and who may decide them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from claims.models import Claim, ClaimQuerySet, Invitation, Plan
from claims.rules.book import valid
from coop.lib.errors import NotAllowed, NotFound, SelfDecision
from partners import states
from partners.models import Person
from partners.permissions import may_see, require_role
from partners.queries import acting_for

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


def has_declined(person: Person, claim: Claim) -> bool:
    """Whether the person declined a claim that was disputed, be it long ago: others decide on it from then on."""
    if claim.disputed_at is None:
        return False
    return claim.first_decided_by_id == person.pk or claim.decisions.filter(act="decline", decided_by=person).exists()


# --- Plans ------------------------------------------------------------------------------------------------------------


def require_plan_writer(person: Person, plan: Plan) -> None:
    """Refuse whoever may not write this plan: others' plans do not exist for them. Raises NotFound, NotAllowed."""
    if not may_see(person, plan.partner_id) or (person.is_vendor and plan.submitted_at is None):
        raise NotFound("There is no such plan.")
    require_role(person, *WRITERS, to="write and send plans")
    if person.partner_id != plan.partner_id:
        raise NotAllowed("Plans are written by the partner's own people.")


def require_plan_reviewer(person: Person, plan: Plan, at: datetime) -> Person | None:
    """Refuse whoever may not decide this plan now; returns for whom the person stands in, if for anybody.

    The reviewer is a channel manager whose portfolio, or that of somebody they stand in for on the day, holds the partner;
    with one of the titles that the program names as its approvers on the day, if it names any; never someone of the plan's
    organisation. Raises NotFound, NotAllowed, SelfDecision.
    """
    if not may_see(person, plan.partner_id):
        raise NotFound("There is no such plan.")
    if person.id == plan.submitted_by_id or person.partner_id == plan.partner_id:
        raise SelfDecision("Nobody decides on a plan of their own organisation. A channel manager of the vendor does.")
    require_role(person, states.CHANNEL_MANAGER, to="decide on plans")
    program = plan.fund.program
    day = at.astimezone(ZoneInfo(program.time_zone)).date()
    titles = [row["title"] for row in program.approvers if valid(row, day)]
    if titles and person.title not in titles:
        *others, last = (states.TITLES.get(title, title) for title in titles)
        wanted = f"{', '.join(others)} or {last}" if others else last
        own = f"Your title is {states.TITLES[person.title]}" if person.title else "You have no title"
        raise NotAllowed(f"Plans of {program} are decided by a {wanted}. {own}: ask a colleague who has it.")
    return acting_for(person, plan.partner_id, at.date())
