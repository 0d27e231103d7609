"""Which text tables may go to PostgreSQL's COPY as they are.

COPY reads CSV more leniently than we do: it takes text after a closing quote, and a quote in the middle of a cell opens one.
A block passes only where both readings are the same by form alone; of everything else the patient way says what it is. All
tests look at a whole block at once, because a look at each cell would cost more than COPY itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from operator import methodcaller

from funds.files.sheets import MAX_CELL

MAX_LINE = 1024 * 1024
QUOTE, NEWLINE = b'"', b"\n"


class Doubt(Exception):
    """The block is not plain. Nothing is said to be wrong with it."""


def whole_rows(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The same text in blocks that end where a row ends, with "\\n" after every row. Raises Doubt for a row without end.

    Blank lines at the end of the text are dropped.
    """
    rest = b""
    for block in blocks:
        data = rest + block
        # A CR at the end may be the first half of a line end.
        data, half = (data[:-1], b"\r") if data.endswith(b"\r") else (data, b"")
        data = with_one_line_end(data)
        end = end_of_rows(data)
        data, rest = data[:end], data[end:] + half
        if len(rest) > MAX_LINE:
            raise Doubt
        if data:
            yield data
    rest = with_one_line_end(rest).rstrip(b"\n")
    if rest:
        yield rest + NEWLINE


def with_one_line_end(data: bytes) -> bytes:
    """Every line end outside quotes as "\\n". `data` begins outside quotes."""
    if b"\r" not in data:
        return data
    parts = data.split(QUOTE)
    parts[0::2] = [part.replace(b"\r\n", b"\n").replace(b"\r", b"\n") for part in parts[0::2]]
    return QUOTE.join(parts)


def end_of_rows(data: bytes) -> int:
    """Where the last whole row ends; blank lines after it are left for later, since the text may end with them."""
    end = data.rfind(NEWLINE) + 1
    inside = data.count(QUOTE, 0, end) % 2
    while inside and end:
        # The last line end lies inside quotes: go back to the one before the cell that opened them.
        opened = data.rfind(QUOTE, 0, end)
        before = data.rfind(NEWLINE, 0, opened) + 1
        inside ^= data.count(QUOTE, before, end) % 2
        end = before
    return len(data[:end].rstrip(NEWLINE)) + 1 if data[:end].strip(NEWLINE) else 0


class PlainBlocks:
    """Says of blocks of whole rows whether they are plain: with so many cells in every row."""

    def __init__(self, delimiter: str, columns: int) -> None:
        mark = delimiter.encode()
        self.between = {columns - 1}
        self.count = methodcaller("count", mark)
        self.shapes = bytes(byte if byte in mark + QUOTE + NEWLINE else ord("x") for byte in range(256))
        self.blank_starts = (NEWLINE, mark, QUOTE, b" ", b"\t")
        self.blank = re.compile(rb"^[\"\t " + re.escape(mark) + rb"]*$", re.MULTILINE)

    def require(self, block: bytes) -> None:
        """Raises Doubt."""
        lines = block.split(NEWLINE)
        lines.pop()  # what follows the last line end: nothing
        if max(map(len, lines)) > MAX_CELL or self._may_be_blank(block):
            raise Doubt
        if QUOTE in block:
            outside = self._outside(block).split(NEWLINE)
            outside.pop()
            if len(outside) != len(lines):  # a line end inside a cell
                raise Doubt
            lines = outside
        if set(map(self.count, lines)) != self.between:
            raise Doubt

    def _may_be_blank(self, block: bytes) -> bool:
        """Whether a line holds nothing but separators, spaces and quotes."""
        suspect = block.startswith(self.blank_starts) or any(NEWLINE + start in block for start in self.blank_starts)
        return suspect and self.blank.search(block, 0, len(block) - 1) is not None

    def _outside(self, block: bytes) -> bytes:
        """What stands outside quotes. Raises Doubt where a quote is neither at the edge of a cell nor doubled."""
        outside = block.split(QUOTE)[0::2]
        if block.count(QUOTE) % 2:
            raise Doubt
        # Each quoted part as one mark; two marks in a row are a doubled quote.
        shape = QUOTE.join(outside).translate(self.shapes)
        if b'x"' in shape or b'"x' in shape:
            raise Doubt
        return b"".join(outside)
