"""Reading earnings files: which columns mean what, in both forms of domain.md section 8. Pure: bytes in, lines out.

What is wrong with the file as a whole (encoding, quoting, columns) refuses it before any line is judged, because then no
line can be trusted; what is wrong with a line is left to the checks of funds/staging.py.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from coop.lib.errors import FieldError, Invalid
from coop.lib.spreadsheets import plain

PARTNER_CENTER, INCENTIVES = "partner_center", "incentives"
MAX_CELL = 4_096

# Column names, folded to lower case without spaces or underscores, and the staged field they fill.
COLUMNS = {
    "earningid": "external_id",
    "externalid": "external_id",
    "participantid": "location_code",
    "location": "location_code",
    "locationid": "location_code",
    "programname": "program_code",
    "program": "program_code",
    "earningtype": "kind",
    "lever": "lever",
    "earningdate": "earned_text",
    "earnedon": "earned_text",
    "earningamount": "amount_text",
    "amount": "amount_text",
    "transactioncurrency": "currency",
    "currency": "currency",
    "earningamountusd": "settled_amount_text",
    "earningexchangerate": "rate_text",
    "exchangeratedate": "rate_on_text",
    "reasoncode": "reason_code",
}
REQUIRED = {
    "external_id": "earningId or external_id",
    "location_code": "participantId or location",
    "program_code": "programName or program",
    "earned_text": "earningDate or earned_on",
    "amount_text": "earningAmount or amount",
    "currency": "transactionCurrency or currency",
}
# Fees and sell incentives are cash like the rebate; only the line that says co-op is co-op.
KINDS = {"rebate": "rebate", "coop": "coop", "co-op": "coop", "fee": "rebate", "sell": "rebate"}


def fold(name: str) -> str:
    return name.strip().lower().replace("_", "").replace(" ", "").replace("-", "")


def read(data: bytes) -> tuple[str, Iterator[tuple[int, dict[str, Any], dict[str, str | None]]]]:
    """The form of a file and its lines as (line number, line as sent, values by staged field).

    Line numbers are those of the file, so that 2 is the first line under the header. CSV or TSV, UTF-8 with or without
    BOM. Raises Invalid for what is wrong with the file as a whole.
    """
    text = decode(data)
    header = text.partition("\n")[0]
    delimiter = "\t" if "\t" in header else ","
    if delimiter == "," and ";" in header and "," not in header:
        raise Invalid.field(
            "file",
            "The first line has one column, separated by “;”. Save the file with commas or tabs.",
            "one_column",
        )
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    names = next_row(reader) or []
    fields = map_columns(names)
    form = PARTNER_CENTER if "kind" in fields.values() else INCENTIVES
    return form, lines(reader, names, fields, form)


def decode(data: bytes) -> str:
    if not data.strip():
        raise Invalid.field("file", "The file is empty.", "no_rows")
    if data[:4] == b"PK\x03\x04" or data[:2] == b"\x1f\x8b" or data[:5] == b"%PDF-":
        raise Invalid.field(
            "file", "This is not a CSV or TSV file. Export the report as CSV and send that.", "not_a_table"
        )
    if b"\x00" in data:
        raise Invalid.field(
            "file",
            "This is not a text file. Export the report as CSV, in UTF-8, and send that.",
            "not_a_table",
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid.field(
            "file",
            f"The file is not UTF-8: byte {error.start} cannot be read. Save it as “CSV UTF-8”.",
            "encoding",
        ) from None


def next_row(reader: Any) -> list[str] | None:
    """The next row, or None at the end. Raises Invalid where the quoting breaks, naming the line."""
    try:
        row: list[str] | None = next(reader, None)
    except csv.Error as error:
        raise Invalid.field("file", f"Line {reader.line_num}: {error}. Check the quotes there.", "quoting") from None
    return row


def map_columns(names: list[str]) -> dict[int, str]:
    """Position and staged field of each column that is understood. Raises Invalid with all that is missing or doubled."""
    fields: dict[int, str] = {}
    errors = []
    for position, name in enumerate(names):
        field = COLUMNS.get(fold(name))
        if field and field in fields.values():
            errors.append(
                FieldError(
                    f"columns.{name.strip()[:40]}",
                    "duplicate_column",
                    f"The column {name.strip()[:40]} stands in the file twice.",
                )
            )
        elif field:
            fields[position] = field
    for field, wanted in REQUIRED.items():
        if field not in fields.values():
            errors.append(FieldError(f"columns.{field}", "missing_column", f"The column {wanted} is missing."))
    if errors:
        raise Invalid(
            "The columns of this file cannot be used: " + " ".join(error.message for error in errors),
            errors=errors,
        )
    return fields


def fault_of(row: list[str], columns: int) -> dict[str, str | None]:
    """What is wrong with a row as such, by the columns of a rejected line; nothing of it is read then."""
    if len(row) != columns:
        return {
            "problem": "cell_count",
            "message": f"This line has {len(row)} cells, the header has {columns} columns, so it is unknown which is which. "
            "Put quotes around a value that holds the separator, for example “1,000.00”.",
        }
    if any(len(cell) > MAX_CELL for cell in row):
        return {"problem": "too_long", "message": f"A cell of this line has more than {MAX_CELL:,} characters."}
    return {}


def lines(
    reader: Any, names: list[str], fields: dict[int, str], form: str
) -> Iterator[tuple[int, dict[str, Any], dict[str, str | None]]]:
    seen = 0
    while (row := next_row(reader)) is not None:
        line_no = reader.line_num
        if not any(cell.strip() for cell in row):
            continue
        seen += 1
        raw = {name.strip()[:80]: cell[:MAX_CELL] for name, cell in zip(names, row, strict=False)}
        fault = fault_of(row, len(names))
        if fault:
            yield line_no, raw, fault
            continue
        values: dict[str, str | None] = {field: plain(row[position].strip()) for position, field in fields.items()}
        kind = values.get("kind") or ""
        values["kind"] = KINDS.get(kind.lower(), kind) if form == PARTNER_CENTER else "incentive"
        yield line_no, raw, values
    if not seen:
        raise Invalid.field("file", "The file has a header but no lines.", "no_rows")
