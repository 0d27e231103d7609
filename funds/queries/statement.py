"""The entries of one fund with the balance after each, and the earning lines behind an entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Sum

from coop.lib.db import rows
from funds import states
from funds.models import Earning, EarningQuerySet, Entry, Fund
from partners.models import Person

PAGE = 50

EARNED, ADJUSTMENTS = "earned", "adjustments"


def change_of(bucket: str) -> str:
    """SQL: by how much an entry changes a bucket, or one of the two figures on the other side of the identity."""
    if bucket == EARNED:
        return "CASE kind WHEN 'earning' THEN amount_minor WHEN 'clawback' THEN -amount_minor ELSE 0 END"
    if bucket == ADJUSTMENTS:
        signed = "CASE from_bucket WHEN 'program' THEN amount_minor ELSE -amount_minor END"
        return f"CASE WHEN kind = 'adjustment' THEN {signed} ELSE 0 END"
    if bucket not in states.BUCKETS:
        raise ValueError(f"there is no bucket {bucket}")
    return f"amount_minor * ((to_bucket = '{bucket}')::int - (from_bucket = '{bucket}')::int)"


@dataclass(frozen=True)
class StatementLine:
    """An entry, what it did to the bucket that is looked at, and that bucket's balance after it (minor units)."""

    entry: Entry
    change_minor: int
    balance_minor: int


@dataclass(frozen=True)
class Statement:
    """One page of entries, newest first. `newer` and `older` are ids to go on from, None at either end."""

    lines: Sequence[StatementLine]
    total: int
    newer: int | None
    older: int | None


def statement(
    fund: Fund,
    *,
    person: Person,
    bucket: str = "",
    kind: str = "",
    before: int | None = None,
    after: int | None = None,
) -> Statement:
    """A page of a fund's entries, newest first, with the balance of *available* after each of them.

    With `bucket` (one of the seven, "earned" or "adjustments") only entries that change it, with its own balance. `before`
    and `after` are entry ids: the page ends before, or begins after, that entry. Entries of one fund have ids in the
    order in which they were posted, because the fund is locked.
    """
    change = change_of(bucket or states.AVAILABLE)
    # The balance runs over all entries; filters apply to its result.
    running = f"""SELECT id, kind, {change} AS change, (sum({change}) OVER (ORDER BY id))::bigint AS balance
                  FROM funds_entry WHERE fund_id = %s AND partner_id = %s"""
    conditions = ["true"]
    params: list[object] = [fund.id, fund.partner_id]
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
        f"SELECT id, change, balance FROM ({running}) AS all_entries WHERE {where} AND {beyond} "
        f"ORDER BY id {order} LIMIT {PAGE + 1}",
        [*params, *edge],
    )
    more, found = len(found) > PAGE, found[:PAGE]
    if after is not None:
        found.reverse()
    entries = Entry.objects.visible_to(person).in_bulk([row[0] for row in found])
    lines = [StatementLine(entries[pk], change_minor, balance) for pk, change_minor, balance in found if pk in entries]
    newer_exists = more if after is not None else before is not None
    older_exists = more if after is None else True
    return Statement(
        lines,
        total,
        newer=lines[0].entry.pk if lines and newer_exists else None,
        older=lines[-1].entry.pk if lines and older_exists else None,
    )


@dataclass(frozen=True)
class EarningLines:
    """One page of the lines that one delivery brought to a fund, and the sums over all of them in minor units."""

    lines: Sequence[Earning]
    number: int
    rebate_minor: int
    coop_minor: int
    older: str | None


def earning_lines(fund: Fund, *, person: Person, delivery_id: int, after: str = "") -> EarningLines:
    """The earning lines behind an entry that an import made, in the order of their ids; `after` is the last one seen."""
    of_delivery: EarningQuerySet = Earning.objects.visible_to(person).filter(
        partner_id=fund.partner_id,
        enrollment_id=fund.enrollment_id,
        earning_period_id=fund.earning_period_id,
        fund_currency=fund.currency,
        delivery_id=delivery_id,
    )
    sums = of_delivery.aggregate(number=Count("external_id"), rebate=Sum("rebate_minor"), coop=Sum("coop_minor"))
    found = list(of_delivery.filter(external_id__gt=after).order_by("external_id")[: PAGE + 1])
    return EarningLines(
        found[:PAGE],
        sums["number"],
        sums["rebate"] or 0,
        sums["coop"] or 0,
        found[PAGE - 1].external_id if len(found) > PAGE else None,
    )
