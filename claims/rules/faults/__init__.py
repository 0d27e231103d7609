"""What is wrong with a catalog: all of it at once, each fault with its place. Pure.

A place names the row by its code, e.g. `rules.limit.spiff/2.params.percent` or `programs.surface-adr.splits.0.valid_to`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from claims.rules.faults.history import faults_against
from claims.rules.faults.programs import check_amounts, check_calendars, check_programs
from claims.rules.faults.rules import check_rules
from claims.rules.faults.sections import (
    check_activities,
    check_areas,
    check_categories,
    check_country_classes,
    check_reasons,
)
from claims.rules.faults.shape import Faults, check_value, is_row
from coop.lib.errors import FieldError

__all__ = ["faults_against", "faults_of"]

FORMAT = 2
# Section: (what it holds, whether it must be there).
SECTIONS = {
    "format": ("count", True),
    "fiscal_years": ("years", True),
    "calendars": ("row", True),
    "amounts": ("row", False),
    "programs": ("rows", True),
    # Programs that rules may name though this catalog does not hold them: an installation that runs some of the programs
    # keeps the rules of all.
    "other_programs": ("codes", False),
    "categories": ("rows", True),
    "activities": ("rows", True),
    "rules": ("rows", True),
    "solution_areas": ("rows", False),
    "reasons": ("rows", False),
    "country_classes": ("rows", False),
}
CHECKS = (
    check_calendars,
    check_amounts,
    check_programs,
    check_categories,
    check_activities,
    check_areas,
    check_reasons,
    check_country_classes,
    check_rules,
)


def faults_of(catalog: Any) -> list[FieldError]:
    """All faults of a catalog (format 2), in the order of its sections; an empty list for a catalog that can be loaded."""
    faults = Faults()
    if not is_row(catalog):
        faults.add("", "invalid", "A catalog is a table of sections.")
        return faults
    check_sections(faults, catalog)
    if faults and any(error.code != "unknown_section" for error in faults):
        return faults  # what is no list of tables cannot be looked into
    for check in CHECKS:
        check(faults, catalog)
    return faults


def check_sections(faults: Faults, catalog: Mapping[str, Any]) -> None:
    for name in catalog:
        if name not in SECTIONS:
            faults.add(
                name, "unknown_section", f"There is no section “{name}”. The sections are: {', '.join(SECTIONS)}."
            )
    for name, (kind, required) in SECTIONS.items():
        if name in catalog:
            check_value(faults, name, catalog[name], kind)
        elif required:
            faults.add(name, "required", f"The section “{name}” is missing.")
    if catalog.get("format", FORMAT) != FORMAT:
        faults.add(
            "format", "invalid", f"The catalog has format {catalog['format']}; this version reads format {FORMAT}."
        )
