"""Fields that take exactly what the contract says and nothing that merely looks like it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from coop.lib import money
from coop.lib.dates import FIRST_YEAR, LAST_YEAR
from coop.lib.text import COUNTRY, text_fault

DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})", re.ASCII)
IDENTIFIER = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
CODE = re.compile(r"[a-z0-9-]{1,40}", re.ASCII)

SHOWN = 60


def shown(value: Any) -> str:
    """What was sent, short enough to stand in a sentence."""
    return f"“{str(value)[:SHOWN]}”"


def read_day(text: str) -> date:
    """A day written as 2024-08-14, from 2000 to 2100. Raises ValueError with the sentence."""
    try:
        day = date.fromisoformat(text) if DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None:
        raise ValueError(f"{shown(text)} is not a day. Write it as 2024-08-14.")
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"{text} is out of range: days from {FIRST_YEAR} to {LAST_YEAR} are taken.")
    return day


def read_instant(text: str) -> datetime:
    """An instant with its offset, written as 2024-08-14T23:59:59Z; in UTC, because PostgreSQL takes offsets of sixteen hours
    at most. Raises ValueError with the sentence.
    """
    try:
        at = datetime.fromisoformat(text) if INSTANT.fullmatch(text) else None
        in_range = at is not None and FIRST_YEAR <= at.year <= LAST_YEAR
    except ValueError:
        at, in_range = None, False
    if at is None or not in_range:
        raise ValueError(
            f"{shown(text)} is not an instant. Write it with its offset, for example 2024-08-14T23:59:59Z."
        )
    return at.astimezone(UTC)


@extend_schema_field({"type": "string"})
class Text(serializers.Field[Any, Any, Any, Any]):
    """Text of the client: a string and nothing else, trimmed."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "not_text": "Send this as a string.",
        "blank": "This must not be empty.",
        "too_long": "This is longer than the {limit} characters that are taken.",
        "invalid": "{fault}",
    }

    def __init__(self, *, limit: int = 200, blank: bool = False, one_line: bool = True, **options: Any) -> None:
        self.limit, self.blank, self.one_line = limit, blank, one_line
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("not_text")
        text = data.strip()
        if fault := text_fault(text, one_line=self.one_line):
            self.fail("invalid", fault=fault)
        if len(text) > self.limit:
            self.fail("too_long", limit=self.limit)
        if not self.blank and not any(unicodedata.category(letter)[0] not in "CZ" for letter in text):
            self.fail("blank")
        return text

    def to_representation(self, value: Any) -> str:
        return str(value)


class Matching(Text):
    """Text of one form."""

    form: ClassVar[re.Pattern[str]]
    wanted: ClassVar[str]

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("not_text")
        if not self.form.fullmatch(data):
            self.fail("invalid", fault=f"{shown(data)} is not {self.wanted}.")
        return data


@extend_schema_field({"type": "string", "pattern": "^[a-z0-9-]{1,40}$"})
class Code(Matching):
    form, wanted = CODE, "a code: small letters, digits and hyphens"


@extend_schema_field({"type": "string", "pattern": "^[A-Z]{2}$"})
class Country(Matching):
    form, wanted = COUNTRY, "the code of a country: two capital letters, for example US"


@extend_schema_field({"type": "string", "pattern": "^[1-9][0-9]{0,17}$"})
class Identifier(Matching):
    """An id that names another record; opaque to the client, a whole number inside."""

    form, wanted = IDENTIFIER, "an id. Send it as the string that you were given"

    def to_internal_value(self, data: Any) -> int:
        return int(super().to_internal_value(data))


@extend_schema_field({"type": "string", "format": "date"})
class Day(Text):
    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("not_text")
        try:
            return read_day(data)
        except ValueError as error:
            self.fail("invalid", fault=str(error))


@extend_schema_field({"type": "string", "format": "date-time"})
class Instant(Text):
    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("not_text")
        try:
            return read_instant(data)
        except ValueError as error:
            self.fail("invalid", fault=str(error))


class Choice(serializers.ChoiceField):
    """One of a closed list, as a string."""

    default_error_messages: ClassVar[dict[str, Any]] = {"invalid_choice": "{input} is not known here. Use {known}."}

    def __init__(self, choices: Iterable[str], **options: Any) -> None:
        self.known = [choice for choice in choices if choice]
        super().__init__(choices=self.known, **options)

    def to_internal_value(self, data: Any) -> str:
        if data == "" and self.allow_blank:
            return ""
        if not isinstance(data, str) or data not in self.known:
            self.fail("invalid_choice", input=shown(data), known=", ".join(self.known))
        return data


class YesNo(serializers.BooleanField):
    """true or false, not something that could be read as one."""

    default_error_messages: ClassVar[dict[str, Any]] = {"not_yes_or_no": "Send true or false."}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("not_yes_or_no")
        return data


AMOUNT_SCHEMA = {"type": "string", "pattern": r"^-?(0|[1-9][0-9]{0,10})(\.[0-9]+)?$", "examples": ["4200.00"]}


@extend_schema_field(AMOUNT_SCHEMA)
class Amount(serializers.Field[Any, Any, Any, Any]):
    """An amount that is sent, as a string; read as minor units of the currency that the view puts into the context."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "amount_format": 'Send amounts as strings, for example "4200.00". A number of JSON may lose its last digits.',
    }

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, str):
            self.fail("amount_format")
        try:
            return money.to_minor(data, self.context["currency"])
        except money.AmountError as error:
            raise serializers.ValidationError(str(error), code=error.code) from None

    def to_representation(self, value: Any) -> Any:  # amounts that are sent are never shown by this field
        return value


@extend_schema_field(AMOUNT_SCHEMA)
class Money(serializers.Field[Any, Any, Any, Any]):
    """An amount that is shown: minor units of the record's currency as a plain decimal string.

    `minor` names the attribute with the minor units, `currency` the way to the currency.
    """

    def __init__(self, minor: str, currency: str = "currency", **options: Any) -> None:
        self.minor, self.way = minor, currency.split(".")
        super().__init__(read_only=True, **options)

    def get_attribute(self, instance: Any) -> Any:
        minor = getattr(instance, self.minor)
        if minor is None:
            return None
        currency = instance
        for step in self.way:
            currency = getattr(currency, step)
        return money.to_text(minor, currency)

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field({"type": "object", "additionalProperties": {"type": ["string", "integer"]}})
class Results(serializers.Field[Any, Any, Any, Any]):
    """Results of an activity by the code of their metric: texts, or whole numbers."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "not_an_object": "Send an object with the codes of the metrics as names.",
    }

    def to_internal_value(self, data: Any) -> dict[str, str]:
        if not isinstance(data, Mapping):
            self.fail("not_an_object")
        errors = {}
        for code, value in data.items():
            plain = isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))
            if not plain or len(str(value)) > 2_000:
                errors[code[:40]] = ["Send a text of at most 2,000 characters, or a whole number."]
            elif fault := text_fault(code) or text_fault(str(value), one_line=False):
                errors[code[:40]] = [fault]
        if errors:
            raise serializers.ValidationError(errors)
        return {code: str(value) for code, value in data.items()}

    def to_representation(self, value: Any) -> Any:
        return value
