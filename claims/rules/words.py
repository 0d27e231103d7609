"""Codes of the catalog as people call them: programs, activities, categories, country classes and countries by their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from babel import Locale

from claims.rules.book import Rule, valid
from claims.rules.kinds import KINDS
from coop.lib.dates import show_day

TERRITORIES: Mapping[str, str] = Locale("en").territories


class Names:
    """The names in a catalog. Of a category, the one of a day."""

    def __init__(self, catalog: Mapping[str, Any]) -> None:
        self.catalog = catalog
        self.named = {
            section: {row["code"]: row["name"] for row in catalog.get(section, ())}
            for section in ("programs", "activities", "country_classes", "solution_areas")
        }
        self.categories = {row["code"]: row["names"] for row in catalog.get("categories", ())}

    def of(self, dimension: str, code: str, day: date) -> str:
        """What a code of a scope is called on a day; the code itself where the catalog does not know it."""
        if dimension == "countries":
            return TERRITORIES.get(code, code)
        if dimension == "partners":
            return f"partner {code}"
        if dimension == "categories":
            return self.category(code, day)
        return str(self.named.get(dimension, {}).get(code, code))

    def category(self, code: str, day: date) -> str:
        rows = self.categories.get(code, ())
        return next((str(row["name"]) for row in rows if valid(row, day)), str(rows[-1]["name"]) if rows else code)

    def scope(self, rule: Rule) -> str:
        """For what a rule holds, e.g. "for Telemarketing, in Surface authorized device reseller"; empty where for all."""
        day = rule.valid_to or rule.valid_from
        parts = [
            f"{preposition} {listed(sorted(self.of(dimension, code, day) for code in rule.scope[dimension]))}"
            for dimension, preposition in PREPOSITIONS
            if dimension in rule.scope
        ]
        return ", ".join(parts)


PREPOSITIONS = (
    ("activities", "for"),
    ("categories", "for the category"),
    ("programs", "in"),
    ("countries", "in"),
    ("country_classes", "in countries of"),
    ("partners", "for"),
)


def listed(names: Sequence[str], last: str = "and") -> str:
    """Names as a sentence has them: "A, B and C"."""
    return f"{', '.join(names[:-1])} {last} {names[-1]}" if len(names) > 1 else "".join(names)


def quoted(rule: Rule) -> str:
    """A rule with its figures, in quotation marks and without its full stop."""
    return f"“{KINDS[rule.kind].words(rule).rstrip('.')}”"


def days_of(first: date, last: date | None) -> str:
    """From when to when, e.g. "from 1 Jul 2024 on"."""
    return f"from {show_day(first)} on" if last in (None, date.max) else f"from {show_day(first)} to {show_day(last)}"


def sentence_of(parts: Iterable[str]) -> str:
    """One sentence of its parts: a capital at its beginning, a full stop at its end."""
    text = " ".join(part for part in parts if part)
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith((".", ".”")) else ".")
