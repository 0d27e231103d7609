"""Who stands in for whom."""

from __future__ import annotations

from datetime import date

from partners import states
from partners.models import Delegation, Person


def covered_by(person_id: int, day: date) -> list[Delegation]:
    """The delegations by which somebody stands in for others on a day."""
    found = Delegation.objects.on(day).filter(to_id=person_id)
    return list(found.select_related("person").prefetch_related("partners").order_by("id"))


def covering(person_id: int, day: date) -> list[Delegation]:
    """The delegations by which others stand in for somebody on a day."""
    found = Delegation.objects.on(day).filter(person_id=person_id)
    return list(found.select_related("to").prefetch_related("partners").order_by("id"))


def acting_for(by: Person, partner_id: int, day: date) -> Person | None:
    """For whom somebody acts on this partner's records on a day; None where the partner is in their own portfolio."""
    if by.role != states.CHANNEL_MANAGER or by.sees_every_partner or by.portfolio.filter(id=partner_id).exists():
        return None
    for delegation in covered_by(by.pk, day):
        covered = delegation.covers()
        if covered is None or partner_id in covered:
            return delegation.person
    return None


def said_for(covered: Person | None) -> str:
    """What an event says of whom somebody acted for, in its `acting_as`; empty where they acted for themselves."""
    return f"for {covered.name}"[:40] if covered else ""
