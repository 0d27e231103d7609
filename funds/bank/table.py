"""The table of a payment run as CSV: written for the bank or the paying system, and read back with its results.

Whoever pays gets one row a payment, fills the last columns and gives the file back. Pure: a run in, text out; bytes
in, results out.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date

from coop.lib import money
from coop.lib.errors import FieldError, Invalid
from coop.lib.spreadsheets import neutral, plain
from funds.files import decode
from funds.models import PaymentRun
from funds.operations.results import FINAL, RESULTS, Result

COLUMNS = (
    "payment_id",
    "partner_id",
    "partner",
    "program",
    "kind",
    "currency",
    "amount",
    "status",
    "sent_on",
    "bank_reference",
    "reason",
    "returned_on",
)
# What a row must have to be a result; the others may be missing or hold anything.
NEEDED = ("payment_id", "status")
SAID = {"reversed": "returned"}  # a status as a result says it
MAX_ROWS = 100_000


def export_csv(run: PaymentRun) -> str:
    """The run's payments as CSV with an empty place for each result. Rejected payments are left out."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for payment in run.payments.select_related("partner", "program").exclude(status="rejected").order_by("id"):
        done = payment.status in FINAL
        row = (
            str(payment.pk),
            payment.partner.external_id,
            payment.partner.name,
            payment.program.code,
            payment.kind,
            payment.currency,
            money.to_text(payment.amount_minor, payment.currency),
            SAID.get(payment.status, payment.status) if done else "",
            payment.sent_on.isoformat() if payment.sent_on else "",
            payment.bank_reference,
            payment.failure,
            payment.returned_on.isoformat() if payment.returned_on else "",
        )
        writer.writerow([neutral(cell) for cell in row])
    return file.getvalue()


def read_csv(data: bytes) -> list[Result]:
    """The results in a filled file; rows without a status are payments that have none yet and are left out.

    The order of columns does not matter, further columns are ignored; commas, semicolons or tabs. Raises Invalid with
    what is wrong in every row; `rows.3.sent_on` is the third line of the file.
    """
    text = decode(data)
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        table = [(reader.line_num, [plain(cell.strip()) for cell in row]) for row in reader]
    except csv.Error as error:
        raise Invalid.field("file", f"Line {reader.line_num}: {error}. Check the quotes there.", "quoting") from None
    if len(table) > MAX_ROWS:
        raise Invalid.field("file", f"The file has more than {MAX_ROWS:,} rows. No run is that long.", "too_long")
    names = [name.lower().replace(" ", "_") for name in table[0][1]]
    require_columns(names)
    results, errors = [], []
    for line_no, row in table[1:]:
        if not any(row):
            continue
        values = dict(zip(names, row, strict=False))
        if values.get("status"):
            result, wrong = read_row(line_no, values)
            errors += wrong
            results += [result] if result else []
    if errors:
        raise Invalid("Some rows cannot be used: " + " ".join(error.message for error in errors[:5]), errors=errors)
    return results


def require_columns(names: Sequence[str]) -> None:
    errors = [
        FieldError(f"columns.{name}", "missing_column", f"The column {name} is missing.")
        for name in NEEDED
        if name not in names
    ] + [
        FieldError(f"columns.{name}", "duplicate_column", f"The column {name} stands in the file twice.")
        for name in COLUMNS
        if names.count(name) > 1
    ]
    if errors:
        raise Invalid(
            "The columns of this file cannot be used: "
            + " ".join(error.message for error in errors)
            + " Fill the file that the run gave you.",
            errors=errors,
        )


def read_row(line_no: int, values: dict[str, str]) -> tuple[Result | None, list[FieldError]]:
    """One row as a result, or what is wrong with it."""
    errors = []
    payment_id, status = values["payment_id"], values["status"].lower()
    if not (payment_id.isascii() and payment_id.isdigit() and len(payment_id) < 19):
        message = f"Line {line_no}: “{payment_id[:20]}” is not the number of a payment."
        errors.append(FieldError(f"rows.{line_no}.payment_id", "invalid", message))
    if status not in RESULTS:
        message = f"Line {line_no}: “{status[:20]}” is not a result. Write sent, failed or returned, or leave it empty."
        errors.append(FieldError(f"rows.{line_no}.status", "invalid", message))
    days: dict[str, date | None] = {}
    for name in ("sent_on", "returned_on"):
        try:
            days[name] = date.fromisoformat(values[name]) if values.get(name) else None
        except ValueError:
            message = f"Line {line_no}: “{values[name][:20]}” is not a day. Write it as 2024-03-15."
            errors.append(FieldError(f"rows.{line_no}.{name}", "invalid", message))
    if status in ("failed", "returned") and not values.get("reason"):
        what = "failed" if status == "failed" else "came back"
        message = f"Line {line_no}: say in the column reason why the payment {what}; the partner reads it."
        errors.append(FieldError(f"rows.{line_no}.reason", "required", message))
    if errors:
        return None, errors
    reference, reason = values.get("bank_reference", ""), values.get("reason", "")
    return Result(int(payment_id), status, days["sent_on"], reference, reason, days["returned_on"]), []
