"""The papers of the story: small PDF, PNG and CSV files that open in any viewer, made here so that none is shipped."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from datetime import date, timedelta

# A page of A4 in points, and the colours that the pictures are painted with.
PAGE = (595, 842)
PAPER, INK, SKY, LEAF, SAND = (250, 249, 246), (38, 50, 64), (70, 120, 180), (96, 150, 110), (226, 196, 140)
WIDTH, HEIGHT = 480, 300


def pdf(title: str, lines: Sequence[str]) -> bytes:
    """A PDF of one page: the title in large letters, below it the lines. Characters outside Latin-1 become "?"."""
    text = ["BT /F1 18 Tf 56 770 Td", f"({escaped(title)}) Tj", "/F1 11 Tf 0 -34 Td 16 TL"]
    text += [f"({escaped(line)}) Tj T*" for line in lines]
    content = "\n".join([*text, "ET"]).encode("latin-1", "replace")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>" % PAGE,
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    return b"%sxref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        out,
        size,
        table,
        size,
        len(out),
    )


def escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def png(variant: int) -> bytes:
    """A small picture: a page with a banner, a headline and blocks of text; the variants differ in colours and places."""
    banner = (SKY, LEAF, SAND)[variant % 3]
    split = 150 + variant * 37 % 180
    rows = []
    for y in range(HEIGHT):
        row = bytearray(bytes(PAPER) * WIDTH)
        if y < 60 + variant * 11 % 40:
            paint(row, 0, WIDTH, banner)
        elif 120 <= y < 136:
            paint(row, 30, split, INK)
        elif y >= 160 and y % 20 < 7:
            paint(row, 30, split - y // 20 * 17 % 45, (150, 156, 164))
        if 120 <= y < 260:
            paint(row, split + 40, WIDTH - 30, (SAND, SKY, LEAF)[variant % 3])
        rows.append(b"\x00" + bytes(row))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"".join(rows), 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def paint(row: bytearray, left: int, right: int, colour: tuple[int, int, int]) -> None:
    row[left * 3 : right * 3] = bytes(colour) * (right - left)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def call_log(calls: int, first: date, last: date) -> bytes:
    """A telephone campaign as CSV, as a call centre exports it: up to 60 of its calls, on weekdays from first to last."""
    outcomes = ("no answer", "call back", "interested", "not interested", "meeting agreed")
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    days = [day for day in days if day.weekday() < 5]
    shown = min(calls, 60)
    rows = [
        f"{days[number * len(days) // shown]},{9 + number % 8:02d}:{number * 13 % 60:02d},{outcomes[number * 3 % 5]}"
        for number in range(shown)
    ]
    return "\n".join(["date,time,outcome", *rows, ""]).encode()
