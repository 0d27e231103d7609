"""Who may see what, and who may do what. Each `visible_*` returns the condition that every read of that model starts from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q

from coop.lib.errors import NotAllowed
from partners import states

if TYPE_CHECKING:
    from partners.models import Person

NOTHING = Q(pk__in=[])
# Not Q(): Django drops an empty condition from an "or", so that "everything or X" would mean X alone.
EVERYTHING = ~NOTHING


def within_partner(person: Person, path: str = "partner_id") -> Q:
    """Rows whose partner (at `path`) the person may see: one's own, the portfolio's (with those of people
    one stands in for today), or all for the vendor's other roles.

    An agency guest sees nothing of a partner by this road; guests see what they were invited to.
    """
    if not person.is_authenticated or not person.is_active or person.role == states.AGENCY:
        return NOTHING
    if person.role in states.PARTNER_ROLES:
        return Q(**{path: person.partner_id})
    if person.role == states.CHANNEL_MANAGER and (reach := person.reach()) is not None:
        return Q(**{f"{path}__in": reach})
    return EVERYTHING


def visible_partners(person: Person) -> Q:
    if person.is_authenticated and person.is_active and person.role == states.AGENCY:
        return Q(id=person.partner_id)
    return within_partner(person, "id")


def visible_people(person: Person) -> Q:
    """The vendor's people see colleagues and the people of partners they see; a partner admin their own; all see themselves."""
    if not person.is_authenticated or not person.is_active:
        return NOTHING
    if person.role in (states.PROGRAM_ADMIN, states.FINANCE, states.AUDITOR):
        return EVERYTHING
    if person.role == states.CHANNEL_MANAGER:
        return within_partner(person) | Q(partner__isnull=True)
    if person.role == states.PARTNER_ADMIN:
        return Q(partner_id=person.partner_id)
    return Q(id=person.id)


def visible_events(person: Person) -> Q:
    """Partners read what was done on their own records, without what is marked for the vendor only."""
    if not person.is_authenticated or not person.is_active:
        return NOTHING
    if person.role in states.PARTNER_ROLES:
        # A moved deadline concerns every partner of the program, so it is nobody's own record.
        moved = Q(partner__isnull=True, verb="earning_period.extended")
        return (within_partner(person) & Q(vendor_only=False)) | moved
    if person.role == states.CHANNEL_MANAGER:
        # What is of no partner, such as imports and payment runs, is not theirs to see, however large their portfolio is.
        of_partners = within_partner(person) & Q(partner__isnull=False, partner_only=False)
        return of_partners | Q(partner__isnull=True, subject_type__in=["earning_period", "program"])
    return within_partner(person) & Q(partner_only=False)


def require_role(person: Person, *roles: str, to: str) -> None:
    """Refuse unless the person has one of the roles. `to` completes the sentence "... may ...".

    Raises NotAllowed.
    """
    if not person.is_active or person.role not in roles:
        *others, last = (states.ROLES[role].lower() for role in roles)
        who = f"{', '.join(others)} or {last}" if others else last
        raise NotAllowed(
            f"Your role is {states.ROLES[person.role].lower()}. To {to}, ask somebody whose role is {who}."
        )


def may_see(person: Person, partner_id: int) -> bool:
    """Whether the rows of this partner are visible to the person."""
    if not person.is_active or person.role == states.AGENCY:
        return False
    if person.role in states.PARTNER_ROLES:
        return person.partner_id == partner_id
    if person.role == states.CHANNEL_MANAGER and (reach := person.reach()) is not None:
        return partner_id in reach
    return True
