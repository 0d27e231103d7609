"""Whom a partner asks: its channel managers."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q

from partners.models import Partner, Person
from partners.states import CHANNEL_MANAGER

MOST = 3


def managers_of(partner: Partner | None) -> Sequence[Person]:
    """The channel managers whose portfolio names the partner; else some of those who see every partner."""
    if partner is None:
        return []
    active = Person.objects.filter(role=CHANNEL_MANAGER, is_active=True)
    found = active.filter(Q(portfolio=partner) | Q(sees_every_partner=True)).distinct()
    return list(found.order_by("sees_every_partner", "name", "id")[:MOST])
