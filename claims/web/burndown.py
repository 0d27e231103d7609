"""The money of a fund as it would be used up, to its expiry: a step line drawn by the server, and the same as a table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from claims.queries.planner import Intended, Outlook
from coop.lib.dates import show_day

HEIGHT = 160  # pixels
TOP = 14


def burndown(outlook: Outlook, *, today: date) -> dict[str, Any] | None:
    """What `claims/planner/_burndown.html` shows; None where nothing is left or the claim deadline has passed.

    Places across are percentages and heights are pixels, so that the letters keep their size on every screen.
    """
    fund, period = outlook.fund, outlook.fund.earning_period
    end, high = fund.claims_close_on, fund.remaining_minor
    if today >= end or high <= 0:
        return None
    span = (end - today).days

    def across(day: date) -> float:
        return round((day - today).days * 100 / span, 3)

    def down(minor: int) -> float:
        return round(TOP + (high - max(minor, 0)) * (HEIGHT - TOP) / high, 1)

    rows = drops(outlook, today)
    levels = [(row["day"], row["left"]) for row in rows]
    ends = [day for day, _ in levels[1:]] + [end]
    steps = [
        {
            "x": f"{across(day)}%",
            "end": f"{across(until)}%",
            "width": f"{max(across(until) - across(day), 0):.3f}%",
            "y": down(left),
            "from": down(levels[index - 1][1]) if index else down(left),
            "depth": round(HEIGHT - down(left), 1),
        }
        for index, ((day, left), until) in enumerate(zip(levels, ends, strict=True))
    ]
    expiring = max(levels[-1][1], 0)
    marks = [("A", period.use_to, "last day to spend"), ("B", end, "last day to claim")]
    return {
        "height": HEIGHT,
        "top": {"y": down(high), "text": fund.show(high)},
        "steps": steps,
        "cliff": {"y": down(expiring)} if expiring else None,
        "marks": [
            {"letter": letter, "x": f"{across(day)}%", "text": f"{show_day(day)}: {what}"}
            for letter, day, what in marks
            if today <= day
        ],
        "sentence": sentence(outlook, expiring),
        "rows": [{"day": show_day(row["day"]), "what": row["what"], "left": fund.show(row["left"])} for row in rows]
        + [{"day": show_day(end), "what": "What is left expires", "left": fund.show(0)}],
    }


def drops(outlook: Outlook, today: date) -> list[dict[str, Any]]:
    """The days on which money is used, and what is left after each; what has no day, or an earlier one, counts today."""
    left = outlook.fund.remaining_minor
    found: list[dict[str, Any]] = [{"day": today, "what": "Left today", "left": left}]
    last = outlook.fund.claims_close_on - timedelta(days=1)
    for one in sorted(outlook.intended, key=lambda one: begins(one, today)):
        left -= one.minor
        found.append({"day": min(begins(one, today), last), "what": f"{one.kind}: {one.name}", "left": left})
    return found


def begins(one: Intended, today: date) -> date:
    return max(one.starts_on or today, today)


def sentence(outlook: Outlook, expiring: int) -> str:
    """What the line shows, in words."""
    fund = outlook.fund
    if not outlook.intended:
        return f"Nothing is planned: all of the {fund.show(expiring)} would expire."
    if not expiring:
        return "With all that is planned here, nothing would be left to expire."
    return f"Of {fund.show(fund.remaining_minor)}, {fund.show(expiring)} would be left and expire."


def intended_rows(intended: Sequence[Intended], outlook: Outlook) -> list[dict[str, Any]]:
    """The line of money: each plan, draft and idea with what it takes, then what is left."""
    left = outlook.fund.remaining_minor
    rows = []
    for one in intended:
        left -= one.minor
        rows.append(
            {"one": one, "amount": outlook.fund.show(one.minor), "left": outlook.fund.show(left), "over": left < 0}
        )
    return rows
