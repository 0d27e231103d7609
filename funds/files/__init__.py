"""Reading earnings files. One call opens whatever was sent:

    sheet = open_sheet(file)
    sheet.fields              # {"external_id": 0, "amount_text": 8, ...}: where each staged field stands
    sheet.chunks()            # CSV for COPY, or None: then
    sheet.rows()              # (line number, cells, problem, message)

What is wrong with the file as a whole (packing, encoding, quoting, columns) refuses it; what is wrong with a line is left to
funds/judging.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO

from funds.files.columns import (
    INCENTIVES,
    KINDS,
    PARTNER_CENTER,
    Recall,
    UnknownColumns,
    fingerprint,
    fold,
    guess,
    recall_nothing,
    understand,
)
from funds.files.decoding import decode
from funds.files.sheets import MAX_CELL, Sheet
from funds.files.texts import open_text
from funds.files.unpacking import MAX_BYTES, ZIP, Packed, first_bytes
from funds.files.workbooks import open_workbook

__all__ = [
    "INCENTIVES",
    "KINDS",
    "MAX_BYTES",
    "MAX_CELL",
    "PARTNER_CENTER",
    "Packed",
    "Sheet",
    "UnknownColumns",
    "decode",
    "fingerprint",
    "fold",
    "guess",
    "open_sheet",
    "understand",
]


def open_sheet(
    file: IO[bytes],
    *,
    mapping: Mapping[str, str] | None = None,
    recall: Recall = recall_nothing,
    max_bytes: int = MAX_BYTES,
) -> Sheet:
    """The table in a seekable file, its header read and understood.

    `mapping` says which column fills which staged field where names do not; without it `recall` is asked for what was said
    for this header before. Raises UnknownColumns (an Invalid) with all column faults, Invalid for what is no table,
    TooLarge for what unpacks to more than `max_bytes`.
    """
    said = dict(mapping or {})
    if first_bytes(file)[:4] == ZIP:
        return open_workbook(file, max_bytes=max_bytes, mapping=said, recall=recall)
    return open_text(file, max_bytes=max_bytes, mapping=said, recall=recall)
