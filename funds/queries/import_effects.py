"""A page of what an import does to each fund: the largest first, or only those that somebody should look at."""

from __future__ import annotations

from typing import Any, NamedTuple

from coop.lib.db import named_rows
from funds.models import Import
from funds.queries.effects import EFFECTS, effect, params_of

PAGE = 25
# What somebody should look at: by its name, the condition on an effect.
LOOKS = {
    "crosses": "crossing <> ''",
    "late": "late",
    "below": "overdrawn",
    "new": "new_fund",
}

NAMES = ("partner_name", "location_name", "program_name", "now_minor")
ORDER = "abs(coop_minor) DESC, enrollment_id, earning_period_id, currency"


class Page(NamedTuple):
    """Effects as `effects_of` gives them, with names, and `now_minor`: what is available in the fund at this moment.

    `after` continues behind the last one, and is empty at the end; `first` says whether the page begins the list.
    """

    effects: list[dict[str, Any]]
    after: str
    first: bool


def effects_page(delivery: Import, *, look: str = "", after: str = "", limit: int = PAGE) -> Page:
    """Effects by how much co-op they move, of one of the LOOKS or all. An unreadable `after` begins at the beginning."""
    place = read_place(after)
    where = LOOKS.get(look, "true")
    if place:
        where += """ AND (abs(coop_minor) < %(size)s OR abs(coop_minor) = %(size)s
          AND (enrollment_id, earning_period_id, currency) > (%(enrollment)s, %(period)s, %(in)s))"""
    found = named_rows(
        f"""SELECT s.*, o.name AS partner_name, l.name AS location_name, f.available_minor AS now_minor
            FROM (SELECT * FROM ({EFFECTS}) e WHERE {where} ORDER BY {ORDER} LIMIT %(limit)s) s
            JOIN partners_partner o ON o.id = s.partner_id JOIN partners_location l ON l.id = s.location_id
            LEFT JOIN funds_fund f ON f.id = s.fund_id
            ORDER BY abs(s.coop_minor) DESC, s.enrollment_id, s.earning_period_id, s.currency""",
        {**params_of(delivery), **place, "limit": limit + 1},
    )
    effects = [effect(row) | {name: row[name] for name in NAMES} for row in found[:limit]]
    return Page(effects, key_of(found[limit - 1]) if len(found) > limit else "", not place)


def key_of(row: dict[str, Any]) -> str:
    return f"{abs(row['coop_minor'])}~{row['enrollment_id']}~{row['earning_period_id']}~{row['currency']}"


def read_place(text: str) -> dict[str, Any]:
    """The key of an effect, taken apart; nothing for what is none."""
    parts = text.split("~")
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts[:3]):
        return {}
    size, enrollment, period = (int(part) for part in parts[:3])
    return {"size": size, "enrollment": enrollment, "period": period, "in": parts[3][:3]}
