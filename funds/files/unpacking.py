"""The bytes of a file, unpacked where it is gzip: streamed, with caps, so that a small file cannot become a large one.

What a file is, is told by its first bytes and never by its name.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import IO

from coop.lib.errors import Invalid, TooLarge

BLOCK = 256 * 1024
GIB = 1024**3
MAX_BYTES = 8 * GIB  # unpacked
# Real reports shrink to a tenth or so; 200 times smaller is a bomb. Small files may be as repetitive as they like.
MAX_RATIO = 200
RATIO_FROM = 16 * 1024 * 1024

GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
SAVE_AS = "Export the report as CSV and send that."
# The first bytes of what is often sent by mistake.
STRANGERS = (
    (b"%PDF-", f"This is a PDF, not a table. {SAVE_AS}"),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "This is an old Excel workbook (.xls), or one with a password. Save it as .xlsx without a password, or as CSV.",
    ),
    (b"PK\x05\x06", "This ZIP archive is empty."),
    (b"Rar!", f"This is a RAR archive. {SAVE_AS}"),
    (b"7z\xbc\xaf\x27\x1c", f"This is a 7z archive. {SAVE_AS}"),
    (b"BZh", "This is packed with bzip2. Pack it with gzip, or send it as it is."),
    (b"\xfd7zXZ", "This is packed with xz. Pack it with gzip, or send it as it is."),
    (b"\x28\xb5\x2f\xfd", "This is packed with zstd. Pack it with gzip, or send it as it is."),
    (b"\x89PNG", f"This is a picture. {SAVE_AS}"),
    (b"\xff\xd8\xff", f"This is a picture. {SAVE_AS}"),
    (b"GIF8", f"This is a picture. {SAVE_AS}"),
    (b"SQLite format 3", f"This is a database. {SAVE_AS}"),
    (b"PAR1", f"This is a Parquet file. {SAVE_AS}"),
    (b"{\\rtf", f"This is a text document. {SAVE_AS}"),
)
WEB_PAGE = (
    "This is a web page (HTML) or XML, whatever its name says. Open it in a spreadsheet, save it as CSV, and send that."
)


def not_a_table(message: str) -> Invalid:
    return Invalid.field("file", message, "not_a_table")


def damaged(message: str) -> Invalid:
    return Invalid.field("file", message, "damaged")


def size_of(file: IO[bytes]) -> int:
    """The bytes of a file; it stands at its beginning afterwards."""
    size = file.seek(0, 2)
    file.seek(0)
    return size


def first_bytes(file: IO[bytes], count: int = 64) -> bytes:
    file.seek(0)
    found = file.read(count)
    file.seek(0)
    return found


def require_table(start: bytes) -> None:
    """Raises Invalid when the first bytes are those of something else than text."""
    for mark, sentence in STRANGERS:
        if start.startswith(mark):
            raise not_a_table(sentence)
    if start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
        raise not_a_table(WEB_PAGE)


class Packed:
    """A file as a stream of unpacked blocks, each at most a quarter of a megabyte."""

    def __init__(self, file: IO[bytes], *, max_bytes: int = MAX_BYTES) -> None:
        self.file = file
        self.size = size_of(file)
        self.max_bytes = max_bytes
        self.is_gzip = first_bytes(file)[:2] == GZIP
        self.taken = 0  # bytes of the file that were read, packed
        self.given = 0  # bytes that came out

    def share_read(self) -> float:
        return self.taken / self.size if self.size else 1.0

    def blocks(self) -> Iterator[bytes]:
        """From the beginning. Raises Invalid where the packing is broken, TooLarge where too much comes out."""
        self.file.seek(0)
        self.taken = self.given = 0
        for block in self._unpacked() if self.is_gzip else self._read():
            self.given += len(block)
            if self.given > self.max_bytes:
                raise TooLarge(f"The file has more than {self.max_bytes:,} bytes. Split it.")
            yield block

    def _read(self) -> Iterator[bytes]:
        while block := self.file.read(BLOCK):
            self.taken += len(block)
            yield block

    def _unpacked(self) -> Iterator[bytes]:
        unpack = zlib.decompressobj(wbits=31)
        for packed in self._read():
            if unpack.eof:
                raise damaged("There is something after the end of the packed data. Pack the one file anew with gzip.")
            left = packed
            while left and not unpack.eof:
                try:
                    block = unpack.decompress(left, BLOCK)
                except zlib.error:
                    raise damaged(
                        "The packed data is damaged: gzip cannot unpack it. Send the file once more."
                    ) from None
                left = unpack.unconsumed_tail
                self._check_ratio(len(block))
                if block:
                    yield block
            if unpack.unused_data:
                raise damaged("There is something after the end of the packed data. Pack the one file anew with gzip.")
        if not unpack.eof:
            raise damaged("The packed file is cut off: its end is missing. Send it once more.")

    def _check_ratio(self, more: int) -> None:
        out = self.given + more
        if out > RATIO_FROM and out > MAX_RATIO * self.taken:
            raise TooLarge(
                f"The file unpacks to more than {MAX_RATIO} times its size, which no report does. Send it without gzip."
            )
