"""One change of a catalog, in words; and how the dated rows of two lists are compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from claims.rules.book import Rule, day_of, valid

ADDED, CHANGED, CLOSED, REMOVED = "added", "changed", "closed", "removed"
DAY = timedelta(days=1)
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """What is different, in one sentence. `on` is the first day on which it is, where it has one.

    Of a rule, `before` and `after` are its words on both sides, `old` and `rule` the versions themselves (for whoever
    wants to know whom it concerns).
    """

    what: str
    section: str
    code: str
    sentence: str
    on: date | None = None
    before: str = ""
    after: str = ""
    old: Rule | None = None
    rule: Rule | None = None

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True)
class Differing:
    """Days on which a list of dated rows says something else than another; None where it says nothing."""

    first: date
    last: date
    before: Any
    after: Any


def value_on(rows: Sequence[Row], day: date, value: Callable[[Row], Any]) -> Any:
    return next((value(row) for row in rows if valid(row, day)), None)


def differing(old: Sequence[Row], new: Sequence[Row], value: Callable[[Row], Any]) -> list[Differing]:
    """The ranges of days on which two lists of dated rows differ in a value, in order."""
    edges = sorted({edge for row in (*old, *new) for edge in edges_of(row)})
    found: list[Differing] = []
    for index, first in enumerate(edges):
        last = edges[index + 1] - DAY if index + 1 < len(edges) else date.max
        before, after = value_on(old, first, value), value_on(new, first, value)
        if before == after:
            continue
        if found and (found[-1].before, found[-1].after) == (before, after) and found[-1].last + DAY == first:
            found[-1] = Differing(found[-1].first, last, before, after)
        else:
            found.append(Differing(first, last, before, after))
    return found


def edges_of(row: Row) -> list[date]:
    """The days on which a row begins, and on which it holds no more."""
    first, last = day_of(row.get("valid_from"), date.min), day_of(row.get("valid_to"), date.max)
    return [first] if last == date.max else [first, last + DAY]


def by_code(rows: Sequence[Row]) -> dict[str, Row]:
    return {row["code"]: row for row in rows}
