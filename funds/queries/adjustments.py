"""Reads of adjustments: what waits for a second person, what was decided, which funds one may adjust or roll over to."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from funds.models import Adjustment, Fund
from funds.queries.deadlines import closes_at, open_still
from partners.models import Person
from partners.states import FINANCE

FOUND = 20


def waiting_adjustments(person: Person) -> list[Adjustment]:
    """What was asked for and waits for its second person, the oldest first."""
    return list(Adjustment.objects.visible_to(person).with_names().filter(status="requested").order_by("id")[:FOUND])


def decided_adjustments(person: Person, *, before: int | None, size: int) -> list[Adjustment]:
    """What was posted or declined, newest first, from the adjustment `before` on back."""
    found = Adjustment.objects.visible_to(person).with_names().exclude(status="requested").order_by("-id")
    return list((found if before is None else found.filter(id__lt=before))[:size])


def waits_for(person: Person) -> int:
    """How many adjustments this person may approve: those that others asked for."""
    return Adjustment.objects.filter(status="requested").exclude(requested_by=person).count()


def second_people(person: Person) -> list[Person]:
    """Who else of finance may approve what this person asked for."""
    return list(Person.objects.filter(role=FINANCE, is_active=True).exclude(id=person.pk).order_by("name")[:5])


def rollover_targets(fund: Fund, *, at: datetime) -> list[Fund]:
    """Funds of the same enrollment and currency, of other periods, that still take claims; the next deadline first."""
    same = Fund.objects.with_names().filter(enrollment=fund.enrollment_id, currency=fund.currency).exclude(id=fund.pk)
    return list(same.filter(open_still(at)).order_by(closes_at(), "id"))


def funds_named(person: Person, text: str) -> list[Fund]:
    """Funds by the name of their partner, location or program, or by period; the latest half first."""
    found = Fund.objects.visible_to(person).with_names()
    for word in text.split()[:5]:
        found = found.filter(
            Q(partner__name__icontains=word)
            | Q(location__name__icontains=word)
            | Q(location__external_id__iexact=word)
            | Q(program__name__icontains=word)
            | Q(earning_period__code__icontains=word)
        )
    return list(found.order_by("-earning_period__earn_from", "partner__name", "id")[:FOUND])
