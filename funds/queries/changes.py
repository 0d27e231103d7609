"""What changed between two moments: what was known of the same days at the one and at the other, and what came between.

The figures at the later moment are the stored totals less what came after it, and those at the earlier moment less what came
between: so the cost is that of the entries since, not of all that there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.core.exceptions import EmptyResultSet

from coop.lib.dates import FIRST_YEAR
from coop.lib.db import rows
from coop.lib.errors import Invalid
from funds import states
from funds.models import Entry, Fund, FundQuerySet
from funds.queries.past import FIGURES, Moved, figures, nobody_posting
from partners.models import Person

PAGE = 50
BEGINNING = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)  # before it nothing was known
STORED = ", ".join(f"('{name}', f.{name}_minor)" for name in FIGURES)


@dataclass(frozen=True)
class Between:
    """Entries recorded after `since` and at `until` or before, which are for `as_of` or a day before, if that is given."""

    since: datetime
    until: datetime
    as_of: date | None = None

    def condition(self) -> tuple[str, list[Any]]:
        known, params = "recorded_at > %s AND recorded_at <= %s", [self.since, self.until]
        return (known, params) if self.as_of is None else (f"{known} AND effective_on <= %s", [*params, self.as_of])

    def after(self) -> tuple[str, list[Any]]:
        """What does not count at the later moment."""
        return (
            ("recorded_at > %s", [self.until])
            if self.as_of is None
            else ("(recorded_at > %s OR effective_on > %s)", [self.until, self.as_of])
        )


@dataclass(frozen=True)
class Change:
    """The figures at both moments in minor units of one currency, and all that moved between them, by kind."""

    currency: str
    before: dict[str, int]
    after: dict[str, int]
    moved: Sequence[Moved]

    @property
    def difference(self) -> dict[str, int]:
        return {name: self.after[name] - self.before[name] for name in FIGURES}

    @property
    def entries(self) -> int:
        return sum(row.number for row in self.moved)


def require_order(between: Between) -> None:
    """Raises Invalid where the later moment is not the later one."""
    if between.since > between.until:
        raise Invalid.field("since", "The first moment is after the second. Choose them in their order.")


def changes_of(funds: FundQuerySet, between: Between) -> list[Change]:
    """What changed in all these funds together, one for each currency. Raises Invalid for moments in the wrong order."""
    require_order(between)
    scope = scope_of(funds)
    if scope is None:
        return []
    within, within_params = between.condition()
    after, after_params = between.after()
    # What is neither between nor after counts at both moments.
    found = rows(
        f"""WITH scope AS MATERIALIZED (SELECT f.* FROM funds_fund f WHERE f.id IN ({scope[0]}))
            SELECT f.currency, e.kind, e.from_bucket, e.to_bucket,
              coalesce(sum(amount_minor) FILTER (WHERE {within}), 0)::bigint, count(*) FILTER (WHERE {within}),
              coalesce(sum(amount_minor) FILTER (WHERE {after}), 0)::bigint
            FROM funds_entry e JOIN scope f ON f.id = e.fund_id WHERE {within} OR {after} GROUP BY 1, 2, 3, 4
            UNION ALL
            SELECT f.currency, '', total.name, '', sum(total.minor)::bigint, 0, 0
            FROM scope f, LATERAL (VALUES {STORED}) AS total (name, minor) GROUP BY 1, 3""",
        [*scope[1], *within_params, *within_params, *after_params, *within_params, *after_params],
    )
    stored: dict[str, dict[str, int]] = defaultdict(dict)
    came: dict[str, list[Moved]] = defaultdict(list)
    later: dict[str, list[Moved]] = defaultdict(list)
    for currency, kind, from_bucket, to_bucket, minor, number, later_minor in found:
        if not kind:
            stored[currency][from_bucket] = minor
            continue
        if number:
            came[currency].append(Moved(kind, from_bucket, to_bucket, minor, number))
        later[currency].append(Moved(kind, from_bucket, to_bucket, later_minor, 0))
    return [change_in(currency, stored[currency], came[currency], later[currency]) for currency in sorted(stored)]


def change_in(currency: str, stored: dict[str, int], came: Sequence[Moved], later: Sequence[Moved]) -> Change:
    since_then, between = figures(later), figures(came)
    after = {name: stored[name] - since_then[name] for name in FIGURES}
    before = {name: after[name] - between[name] for name in FIGURES}
    order = list(states.MOVEMENTS)
    return Change(currency, before, after, sorted(came, key=lambda row: (order.index(row.kind), row.to_bucket)))


def change_of_fund(fund: Fund, between: Between) -> Change:
    """What changed in one fund; it waits for a posting that is under way, so that the answer is final."""
    with nobody_posting([fund]):
        return changes_of(Fund.objects.filter(pk=fund.pk), between)[0]


@dataclass(frozen=True)
class ChangedFund:
    """A fund in which something was recorded between, by how much each figure changed, and how many entries did it."""

    fund: Fund
    difference: dict[str, int]
    entries: int


def changed_funds(funds: FundQuerySet, between: Between, *, after: int = 0) -> tuple[list[ChangedFund], int | None]:
    """A page of the funds that changed, in the order of their ids, and the id to go on from. `after` is the last one seen."""
    scope = scope_of(funds)
    if scope is None:
        return [], None
    within, params = between.condition()
    found = rows(
        f"""SELECT DISTINCT fund_id FROM funds_entry WHERE {within} AND fund_id > %s AND fund_id IN ({scope[0]})
            ORDER BY fund_id LIMIT {PAGE + 1}""",
        [*params, after, *scope[1]],
    )
    ids = [row[0] for row in found[:PAGE]]
    moved: dict[int, list[Moved]] = defaultdict(list)
    for fund_id, *row in rows(
        f"""SELECT fund_id, kind, from_bucket, to_bucket, sum(amount_minor)::bigint, count(*) FROM funds_entry
            WHERE fund_id = ANY(%s) AND {within} GROUP BY 1, 2, 3, 4""",
        [ids, *params],
    ):
        moved[fund_id].append(Moved(*row))
    named = Fund.objects.with_names().in_bulk(ids)
    changed = [ChangedFund(named[pk], figures(moved[pk]), sum(row.number for row in moved[pk])) for pk in ids]
    return changed, ids[-1] if len(found) > PAGE else None


def entries_between(fund: Fund, between: Between, *, person: Person, most: int) -> list[Entry]:
    """The entries of one fund that came between, in the order in which they were recorded; at most so many."""
    found = Entry.objects.visible_to(person).filter(
        fund=fund, recorded_at__gt=between.since, recorded_at__lte=between.until
    )
    if between.as_of is not None:
        found = found.filter(effective_on__lte=between.as_of)
    return list(found.order_by("id")[:most])


def scope_of(funds: FundQuerySet) -> tuple[str, list[Any]] | None:
    """The ids of the funds as SQL with its parameters; None where there can be none."""
    try:
        sql, params = funds.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return None
    return sql, list(params)
