"""The balance of a fund as a step line with its deadlines: where each line goes, in percent of the width."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from coop.lib.dates import show_day
from funds.models import Fund
from funds.queries.entries import DayBalance

HEIGHT = 160  # pixels
MOST_IN_TABLE = 60  # days; the entries below have all
TOP = 10


def balance_chart(fund: Fund, days: Sequence[DayBalance], *, until: date) -> dict[str, Any] | None:
    """What `funds/_balance_chart.html` shows: steps, deadlines and the same numbers as a table; None without entries.

    Widths and places across are percentages and heights are pixels, so that the letters keep their size on every screen.
    """
    if not days:
        return None
    period = fund.earning_period
    marks = [
        (period.earn_to, "last day of earning"),
        (period.use_to, "last day to spend"),
        (fund.claims_close_on, "last day to claim"),
    ]
    first = min(days[0].day, period.earn_from)
    last = max(until, days[-1].day, fund.claims_close_on) + timedelta(days=5)
    low, high = scale(days)

    def across(day: date) -> float:
        return round((day - first).days * 100 / (last - first).days, 3)

    def down(minor: int) -> float:
        return round(TOP + (high - minor) * (HEIGHT - TOP) / (high - low), 1)

    return {
        "height": HEIGHT,
        "zero": down(0),
        "high": {"y": down(high), "text": fund.show(high).rpartition(" ")[0]},
        "low": {"y": down(low), "text": fund.show(low).rpartition(" ")[0]} if low < 0 else None,
        "steps": steps(days, max(until, days[-1].day), across, down),
        "marks": [
            {"letter": letter, "x": f"{across(day)}%", "text": f"{show_day(day)}: {what}"}
            for letter, (day, what) in zip("ABC", marks, strict=True)
        ],
        "first": show_day(first),
        "last": show_day(last),
        "sentence": sentence(fund, days),
        "rows": [
            {"day": show_day(row.day), "amount": fund.show(row.available_minor).rpartition(" ")[0]}
            for row in days[-MOST_IN_TABLE:]
        ],
        "cut": len(days) > MOST_IN_TABLE,
    }


def scale(days: Sequence[DayBalance]) -> tuple[int, int]:
    """The lowest and the highest amount that are drawn; zero is always between them."""
    low = min(0, *(row.available_minor for row in days))
    high = max(0, *(row.available_minor for row in days))
    return (low, high) if high > low else (0, 1)


def steps(days: Sequence[DayBalance], until: date, across: Any, down: Any) -> list[dict[str, Any]]:
    """For each stretch of days with one balance its level line, and the rise or fall to it."""
    found = []
    before = down(0)
    for place, row in enumerate(days):
        end = days[place + 1].day if place + 1 < len(days) else until
        level = down(row.available_minor)
        zero = down(0)
        found.append(
            {
                "x": f"{across(row.day)}%",
                "end": f"{across(end)}%",
                "width": f"{max(across(end) - across(row.day), 0):.3f}%",
                "y": level,
                "from": before,
                "top": min(level, zero),
                "depth": round(abs(level - zero), 1),
            }
        )
        before = level
    return found


def sentence(fund: Fund, days: Sequence[DayBalance]) -> str:
    """The finding of the chart in words."""
    highest = max(days, key=lambda row: row.available_minor)
    last = days[-1]
    if highest.day == last.day:
        return (
            f"{fund.show(last.available_minor)} has been available since {show_day(last.day)}, more than ever before."
        )
    return (
        f"Most was available on {show_day(highest.day)}: {fund.show(highest.available_minor)}. "
        f"Since {show_day(last.day)} it is {fund.show(last.available_minor)}."
    )
