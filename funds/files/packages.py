"""What a workbook is packed in, looked at before it is opened.

A workbook is a ZIP of XML. It may unpack to very much, XML can be made to explode, and the library that reads it keeps
something of every element that it does not know. So all parts are read through once, in small pieces, and counted.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from typing import IO

from coop.lib.errors import TooLarge
from funds.files.unpacking import BLOCK, MAX_RATIO, RATIO_FROM, not_a_table

MAX_PARTS = 2_000
MAX_UNPACKED = 256 * 1024**2
MAX_ELEMENTS = 12_000_000  # beginnings and ends of a part: 50,000 lines of the vendor's full report have eight million
MAX_IN_ROW = 200_000  # the same of a row; a full one of Excel has 65,536
MAX_BESIDES = 16 * 1024**2  # of a part that is neither a sheet nor the table of texts: it is held in memory as a whole
MAX_TEXTS = 64 * 1024**2
SAVE_AS = "Save the sheet as CSV and send that."
DAMAGED = f"The workbook is damaged and cannot be read. Open it in Excel and save it anew. {SAVE_AS}"
# XML that begins with its first element: nothing is defined before it, so no name can stand for gigabytes.
PLAIN_START = re.compile(rb"(\xef\xbb\xbf)?\s*(<\?xml[^<>]*\?>)?\s*<[A-Za-z_]")
ROW = re.compile(rb"<(?:\w+:)?row[\s>]")
BROKEN_ZIP = (
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
)


def require_sound(file: IO[bytes], max_bytes: int) -> None:
    """Raises Invalid for what is no workbook or a damaged one, TooLarge for one that unpacks to too much."""
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
            require_workbook([part.filename for part in parts])
            if any(part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for part in parts):
                raise not_a_table(f"The workbook is packed in a way that no spreadsheet uses. {SAVE_AS}")
            require_sizes(parts, max_bytes)
            for part in parts:
                if part.filename.lower().endswith((".xml", ".rels")) and not part.filename.startswith("customXml/"):
                    read_through(archive, part)
    except BROKEN_ZIP:
        raise not_a_table(DAMAGED) from None
    finally:
        file.seek(0)


def require_workbook(names: list[str]) -> None:
    if "xl/workbook.bin" in names:
        raise not_a_table(f"This is a binary workbook (.xlsb). {SAVE_AS}")
    if "[Content_Types].xml" not in names or not any(name.startswith("xl/") for name in names):
        raise not_a_table("This is a ZIP archive, not a workbook. Unpack it and send the table in it, or use gzip.")
    if len(names) > MAX_PARTS or len(set(names)) < len(names):
        raise not_a_table(f"This workbook has {len(names):,} parts, some of them doubled or useless. {SAVE_AS}")


def require_sizes(parts: list[zipfile.ZipInfo], max_bytes: int) -> None:
    limit = min(max_bytes, MAX_UNPACKED)
    unpacked = sum(part.file_size for part in parts)
    packed = sum(part.compress_size for part in parts)
    if unpacked > RATIO_FROM and unpacked > MAX_RATIO * packed:
        raise TooLarge(f"The workbook unpacks to more than {MAX_RATIO} times its size, which no report does. {SAVE_AS}")
    if unpacked > limit:
        raise TooLarge(f"The workbook unpacks to {unpacked:,} bytes; at most {limit:,} are read. {SAVE_AS}")
    for part in parts:
        name = part.filename.lower()
        most = MAX_TEXTS if "sharedstrings" in name else limit if "worksheets/" in name else MAX_BESIDES
        if name.endswith((".xml", ".rels")) and part.file_size > most:
            raise TooLarge(f"The part {name[:60]} of the workbook has more than {most:,} bytes. {SAVE_AS}")


def read_through(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """Read a part to its end, which also checks its sum, and count its elements. Raises Invalid, TooLarge."""
    elements = in_row = 0
    rest = b""
    with archive.open(part) as xml:
        block = xml.read(BLOCK)
        if b"\x00" in block or (block and not PLAIN_START.match(block)):
            raise not_a_table(f"The part {part.filename[:60]} of this workbook defines XML of its own. {SAVE_AS}")
        while block:
            # The last element of a block may be cut, so it is counted with the next one.
            data = rest + block
            cut = max(data.rfind(b"<"), 0)
            data, rest = data[:cut], data[cut:]
            began, *rows = (piece.count(b"<") for piece in ROW.split(data))
            elements += began + sum(rows) + len(rows)
            largest = max(in_row + began, *rows, 0)
            in_row = rows[-1] if rows else in_row + began
            if elements > MAX_ELEMENTS or (largest > MAX_IN_ROW and "worksheets/" in part.filename):
                raise TooLarge(f"The part {part.filename[:60]} of this workbook has too many cells. {SAVE_AS}")
            block = xml.read(BLOCK)
