"""The text of a file as UTF-8, whatever it was written in.

UTF-8 with or without a byte order mark, UTF-16 with one, and Windows-1252, which is what Western spreadsheets save as
"CSV": it is taken where the first letters beyond ASCII are not UTF-8 and every byte has a letter in it, and the reader is
told. What is neither is refused with the byte.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from typing import IO

from coop.lib.errors import Invalid
from funds.files.unpacking import MAX_BYTES, Packed, not_a_table, require_table

ASCII, UTF_8, WINDOWS = "ASCII", "UTF-8", "Windows-1252"
LETTER = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
MARKS = ((codecs.BOM_UTF8, UTF_8), (codecs.BOM_UTF16_LE, "UTF-16-LE"), (codecs.BOM_UTF16_BE, "UTF-16-BE"))


class Text:
    """A file's text in blocks of whole letters. `encoding` is right once the blocks were read."""

    def __init__(self, file: IO[bytes], *, max_bytes: int = MAX_BYTES) -> None:
        self.packed = Packed(file, max_bytes=max_bytes)
        self.encoding = UTF_8

    def blocks(self) -> Iterator[bytes]:
        """UTF-8 without byte order mark, from the beginning. Raises Invalid for what is no text, TooLarge."""
        blocks = self._from_start()
        first = next(blocks, b"")
        require_table(first[:64])
        for mark, encoding in MARKS:
            if first.startswith(mark):
                self.encoding = encoding.removesuffix("-LE").removesuffix("-BE")
                reading = (
                    self._utf16(first, blocks, encoding) if "16" in encoding else self._bytes(first, blocks, UTF_8)
                )
                break
        else:
            reading = self._bytes(first, blocks, ASCII)
        offset = 0
        for block in reading:
            if b"\x00" in block:
                raise not_a_table(
                    f"Byte {offset + block.index(0):,} of the text is a NUL, so this is not a text file, or one in UTF-16 "
                    "without its mark. Save the report as “CSV UTF-8” and send that."
                )
            offset += len(block)
            yield block

    def _from_start(self) -> Iterator[bytes]:
        """The unpacked blocks, the first of at least three bytes, so that a mark lies in one piece."""
        start = b""
        blocks = self.packed.blocks()
        for block in blocks:
            start += block
            if len(start) >= 64:
                break
        if self.packed.is_gzip and start[:2] in (b"\x1f\x8b", b"PK"):
            raise not_a_table("The packed file holds another packed file. Pack the report itself, once.")
        yield start
        yield from blocks

    def _utf16(self, first: bytes, blocks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder(encoding)()
        offset, block = 2, first[2:]
        more = True
        while more:
            pending = len(decoder.getstate()[0])
            try:
                yield decoder.decode(block, final=not block).encode()
            except UnicodeDecodeError as error:
                raise wrong_byte(offset - pending + error.start, "UTF-16") from None
            more = bool(block)
            offset += len(block)
            block = next(blocks, b"")

    def _bytes(self, first: bytes, blocks: Iterator[bytes], known: str) -> Iterator[bytes]:
        """Blocks that are UTF-8 pass as they are. `known` stays ASCII until a letter says what the file is."""
        rest = first.removeprefix(codecs.BOM_UTF8)
        offset = len(first) - len(rest)
        block: bytes | None = b""
        while block is not None:
            block = next(blocks, None)
            data = rest + (block or b"")
            rest = b""
            if known != WINDOWS and not data.isascii():
                end, known = self._judge(data, offset, known, last=block is None)
                data, rest = data[:end], data[end:]
            self.encoding = WINDOWS if known == WINDOWS else UTF_8
            yield from_windows(data, offset) if known == WINDOWS else data
            offset += len(data)

    def _judge(self, data: bytes, offset: int, known: str, *, last: bool) -> tuple[int, str]:
        """Up to where `data` can be read now, and in what. Raises Invalid."""
        try:
            data.decode()
        except UnicodeDecodeError as error:
            if "end of data" in error.reason and not last:
                return error.start, UTF_8 if known == UTF_8 or not data[: error.start].isascii() else ASCII
            if known == UTF_8 or LETTER.search(data):
                raise wrong_byte(offset + error.start, UTF_8) from None
            return len(data), WINDOWS
        return len(data), UTF_8


def from_windows(data: bytes, offset: int) -> bytes:
    try:
        return data if data.isascii() else data.decode("cp1252").encode()
    except UnicodeDecodeError as error:
        raise wrong_byte(offset + error.start, f"{UTF_8} nor {WINDOWS}") from None


def wrong_byte(offset: int, encoding: str) -> Invalid:
    neither = "neither " if " nor " in encoding else "not "
    return Invalid.field(
        "file", f"The file is {neither}{encoding}: byte {offset:,} cannot be read. Save it as “CSV UTF-8”.", "encoding"
    )


def decode(data: bytes) -> str:
    """The text of a small file. Raises Invalid."""
    if not data.strip():
        raise Invalid.field("file", "The file is empty.", "no_rows")
    if data.startswith(b"PK"):
        raise not_a_table("This is a workbook or a ZIP archive. Save the table as CSV and send that.")
    return b"".join(Text(io.BytesIO(data)).blocks()).decode()
