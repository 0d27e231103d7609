"""Filters of lists, named as the fields. What a view does not list is refused, never ignored."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from coop.lib.api.fields import CODE, IDENTIFIER, read_day, read_instant, shown
from coop.lib.text import COUNTRY, text_fault


@dataclass(frozen=True)
class Filter:
    """How one query parameter is read (raises ValueError with a sentence) and which rows it leaves.

    Without `where` the view itself looks at the value (`self.asked`).
    """

    read: Callable[[str], Any]
    where: Callable[[Any], Q] | None
    schema: dict[str, Any]


def read_id(text: str) -> int:
    if not IDENTIFIER.fullmatch(text):
        raise ValueError(f"{shown(text)} is not an id.")
    return int(text)


def read_code(text: str) -> str:
    if not CODE.fullmatch(text):
        raise ValueError(f"{shown(text)} is not a code.")
    return text


def read_text(text: str) -> str:
    if len(text) > 200 or text_fault(text):
        raise ValueError("This is not a text that can be looked for.")
    return text


def by_id(column: str) -> Filter:
    return Filter(read_id, lambda value: Q(**{column: value}), {"type": "string"})


def by_code(column: str) -> Filter:
    return Filter(read_code, lambda value: Q(**{column: value}), {"type": "string"})


def by_text(column: str) -> Filter:
    return Filter(read_text, lambda value: Q(**{column: value}), {"type": "string"})


def by_choice(column: str, choices: Iterable[str]) -> Filter:
    known = list(choices)

    def read(text: str) -> str:
        if text not in known:
            raise ValueError(f"{shown(text)} is not known here. Use {', '.join(known)}.")
        return text

    return Filter(read, lambda value: Q(**{column: value}), {"type": "string", "enum": known})


def by_yes_or_no(condition: Q) -> Filter:
    """Rows of which the condition is true, or those of which it is not."""

    def read(text: str) -> bool:
        if text not in ("true", "false"):
            raise ValueError("Say true or false.")
        return text == "true"

    return Filter(
        read, lambda wanted: condition if wanted else ~condition, {"type": "string", "enum": ["true", "false"]}
    )


def by_id_or_code(id_column: str, code_column: str) -> Filter:
    """A record that is named by its id or, where it has one, by its code."""

    def read(text: str) -> str:
        return text if IDENTIFIER.fullmatch(text) else read_text(text)

    def where(value: str) -> Q:
        return Q(**{id_column: int(value)}) if IDENTIFIER.fullmatch(value) else Q(**{code_column: value})

    return Filter(read, where, {"type": "string"})


def since(column: str) -> Filter:
    """Rows from an instant on, that instant included."""
    return Filter(read_instant, lambda at: Q(**{f"{column}__gte": at}), {"type": "string", "format": "date-time"})


def day() -> Filter:
    """A day that the view itself looks at."""
    return Filter(read_day, None, {"type": "string", "format": "date"})


def instant() -> Filter:
    """An instant that the view itself looks at."""
    return Filter(read_instant, None, {"type": "string", "format": "date-time"})


def until(column: str) -> Filter:
    """Rows up to an instant, that instant included."""
    return Filter(read_instant, lambda at: Q(**{f"{column}__lte": at}), {"type": "string", "format": "date-time"})


def after(column: str) -> Filter:
    """Rows after an instant, that instant not included."""
    return Filter(read_instant, lambda at: Q(**{f"{column}__gt": at}), {"type": "string", "format": "date-time"})


def until_day(column: str) -> Filter:
    """Rows up to a day, that day included."""
    return Filter(read_day, lambda value: Q(**{f"{column}__lte": value}), {"type": "string", "format": "date"})


def code() -> Filter:
    """A code that the view itself looks at."""
    return Filter(read_code, None, {"type": "string"})


def text() -> Filter:
    """A text that the view itself looks at."""
    return Filter(read_text, None, {"type": "string"})


def by_day(column: str) -> Filter:
    return Filter(read_day, lambda value: Q(**{column: value}), {"type": "string", "format": "date"})


def by_any_of(column: str, read: Callable[[str], Any], values: Callable[[Any], list[Any]]) -> Filter:
    """Rows whose column holds one of the values that the parameter stands for."""
    return Filter(read, lambda value: Q(**{f"{column}__in": values(value)}), {"type": "string"})


def country() -> Filter:
    """A country's code that the view itself looks at."""

    def read(said: str) -> str:
        if not COUNTRY.fullmatch(said):
            raise ValueError(f"{shown(said)} is not the code of a country, for example US.")
        return said

    return Filter(read, None, {"type": "string"})
