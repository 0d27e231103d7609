"""Reading files of exchange rates: base, quote, on, rate, source. Pure: bytes in, rates out.

One unit of `base` was worth `rate` units of `quote` on that day, says `source`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import IO, NamedTuple

from coop.lib import money
from coop.lib.errors import FieldError, Invalid
from coop.lib.spreadsheets import plain
from coop.lib.text import text_fault
from funds.files.columns import clean, fold
from funds.files.decoding import Text
from funds.files.sheets import no_rows
from funds.files.texts import BLANK, SEPARATORS, records
from funds.files.unpacking import ZIP, first_bytes, not_a_table

NAMES = ("base", "quote", "on", "rate", "source")
MAX_BYTES = 8 * 1024 * 1024
MAX_SOURCE = 40
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
RATE = re.compile(r"(0|[1-9][0-9]{0,8})(\.[0-9]{1,8})?", re.ASCII)


class Rate(NamedTuple):
    line_no: int
    base: str
    quote: str
    on: date
    rate: Decimal
    source: str


def read_rates(file: IO[bytes], *, today: date) -> list[Rate]:
    """All rates of a file. Raises Invalid with what is wrong in every line (`rows.3.rate` is the third line), TooLarge."""
    if first_bytes(file)[:4] == ZIP:
        raise not_a_table("This is a workbook or a ZIP archive. Save the table of rates as CSV and send that.")
    text = Text(file, max_bytes=MAX_BYTES)
    names, rows = read_table(text)
    places = places_of(names)
    found: list[Rate] = []
    errors: list[FieldError] = []
    for line_no, row in rows:
        if len(row) != len(names):
            message = f"Line {line_no}: {len(row)} cells, but {len(names)} columns."
            errors.append(FieldError(f"rows.{line_no}", "cell_count", message))
            continue
        values = {name: plain(row[place].strip()) for name, place in places.items()}
        wrong = faults_of(line_no, values, today=today)
        errors += wrong
        if not wrong:
            found.append(
                Rate(
                    line_no,
                    values["base"],
                    values["quote"],
                    date.fromisoformat(values["on"]),
                    Decimal(values["rate"]),
                    values["source"],
                )
            )
    require_right(errors)
    return found


def require_right(errors: Sequence[FieldError]) -> None:
    """Raises Invalid where there are errors; the first few are in the sentence, all in the list."""
    if errors:
        more = f" And {len(errors) - 5:,} more." if len(errors) > 5 else ""
        raise Invalid(
            "No rate was loaded. " + " ".join(error.message for error in errors[:5]) + more, errors=list(errors)
        )


def read_table(text: Text) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The names of the columns, and the rows below with their line numbers. Raises Invalid."""
    first = b"".join(text.blocks()).decode().lstrip(BLANK).partition("\n")[0]
    delimiter = max(SEPARATORS, key=first.count)
    numbered = enumerate(records(text, delimiter), start=1)
    rows = [(number, row) for number, row in numbered if any(cell.strip(BLANK) for cell in row)]
    if not rows:
        raise Invalid.field("file", "The file is empty.", "no_rows")
    if len(rows) == 1:
        raise no_rows()
    return clean(rows[0][1]), rows[1:]


def places_of(names: list[str]) -> dict[str, int]:
    """Where each column stands. Raises Invalid with all that are missing, doubled or unknown: a rate has no other columns."""
    folded = [fold(name) for name in names]
    errors = [
        FieldError(f"columns.{name}", "missing_column", f"The column {name} is missing.")
        for name in NAMES
        if name not in folded
    ]
    for name in dict.fromkeys(folded):
        if name not in NAMES:
            message = f"The column “{name[:40]}” is not known. The columns are {', '.join(NAMES)}."
            errors.append(FieldError(f"columns.{name[:40]}", "unknown_column", message))
        elif folded.count(name) > 1:
            errors.append(FieldError(f"columns.{name}", "duplicate_column", f"The column {name} stands there twice."))
    require_right(errors)
    return {name: folded.index(name) for name in NAMES}


def faults_of(line_no: int, values: dict[str, str], *, today: date) -> list[FieldError]:
    """All that is wrong with the cells of one line."""
    faults = [(name, *currency_fault(values[name])) for name in ("base", "quote")]
    faults.append(("on", *day_fault(values["on"], today)))
    faults.append(("rate", *rate_fault(values["rate"])))
    faults.append(("source", *source_fault(values["source"])))
    if values["base"] == values["quote"] and not faults[0][1]:
        faults.append(("quote", "invalid", f"a rate from {values['base']} to itself is always 1. Leave the line out."))
    return [
        FieldError(f"rows.{line_no}.{name}", code, f"Line {line_no}: {message}")
        for name, code, message in faults
        if code
    ]


def currency_fault(text: str) -> tuple[str, str]:
    if not text:
        return "required", "a currency is missing."
    if not money.is_currency(text):
        return "unknown_currency", f"“{text[:10]}” is not the code of a current currency, three capital letters."
    return "", ""


def day_fault(text: str, today: date) -> tuple[str, str]:
    try:
        on = date.fromisoformat(text) if DAY.fullmatch(text) else None
    except ValueError:
        on = None
    if on is None:
        return "date_format", f"“{text[:20]}” is not a day. Write it as 2023-10-31."
    if on > today:
        return "in_future", f"{on} has not come yet, so nobody knows its rate."
    return "", ""


def rate_fault(text: str) -> tuple[str, str]:
    if not RATE.fullmatch(text):
        return (
            "invalid",
            f"“{text[:30]}” is not a rate. Write digits and at most one point, with up to 8 decimals: 1.0842.",
        )
    if not Decimal(text):
        return "must_be_positive", "a rate is more than zero."
    return "", ""


def source_fault(text: str) -> tuple[str, str]:
    if not text:
        return "required", "say in the column source who published the rate."
    if len(text) > MAX_SOURCE:
        return "too_long", f"the source has more than {MAX_SOURCE} characters."
    return ("invalid", text_fault(text)) if text_fault(text) else ("", "")
