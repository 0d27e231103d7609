"""The catalog as a file: which days are days again, and in which order people read it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from claims.rules.faults import SECTIONS
from claims.rules.faults.shape import read_day

# The order of fields in a row; what is not named here follows by name.
ORDER = (
    "code",
    "version",
    "name",
    "title",
    "country",
    "category",
    "slot",
    "valid_from",
    "valid_to",
    "discontinued_on",
    "programs",
    "activities",
    "categories",
    "countries",
    "country_classes",
    "partners",
    "description",
    "sentence",
    "text",
    "example",
    "params",
)
LAST = ("members", "names", "splits", "thresholds", "approvers", "examples")


def as_file(catalog: Mapping[str, Any]) -> dict[str, Any]:
    """A catalog as it is kept, made ready to be written: days are days, sections and fields in a fixed order."""
    return {name: ordered(catalog[name]) for name in SECTIONS if name in catalog}


def ordered(value: Any) -> Any:
    """A value with its fields in order and its days as days; what has no value is left out, as TOML has no word for it."""
    if isinstance(value, Mapping):
        names = sorted((name for name in value if value[name] is not None), key=place)
        return {name: ordered(value[name]) for name in names}
    if isinstance(value, list):
        return [ordered(item) for item in value]
    return read_day(value) or value


def place(name: str) -> tuple[int, str]:
    if name in ORDER:
        return ORDER.index(name), ""
    return (len(ORDER) + 1 + LAST.index(name), "") if name in LAST else (len(ORDER), name)
