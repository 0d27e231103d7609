"""What may be wrong with categories, activities, solution areas, reasons and country classes."""

from __future__ import annotations

from claims.rules.faults.shape import DAYS, Faults, Row, Spec, check_row, check_unique
from claims.rules.faults.spans import Span, check_spans, span_of

CATEGORY: Spec = {"code": ("code", True), "names": ("rows", True)}
NAME: Spec = {"name": ("name", True), **DAYS}
ACTIVITY: Spec = {
    "code": ("code", True),
    "name": ("name", True),
    "description": ("text", True),
    "categories": ("rows", True),
    "example": ("flag", False),
    **DAYS,
}
OF_CATEGORY: Spec = {"category": ("code", True), **DAYS}
AREA: Spec = {"code": ("code", True), "name": ("name", True), "example": ("flag", False), **DAYS}
REASON: Spec = {
    "code": ("code", True),
    "text": ("text", True),
    "for": ("subjects", True),
    "decisions": ("decisions", True),
}
COUNTRY_CLASS: Spec = {
    "code": ("code", True),
    "name": ("name", True),
    "members": ("rows", True),
    "example": ("flag", False),
}
MEMBER: Spec = {"country": ("country", True), **DAYS}


def check_categories(faults: Faults, catalog: Row) -> None:
    check_unique(faults, "categories", catalog["categories"])
    for index, row in enumerate(catalog["categories"]):
        place = f"categories.{row.get('code', index)}"
        if check_row(faults, place, row, CATEGORY):
            for at, name in enumerate(row["names"]):
                check_row(faults, f"{place}.names.{at}", name, NAME)
            if not row["names"]:
                faults.add(f"{place}.names", "gap", "The category has no name.")
            check_spans(faults, f"{place}.names", row["names"], "names|name")


def check_activities(faults: Faults, catalog: Row) -> None:
    known = {row.get("code") for row in catalog["categories"]}
    check_unique(faults, "activities", catalog["activities"])
    for index, row in enumerate(catalog["activities"]):
        place = f"activities.{row.get('code', index)}"
        if not check_row(faults, place, row, ACTIVITY):
            continue
        for at, found in enumerate(row["categories"]):
            where = f"{place}.categories.{at}"
            if check_row(faults, where, found, OF_CATEGORY) and found["category"] not in known:
                faults.add(
                    f"{where}.category", "unknown_code", f"There is no category “{found['category']}” in this catalog."
                )
        if not row["categories"]:
            faults.add(f"{place}.categories", "gap", "The activity is in no category.")
        check_spans(faults, f"{place}.categories", row["categories"], "categories|category", span_of(row))


def check_areas(faults: Faults, catalog: Row) -> None:
    rows = catalog.get("solution_areas", [])
    check_unique(faults, "solution_areas", rows)
    for index, row in enumerate(rows):
        check_row(faults, f"solution_areas.{row.get('code', index)}", row, AREA)


def check_reasons(faults: Faults, catalog: Row) -> None:
    rows = catalog.get("reasons", [])
    check_unique(faults, "reasons", rows)
    for index, row in enumerate(rows):
        check_row(faults, f"reasons.{row.get('code', index)}", row, REASON)


def check_country_classes(faults: Faults, catalog: Row) -> None:
    """A country is in one class on a day at most; in none, the general rules count."""
    rows = catalog.get("country_classes", [])
    check_unique(faults, "country_classes", rows)
    sound = []
    for index, row in enumerate(rows):
        place = f"country_classes.{row.get('code', index)}"
        if check_row(faults, place, row, COUNTRY_CLASS):
            for at, member in enumerate(row["members"]):
                if check_row(faults, f"{place}.members.{at}", member, MEMBER):
                    sound.append((place, member, span_of(member)))
    by_country: dict[str, list[tuple[str, Span]]] = {}
    for place, member, span in sound:
        if span:
            by_country.setdefault(member["country"], []).append((place, span))
    for country, memberships in by_country.items():
        for index, (_, span) in enumerate(memberships):
            for later, other in memberships[index + 1 :]:
                if shared := span.common(other):
                    faults.add(
                        f"{later}.members.{country}",
                        "overlap",
                        f"{country} is in two classes {shared.words}. Close the older membership on the day before.",
                    )
