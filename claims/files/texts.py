"""The text of mails, tables and plain files: rows and paragraphs, nothing that could be shown as anything but text."""

from __future__ import annotations

import codecs
import csv
import email
import email.policy
from collections.abc import Iterable, Iterator
from email.message import EmailMessage
from html.parser import HTMLParser
from io import StringIO
from typing import Any

MAX_LETTERS = 100_000  # of one preview
MAX_ROWS, MAX_COLUMNS, MAX_CELL = 200, 30, 500
MAX_BLOCKS = 60

Block = dict[str, Any]  # {"title", "text"} or {"title", "rows"}


CODECS = """ascii idna latin-1 iso8859-1 iso8859-2 iso8859-5 iso8859-9 iso8859-15 cp1250 cp1251 cp1252 cp1254 koi8-r utf-8
utf-8-sig utf-16 shift-jis iso2022-jp euc-jp gb2312 gbk gb18030 big5 euc-kr quopri base64 uu""".split()


SAMPLE = b"""From: a@a.example
Subject: =?utf-8?q?a?=
Date: Mon, 4 Mar 2024 09:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/html; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

<p>=E4</p>
--b--
"""


def ready(media_type: str) -> None:
    """Load what is loaded at the first use, and what mails may be written in: later no file can be opened."""
    for name in CODECS:
        codecs.lookup(name)
    list(of_mail(SAMPLE))


def text_block(text: str, title: str = "") -> Block:
    return {"title": title[:200], "text": text.strip()}


def table_block(rows: Iterable[Iterable[Any]], title: str = "") -> Block:
    kept = []
    for row in rows:
        cells = ["" if cell is None else str(cell)[:MAX_CELL] for cell, _ in zip(row, range(MAX_COLUMNS), strict=False)]
        if any(cells):
            kept.append(cells)
        if len(kept) == MAX_ROWS:
            break
    width = max((place for row in kept for place, cell in enumerate(row, 1) if cell), default=0)
    return {"title": title[:200], "rows": [(row + [""] * width)[:width] for row in kept]}


def render(media_type: str, data: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """What the preview of a text says; it has no pictures."""
    read = {"message/rfc822": of_mail, "text/csv": of_table}.get(media_type, of_text)
    return {"blocks": bounded(read(data))}, []


def bounded(blocks: Iterator[Block]) -> list[Block]:
    """As many blocks as a reader looks at, without the empty ones."""
    kept: list[Block] = []
    left = MAX_LETTERS
    for block in blocks:
        if "text" in block:
            block["text"] = block["text"][:left]
        size = len(block.get("text", "")) + sum(len(cell) for row in block.get("rows", ()) for cell in row)
        left -= size
        kept += [block] if size else []
        if left <= 0 or len(kept) == MAX_BLOCKS:
            break
    return kept


def of_text(data: bytes) -> Iterator[Block]:
    yield text_block(data[: 4 * MAX_LETTERS].decode("utf-8-sig", "replace"))


def of_table(data: bytes) -> Iterator[Block]:
    text = data[: 4 * MAX_LETTERS].decode("utf-8-sig", "replace").replace("\x00", "")
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    try:
        yield table_block(csv.reader(StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:
        yield text_block(text)


def of_mail(data: bytes) -> Iterator[Block]:
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(message, EmailMessage)  # noqa: S101 - what this policy makes
    named = ("From", "To", "Cc", "Date", "Subject")
    yield table_block([name, str(message[name])] for name in named if message[name])
    body = message.get_body(("plain", "html"))
    if body is not None:
        content = str(body.get_content())
        yield text_block(plain(content) if body.get_content_subtype() == "html" else content)
    attached = [[part.get_filename() or "(no name)", part.get_content_type()] for part in message.iter_attachments()]
    if attached:
        yield table_block(attached, "Attached")


class Words(HTMLParser):
    """The words of a page, without what is not read aloud."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.silent += tag in ("script", "style")
        if tag in ("p", "br", "div", "tr", "li"):
            self.found.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in ("script", "style") and self.silent > 0

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.found.append(data)


def plain(page: str) -> str:
    words = Words()
    words.feed(page)
    return "".join(words.found)
