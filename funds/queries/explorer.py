"""The whole ledger for the vendor's finance: entries of all funds by what is asked for, and the figures that they add up to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q

from funds import states
from funds.models import Entry, Fund, FundQuerySet, Link
from funds.models.ledger import EntryQuerySet
from funds.queries.changes import Between, Change, changes_of
from partners.models import Person

PAGE = 50
CHUNK = 2_000
NAMED = ("fund__partner", "fund__location", "fund__program", "fund__earning_period")


@dataclass(frozen=True)
class Search:
    """Which entries: of a program, period, partner (a part of its name), figure and kind, of days and instants of recording."""

    program: str = ""
    period: str = ""
    partner: str = ""
    bucket: str = ""
    kind: str = ""
    as_of: date | None = None
    known_at: datetime | None = None
    since: datetime | None = None

    def funds(self, person: Person) -> FundQuerySet:
        found = Fund.objects.visible_to(person)
        if self.program:
            found = found.filter(program__code=self.program)
        if self.period:
            found = found.filter(earning_period__code__iexact=self.period)
        if self.partner:
            named = Q(partner__name__icontains=self.partner) | Q(partner__external_id__iexact=self.partner)
            found = found.filter(named)
        return found

    def entries(self, person: Person) -> EntryQuerySet:
        found: EntryQuerySet = Entry.objects.visible_to(person)
        if self.program or self.period or self.partner:
            found = found.filter(fund__in=self.funds(person))
        if self.bucket in states.BUCKETS:
            found = found.filter(Q(from_bucket=self.bucket) | Q(to_bucket=self.bucket))
        elif self.bucket:
            found = found.filter(kind__in=[kind for kind, side in states.SIDES.items() if side == self.bucket])
        if self.kind:
            found = found.filter(kind=self.kind)
        if self.as_of:
            found = found.filter(effective_on__lte=self.as_of)
        if self.known_at:
            found = found.filter(recorded_at__lte=self.known_at)
        if self.since:
            found = found.filter(recorded_at__gt=self.since)
        return found


def page_of_entries(
    search: Search, *, person: Person, before: int | None
) -> tuple[list[tuple[Entry, int]], int | None]:
    """A page of entries, the newest first, each with its number in its fund, and the id to go on from."""
    found = search.entries(person)
    found = found if before is None else found.filter(id__lt=before)
    entries = list(found.select_related(*NAMED).order_by("-id")[: PAGE + 1])
    shown = entries[:PAGE]
    links = Link.objects.filter(
        fund_id__in={entry.fund_id for entry in shown}, entry_id__in=[entry.pk for entry in shown]
    )
    numbers = dict(links.values_list("entry_id", "number"))
    return [(entry, numbers[entry.pk]) for entry in shown], shown[-1].pk if len(entries) > PAGE else None


def all_entries(search: Search, *, person: Person) -> Iterator[Entry]:
    """All of them in the order of recording, read in chunks, so that their number costs no memory."""
    found = search.entries(person).select_related(*NAMED)
    last = 0
    while chunk := list(found.filter(id__gt=last).order_by("id")[:CHUNK]):
        yield from chunk
        last = chunk[-1].pk


def trial_balance(search: Search, *, person: Person, at: datetime) -> list[Change]:
    """The figures of all funds that are asked for, one row for each currency, as of the moment that is asked for (`after`)."""
    until = search.known_at or at
    return changes_of(search.funds(person), Between(until, until, search.as_of))
