"""The entries of one fund with the balance after each, and one entry with all that belongs to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from coop.lib.db import rows
from coop.lib.errors import NotFound
from funds import states
from funds.models import Entry, Fund, Link
from funds.queries.past import Moment
from partners.models import Person

PAGE = 50
PRESENT = Moment()


def change_of(figure: str) -> str:
    """SQL: by how much an entry changes a bucket, or one of the two figures on the other side of the identity."""
    if figure in (states.EARNED, states.ADJUSTED):
        kinds = ", ".join(f"'{kind}'" for kind, side in states.SIDES.items() if side == figure)
        signed = "CASE from_bucket WHEN 'program' THEN amount_minor ELSE -amount_minor END"
        return f"CASE WHEN kind IN ({kinds}) THEN {signed} ELSE 0 END"
    if figure not in states.BUCKETS:
        raise ValueError(f"there is no bucket {figure}")
    return f"amount_minor * ((to_bucket = '{figure}')::int - (from_bucket = '{figure}')::int)"


@dataclass(frozen=True)
class EntryLine:
    """An entry, its number in the fund, what it did to the figure that is looked at, and that figure after it (minor units)."""

    entry: Entry
    number: int
    change_minor: int
    balance_minor: int


@dataclass(frozen=True)
class EntryPage:
    """One page of entries, newest first. `newer` and `older` are ids to go on from, None at either end."""

    lines: Sequence[EntryLine]
    total: int
    newer: int | None
    older: int | None


def entries_of(
    fund: Fund,
    *,
    person: Person,
    moment: Moment = PRESENT,
    bucket: str = "",
    kind: str = "",
    before: int | None = None,
    after: int | None = None,
) -> EntryPage:
    """A page of a fund's entries, newest first, with the balance of *available* after each of them.

    With `bucket` (one of the seven, "earned" or "adjustments") only entries that change it, with its own balance. `before`
    and `after` are entry ids: the page ends before, or begins after, that entry. Entries of one fund have ids in the
    order in which they were recorded, because the fund is locked. With a `moment` only those that count then.
    """
    change = change_of(bucket or states.AVAILABLE)
    counted, moments = moment.condition()
    # The balance runs over all entries that count, and the number over all that there are; filters apply to the result.
    running = f"""SELECT id, kind, {counted} AS counted, {change} AS change, row_number() OVER (ORDER BY id) AS number,
                    (sum({change}) FILTER (WHERE {counted}) OVER (ORDER BY id))::bigint AS balance
                  FROM funds_entry WHERE fund_id = %s AND partner_id = %s"""
    conditions = ["counted"]
    params: list[object] = [*moments, *moments, fund.id, fund.partner_id]
    if bucket:
        conditions.append("change <> 0")
    if kind:
        conditions.append("kind = %s")
        params.append(kind)
    where = " AND ".join(conditions)
    total = rows(f"SELECT count(*) FROM ({running}) AS all_entries WHERE {where}", params)[0][0]
    if after is not None:
        beyond, order, edge = "id > %s", "ASC", [after]
    elif before is not None:
        beyond, order, edge = "id < %s", "DESC", [before]
    else:
        beyond, order, edge = "true", "DESC", []
    found = rows(
        f"SELECT id, number, change, balance FROM ({running}) AS all_entries WHERE {where} AND {beyond} "
        f"ORDER BY id {order} LIMIT {PAGE + 1}",
        [*params, *edge],
    )
    more, found = len(found) > PAGE, found[:PAGE]
    if after is not None:
        found.reverse()
    entries = Entry.objects.visible_to(person).in_bulk([row[0] for row in found])
    lines = [EntryLine(entries[pk], *row) for pk, *row in found if pk in entries]
    newer_exists = more if after is not None else before is not None
    older_exists = more if after is None else True
    return EntryPage(
        lines,
        total,
        newer=lines[0].entry.pk if lines and newer_exists else None,
        older=lines[-1].entry.pk if lines and older_exists else None,
    )


@dataclass(frozen=True)
class WholeEntry:
    """One entry with its place in the fund's chain, and the two figures that it moved before and after it (minor units)."""

    entry: Entry
    link: Link
    previous: Link | None
    last: int
    moved: Sequence[tuple[str, int, int]]


def whole_entry(fund: Fund, number: int, *, person: Person) -> WholeEntry:
    """The fund's entry of this number, counted from 1 in the order of recording. Raises NotFound."""
    links = {link.number: link for link in Link.objects.filter(fund_id=fund.pk, number__in=[number - 1, number])}
    entry = None
    if number in links:
        visible = Entry.objects.visible_to(person).select_related("actor")
        entry = visible.filter(id=links[number].entry_id, fund_id=fund.pk).first()
    if entry is None:
        raise NotFound("There is no such entry in this fund.")
    places = [place for place in (entry.from_bucket, entry.to_bucket) if place != states.PROGRAM]
    if states.PROGRAM in (entry.from_bucket, entry.to_bucket):
        places.append(states.SIDES[entry.kind])
    sums = ", ".join(f"sum({change_of(place)}) FILTER (WHERE id < %s), sum({change_of(place)})" for place in places)
    [found] = rows(
        f"SELECT {sums} FROM funds_entry WHERE fund_id = %s AND id <= %s",
        [entry.pk] * len(places) + [fund.pk, entry.pk],
    )
    moved = [(place, int(found[2 * at] or 0), int(found[2 * at + 1])) for at, place in enumerate(places)]
    return WholeEntry(entry, links[number], links.get(number - 1), fund.entries_posted, moved)


@dataclass(frozen=True)
class DayBalance:
    """What was available at the end of a day on which something happened, in minor units."""

    day: date
    available_minor: int


def balance_by_day(fund: Fund, *, moment: Moment = PRESENT) -> list[DayBalance]:
    """The balance of *available* at the end of each day that an entry is for, in order of the days."""
    counted, params = moment.condition()
    found = rows(
        f"""SELECT effective_on, (sum(sum({change_of(states.AVAILABLE)})) OVER (ORDER BY effective_on))::bigint
            FROM funds_entry WHERE fund_id = %s AND {counted} GROUP BY effective_on ORDER BY effective_on""",
        [fund.pk, *params],
    )
    return [DayBalance(*row) for row in found]


def numbers_of(fund: Fund, entries: Sequence[Entry]) -> dict[int, int]:
    """The number in the fund of each of its entries, by the entry's id."""
    links = Link.objects.filter(fund_id=fund.pk, entry_id__in=[entry.pk for entry in entries])
    return dict(links.values_list("entry_id", "number"))
