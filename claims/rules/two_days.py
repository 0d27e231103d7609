"""What one catalog says otherwise on a later day than on an earlier one: for a program, a country, a partner. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from claims.rules.book import Book, Case, Rule
from claims.rules.change import ADDED, CHANGED, CLOSED, Change, Row, value_on
from claims.rules.kinds import KINDS
from claims.rules.section_changes import changes_of_program_days
from claims.rules.words import Names, listed, quoted, sentence_of
from coop.lib.dates import show_day


@dataclass
class Met:
    """A rule that took the place of another between the days, and the activities for which it did, by name."""

    before: Rule | None
    after: Rule | None
    activities: list[str] = field(default_factory=list)


def what_changed(
    catalog: Mapping[str, Any],
    book: Book,
    before: date,
    after: date,
    *,
    program: str,
    country: str = "",
    partner: str = "",
    activities: Iterable[str] = (),
) -> list[Change]:
    """What counts on a later day and did not on an earlier one, for a program and, where given, a country, a partner (its
    external id) and some activities (by default all). `book` is the catalog's.
    """
    wanted, names = set(activities), Names(catalog)
    rows = [row for row in catalog.get("activities", ()) if not wanted or row["code"] in wanted]
    met: dict[tuple[str, int, int], Met] = {}
    for row in rows:
        old = case_on(row, book, before, program, country, partner)
        new = case_on(row, book, after, program, country, partner)
        for slot, one, other in slots_of(book, old, new):
            met.setdefault((slot, id(one), id(other)), Met(one, other)).activities.append(row["name"])
    found = [told(change, after, names, every=len(rows)) for change in met.values()]
    return [*found, *changes_of_program_days(catalog, before, after, program, rows, names)]


def case_on(row: Row, book: Book, day: date, program: str, country: str, partner: str) -> Case:
    category = value_on(row.get("categories", ()), day, lambda found: str(found["category"])) or ""
    return Case(program, row["code"], category, country, book.class_of(country, day), partner, day)


def slots_of(book: Book, old: Case, new: Case) -> Iterable[tuple[str, Rule | None, Rule | None]]:
    """The questions that are answered by another rule in the new case, with the rule before and after."""
    before = {rule.slot or rule.code: rule for rule in book.in_force(old)}
    after = {rule.slot or rule.code: rule for rule in book.in_force(new)}
    for slot in [*after, *(slot for slot in before if slot not in after)]:
        one, other = before.get(slot), after.get(slot)
        if one is not other and words_and_figures(one) != words_and_figures(other):
            yield slot, one, other


def words_and_figures(rule: Rule | None) -> Any:
    return rule and (KINDS[rule.kind].words(rule), rule.params)


def told(change: Met, day: date, names: Names, *, every: int) -> Change:
    """The change in a sentence; it names the activities where the rule's own scope does not and they are not all."""
    one, other = change.before, change.after
    rule = other or one
    assert rule is not None  # noqa: S101 - one of them is there
    whom = names.scope(rule)
    if "activities" not in rule.scope and len(change.activities) < every:
        whom = f"{whom}, " * bool(whom) + f"for {listed(sorted(change.activities))}"
    if one is None or other is None:
        what, verb = (ADDED, "New") if other else (CLOSED, "No more")
        said = (
            sentence_of([verb, f"since {show_day(day)}" if not other else "", whom]).rstrip(".") + f": {quoted(rule)}."
        )
    else:
        what = CHANGED
        said = sentence_of(["Changed", whom]).rstrip(".") + f": {quoted(other)} instead of {quoted(one)}."
    before, after = (KINDS[found.kind].words(found) if found else "" for found in (one, other))
    return Change(what, "rules", rule.code, said, other.valid_from if other else day, before, after, one, other)
