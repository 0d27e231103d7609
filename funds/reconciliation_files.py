"""Reading the vendor's own reports of what was earned or paid. Pure: a file in, rows out; nothing is looked up.

What is wrong with the file as a whole refuses it; a row that cannot be read keeps its place and says why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO, NamedTuple

from coop.lib import money
from coop.lib.errors import FieldError, Invalid
from coop.lib.spreadsheets import plain
from coop.lib.text import text_fault
from funds.files import KINDS, MAX_CELL, Sheet, open_sheet
from funds.files.columns import Recall, fold, recall_nothing
from funds.files.decoding import Text
from funds.files.sheets import Row as Line
from funds.files.sheets import judge_row, no_rows
from funds.files.texts import read_header, records
from funds.judging import amounts

# The columns of a list of payments by their names without case, spaces, hyphens and underscores; our own export has them.
PAID = {
    "paymentid": "key",
    "payment": "key",
    "bankreference": "bank_reference",
    "reference": "bank_reference",
    "endtoendid": "bank_reference",
    "partnerid": "place",
    "participantid": "place",
    "program": "program",
    "programname": "program",
    "kind": "kind",
    "currency": "currency",
    "paymentcurrency": "currency",
    "amount": "amount",
    "paymentamount": "amount",
    "status": "status",
    "paymentstatus": "status",
    "senton": "day",
    "day": "day",
    "date": "day",
    "paymentdate": "day",
}
REQUIRED = {"currency": "currency", "amount": "amount", "day": "sent_on or day", "status": "status"}
# The fields of an earnings file by the names that they have here.
EARNED = {
    "external_id": "key",
    "location_code": "place",
    "program_code": "program",
    "kind": "kind",
    "earned_text": "day",
    "amount_text": "amount",
    "currency": "currency",
}
# What a report says of a payment, and whether the money is with the partner then.
STATUSES = {
    **dict.fromkeys(("sent", "paid", "settled", "completed", "executed", "accepted"), True),
    **dict.fromkeys(("failed", "rejected", "returned", "reversed", "cancelled", "canceled"), False),
    **dict.fromkeys(
        ("", "unprocessed", "upcoming", "pending", "pending_tax_invoice", "in_progress", "reprocessing"), False
    ),
}
# What can be read with a decimal point, and what with a decimal comma; some texts are both.
WITH_POINT, WITH_COMMA = (re.compile(form.strip("'")) for form in (amounts.WITH_POINT, amounts.WITH_COMMA))


@dataclass(frozen=True)
class Row:
    """One line of a report; `problem` says why it cannot be compared, and then nothing else need hold.

    `place` is the location's id of an earning, the partner's of a payment. `paid` is false for a payment that did not
    reach the partner.
    """

    line_no: int
    key: str
    problem: str = ""
    bank_reference: str = ""
    place: str = ""
    program: str = ""
    kind: str = ""
    day: date | None = None
    currency: str = ""
    amount_minor: int = 0
    paid: bool = True


def read_report(kind: str, file: BinaryIO, *, recall: Recall = recall_nothing) -> Iterator[Row]:
    """The rows of a report of what was `earned` (whatever an import takes) or `paid` (CSV or TSV); the header is line 1.

    `recall` knows how columns were mapped before. Raises Invalid with all faults of the header, or where no line can be
    trusted any more.
    """
    return read_earned(open_sheet(file, recall=recall)) if kind == "earned" else read_paid(file)


def read_earned(sheet: Sheet) -> Iterator[Row]:
    places = {name: sheet.fields[field] for field, name in EARNED.items() if field in sheet.fields}
    return read_rows("earned", sheet.rows, places)


def read_paid(file: BinaryIO) -> Iterator[Row]:
    text = Text(file)
    delimiter, _ = read_header(text)

    def lines() -> Iterator[Line]:
        """The lines below the header, from the first one each time."""
        found = ((number, row) for number, row in enumerate(records(text, delimiter), 1) if any(map(str.strip, row)))
        _, header = next(found)
        return (judge_row(number, row, len(header)) for number, row in found)

    _, names = next((number, row) for number, row in enumerate(records(text, delimiter)) if any(map(str.strip, row)))
    places = places_of(names)
    if next(lines(), None) is None:
        raise no_rows()
    return read_rows("paid", lines, places)


def read_rows(kind: str, lines: Callable[[], Iterator[Line]], places: Mapping[str, int]) -> Iterator[Row]:
    """Each line as a row; all are read once before, because how an amount is written is known of a whole file only."""
    marks = marks_of(cells[places["amount"]].strip() for _, cells, problem, _ in lines() if cells and not problem)
    for line_no, cells, problem, message in lines():
        if problem or cells is None:
            yield Row(line_no, "", message)
        else:
            yield read_row(kind, line_no, said(cells, places), marks)


def places_of(names: Sequence[str]) -> dict[str, int]:
    """Where each field of a payment stands. Raises Invalid with every column that is missing or doubled."""
    found: dict[str, int] = {}
    errors = []
    for place, name in enumerate(names):
        field = PAID.get(fold(name))
        if field and field in found:
            message = f"The column {name.strip()[:40]} says the same as the column {names[found[field]].strip()[:40]}."
            errors.append(FieldError(f"columns.{field}", "duplicate_column", f"{message} Keep one of them."))
        elif field:
            found[field] = place
    for field, wanted in REQUIRED.items():
        if field not in found:
            errors.append(FieldError(f"columns.{field}", "missing_column", f"The column {wanted} is missing."))
    if not {"key", "bank_reference"} & set(found):
        message = "The column payment_id or bank_reference is missing."
        errors.append(FieldError("columns.key", "missing_column", message))
    if errors:
        raise Invalid(
            "The columns of this file cannot be used: " + " ".join(error.message for error in errors), errors=errors
        )
    return found


def said(cells: Sequence[str], places: Mapping[str, int]) -> dict[str, str]:
    return {field: plain(cells[place].strip()) for field, place in places.items()}


def read_row(kind: str, line_no: int, values: Mapping[str, str], marks: Marks) -> Row:
    """One row, or why it cannot be compared: all faults in one text."""
    key, reference = values.get("key", ""), values.get("bank_reference", "")
    faults = [f"The column {name} is not readable." for name, text in values.items() if unfit(text)]
    day, day_fault = read_day(values.get("day", ""))
    currency = values["currency"].upper()
    minor, amount_fault = read_amount(values["amount"], currency, marks)
    status = values.get("status", "").lower().replace(" ", "_")
    known = kind == "earned" or status in STATUSES
    paid = kind == "earned" or STATUSES.get(status, False)
    faults += [fault for fault in (id_fault(kind, key, reference), day_fault if day is None and paid else "") if fault]
    faults += [amount_fault] if amount_fault else []
    faults += [] if known else [f"“{status[:30]}” is not known as the status of a payment. Write sent or failed."]
    shown = (key or reference)[:120]
    if faults:
        return Row(line_no, "" if unfit(shown) else shown, " ".join(faults))
    own_kind = values.get("kind", "").lower()
    return Row(
        line_no,
        key[:120],
        bank_reference=reference,
        place=values.get("place", ""),
        program=values.get("program", ""),
        kind=KINDS.get(own_kind, own_kind) if kind == "earned" else own_kind,
        day=day,
        currency=currency,
        amount_minor=minor if paid else 0,
        paid=paid,
    )


def unfit(text: str) -> bool:
    return len(text) > MAX_CELL or bool(text_fault(text))


def id_fault(kind: str, key: str, reference: str) -> str:
    if kind == "earned":
        return "" if 0 < len(key) <= 80 else "The id of the earning is missing, or longer than 80 characters."
    if key:
        whole = key.isascii() and key.isdigit() and len(key) < 19
        return "" if whole else f"“{key[:30]}” is not the number of a payment."
    return "" if 0 < len(reference) <= 80 else "Neither a payment's number nor a bank reference stands here."


def read_day(text: str) -> tuple[date | None, str]:
    """A day written as 2024-03-31, with or without a time after it."""
    try:
        return date.fromisoformat(text[:10]), ""
    except ValueError:
        return None, f"“{text[:30]}” is not a day. Write it as 2024-03-31."


class Marks(NamedTuple):
    """The decimal mark of a file, and whether some amount of it shows that commas are groups of thousands."""

    decimal: str
    sure: bool


def marks_of(amounts: Iterable[str]) -> Marks:
    """As an import decides it: a decimal comma only if some amount can be read in no other way and none contradicts."""
    point = comma = False
    for text in amounts:
        as_point, as_comma = bool(WITH_POINT.match(text)), bool(WITH_COMMA.match(text))
        point, comma = point or (as_point and not as_comma), comma or (as_comma and not as_point)
    return Marks("," if comma and not point else ".", point and not comma)


def read_amount(text: str, currency: str, marks: Marks) -> tuple[int, str]:
    """An amount in minor units, or what is wrong with it; nothing is rounded."""
    plain_text = text
    if marks.decimal == ",":
        plain_text = text.replace(".", "").replace(",", ".") if WITH_COMMA.match(text) else text
    elif "," in text and WITH_POINT.match(text) and (marks.sure or not WITH_COMMA.match(text)):
        plain_text = text.replace(",", "")
    try:
        return money.to_minor(plain_text, currency), ""
    except money.AmountError as error:
        return 0, str(error)
