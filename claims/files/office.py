"""The text of documents, workbooks and presentations: a worker's process reads it, nobody runs what else is in them."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import docx
import openpyxl
import pptx

from claims.files.packages import DOCX, XLSX
from claims.files.texts import MAX_COLUMNS, MAX_ROWS, Block, bounded, table_block, text_block


def ready(media_type: str) -> None:
    """Write and read an empty file of the kind, which loads what is loaded at the first use: later no file can be opened."""
    new = {DOCX: docx.Document, XLSX: openpyxl.Workbook}.get(media_type, pptx.Presentation)
    empty = BytesIO()
    new().save(empty)
    render(media_type, empty.getvalue())


def render(media_type: str, data: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """What the preview of an office file says; it has no pictures."""
    read = {DOCX: of_document, XLSX: of_workbook}.get(media_type, of_presentation)
    return {"blocks": bounded(read(data))}, []


def of_document(data: bytes) -> Iterator[Block]:
    text: list[str] = []
    for part in docx.Document(BytesIO(data)).iter_inner_content():
        if hasattr(part, "rows"):
            yield text_block("\n".join(text))
            text.clear()
            yield table_block([cell.text for cell in row.cells] for row in part.rows)
        else:
            text.append(part.text)
    yield text_block("\n".join(text))


def of_workbook(data: bytes) -> Iterator[Block]:
    book = openpyxl.load_workbook(BytesIO(data), read_only=True, data_only=True, keep_links=False)
    for sheet in book.worksheets:
        yield table_block(sheet.iter_rows(max_row=5 * MAX_ROWS, max_col=MAX_COLUMNS, values_only=True), sheet.title)


def of_presentation(data: bytes) -> Iterator[Block]:
    for number, slide in enumerate(pptx.Presentation(BytesIO(data)).slides, 1):
        texts = [shape.text_frame.text for shape in slide.shapes if shape.has_text_frame]
        yield text_block("\n".join(texts), f"Slide {number}")
        for shape in slide.shapes:
            if shape.has_table:
                yield table_block([cell.text for cell in row.cells] for row in shape.table.rows)
