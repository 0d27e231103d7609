"""Files for tests: sound ones of each kind, and the ways in which files are wrong."""

from __future__ import annotations

import hashlib
import struct
import zipfile
import zlib
from functools import cache
from io import BytesIO
from random import Random

import docx
import openpyxl
import pillow_heif
import pptx
from PIL import Image, ImageDraw

from tests.factories import PDF

MAIL = b"""From: Ana Ruiz <ana@fabrikam.example>
To: mia@northwind.example
Date: Mon, 4 Mar 2024 09:00:00 +0000
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/html; charset=windows-1252

<p>The campaign ran in March.<script>alert(1)</script></p>
--b
Content-Type: application/pdf; name=invoice.pdf
Content-Disposition: attachment; filename=invoice.pdf

x
--b--
"""


@cache
def drawing(seed: int = 0, width: int = 800, height: int = 600) -> Image.Image:
    """A picture with much in it; another seed is another picture."""
    picture, chance = Image.new("RGB", (width, height), "white"), Random(seed)
    draw = ImageDraw.Draw(picture)
    for _ in range(150):
        left, top = chance.randrange(width), chance.randrange(height)
        box = (left - width // 9, top - height // 9, left + width // 9, top + height // 9)
        draw.ellipse(box, fill=tuple(chance.randrange(256) for _ in range(3)))
    return picture


def saved(picture: Image.Image, form: str, **options: object) -> bytes:
    out = BytesIO()
    if form == "HEIF":
        pillow_heif.from_pillow(picture).save(out, quality=60)
    else:
        picture.save(out, form, **options)
    return out.getvalue()


def image(form: str = "PNG", seed: int = 0) -> bytes:
    return saved(drawing(seed), form)


def document() -> bytes:
    paper, out = docx.Document(), BytesIO()
    paper.add_paragraph("What was agreed with <b>Fabrikam</b>.")
    paper.add_table(1, 2).cell(0, 0).text = "4,000.00 USD"
    paper.save(out)
    return out.getvalue()


def workbook() -> bytes:
    book, out = openpyxl.Workbook(), BytesIO()
    book.active.title = "Calls"
    book.active.append(["Day", "Calls"])
    book.active.append(["2024-03-01", 120])
    book.save(out)
    return out.getvalue()


def presentation() -> bytes:
    slides, out = pptx.Presentation(), BytesIO()
    slide = slides.slides.add_slide(slides.slide_layouts[0])
    slide.shapes.title.text = "Spring campaign"
    slides.save(out)
    return out.getvalue()


# --- What is wrong --------------------------------------------------------------------------------------------------------


def png_of(width: int, height: int) -> bytes:
    """A few bytes that say they are a very large picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\x00" * 1000)) + chunk(b"IEND", b"")


def zipped(**parts: bytes) -> bytes:
    """An archive; the names' double underscores are slashes, and one at the end a point."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml").replace("_bin", ".bin"), data)
    return out.getvalue()


def office(main: str, contents: bytes = b"<Types/>", **more: bytes) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", contents)
        archive.writestr(main, b"<x/>")
        for name, data in more.items():
            archive.writestr(name.replace("__", "/").replace("_bin", ".bin"), data)
    return out.getvalue()


def many_parts(count: int) -> bytes:
    return office("word/document.xml", **{f"word__{number}": b"" for number in range(count)})


def locked_pdf(*, to_open: bool) -> bytes:
    """A PDF with the standard password handler (40 bits, Adobe's algorithm 2 to 4): to open it, or only to change it."""
    user = b"secret" if to_open else b""
    pad = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")
    owner = rc4(md5((b"owner" + pad)[:32])[:5], (user + pad)[:32])
    permissions = struct.pack("<i", -44)
    key = md5((user + pad)[:32] + owner + permissions + b"0123456789abcdef")[:5]
    check = rc4(key, pad)
    encrypt = b"4 0 obj<</Filter/Standard/V 1/R 2/O<%s>/U<%s>/P -44>>endobj\n" % (
        owner.hex().encode(),
        check.hex().encode(),
    )
    body = PDF[: PDF.index(b"xref")] + encrypt
    places = [body.index(b"%d 0 obj" % number) for number in range(1, 5)]
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    ident = b"0123456789abcdef".hex().encode()
    return (
        b"%sxref\n0 5\n0000000000 65535 f \n%strailer<</Size 5/Root 1 0 R/Encrypt 4 0 R/ID[<%s><%s>]>>\nstartxref\n%d\n%%%%EOF"
        % (
            body,
            table,
            ident,
            ident,
            len(body),
        )
    )


def md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def rc4(key: bytes, data: bytes) -> bytes:
    box, j = list(range(256)), 0
    for i in range(256):
        j = (j + box[i] + key[i % len(key)]) % 256
        box[i], box[j] = box[j], box[i]
    out, i, j = bytearray(), 0, 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + box[i]) % 256
        box[i], box[j] = box[j], box[i]
        out.append(byte ^ box[(box[i] + box[j]) % 256])
    return bytes(out)
