"""Earnings as text: CSV and TSV, also with semicolons, also packed with gzip.

The separator is told by the header alone. There are two ways through the lines, and they agree: `chunks` feeds COPY with
whole blocks, `rows` reads line by line and says what is wrong with each.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import IO

from coop.lib.errors import FieldError, Invalid
from funds.files.columns import REQUIRED, Columns, Recall, UnknownColumns, clean, fingerprint, guess, understand
from funds.files.decoding import WINDOWS, Text
from funds.files.plain_blocks import MAX_LINE, Doubt, PlainBlocks, whole_rows
from funds.files.sheets import Row, Sheet, judge_row, no_rows
from funds.files.unpacking import not_a_table

SEPARATORS = ",;\t"
BLANK = " \t\r\n"
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
CLOSE = "Check the quotes there: a quote inside a quoted cell is written twice."


class Lines:
    """The physical lines of a text with their ends, for the csv module. `row_began` must be said by whoever reads rows."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self.blocks = blocks
        self.read = 0
        self.began = 1
        self.length = 0

    def row_began(self) -> None:
        self.began, self.length = self.read + 1, 0

    def __iter__(self) -> Iterator[str]:
        rest = ""
        for block in self.blocks:
            lines = list(io.StringIO(rest + block.decode(), newline=""))
            # The last one may go on in the next block, and a CR may be the first half of a line end.
            rest = lines.pop() if lines and not lines[-1].endswith("\n") else ""
            yield from map(self._counted, lines)
            if len(rest) > MAX_LINE:
                raise self.too_long()
        if rest:
            yield self._counted(rest)

    def _counted(self, line: str) -> str:
        self.read += 1
        self.length += len(line)
        if self.length > MAX_LINE:
            raise self.too_long()
        return line

    def too_long(self) -> Invalid:
        message = (
            f"Line {self.began:,} has more than {MAX_LINE:,} characters. Is a quote opened there and never closed?"
        )
        return Invalid.field("file", message, "too_long")


class TextSheet(Sheet):
    def __init__(self, text: Text, delimiter: str, columns: Columns) -> None:
        super().__init__(columns)
        self.text = text
        self.delimiter = delimiter

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.text.encoding

    @property
    def remark(self) -> str:  # type: ignore[override]
        if self.encoding != WINDOWS:
            return ""
        return "The file is not UTF-8. It was read as Windows-1252: check names with accents and umlauts."

    def share_read(self) -> float:
        return self.text.packed.share_read()

    def chunks(self) -> Iterator[bytes] | None:
        plain = PlainBlocks(self.delimiter, len(self.columns))
        lines = 0
        try:
            for block in whole_rows(self.text.blocks()):
                plain.require(block)
                lines += block.count(b"\n")
        except Doubt:
            return None
        if lines < 2:
            raise no_rows()
        return self._below_header()

    def _below_header(self) -> Iterator[bytes]:
        blocks = whole_rows(self.text.blocks())
        first = next(blocks)
        yield first[first.index(b"\n") + 1 :]
        yield from blocks

    def rows(self) -> Iterator[Row]:
        below_header, number, seen = False, 0, False
        for row in records(self.text, self.delimiter):
            number += 1
            if not any(cell.strip(BLANK) for cell in row):
                continue
            if below_header:
                seen = True
                yield judge_row(number, row, len(self.columns))
            below_header = True
        if not seen:
            raise no_rows()


def open_text(file: IO[bytes], *, max_bytes: int, mapping: dict[str, str] | None, recall: Recall) -> TextSheet:
    """Raises Invalid, TooLarge."""
    text = Text(file, max_bytes=max_bytes)
    delimiter, names = read_header(text)
    try:
        columns = understand(names, mapping or recall(fingerprint(names)))
    except UnknownColumns as unknown:
        if len(names) == 1:
            raise one_column(unknown) from None
        raise
    return TextSheet(text, delimiter, columns)


def one_column(unknown: UnknownColumns) -> Invalid:
    message = (
        "The first line has one column. Separate the columns with commas, semicolons or tabs; it must name them all."
    )
    return UnknownColumns(unknown.columns, [FieldError("file", "one_column", message), *unknown.errors])


def read_header(text: Text) -> tuple[str, list[str]]:
    """The separator and the names of the columns. Raises Invalid, TooLarge."""
    first = next((line for line in Lines(text.blocks()) if line.strip(BLANK + SEPARATORS)), "")
    if not first:
        raise Invalid.field("file", "The file is empty.", "no_rows")
    if CONTROL.search(first):
        raise not_a_table("This is not a text file. Export the report as CSV, in UTF-8, and send that.")
    readings, faults = [], []
    for separator in SEPARATORS:
        try:
            readings.append((separator, header_row(text, separator)))
        except Invalid as fault:
            faults.append(fault)
    # The one by which most is understood; of a header in other words, the one that parts it most.
    best = max(
        readings,
        key=lambda reading: (len(guess(reading[1]).keys() & REQUIRED.keys()), len(reading[1])),
        default=("", []),
    )
    if len(best[1]) < 2 and faults:
        raise faults[0]
    return best


def header_row(text: Text, separator: str) -> list[str]:
    found = next((row for row in records(text, separator) if any(cell.strip(BLANK) for cell in row)), [])
    return clean(found)


def records(text: Text, delimiter: str) -> Iterator[list[str]]:
    """The rows of a text, blank ones too. Raises Invalid where the quoting breaks, naming the line where the row begins."""
    lines = Lines(text.blocks())
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise broken(lines, str(error)) from None
        if row is None:
            return
        lines.row_began()
        yield row


def broken(lines: Lines, said: str) -> Invalid:
    if "expected after" in said:
        said = f"there is text after a closing quote. {CLOSE}"
    elif "unexpected end" in said or ("field limit" in said and lines.read > lines.began):
        said = f"a quote is opened and never closed. {CLOSE}"
    elif "field limit" in said:
        return Invalid.field("file", f"Line {lines.began:,}: a cell has more than 131,072 characters.", "too_long")
    return Invalid.field("file", f"Line {lines.began:,}: {said}", "quoting")
