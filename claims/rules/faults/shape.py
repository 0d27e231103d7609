"""What a row of the catalog may look like: its fields, which of them must be there, and what each must hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from claims.rules.answers import WANTED
from coop.lib import money
from coop.lib.dates import FIRST_YEAR, LAST_YEAR
from coop.lib.errors import FieldError
from coop.lib.text import COUNTRY
from funds.states import PLAN_APPROVAL
from partners.states import TITLES

CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
RULE_CODE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9][a-z0-9-]*)*", re.ASCII)
PERCENT = re.compile(r"(0|[1-9][0-9]{0,2})(\.[0-9]{1,2})?", re.ASCII)
ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
SUBJECTS = ("plan", "claim", "document")
DECISIONS = ("approve_less", "return", "decline", "dispute")

Row = Mapping[str, Any]


class Faults(list[FieldError]):
    """All faults found so far."""

    def add(self, place: str, code: str, message: str) -> None:
        self.append(FieldError(place, code, message))


def read_day(value: Any) -> date | None:
    """A day as TOML reads it or as it is kept (text); None for everything else."""
    if type(value) is date:
        day = value
    elif isinstance(value, str) and ISO_DAY.fullmatch(value):
        try:
            day = date.fromisoformat(value)
        except ValueError:
            return None
    else:
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None


def is_text(value: Any, longest: int = 2_000) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value) <= longest and "\x00" not in value


def is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1_000_000


def is_percent(value: Any) -> bool:
    return isinstance(value, str) and PERCENT.fullmatch(value) is not None and Decimal(value) <= 100


def is_plain_amount(value: Any) -> bool:
    """An amount of whatever currency; how many decimals its own currency has is looked at where that is known."""
    return isinstance(value, str) and money.AMOUNT.fullmatch(value) is not None and not value.startswith("-")


def is_zone(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(ZoneInfo(value))
    except (ZoneInfoNotFoundError, ValueError):
        return False


def is_list(value: Any, fits: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and bool(value) and all(fits(item) for item in value)


def is_code(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 40 and CODE.fullmatch(value) is not None


def is_rule_code(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 120 and RULE_CODE.fullmatch(value) is not None


def is_country(value: Any) -> bool:
    return isinstance(value, str) and COUNTRY.fullmatch(value) is not None


def is_row(value: Any) -> bool:
    return isinstance(value, Mapping)


# What a field may hold: the test, and what is wanted, in words.
TYPES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "text": (is_text, "a text"),
    "name": (lambda value: is_text(value, 100), "a text of at most 100 characters"),
    "long name": (lambda value: is_text(value, 200), "a text of at most 200 characters"),
    "code": (is_code, "a code of at most 40 small letters, digits and hyphens, for example print-advertising"),
    "rule code": (is_rule_code, "the code of a rule: its kind, then parts with points between them"),
    "day": (lambda value: read_day(value) is not None, "a day such as 2024-07-01"),
    "flag": (lambda value: isinstance(value, bool), "true or false"),
    "count": (is_count, "a whole number that is not below zero"),
    "positive": (lambda value: is_count(value) and value > 0, "a whole number above zero"),
    "percent": (is_percent, "a percentage from 0 to 100 as text with at most two decimals, for example “25”"),
    "amount": (is_plain_amount, "an amount as text, for example “1500.00”"),
    "currency": (
        lambda value: isinstance(value, str) and money.is_currency(value),
        "the code of a current currency, for example USD",
    ),
    "zone": (is_zone, "a time zone, for example Europe/Berlin"),
    "country": (is_country, "the code of a country: two capital letters, for example US"),
    "codes": (lambda value: is_list(value, is_code), "a list of codes"),
    "texts": (lambda value: is_list(value, is_text), "a list of texts"),
    "countries": (lambda value: is_list(value, is_country), "a list of countries, for example [“DE”, “US”]"),
    "row": (is_row, "a table"),
    "rows": (lambda value: isinstance(value, list) and all(map(is_row, value)), "a list of tables"),
    "answer": (lambda value: value in WANTED, f"one of {', '.join(WANTED)}"),
    "title": (lambda value: value in TITLES, f"one of {', '.join(TITLES)}"),
    "plan approval": (lambda value: value in PLAN_APPROVAL, f"one of {', '.join(PLAN_APPROVAL)}"),
    "subjects": (lambda value: is_list(value, SUBJECTS.__contains__), f"a list of {', '.join(SUBJECTS)}"),
    "decisions": (lambda value: is_list(value, DECISIONS.__contains__), f"a list of {', '.join(DECISIONS)}"),
    "years": (
        lambda value: (
            is_list(value, lambda year: type(year) is int and FIRST_YEAR < year <= LAST_YEAR)
            and len(value) == 2
            and value[0] <= value[1]
        ),
        "two years, the first not after the last",
    ),
    "month": (lambda value: type(value) is int and 1 <= value <= 12, "a month from 1 to 12"),
    "months": (lambda value: value in (1, 2, 3, 4, 6, 12), "1, 2, 3, 4, 6 or 12 months: a year must be whole periods"),
}

# Field: (what it holds, whether it must be there).
Spec = Mapping[str, tuple[str, bool]]
DAYS: Spec = {"valid_from": ("day", True), "valid_to": ("day", False)}


def check_row(faults: Faults, place: str, row: Row, spec: Spec) -> bool:
    """Whether a row is as its spec says, days in order included; notes every fault."""
    before = len(faults)
    for name in row:
        if name not in spec:
            known = ", ".join(spec)
            faults.add(f"{place}.{name}", "unknown_field", f"There is no field “{name}” here. The fields are: {known}.")
    for name, (kind, required) in spec.items():
        if name not in row:
            if required:
                faults.add(f"{place}.{name}", "required", f"“{name}” is missing. It must be {TYPES[kind][1]}.")
        else:
            check_value(faults, f"{place}.{name}", row[name], kind)
    if "valid_from" in spec:
        first, last = read_day(row.get("valid_from")), read_day(row.get("valid_to"))
        if first and last and last < first:
            faults.add(
                f"{place}.valid_to",
                "dates_out_of_order",
                f"It ends on {last}, before it begins on {first}. Swap the days.",
            )
    return len(faults) == before


def check_value(faults: Faults, place: str, value: Any, kind: str) -> None:
    fits, wanted = TYPES[kind]
    if not fits(value):
        faults.add(place, "invalid", f"{shown(value)} does not fit. It must be {wanted}.")


def shown(value: Any) -> str:
    """A value as it is quoted in a sentence."""
    return f"“{value if isinstance(value, str) else repr(value)}”"[:80]


def check_unique(faults: Faults, place: str, rows: Sequence[Row], key: str = "code") -> None:
    """Each code stands only once in a list."""
    seen: set[Any] = set()
    for row in rows:
        code = row.get(key)
        if isinstance(code, str):
            if code in seen:
                faults.add(f"{place}.{code}", "duplicate", f"“{code}” stands here twice. Each {key} is given once.")
            seen.add(code)


def check_amount(faults: Faults, place: str, text: Any, currency: Any) -> None:
    """An amount of a currency: with its decimals, and not below zero. Unknown currencies are told of elsewhere."""
    if not isinstance(currency, str) or not money.is_currency(currency):
        return
    try:
        minor = money.to_minor(text, currency)
    except money.AmountError as error:
        faults.add(place, "invalid", str(error))
    else:
        if minor < 0:
            faults.add(place, "invalid", f"{text} is below zero. Amounts of the catalog are not.")
