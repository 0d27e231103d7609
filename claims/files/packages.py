"""Office files are ZIP archives: their table of contents is looked at before anything in them is unpacked."""

from __future__ import annotations

import zipfile
from io import BytesIO

from coop.lib.errors import Invalid, TooLarge
from funds.files.packages import BROKEN_ZIP

OFFICE = "application/vnd.openxmlformats-officedocument."
DOCX = f"{OFFICE}wordprocessingml.document"
XLSX = f"{OFFICE}spreadsheetml.sheet"
PPTX = f"{OFFICE}presentationml.presentation"

MAX_PARTS = 3_000
MAX_UNPACKED = 150 * 1024**2
MAX_RATIO = 200  # real documents shrink to a fifth or a twentieth
RATIO_FROM = 8 * 1024**2
MAX_CONTENTS = 1024**2  # of the list of parts and their types


def require_sound(data: bytes, main: str, name: str) -> None:
    """Refuse what is not this kind of document, holds macros, or unpacks to too much. `main` is the part that makes it one.

    Raises Invalid, TooLarge.
    """
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            parts = archive.infolist()
            require_sizes(parts, name)
            names = {part.filename for part in parts}
            if "[Content_Types].xml" not in names or main not in names:
                message = f"This is a ZIP archive, not a {name}. Send the files in it one by one."
                raise Invalid.field("file", message, "wrong_content")
            if any(part.flag_bits & 1 for part in parts):
                raise Invalid.field("file", f"The {name} has a password. Save it without one.", "encrypted")
            with archive.open("[Content_Types].xml") as contents:
                types = contents.read(MAX_CONTENTS).lower()
    except BROKEN_ZIP:
        message = f"The {name} is cut off or damaged. Open it, save it anew, and upload that."
        raise Invalid.field("file", message, "damaged") from None
    if b"macroenabled" in types or any(part.lower().endswith("vbaproject.bin") for part in names):
        message = f"The {name} holds macros, which could run on the reviewer's machine. Save it without, or as a PDF."
        raise Invalid.field("file", message, "macros")


def require_sizes(parts: list[zipfile.ZipInfo], name: str) -> None:
    if len(parts) > MAX_PARTS:
        raise TooLarge(f"The {name} consists of {len(parts):,} parts, which none does. Save it as a PDF.")
    unpacked, packed = sum(part.file_size for part in parts), sum(part.compress_size for part in parts)
    if unpacked > MAX_UNPACKED or (unpacked > RATIO_FROM and unpacked > MAX_RATIO * packed):
        raise TooLarge(f"The {name} unpacks to {unpacked:,} bytes, far more than it has. Save it as a PDF.")
