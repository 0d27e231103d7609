"""What changed in the sections of a catalog that are no rules, in sentences. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from claims.rules.book import day_of
from claims.rules.change import ADDED, CHANGED, CLOSED, REMOVED, Change, Row, by_code, differing, value_on
from claims.rules.words import TERRITORIES, Names, days_of, listed, sentence_of
from coop.lib import money
from coop.lib.dates import show_day
from partners.states import TITLES

# How the plain fields of a row are called.
FIELDS = {
    "name": "the name",
    "description": "the description",
    "currency": "the currency",
    "time_zone": "the time zone",
    "calendar": "the calendar",
    "plan_approval": "the approval of plans",
    "holiday_country": "the country of its holidays",
    "minimum_payment": "the smallest payment",
    "four_eyes": "the amount from which an adjustment takes two people",
    "discontinued_on": "the day on which it is discontinued",
    "valid_from": "the first day",
    "valid_to": "the last day",
    "example": "“example, not published”",
    "text": "the text",
    "for": "what it is offered for",
    "decisions": "the decisions that it is offered for",
    "first_month": "the first month of the fiscal year",
    "months": "the months of a period",
    "claims_open_after_days": "the days until claims open",
    "days_to_settle": "the days to settle",
    "days_to_claim": "the days to claim",
    "days_to_cure": "the days to cure",
}
KINDS_OF_ROWS = {
    "programs": "Program",
    "categories": "Category",
    "activities": "Activity",
    "solution_areas": "Solution area",
    "reasons": "Reason",
    "country_classes": "Country class",
}


def section_changes(old: Row, new: Row, names: Names) -> list[Change]:
    """What changed in programs, categories, activities, solution areas, reasons, country classes, calendars and amounts."""
    found: list[Change] = []
    for section in KINDS_OF_ROWS:
        found += changes_of_rows(section, by_code(old.get(section, ())), by_code(new.get(section, ())), names)
    found += [
        change
        for code, row in new.get("calendars", {}).items()
        for change in changed_fields(
            "calendars", code, f"Calendar {code}", old.get("calendars", {}).get(code, row), row
        )
    ]
    found += changes_of_amounts(old.get("amounts", {}), new.get("amounts", {}))
    if old and old.get("fiscal_years") != new.get("fiscal_years"):
        first, last = new["fiscal_years"]
        said = f"Earning periods are made for the fiscal years {first} to {last}."
        found.append(Change(CHANGED, "fiscal_years", "", said))
    return found


def changes_of_rows(section: str, old: Mapping[str, Row], new: Mapping[str, Row], names: Names) -> Iterator[Change]:
    kind = KINDS_OF_ROWS[section]
    for code, row in new.items():
        label = f"{kind} {label_of(row)}"
        if code not in old:
            since = f" {days_of(day_of(row['valid_from'], date.min), last_day(row))}" if "valid_from" in row else ""
            yield Change(ADDED, section, code, f"New: {label}{since}.", day_of(row.get("valid_from"), date.min))
            continue
        before = old[code]
        yield from closed_or_changed(section, code, label, before, row)
        for dated, words in DATED.get(section, ()):
            yield from words(code, label, before.get(dated, ()), row.get(dated, ()), row, names)
    for code, row in old.items():
        if code not in new:
            yield Change(REMOVED, section, code, f"Taken out of the catalog: {kind} {label_of(row)}.")


def label_of(row: Row) -> str:
    """What a row is called: its name, its newest name, the beginning of its text."""
    names = row.get("names")
    return str(row.get("name") or (names[-1]["name"] if names else "") or f"“{row.get('text', row['code'])}”")


def last_day(row: Row) -> date | None:
    return None if row.get("valid_to") is None else day_of(row["valid_to"], date.max)


def closed_or_changed(section: str, code: str, label: str, before: Row, row: Row) -> Iterator[Change]:
    ended = last_day(row)
    if before.get("valid_to") is None and ended:
        yield Change(CLOSED, section, code, f"{label} ends on {show_day(ended)}.", ended)
        row = {name: value for name, value in row.items() if name != "valid_to"}
    yield from changed_fields(section, code, label, before, row)


def changed_fields(section: str, code: str, label: str, before: Row, row: Row) -> Iterator[Change]:
    """A sentence for each plain field of a row that reads otherwise."""
    for name, called in FIELDS.items():
        one, other = before.get(name), row.get(name)
        if plain(one) != plain(other):
            said = f"{label}: {called} is {shown(other)} instead of {shown(one)}."
            yield Change(CHANGED, section, code, said, before=shown(one), after=shown(other))


def plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value or None


def shown(value: Any) -> str:
    """A value of a field in a sentence."""
    if isinstance(value, date):
        return show_day(value)
    if isinstance(value, str):
        try:
            return show_day(date.fromisoformat(value))
        except ValueError:
            return f"“{value}”"
    if isinstance(value, (list, tuple)):
        return listed([str(item).replace("_", " ") for item in value])
    if value is None or isinstance(value, bool):
        return "said" if value else "not said"
    return str(value)


def changes_of_amounts(old: Row, new: Row) -> Iterator[Change]:
    for name in dict.fromkeys([*new, *old]):
        before, after = old.get(name, {}), new.get(name, {})
        for currency in dict.fromkeys([*after, *before]):
            one, other = before.get(currency), after.get(currency)
            if one != other and currency != "example":
                said = f"For every program that names none of its own, {FIELDS[name]} is {sum_of(other, currency)}"
                yield Change(CHANGED, "amounts", name, f"{said} instead of {sum_of(one, currency)}.")


def sum_of(text: Any, currency: str) -> str:
    return money.display(money.to_minor(text, currency), currency) if text else "not said"


# --- Dated rows of a row --------------------------------------------------------------------------------------------------


def splits(code: str, label: str, old: Sequence[Row], new: Sequence[Row], row: Row, names: Names) -> Iterator[Change]:
    for found in differing(old, new, lambda split: str(split["coop_percent"])):
        said = f"{label}: {days_of(found.first, found.last)} {share_of(found.after)} of an earning is co-op"
        yield told("programs", code, found.first, said, share_of(found.before))


def share_of(percent: Any) -> str:
    return f"{percent} %" if percent is not None else "nothing"


def thresholds(
    code: str, label: str, old: Sequence[Row], new: Sequence[Row], row: Row, names: Names
) -> Iterator[Change]:
    for found in differing(old, new, lambda threshold: str(threshold["amount"])):
        said = (
            f"{label}: {days_of(found.first, found.last)} a fund qualifies with {sum_of(found.after, row['currency'])}"
        )
        yield told("programs", code, found.first, said, sum_of(found.before, row["currency"]))


def approvers(
    code: str, label: str, old: Sequence[Row], new: Sequence[Row], row: Row, names: Names
) -> Iterator[Change]:
    for title in dict.fromkeys(found["title"] for found in (*new, *old)):
        one, other = ([found for found in rows if found["title"] == title] for rows in (old, new))
        for found in differing(one, other, lambda _: True):
            may = "may" if found.after else "may no more"
            said = f"{label}: {days_of(found.first, found.last)} a {TITLES.get(title, title)} {may} approve plans."
            yield Change(CHANGED, "programs", code, said, found.first)


def category_names(
    code: str, label: str, old: Sequence[Row], new: Sequence[Row], row: Row, names: Names
) -> Iterator[Change]:
    for found in differing(old, new, lambda name: str(name["name"])):
        if found.after is not None:
            said = f"{days_of(found.first, found.last)} the category {found.before or code} is called {found.after}"
            yield Change(CHANGED, "categories", code, sentence_of([said]), found.first)


def moved(code: str, label: str, old: Sequence[Row], new: Sequence[Row], row: Row, names: Names) -> Iterator[Change]:
    for found in differing(old, new, lambda category: str(category["category"])):
        if found.after is not None:
            said = (
                f"{days_of(found.first, found.last)} {row['name']} counts as {names.category(found.after, found.first)}"
            )
            before = names.category(found.before, found.first) if found.before else "nothing"
            yield told("activities", code, found.first, said, before)


def members(code: str, label: str, old: Sequence[Row], new: Sequence[Row], row: Row, names: Names) -> Iterator[Change]:
    for country in dict.fromkeys(found["country"] for found in (*new, *old)):
        one, other = ([found for found in rows if found["country"] == country] for rows in (old, new))
        for found in differing(one, other, lambda _: True):
            name = TERRITORIES.get(country, country)
            said = f"{days_of(found.first, found.last)} {name} is {'' if found.after else 'no more '}in {row['name']}"
            yield Change(CHANGED, "country_classes", code, sentence_of([said]), found.first)


def told(section: str, code: str, on: date, said: str, before: str) -> Change:
    return Change(CHANGED, section, code, sentence_of([said, f"instead of {before}"]), on)


DATED: dict[str, tuple[tuple[str, Callable[..., Iterator[Change]]], ...]] = {
    "programs": (("splits", splits), ("thresholds", thresholds), ("approvers", approvers)),
    "categories": (("names", category_names),),
    "activities": (("categories", moved),),
    "country_classes": (("members", members),),
}


# --- One catalog on two days ------------------------------------------------------------------------------------------


def changes_of_program_days(
    catalog: Row, before: date, after: date, program: str, activities: Sequence[Row], names: Names
) -> list[Change]:
    """What a program and the activities say otherwise on a later day: split, threshold, categories and their names."""
    found: list[Change] = []
    for row in catalog.get("programs", ()):
        if row["code"] == program:
            found += days_of_program(row, before, after)
    for row in catalog.get("categories", ()):
        one, other = (value_on(row["names"], day, lambda name: str(name["name"])) for day in (before, after))
        if one and other and one != other:
            found.append(Change(CHANGED, "categories", row["code"], f"The category {one} is called {other}.", after))
    for row in activities:
        one, other = (value_on(row["categories"], day, lambda found: str(found["category"])) for day in (before, after))
        if one and other and one != other:
            said = f"{row['name']} counts as {names.category(other, after)} instead of {names.category(one, before)}."
            found.append(Change(CHANGED, "activities", row["code"], said, after))
    return found


def days_of_program(row: Row, before: date, after: date) -> Iterator[Change]:
    label = row["name"]
    one, other = (
        value_on(row.get("splits", ()), day, lambda found: str(found["coop_percent"])) for day in (before, after)
    )
    if one != other:
        said = f"{label}: {share_of(other)} of an earning is co-op instead of {share_of(one)}."
        yield Change(CHANGED, "programs", row["code"], said, after)
    one, other = (
        value_on(row.get("thresholds", ()), day, lambda found: str(found["amount"])) for day in (before, after)
    )
    if one != other:
        amounts = [sum_of(text, row["currency"]) for text in (other, one)]
        yield Change(
            CHANGED,
            "programs",
            row["code"],
            f"{label}: a fund qualifies with {amounts[0]} instead of {amounts[1]}.",
            after,
        )
