"""The rule book: rules as data, and which of them counts for a case. Pure: no Django, no database, no clock.

A rule is a row of the catalog: a code, a version, a sentence, a scope, the days on which it holds, and parameters. The first
part of its code is its kind, which says what it looks at (`claims.rules.kinds`). Rules that answer the same question share
a slot; of those that hold for a case the most specific one counts, and its findings name it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from claims.rules.findings import FAILED, PASSED, Finding
from coop.lib.dates import show_day

# What a scope may name, from the most specific to the least: a partner's own agreement beats the rule of its country.
DIMENSIONS = ("partners", "countries", "country_classes", "programs", "activities", "categories")


@dataclass(frozen=True)
class Case:
    """What decides which rules count: codes, the partner's external id, and the activity's first day."""

    program: str
    activity: str
    category: str
    country: str
    country_class: str
    partner: str
    day: date

    def value(self, dimension: str) -> str:
        return {
            "partners": self.partner,
            "countries": self.country,
            "country_classes": self.country_class,
            "programs": self.program,
            "activities": self.activity,
            "categories": self.category,
        }[dimension]


@dataclass(frozen=True)
class Rule:
    """One version of one rule. `scope` maps dimensions to the codes that it is for; what it does not name, it holds for."""

    code: str
    version: int
    sentence: str
    valid_from: date
    valid_to: date | None = None
    slot: str = ""
    scope: Mapping[str, frozenset[str]] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    example: bool = False
    examples: Sequence[Mapping[str, Any]] = ()

    @property
    def kind(self) -> str:
        return self.code.partition(".")[0]

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def is_for(self, case: Case) -> bool:
        return all(case.value(dimension) in codes for dimension, codes in self.scope.items())

    @cached_property
    def specificity(self) -> tuple[bool, ...]:
        """Compared as a tuple: what names a more specific dimension is greater."""
        return tuple(dimension in self.scope for dimension in DIMENSIONS)

    @cached_property
    def basis(self) -> str:
        """Which rule this is, for people, e.g. "Rule limit.spiff, version 1, since 1 Jul 2019, for program surface-adr"."""
        scoped = [
            f"{NAMES[dimension]} {', '.join(sorted(self.scope[dimension]))}"
            for dimension in DIMENSIONS
            if dimension in self.scope
        ]
        days = f"since {show_day(self.valid_from)}" + (f" until {show_day(self.valid_to)}" if self.valid_to else "")
        said = ", ".join([f"Rule {self.code}, version {self.version}, {days}", *(f"for {text}" for text in scoped)])
        return said + (" (an example, not published)" if self.example else "")

    def finding(
        self,
        ok: bool,
        *,
        seen: str,
        wanted: str,
        fix: str = "",
        at_field: str = "",
        unless: str = FAILED,
        text: str = "",
    ) -> Finding:
        """A finding of this rule that passed, or else has the outcome `unless`; a passed one needs no fix."""
        outcome = PASSED if ok else unless
        return Finding(
            self.code,
            self.version,
            outcome,
            text or self.sentence,
            seen,
            wanted,
            "" if ok else fix,
            at_field,
            self.basis,
        )


NAMES = {
    "partners": "partner",
    "countries": "country",
    "country_classes": "country class",
    "programs": "program",
    "activities": "activity",
    "categories": "category",
}


@dataclass(frozen=True)
class CountryClass:
    """Countries whose claims are asked for proof from the same amount on. Members come and go with dates."""

    code: str
    name: str
    members: Sequence[Mapping[str, Any]] = ()
    example: bool = False


class Book:
    """All rules of one publication of the catalog, indexed. It never changes; read it as often as you like."""

    def __init__(
        self,
        rules: Iterable[Rule],
        country_classes: Iterable[CountryClass] = (),
        solution_areas: Sequence[Mapping[str, Any]] = (),
        categories: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self.rules = tuple(rules)
        self.country_classes = tuple(country_classes)
        self.solution_areas = tuple(solution_areas)
        self.categories = tuple(categories)
        self.known: dict[Case, tuple[Rule, ...]] = {}

    def in_force(self, case: Case) -> tuple[Rule, ...]:
        """Of each slot the most specific rule that holds for the case, in the order of the catalog."""
        if case not in self.known:
            if len(self.known) > 2_000:
                self.known.clear()
            best: dict[str, Rule] = {}
            for rule in self.rules:
                if rule.holds_on(case.day) and rule.is_for(case):
                    slot = rule.slot or rule.code
                    if slot not in best or rule.specificity > best[slot].specificity:
                        best[slot] = rule
            self.known[case] = tuple(best.values())
        return self.known[case]

    def of_kind(self, kind: str, case: Case) -> list[Rule]:
        """The rules of one kind that count for the case."""
        return [rule for rule in self.in_force(case) if rule.kind == kind]

    def class_of(self, country: str, day: date) -> str:
        """The code of the class that a country belongs to on a day, or nothing."""
        return next(
            (
                known.code
                for known in self.country_classes
                for member in known.members
                if member["country"] == country and valid(member, day)
            ),
            "",
        )

    def areas_on(self, day: date) -> dict[str, str]:
        """The names of the solution areas of a day, by code."""
        return {row["code"]: row["name"] for row in self.solution_areas if valid(row, day)}

    def categories_on(self, day: date) -> dict[str, str]:
        """The names of the categories on a day, by code."""
        return {row["code"]: name["name"] for row in self.categories for name in row["names"] if valid(name, day)}


def valid(row: Mapping[str, Any], day: date) -> bool:
    """Whether a dated row of the catalog, as it is kept, holds on a day (both ends inclusive)."""
    return day_of(row.get("valid_from"), date.min) <= day <= day_of(row.get("valid_to"), date.max)


def day_of(value: Any, otherwise: date) -> date:
    """A day of the catalog: a date as TOML reads it, or its text as it is kept."""
    return otherwise if value is None else value if isinstance(value, date) else date.fromisoformat(value)


def read_rule(row: Mapping[str, Any]) -> Rule:
    """A rule from its row in the catalog, which was found to be in order (`claims.rules.faults`)."""
    return Rule(
        code=row["code"],
        version=row["version"],
        sentence=row["sentence"],
        valid_from=day_of(row["valid_from"], date.min),
        valid_to=None if row.get("valid_to") is None else day_of(row["valid_to"], date.max),
        slot=row.get("slot", ""),
        scope={dimension: frozenset(row[dimension]) for dimension in DIMENSIONS if dimension in row},
        params=row.get("params", {}),
        example=row.get("example", False),
        examples=tuple(row.get("examples", ())),
    )


def read_book(catalog: Mapping[str, Any]) -> Book:
    """The rule book of a catalog (format 2)."""
    return Book(
        (read_rule(row) for row in catalog.get("rules", ())),
        (
            CountryClass(row["code"], row["name"], tuple(row.get("members", ())), row.get("example", False))
            for row in catalog.get("country_classes", ())
        ),
        catalog.get("solution_areas", ()),
        catalog.get("categories", ()),
    )
