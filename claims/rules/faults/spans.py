"""Ranges of days: where two of them overlap, and which days none of them holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations
from typing import NamedTuple

from claims.rules.faults.shape import Faults, Row, read_day
from coop.lib.dates import show_day

DAY = timedelta(days=1)


class Span(NamedTuple):
    """From the first to the last day, both inclusive; without an end, the last day is the last that there is."""

    first: date
    last: date

    def common(self, other: Span) -> Span | None:
        """The days that two ranges share."""
        first, last = max(self.first, other.first), min(self.last, other.last)
        return Span(first, last) if first <= last else None

    @property
    def words(self) -> str:
        if self.last == date.max:
            return f"from {show_day(self.first)} on"
        return f"from {show_day(self.first)} to {show_day(self.last)}"


@dataclass(frozen=True)
class Dated:
    """A row with its days, and the place at which it stands."""

    place: str
    span: Span


def span_of(row: Row) -> Span | None:
    """The days of a row; None where they are not in order (that is said elsewhere)."""
    first = read_day(row.get("valid_from"))
    last = date.max if row.get("valid_to") is None else read_day(row["valid_to"])
    return Span(first, last) if first and last and first <= last else None


def dated(place: str, rows: Iterable[Row]) -> list[Dated]:
    """The rows of a list whose days are in order."""
    found = ((f"{place}.{index}", span_of(row)) for index, row in enumerate(rows))
    return [Dated(where, span) for where, span in found if span]


def overlaps(rows: Sequence[Dated]) -> list[tuple[Dated, Dated, Span]]:
    """Each two rows that share days, with the days."""
    return [(a, b, shared) for a, b in combinations(rows, 2) if (shared := a.span.common(b.span))]


def gaps(spans: Iterable[Span], within: Span) -> list[Span]:
    """The days of `within` that no range holds."""
    found: list[Span] = []
    day = within.first
    for span in sorted(spans):
        if span.last < day:
            continue
        if span.first > within.last:
            break
        if span.first > day:
            found.append(Span(day, span.first - DAY))
        if span.last >= within.last or span.last == date.max:
            return found
        day = span.last + DAY
    if day <= within.last:
        found.append(Span(day, within.last))
    return found


def whole(spans: Sequence[Span]) -> Span:
    """From the first day of all to the last."""
    return Span(min(span.first for span in spans), max(span.last for span in spans))


def check_spans(faults: Faults, place: str, rows: Sequence[Row], what: str, within: Span | None = None) -> None:
    """Refuse dated rows of which two hold on a day, or none on a day of `within` (by default: between them).

    `what` completes the sentences "Two ... hold" and "No ... holds", e.g. "splits|split".
    """
    many, _, one = what.partition("|")
    found = dated(place, rows)
    for _, later, shared in overlaps(found):
        faults.add(later.place, "overlap", f"Two {many} hold {shared.words}. Close the older one on the day before.")
    spans = [row.span for row in found]
    if spans and len(found) == len(rows):  # days that cannot be read would look like a gap
        for hole in gaps(spans, within or whole(spans)):
            faults.add(place, "gap", f"No {one} holds {hole.words}. Close the gap.")
