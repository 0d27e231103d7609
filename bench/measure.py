"""Interleaved rounds, medians and ratios. Pure: no Django, no database."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

Work = Callable[[], float | None]


@dataclass(frozen=True)
class Row:
    """One line of a table: what was measured, against which limit or peer, and the ratio of the two.

    `goal` is the ratio that is wanted, at most (`at_most`) or at least; without one the row is there to explain another.
    """

    promise: str
    what: str
    ours: str
    against: str
    ratio: float
    goal: float | None = None
    at_most: bool = True

    @property
    def verdict(self) -> str:
        if self.goal is None:
            return ""
        met = self.ratio <= self.goal if self.at_most else self.ratio >= self.goal
        if met:
            return "met"
        short = self.ratio / self.goal if self.at_most else self.goal / self.ratio
        return (
            f"{short:.1f} times off"
            if 1.05 <= short < 10
            else f"{short:,.0f} times off"
            if short >= 10
            else "just missed"
        )

    @property
    def wanted(self) -> str:
        if self.goal is None:
            return ""
        return f"{'at most' if self.at_most else 'at least'} {number(self.goal)}"


def number(value: float) -> str:
    """A number with about three significant digits, without an exponent."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def seconds(value: float) -> str:
    if value < 0.001:
        return f"{value * 1_000_000:.0f} µs"
    return f"{value * 1_000:.2f} ms" if value < 1 else f"{value:.2f} s"


def each(value: float, count: int, what: str) -> str:
    """A time for `count` things, with what one of them took."""
    return f"{seconds(value)}, {value / count * 1_000_000:.1f} µs a {what}"


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def rounds(count: int, works: Mapping[str, Work]) -> dict[str, list[float]]:
    """Run every work once a round, each round beginning with another one. A work returns its own seconds, or None to be
    timed as a whole.
    """
    found: dict[str, list[float]] = {name: [] for name in works}
    names = list(works)
    for turn in range(count):
        first = turn % len(names)
        for name in [*names[first:], *names[:first]]:
            began = time.perf_counter()
            own = works[name]()
            found[name].append(time.perf_counter() - began if own is None else own)
    return found


def median(values: list[float]) -> float:
    return statistics.median(values)


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median over the rounds of ours by theirs: neighbours on the machine disturb both sides of a round alike."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


HEAD = ("", "What", "Ours", "Limit or peer", "Ratio", "Wanted", "")


def markdown(rows: list[Row]) -> str:
    lines = [HEAD, ("---",) * len(HEAD)]
    lines += [(r.promise, r.what, r.ours, r.against, number(r.ratio), r.wanted, r.verdict) for r in rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def plain(rows: list[Row]) -> str:
    lines = [HEAD] + [(r.promise, r.what, r.ours, r.against, number(r.ratio), r.wanted, r.verdict) for r in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def save(rows: list[Row], path: Path) -> None:
    path.write_text(json.dumps([asdict(row) for row in rows]))


def load(path: Path) -> list[Row]:
    return [Row(**values) for values in json.loads(path.read_text())]
