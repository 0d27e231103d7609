"""Letting one channel manager stand in for another, and ending it. Reached through `partners.operations`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction

from coop.lib.dates import show_day
from coop.lib.errors import FieldError, Invalid, NotAllowed, NotFound, WrongStatus
from partners import events, states
from partners.models import Delegation, Person
from partners.permissions import require_role


@transaction.atomic
def delegate(
    person_id: int,
    to_id: int,
    *,
    starts_on: date,
    ends_on: date,
    partner_ids: Iterable[int] = (),
    note: str = "",
    by: Person,
    at: datetime,
) -> Delegation:
    """Let one channel manager stand in for another on some days (UTC, both included), for some of their partners or all.

    Asked for by the manager themself or by a program admin. Raises NotFound, NotAllowed, Invalid with all faults.
    """
    person, to = lock_managers(person_id, to_id, by=by)
    named = sorted(set(partner_ids))
    faults = delegation_faults(person, to, named, starts_on, ends_on, at.date())
    if faults:
        raise Invalid(errors=faults)
    delegation = Delegation.objects.create(
        person=person, to=to, starts_on=starts_on, ends_on=ends_on, note=note[:500], created_by=by, created_at=at
    )
    delegation.partners.set(named)
    said: dict[str, Any] = {"person": str(person.pk), "to": str(to.pk), "partners": [str(partner) for partner in named]}
    said |= {"starts_on": starts_on.isoformat(), "ends_on": ends_on.isoformat()}
    events.record("delegation.created", delegation, by=by, at=at, vendor_only=True, **said)
    return delegation


def lock_managers(person_id: int, to_id: int, *, by: Person) -> tuple[Person, Person]:
    """Both channel managers, the one who is covered locked. Raises NotFound, NotAllowed."""
    require_role(by, states.CHANNEL_MANAGER, states.PROGRAM_ADMIN, to="let somebody stand in")
    managers = Person.objects.filter(role=states.CHANNEL_MANAGER, is_active=True)
    person = managers.select_for_update(of=("self",)).filter(id=person_id).first()
    to = managers.filter(id=to_id).first()
    if person is None or to is None:
        raise NotFound("There is no such channel manager.")
    if by.role == states.CHANNEL_MANAGER and by.pk != person.pk:
        raise NotAllowed("Channel managers choose who stands in for themselves. For others a program admin does.")
    return person, to


def delegation_faults(
    person: Person, to: Person, named: Sequence[int], starts_on: date, ends_on: date, today: date
) -> list[FieldError]:
    wrong = []
    if person.pk == to.pk:
        wrong.append(FieldError("to", "invalid", "Nobody stands in for themselves. Choose a colleague."))
    if ends_on < starts_on:
        wrong.append(FieldError("ends_on", "invalid", "The last day lies before the first one."))
    if starts_on < today:
        wrong.append(FieldError("starts_on", "past", f"Standing in begins today, {show_day(today)}, or later."))
    if not person.sees_every_partner and person.portfolio.filter(id__in=named).count() != len(named):
        wrong.append(FieldError("partners", "not_found", f"At least one of these is not in {person.name}'s portfolio."))
    others = Delegation.objects.filter(
        person=person, ended_at__isnull=True, starts_on__lte=ends_on, ends_on__gte=starts_on
    ).prefetch_related("partners")
    for other in others:
        theirs = {partner.pk for partner in other.partners.all()}
        if not named or not theirs or theirs & set(named):
            days = f"{show_day(other.starts_on)} to {show_day(other.ends_on)}"
            wrong.append(
                FieldError("starts_on", "overlaps", f"{other.to} stands in from {days} already. End that first.")
            )
    return wrong


@transaction.atomic
def end_delegation(delegation_id: int, *, by: Person, at: datetime) -> Delegation:
    """End a delegation now, before its last day. Raises NotFound, NotAllowed, WrongStatus."""
    delegation = Delegation.objects.select_for_update(of=("self",)).filter(id=delegation_id).first()
    if delegation is None or not by.is_vendor:
        raise NotFound("There is no such delegation.")
    require_role(by, states.CHANNEL_MANAGER, states.PROGRAM_ADMIN, to="end a delegation")
    if by.role == states.CHANNEL_MANAGER and by.pk not in (delegation.person_id, delegation.to_id):
        raise NotAllowed("A delegation is ended by either of its two channel managers, or by a program admin.")
    if delegation.ended_at is not None or at.date() > delegation.ends_on:
        raise WrongStatus("This delegation is over already.")
    delegation.ended_at = at
    delegation.save()
    events.record("delegation.ended", delegation, by=by, at=at, vendor_only=True)
    return delegation
