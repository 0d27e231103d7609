"""Editing a catalog as it is kept: change a rule from a day on, add one, end one, take a change back, merge two. Pure.

None of these changes the catalog that it is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

Row = Mapping[str, Any]
Catalog = dict[str, Any]
DAY = timedelta(days=1)


def versions(catalog: Row, code: str) -> list[Row]:
    """The versions of a rule, the oldest first."""
    return sorted((row for row in catalog["rules"] if row["code"] == code), key=lambda row: int(row["version"]))


def with_versions(catalog: Row, code: str, rows: Iterable[Row]) -> Catalog:
    """The catalog with these versions of a rule in the place of its own; a new rule comes last."""
    fresh, found, rules = list(rows), False, []
    for row in catalog["rules"]:
        if row["code"] != code:
            rules.append(row)
        elif not found:
            rules += fresh
            found = True
    return {**catalog, "rules": rules if found else [*rules, *fresh]}


def change_from(catalog: Row, row: Row, day: date, *, published: Row) -> Catalog:
    """A rule is otherwise from a day on: its newest version ends on the day before, the next one begins with `row`.

    Versions that are not published yet give way to it.
    """
    code = row["code"]
    known = versions(published, code)
    if known:
        *older, newest = known
        # A last day that was published stays; where the next version does not begin right after it, that is a fault.
        closed = {"valid_to": (day - DAY).isoformat(), **newest}
        after = {**row, "version": newest["version"] + 1, "valid_from": day.isoformat()}
        return with_versions(catalog, code, [*older, closed, after])
    return with_versions(catalog, code, [{**row, "version": 1, "valid_from": day.isoformat()}])


def put_rule(catalog: Row, row: Row) -> Catalog:
    return with_versions(catalog, row["code"], [row])


def close_rule(catalog: Row, code: str, last_day: date) -> Catalog:
    """Let a rule's newest version end on a day."""
    *older, newest = versions(catalog, code)
    return with_versions(catalog, code, [*older, {**newest, "valid_to": last_day.isoformat()}])


def restored(catalog: Row, code: str, published: Row) -> Catalog:
    """The rule as it was published, or gone where it never was."""
    return with_versions(catalog, code, versions(published, code))


def merged(base: Row, mine: Row, theirs: Row) -> tuple[Catalog, list[str]]:
    """My changes of a catalog put on another state of it, and what both changed otherwise (codes of rules, sections)."""
    both: list[str] = []
    result: Catalog = dict(theirs)
    for section in dict.fromkeys([*theirs, *mine]):
        if section == "rules" or mine.get(section) == base.get(section):
            continue
        if theirs.get(section) not in (base.get(section), mine.get(section)):
            both.append(section)
        result[section] = mine.get(section)
    for code in dict.fromkeys(row["code"] for row in (*mine["rules"], *base["rules"])):
        was, my, their = (versions(catalog, code) for catalog in (base, mine, theirs))
        if my in (was, their):
            continue
        if their != was:
            both.append(code)
        result = with_versions(result, code, my)
    return result, both
