"""Who has a plan that waits for a decision, and who covers for them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Q

from claims.models import Plan
from claims.rules.book import valid
from coop.lib.dates import show_day
from partners import states
from partners.models import Delegation, Person


@dataclass(frozen=True)
class Decider:
    """Somebody whose portfolio and title let them decide a plan; `covers` are those who stand in for them on the day."""

    person: Person
    covers: list[Delegation] = field(default_factory=list)

    @property
    def said(self) -> str:
        """As the partner reads it: Mara Lindqvist (covered by Pedro Campos until 12 Apr 2024)."""
        named = " and ".join(f"{one.to.name} until {show_day(one.ends_on)}" for one in self.covers)
        return f"{self.person.name} (covered by {named})" if named else self.person.name


def titles_for(plan: Plan, day: date) -> list[str]:
    """The titles of which one is needed to approve plans of the program; none where any channel manager may."""
    return [row["title"] for row in plan.fund.program.approvers if valid(row, day)]


def deciders_of(plan: Plan, day: date) -> list[Decider]:
    """Those in whose portfolio the partner is; where it is in nobody's, those who see every partner. By name."""
    managers = Person.objects.filter(role=states.CHANNEL_MANAGER, is_active=True)
    titles = titles_for(plan, day)
    if titles:
        managers = managers.filter(title__in=titles)
    mine = Q(portfolio=plan.partner_id)
    found = list(managers.filter(mine | Q(sees_every_partner=True)).distinct().order_by("name", "id"))
    own = [person for person in found if not person.sees_every_partner] or found
    covers: dict[int, list[Delegation]] = defaultdict(list)
    rows = Delegation.objects.on(day).filter(person__in=own).select_related("to").prefetch_related("partners")
    for delegation in rows:
        named = {partner.pk for partner in delegation.partners.all()}
        if not named or plan.partner_id in named:
            covers[delegation.person_id].append(delegation)
    return [Decider(person, covers[person.pk]) for person in own]
