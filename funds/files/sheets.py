"""What every earnings file is read through, whatever it was made with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from coop.lib.errors import Invalid
from funds.files.columns import Columns

MAX_CELL = 4_096
# Number of the row in a spreadsheet, its cells, and what is wrong with the row as such: a code and a sentence, or nothing.
Row = tuple[int, list[str] | None, str, str]


class Sheet(ABC):
    """One table: a header that was understood, and lines that were not looked at yet.

    What is wrong with the file as a whole is raised as Invalid or TooLarge while it is read: then no line of it can be
    trusted, and whoever reads undoes what was taken so far. Reading begins at the first line each time, in bounded memory.
    """

    delimiter = ""
    encoding = "UTF-8"  # known for sure when all was read
    remark = ""  # what the sender should know of how the file was read; the same

    def __init__(self, columns: Columns) -> None:
        self.columns = columns.names
        self.fields = columns.fields
        self.mapping = columns.mapping
        self.form = columns.form

    @abstractmethod
    def chunks(self) -> Iterator[bytes] | None:
        """The lines as UTF-8 CSV without header, for COPY (FORMAT csv, DELIMITER `delimiter`): whole rows with as many cells
        as there are columns, "\\n" between them, none of them blank, line numbers from 2 on without a gap. The quick way;
        None where the file is not so plain, and `rows` must be asked. The whole file is looked at before the first chunk,
        so what is wrong with it as a whole is raised here. Raises Invalid, TooLarge.
        """

    @abstractmethod
    def rows(self) -> Iterator[Row]:
        """The lines one by one, blank ones left out: the patient way. Raises Invalid, TooLarge."""

    @abstractmethod
    def share_read(self) -> float:
        """How much of the file was read, from 0 to 1."""


def judge_row(number: int, cells: list[str], columns: int) -> Row:
    """A row with what is wrong with it as such."""
    if len(cells) != columns:
        message = (
            f"This line has {len(cells):,} cells, the header has {columns} columns, so it is unknown which is which. "
            "Put quotes around a value that holds the separator, for example “1,000.00”."
        )
        return number, [cell[:MAX_CELL] for cell in cells[: columns * 2]], "cell_count", message
    if max(map(len, cells)) > MAX_CELL:
        message = f"A cell of this line has more than {MAX_CELL:,} characters."
        return number, [cell[:MAX_CELL] for cell in cells], "too_long", message
    return number, cells, "", ""


def no_rows() -> Invalid:
    return Invalid.field("file", "The file has a header but no lines.", "no_rows")
