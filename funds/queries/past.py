"""The balance of a past day as it was known then: what the entries up to two moments add up to.

`as_of` is a day: entries that are effective on it or before. `known_at` is an instant: entries that were recorded at it or
before. Entries are recorded after the lock of their fund (funds/ledger.py), so once nobody is posting to a fund, what was
known at an instant is final. In a sandbox, whose clock stands still, that which is posted at the very instant counts too.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction

from coop.lib.dates import end_of_day, show_instant
from coop.lib.db import execute, rows
from coop.lib.errors import Invalid
from funds import states
from funds.models import Fund

FIGURES = (states.EARNED, states.ADJUSTED, *states.BUCKETS)
INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Moment:
    """Two moments that a balance is asked for; none is the present."""

    as_of: date | None = None
    known_at: datetime | None = None

    def __bool__(self) -> bool:
        return self.as_of is not None or self.known_at is not None

    def instant(self, at: datetime, zone: str) -> datetime:
        """The instant at which things stood so, for the words and clocks of a page."""
        known = self.known_at or at
        return known if self.as_of is None else min(known, end_of_day(self.as_of, zone) - INSTANT)

    def condition(self, entry: str = "") -> tuple[str, list[Any]]:
        """SQL and its parameters for the entries that count; `entry` is the table's alias with its point."""
        said, params = ["true"], []
        for column, value in (("effective_on", self.as_of), ("recorded_at", self.known_at)):
            if value is not None:
                said.append(f"{entry}{column} <= %s")
                params.append(value)
        return " AND ".join(said), params


class Moved(NamedTuple):
    """All movements of one kind from one bucket to another, added up."""

    kind: str
    from_bucket: str
    to_bucket: str
    minor: int
    number: int


def figures(moved: Iterable[Moved]) -> dict[str, int]:
    """What movements do to the seven buckets and to the two figures on the other side of the identity, in minor units."""
    found = dict.fromkeys(FIGURES, 0)
    for row in moved:
        if row.from_bucket == states.PROGRAM:
            found[states.SIDES[row.kind]] += row.minor
        else:
            found[row.from_bucket] -= row.minor
        if row.to_bucket == states.PROGRAM:
            found[states.SIDES[row.kind]] -= row.minor
        else:
            found[row.to_bucket] += row.minor
    return found


def balances_as_of(funds: Iterable[Fund], *, as_of: date | None = None, known_at: datetime | None = None) -> list[Fund]:
    """Copies of the funds with their totals, and what follows from them, as of then; in one statement for all of them.

    Without a moment they are the funds themselves with their stored totals. The periods must have been read with them.
    """
    wanted, moment = list(funds), Moment(as_of, known_at)
    if not moment or not wanted:
        return wanted
    moved = moved_until([fund.pk for fund in wanted], moment)
    return [_as_it_was(fund, figures(moved.get(fund.pk, [])), moment) for fund in wanted]


def moved_until(fund_ids: Sequence[int], moment: Moment) -> dict[int, list[Moved]]:
    """What moved in each of the funds until then; a fund in which nothing did is missing."""
    counted, params = moment.condition()
    found: dict[int, list[Moved]] = defaultdict(list)
    # Counted in a filter and not in the condition: a fund has few entries, and the index of moments would only slow it down.
    for fund_id, *row in rows(
        f"""SELECT fund_id, kind, from_bucket, to_bucket, (sum(amount_minor) FILTER (WHERE {counted}))::bigint,
              count(*) FILTER (WHERE {counted})
            FROM funds_entry WHERE fund_id = ANY(%s) GROUP BY fund_id, kind, from_bucket, to_bucket""",
        [*params, *params, list(fund_ids)],
    ):
        moved = Moved(*row)
        if moved.number:
            found[fund_id].append(moved)
    return found


def balance_as_of(fund: Fund, *, as_of: date | None = None, known_at: datetime | None = None) -> Fund:
    """The same for one fund."""
    return balances_as_of([fund], as_of=as_of, known_at=known_at)[0]


def _as_it_was(fund: Fund, found: dict[str, int], moment: Moment) -> Fund:
    then = copy.copy(fund)
    for name, minor in found.items():
        setattr(then, f"{name}_minor", minor)
    known = fund.settled_at is not None and (moment.known_at is None or fund.settled_at <= moment.known_at)
    # The threshold test is for its day, whenever it was made.
    if not known or (moment.as_of is not None and moment.as_of < fund.earning_period.settle_on):
        then.settled_at = None
    return then


def first_day(fund: Fund, *, known_at: datetime | None = None) -> date | None:
    """The first day on which something happened in the fund, as far as was known."""
    counted, params = Moment(known_at=known_at).condition()
    found = rows(f"SELECT min(effective_on) FROM funds_entry WHERE fund_id = %s AND {counted}", [fund.pk, *params])
    day: date | None = found[0][0]
    return day


def require_past(moments: dict[str, datetime | None], *, at: datetime) -> None:
    """Refuse to say what will be known. Raises Invalid for an instant that has not come, by the name of its field."""
    for field, instant in moments.items():
        if instant is not None and instant > at:
            raise Invalid.field(
                field,
                f"{show_instant(instant)} has not come yet: it is {show_instant(at)}. What will be known by then cannot be "
                "said. Ask for an instant that is past, or leave it out for what is known now.",
                "in_the_future",
            )


@contextmanager
def nobody_posting(funds: Sequence[Fund]) -> Iterator[None]:
    """Wait until no posting to the funds is under way, and let none begin before this ends.

    An entry that was recorded before an instant may still be uncommitted at it. Whoever posts holds the fund's lock from
    before the recording until the commit, so when this shared lock is had, all of them can be read; what is posted later
    is recorded later.
    """
    with transaction.atomic():
        ids = sorted(fund.pk for fund in funds)
        execute("SELECT 1 FROM funds_fund WHERE id = ANY(%s) ORDER BY id FOR SHARE", [ids])
        yield
