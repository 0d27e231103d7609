"""Who there is to be told, read once for a whole batch of events. Only people who are here, and only of what they may see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from partners import states
from partners.models import Delegation, Event, Person

WRITERS = (states.MARKETER, states.PARTNER_ADMIN)


class Audience:
    """The people of some partners, and those of the vendor who see them, as it is at an instant.

    It says the same as `partners.permissions.may_see`, which asks the database anew for each channel manager.
    """

    def __init__(self, partner_ids: Iterable[int], *, at: datetime) -> None:
        self.at = at
        self.partner_ids = set(partner_ids)
        self.by_partner: dict[int, list[Person]] = defaultdict(list)
        self.by_role: dict[str, list[Person]] = defaultdict(list)
        here = Person.objects.filter(is_active=True).prefetch_related("notice_ways").order_by("id")
        for person in here.filter(partner__in=self.partner_ids):
            self.by_partner[person.partner_id or 0].append(person)
        for person in here.filter(partner__isnull=True):
            self.by_role[person.role].append(person)
        self.reach = self._find_reach()

    def _find_reach(self) -> dict[int, set[int]]:
        """For each channel manager who does not see every partner, which of these partners they see."""
        reach: dict[int, set[int]] = defaultdict(set)
        links = Person.portfolio.through.objects.filter(partner_id__in=self.partner_ids)
        for person_id, partner_id in links.values_list("person_id", "partner_id"):
            reach[person_id].add(partner_id)
        own = {person_id: set(partners) for person_id, partners in reach.items()}
        for delegation in Delegation.objects.on(self.at.date()).select_related("person").prefetch_related("partners"):
            covered = self.partner_ids if delegation.person.sees_every_partner else own.get(delegation.person_id, set())
            named = {partner.pk for partner in delegation.partners.all()}
            reach[delegation.to_id] |= covered & named if named else covered
        return reach

    def of_partner(self, partner_id: int | None, *roles: str) -> list[Person]:
        """The partner's people with one of the roles; by default those who write its plans and claims."""
        return [person for person in self.by_partner.get(partner_id or 0, ()) if person.role in (roles or WRITERS)]

    def managers_of(self, partner_id: int | None) -> list[Person]:
        """The channel managers who see the partner today, those who stand in among them."""
        return [one for one in self.by_role[states.CHANNEL_MANAGER] if self.sees(one, partner_id)]

    def of_vendor(self, *roles: str) -> list[Person]:
        """The vendor's people with one of the roles."""
        return [person for role in roles for person in self.by_role[role]]

    def named(self, *ids: int | None) -> list[Person]:
        """Of the people with these ids those who are here, each once."""
        known = {
            person.pk: person
            for group in (self.by_partner, self.by_role)
            for people in group.values()
            for person in people
        }
        return [known[one] for one in dict.fromkeys(ids) if one in known]

    def sees(self, person: Person, partner_id: int | None) -> bool:
        """Whether somebody of this audience may see what is of a partner."""
        if person.partner_id:
            return person.role != states.AGENCY and person.partner_id == partner_id
        if person.role != states.CHANNEL_MANAGER or person.sees_every_partner:
            return True
        return partner_id in self.reach.get(person.pk, ())


def may_hear(person: Person, event: Event) -> bool:
    """Whether what an event says is for the person's side at all, and is not what they did themselves."""
    if event.actor_id == person.pk:
        return False
    return not (event.partner_only if person.is_vendor else event.vendor_only)
