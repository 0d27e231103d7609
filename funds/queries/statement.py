"""The statement of a fund for some days, as it was known at an instant: opening, movements, closing.

It holds nothing of the present: the same fund, days and instant give the same statement for ever. Only names (of the partner,
the location, the program) are as they are now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Max, Q, Subquery

from coop.lib.dates import show_day
from coop.lib.errors import Invalid
from funds import references, states
from funds.models import Entry, Extension, Fund, Link
from funds.queries.past import Moment, Moved, figures, moved_until, nobody_posting
from partners.models import Event

LONGEST = 10_000  # movements


@dataclass(frozen=True)
class StatementLine:
    """One movement; `change_minor` is what it did to *available*, `available_minor` what was available after it."""

    number: int
    entry: Entry
    reference: str
    change_minor: int
    available_minor: int


@dataclass(frozen=True)
class Clocks:
    """The four clocks of the fund's period as they were promised then: first and last days, and the last day to mend."""

    earn: tuple[date, date]
    use: tuple[date, date]
    claim: tuple[date, date]
    cure: date


@dataclass(frozen=True)
class Statement:
    """`first` None is the beginning. `head` is the last entry included, with its number and its link of the fund's chain."""

    fund: Fund
    clocks: Clocks
    first: date | None
    last: date
    known_at: datetime
    opening: dict[str, int]
    closing: dict[str, int]
    lines: Sequence[StatementLine]
    head: Link | None


def statement_of(fund: Fund, *, first: date | None, last: date, known_at: datetime) -> Statement:
    """The statement from one day to another, both included, as known at an instant that has come.

    Raises Invalid for days in the wrong order, and for more movements than a statement holds.
    """
    if first is not None and first > last:
        raise Invalid.field("from", f"{show_day(first)} is after {show_day(last)}. Choose days in their order.")
    with nobody_posting([fund]):
        opening = moved_until([fund.pk], Moment(first - timedelta(days=1), known_at)).get(fund.pk, []) if first else []
        known = Entry.objects.filter(fund_id=fund.pk, effective_on__lte=last, recorded_at__lte=known_at)
        within = known.filter(effective_on__gte=first) if first else known
        entries = list(within.order_by("effective_on", "id")[: LONGEST + 1])
        newest = known.order_by("-id").values("id")[:1]
        wanted = Q(entry_id__in=[entry.pk for entry in entries]) | Q(entry_id=Subquery(newest))
        links = {link.entry_id: link for link in Link.objects.filter(wanted, fund_id=fund.pk)}
    if len(entries) > LONGEST:
        raise Invalid.field("from", f"A statement holds {LONGEST:,} movements at most. Choose fewer days.", "too_long")
    moved = [Moved(entry.kind, entry.from_bucket, entry.to_bucket, entry.amount_minor, 1) for entry in entries]
    before = figures(opening)
    return Statement(
        fund=fund,
        clocks=clocks_known_at(fund, known_at),
        first=first,
        last=last,
        known_at=known_at,
        opening=before,
        closing=figures([*opening, *moved]),
        lines=running(fund, entries, links, before[states.AVAILABLE]),
        head=max(links.values(), key=lambda link: link.number, default=None),
    )


def running(fund: Fund, entries: Sequence[Entry], links: dict[int, Link], available: int) -> list[StatementLine]:
    """The movements with what was available after each."""
    names = references.show_all((entry.reference_type, entry.reference) for entry in entries)
    lines = []
    for entry in entries:
        change = entry.amount_minor * ((entry.to_bucket == states.AVAILABLE) - (entry.from_bucket == states.AVAILABLE))
        available += change
        named = reference_text(entry, fund, names)
        lines.append(StatementLine(links[entry.pk].number, entry, named, change, available))
    return lines


def reference_text(entry: Entry, fund: Fund, names: dict[tuple[str, str], references.Shown]) -> str:
    """What an entry is for, in words."""
    if entry.reference_type == "earning_period":
        return f"{fund.earning_period} deadline" if entry.kind == "expiry" else f"{fund.earning_period} threshold test"
    return names[(entry.reference_type, entry.reference)].text


def clocks_known_at(fund: Fund, known_at: datetime) -> Clocks:
    """The days of a fund as they were promised at an instant: extensions that came later are taken back."""
    period = fund.earning_period
    later = Event.objects.filter(verb="earning_period.extended", subject_type="earning_period", subject=str(period.pk))
    # Its first revision is that of the catalog: nothing was extended.
    extended = period.revision > 1
    first = later.filter(at__gt=known_at).order_by("at", "id").first() if extended else None
    closed = date.fromisoformat(first.data["before"]) if first else period.claims_close_on
    if extended or fund.own_close_on:  # a partner's own date goes only when the period's is extended beyond it
        own = Extension.objects.filter(earning_period=period, partner=fund.partner_id, decided_at__lte=known_at)
        closed = max(closed, own.aggregate(last=Max("claims_close_on"))["last"] or closed)
    return Clocks(
        earn=(period.earn_from, period.earn_to),
        use=(period.use_from, period.use_to),
        claim=(period.claims_open_on, closed),
        cure=period.cure_close_on - (period.claims_close_on - closed),
    )
