"""Reading the lines of an earnings request one by one, so that a bad line never loses the good ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from coop.lib.api.fields import read_day, shown
from coop.lib.errors import FieldError
from coop.lib.text import text_fault

# The field as the client names it, and the staged column that it fills.
FIELDS = {
    "external_id": "external_id",
    "location": "location_code",
    "program": "program_code",
    "kind": "kind",
    "earned_on": "earned_text",
    "amount": "amount_text",
    "currency": "currency",
    "lever": "lever",
    "reason_code": "reason_code",
}
MAX_TEXT = 200
STRING_WANTED = {"amount": 'Send amounts as strings, for example "4200.00": a number of JSON may lose its last digits.'}


class Read(NamedTuple):
    """The lines that can be checked further, with their indexes in the request, and those that cannot be read."""

    lines: list[dict[str, str | None]]
    indexes: list[int]
    rejected: list[dict[str, Any]]


def rejection(index: int, code: str, message: str, field: str) -> dict[str, Any]:
    return {"index": index, "code": code, "message": message, "field": field}


def read_lines(lines: Sequence[Any]) -> Read:
    """Sort lines into those that have the right shape and those that have not, each of these with its first fault."""
    read = Read([], [], [])
    for index, line in enumerate(lines):
        fault = line_fault(line)
        if fault:
            read.rejected.append(rejection(index, fault.code, fault.message, fault.field))
        else:
            values: dict[str, str | None] = {column: line.get(field) for field, column in FIELDS.items()}
            values["kind"] = values["kind"] or "incentive"
            read.lines.append(values)
            read.indexes.append(index)
    return read


def line_fault(line: Any) -> FieldError | None:
    """The first thing that makes a line unreadable; None for one that can be checked."""
    if not isinstance(line, Mapping):
        return FieldError("", "invalid", "A line is an object of JSON.")
    for field, value in line.items():
        if field not in FIELDS:
            name = field[:40]
            return FieldError(name, "unknown_field", f"A line has no field {shown(name)}. It has: {', '.join(FIELDS)}.")
        fault = value_fault(field, value)
        if fault:
            return fault
    return None


def value_fault(field: str, value: Any) -> FieldError | None:
    if value is None:
        return None
    if not isinstance(value, str):
        code = "amount_format" if field == "amount" else "not_text"
        return FieldError(field, code, STRING_WANTED.get(field, "Send this as a string."))
    if len(value) > MAX_TEXT:
        return FieldError(field, "too_long", f"This is longer than the {MAX_TEXT} characters that are taken.")
    if fault := text_fault(value):
        return FieldError(field, "invalid", fault)
    if field == "earned_on" and value:
        try:
            read_day(value)
        except ValueError as error:
            return FieldError(field, "date_format", str(error))
    return None
