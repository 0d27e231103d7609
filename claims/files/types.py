"""What a file is: told by its ending, confirmed by its content, never by what the client calls it.

Everything here is read in bounded time and memory, by a web process: headers and tables of contents alone. What needs a
decoder is done later by a worker, in a confined process (claims/files/confined.py).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from email.errors import MessageError
from email.parser import BytesHeaderParser
from io import BytesIO

from PIL import Image, UnidentifiedImageError

from claims.files import confined, packages
from coop.lib.errors import Invalid, TooLarge, UnsupportedMediaType

ACCEPTED = "PDF, PNG, JPEG, HEIC, DOCX, XLSX, PPTX, CSV, TXT or EML"
MAX_PIXELS = 60_000_000  # a phone's largest everyday picture has 50 million

HEIC_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"heif"))
# A document that is locked for changing or printing says so too, and opens all the same: then it is tried.
ENCRYPTED = re.compile(rb"/Encrypt\s*(?:\d+\s+\d+\s+R|<<)")
TAIL = 4_096  # bytes at the end of a PDF in which its last words stand; some programs write blanks behind them
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
HEADER_BYTES = 64 * 1024


@dataclass(frozen=True)
class Kind:
    """A kind of file: its media type, how it begins, and what else is looked at before it is taken."""

    media_type: str
    begins: Callable[[bytes], bool]
    check: Callable[[bytes], None]


def media_type(filename: str, data: bytes, *, max_bytes: int) -> str:
    """The media type of a file. Raises TooLarge, UnsupportedMediaType, Invalid (empty, damaged, encrypted)."""
    if not data:
        raise Invalid.field("file", "The file is empty. Choose the file once more.", "empty")
    if len(data) > max_bytes:
        raise TooLarge(
            f"The file has {len(data):,} bytes; at most {max_bytes:,} are taken. Make it smaller or split it."
        )
    ending = filename.rpartition(".")[2].lower() if "." in filename else ""
    kind = KINDS.get(ending)
    if kind is None:
        raise UnsupportedMediaType(f"Files ending in “.{ending[:10]}” are not accepted. Send it as {ACCEPTED}.")
    if not kind.begins(data):
        raise UnsupportedMediaType(
            f"The file is named “.{ending}” but its content is something else. "
            f"Open it, save it as {ACCEPTED}, and upload that."
        )
    kind.check(data)
    return kind.media_type


def clean_name(filename: str) -> str:
    """The name that people see: no path, no characters that cannot be printed or that turn the text around."""
    last = filename.replace("\\", "/").rpartition("/")[2]
    shown = "".join(letter for letter in last if unicodedata.category(letter)[0] != "C").strip().rstrip(".")
    stem, dot, ending = shown.rpartition(".")
    return f"{stem[:100]}{dot}{ending[:10]}" if dot else shown[:110]


def damaged(what: str) -> Invalid:
    return Invalid.field("file", f"{what} Open it, save it anew, and upload that.", "damaged")


# --- PDF ----------------------------------------------------------------------------------------------------------------


def check_pdf(data: bytes) -> None:
    if b"%%EOF" not in data[-TAIL:] or b"startxref" not in data[-TAIL:]:
        raise damaged("The PDF is cut off: its end is missing.")
    if ENCRYPTED.search(data) and confined.needs_password(data):
        raise Invalid.field(
            "file",
            "The PDF has a password, so nobody can look into it. Save it without one and upload that.",
            "encrypted",
        )


# --- Pictures -----------------------------------------------------------------------------------------------------------


def check_png(data: bytes) -> None:
    require_pixels(*size_of(data, "PNG"))
    if b"IEND\xaeB`\x82" not in data:
        raise damaged("The picture is cut off: its end is missing.")


def check_jpeg(data: bytes) -> None:
    require_pixels(*size_of(data, "JPEG"))
    if b"\xff\xd9" not in data:
        raise damaged("The picture is cut off: its end is missing.")


def size_of(data: bytes, form: str) -> tuple[int, int]:
    """Width and height as the header says; nothing is decoded. Raises Invalid, TooLarge."""
    try:
        with Image.open(BytesIO(data), formats=[form]) as picture:
            return picture.size
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise too_many_pixels() from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError):
        raise damaged("The picture is damaged and cannot be read.") from None


def require_pixels(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise too_many_pixels()


def too_many_pixels() -> TooLarge:
    millions = MAX_PIXELS // 1_000_000
    return TooLarge(f"The picture has too many points: at most {millions} million are taken. Make it smaller.")


def is_heic(data: bytes) -> bool:
    return data[4:8] == b"ftyp" and data[8:12] in HEIC_BRANDS


def check_heic(data: bytes) -> None:
    """Its boxes must lie end to end, and none may speak of a picture that is too large."""
    place = 0
    while place < len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        if length == 1:  # the length follows in eight bytes
            length = int.from_bytes(data[place + 8 : place + 16], "big")
        if length == 0:  # up to the end
            break
        if length < 8 or place + length > len(data):
            raise damaged("The picture is cut off or damaged.")
        place += length
    for found in re.finditer(rb"ispe\x00\x00\x00\x00(.{8})", data, re.DOTALL):
        require_pixels(int.from_bytes(found[1][:4], "big"), int.from_bytes(found[1][4:], "big"))


# --- Office -------------------------------------------------------------------------------------------------------------


def is_package(data: bytes) -> bool:
    # An old or encrypted document is named; everything else that is no ZIP is just something else.
    return data.startswith((b"PK\x03\x04", OLE))


def check_package(main: str, name: str) -> Callable[[bytes], None]:
    def check(data: bytes) -> None:
        if data.startswith(OLE):
            message = f"This {name} has a password, or an old format. Save it without a password in today's format."
            raise Invalid.field("file", message, "encrypted")
        packages.require_sound(data, main, name)

    return check


# --- Texts --------------------------------------------------------------------------------------------------------------


def is_text(data: bytes) -> bool:
    try:
        return "\x00" not in data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False


def is_mail(data: bytes) -> bool:
    """Whether it begins with the headers of a mail: who sent it, and what else every mail says."""
    if b"\x00" in data[:HEADER_BYTES]:
        return False
    try:
        headers = BytesHeaderParser().parsebytes(data[:HEADER_BYTES])
    except (MessageError, ValueError):
        return False
    return "from" in headers and any(name in headers for name in ("date", "to", "subject", "message-id", "received"))


def as_it_is(data: bytes) -> None:
    """Nothing more to look at."""


KINDS: dict[str, Kind] = {
    "pdf": Kind("application/pdf", lambda data: data.startswith(b"%PDF-"), check_pdf),
    "png": Kind("image/png", lambda data: data.startswith(b"\x89PNG\r\n\x1a\n"), check_png),
    "jpg": Kind("image/jpeg", lambda data: data.startswith(b"\xff\xd8\xff"), check_jpeg),
    "jpeg": Kind("image/jpeg", lambda data: data.startswith(b"\xff\xd8\xff"), check_jpeg),
    "heic": Kind("image/heic", is_heic, check_heic),
    "heif": Kind("image/heif", is_heic, check_heic),
    "docx": Kind(packages.DOCX, is_package, check_package("word/document.xml", "document")),
    "xlsx": Kind(packages.XLSX, is_package, check_package("xl/workbook.xml", "workbook")),
    "pptx": Kind(packages.PPTX, is_package, check_package("ppt/presentation.xml", "presentation")),
    "csv": Kind("text/csv", is_text, as_it_is),
    "txt": Kind("text/plain", is_text, as_it_is),
    "eml": Kind("message/rfc822", is_mail, as_it_is),
}
ACCEPT = ",".join(f".{ending}" for ending in KINDS)  # what a page's file field offers
