"""Earnings in an Excel workbook (.xlsx).

Numbers are read as Excel shows them: a binary fraction rounded to fifteen digits, which is all that Excel keeps. A formula
where money or a name should stand refuses the file, since nobody has seen what it says now.
"""

from __future__ import annotations

import warnings
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import IO, Any

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from coop.lib.errors import Invalid
from funds.files.columns import MAX_COLUMNS, Columns, Recall, UnknownColumns, fingerprint, understand
from funds.files.packages import DAMAGED, require_sound
from funds.files.sheets import Row, Sheet, judge_row, no_rows
from funds.files.unpacking import not_a_table

MAX_ROWS = 1_048_576  # of Excel itself
BATCH = 1_000
EXACT = 10**15
# What a library of many authors raises on a file that somebody wrote by hand.
BROKEN = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RecursionError,
    RuntimeError,
    SyntaxError,  # what both XML parsers raise that openpyxl may find installed
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


def open_workbook(file: IO[bytes], *, max_bytes: int, mapping: dict[str, str] | None, recall: Recall) -> WorkbookSheet:
    """The first sheet whose header is understood. Raises Invalid, TooLarge."""
    require_sound(file, max_bytes)
    headers = [(title, names) for title, names in headers_of(file) if any(names)]
    unknown: UnknownColumns | None = None
    for title, names in headers:
        try:
            columns = understand(names, mapping or recall(fingerprint(names)))
        except UnknownColumns as error:
            unknown = unknown or error
        else:
            return WorkbookSheet(file, title, columns, [other for other, _ in headers])
    if unknown is None:
        raise Invalid.field("file", "The workbook is empty.", "no_rows")
    if len(headers) > 1:
        sheets = ", ".join(f"“{title[:31]}”" for title, _ in headers[:5])
        unknown.message += f" The workbook has {len(headers)} sheets ({sheets}); none has all columns in its first row."
    raise unknown


def headers_of(file: IO[bytes]) -> list[tuple[str, list[str]]]:
    """The first row that holds something, of each sheet."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            book = load_workbook(file, read_only=True)
            return [(sheet.title, header_of(sheet)) for sheet in book.worksheets]
        except BROKEN:
            raise not_a_table(DAMAGED) from None


def header_of(sheet: Any) -> list[str]:
    for row in sheet.iter_rows(max_row=1_000, max_col=MAX_COLUMNS + 1):
        names = trimmed([text_of(cell) for cell in row])
        if names:
            return names
    return []


class WorkbookSheet(Sheet):
    def __init__(self, file: IO[bytes], title: str, columns: Columns, titles: list[str]) -> None:
        super().__init__(columns)
        self.file = file
        self.title = title
        self.encoding = "Excel"
        self.needed = {position: self.columns[position] for position in self.fields.values()}
        self.row, self.last_row = 0, 0
        if len(titles) > 1:
            others = ", ".join(f"“{other}”" for other in titles if other != title)
            self.remark = f"Only the sheet “{title}” of the workbook was read; left out: {others[:300]}."

    def chunks(self) -> None:
        return None

    def share_read(self) -> float:
        return min(self.row / self.last_row, 1.0) if self.last_row else 0.0

    def rows(self) -> Iterator[Row]:
        below_header, seen = False, False
        for number, cells in self._cells():
            self.row = number
            texts = trimmed([text_of(cell) for cell in cells])
            if not texts:
                continue
            if below_header:
                seen = True
                yield self._judged(number, cells, texts)
            below_header = True
        if not seen:
            raise no_rows()

    def _cells(self) -> Iterator[tuple[int, tuple[Any, ...]]]:
        """Rows of cells with their numbers. One column more is read than has a name: what stands there has none."""
        self.file.seek(0)
        numbered: Iterator[tuple[int, tuple[Any, ...]]] | None = None
        batch: list[tuple[int, tuple[Any, ...]]] = []
        while True:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    if numbered is None:
                        sheet: Any = load_workbook(self.file, read_only=True)[self.title]
                        self.last_row = min(sheet.max_row or 0, MAX_ROWS)
                        sheet.reset_dimensions()
                        rows = sheet.iter_rows(max_row=MAX_ROWS, max_col=len(self.columns) + 1)
                        numbered = enumerate(rows, start=1)
                    batch = list(islice(numbered, BATCH))
                except BROKEN:
                    raise not_a_table(DAMAGED) from None
            if not batch:
                return
            yield from batch

    def _judged(self, number: int, cells: tuple[Any, ...], texts: list[str]) -> Row:
        for position, name in self.needed.items():
            cell = cells[position]
            place = f"{get_column_letter(position + 1)}{number}"
            if cell.data_type == "f":
                raise Invalid.field(
                    "file",
                    f"The cell {place} ({name}) holds a formula. What it says depends on who opens the file: copy the column "
                    "and paste it as values, then save and send it again.",
                    "formula_cell",
                )
            if lost_digits(cell.value):
                message = (
                    f"The cell {place} ({name}) is a number with more than 15 digits, and Excel has lost the last ones. "
                    "Format the column as text and fill it again."
                )
                return number, texts, "digits_lost", message
        padded = texts + [""] * (len(self.columns) - len(texts))
        return judge_row(number, padded, len(self.columns))


def trimmed(texts: list[str]) -> list[str]:
    """Without the empty cells at the end."""
    while texts and not texts[-1].strip():
        texts.pop()
    return texts


def lost_digits(value: Any) -> bool:
    return isinstance(value, float) and abs(value) >= EXACT


def text_of(cell: Any) -> str:
    """What a cell says, as it would stand in a CSV: days as 2023-08-15, numbers as plain decimals."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, datetime):
        whole = not (value.hour or value.minute or value.second or value.microsecond)
        return value.date().isoformat() if whole else value.replace(tzinfo=None).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return str(getattr(value, "text", value))


def number_text(value: float) -> str:
    """Fifteen digits, as Excel shows them: 0.1 + 0.2 is 0.3."""
    exact = Decimal(f"{value:.15g}")
    return f"{exact.normalize():f}" if exact.is_finite() else str(value)
