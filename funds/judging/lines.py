"""Keeping the lines of a delivery as they were sent, and saying where their cells are.

A file goes into its table by COPY, the cells of a line side by side; no cell is looked at on the way. PostgreSQL numbers
the lines. What COPY does not take (it says of no line what is wrong with it) goes in once more, row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from psycopg import DataError

from coop.lib.db import execute, rows
from funds.files import KINDS, Sheet, understand
from funds.judging.amounts import Notation, find_notation
from funds.models import Import
from funds.models.lines import CELLS

# What a line says, and the name of its cell in the statements that judge it.
FIELDS = {
    "external_id": "id",
    "location_code": "location",
    "program_code": "program",
    "kind": "kind",
    "earned_text": "earned",
    "amount_text": "amount",
    "currency": "currency",
    "lever": "lever",
    "reason_code": "reason_code",
    "settled_amount_text": "settled",
    "rate_text": "rate",
    "rate_on_text": "rate_on",
}
# These four are the same on very many lines: they stay as they were sent until each combination is read once.
SHARED = ("program", "kind", "earned", "currency")

# From so many lines on the planner is told how many there are. Telling it locks out whoever else would tell it, until the
# transaction ends, so the few lines of a request go without.
WORTH_COUNTING = 1_000


@dataclass(frozen=True)
class Source:
    """The lines of a delivery as a query: line_no, unreadable, complaint, and a text for each of FIELDS, never NULL.

    `kinds` translates the types of the vendor's report; `settled_in` is the currency that the vendor's own amounts are in,
    empty where they are in the program's. The texts are clean but for those of SHARED, for which there is `clean`.
    """

    sql: str
    params: dict[str, Any]
    kinds: Mapping[str, str] = field(default_factory=dict)
    notation: Notation = field(default_factory=Notation)
    settled_in: str = ""
    clean: Callable[[str], str] = str


def clean(text: str) -> str:
    """SQL for a cell without the spaces around it, and without the apostrophe that keeps a spreadsheet from running it."""
    bare = f"btrim({text}, E' \\t\\r\\n\\f\\v')"
    return (
        f"(CASE WHEN {text} LIKE '%%''%%' AND {bare} ~ '^''[ ]*[-=+@\uff1d\uff0b\uff0d\uff20\\t\\r\\n]' "
        f"THEN substr({bare}, 2) ELSE {bare} END)"
    )


# --- Files ------------------------------------------------------------------------------------------------------------


def keep_file(delivery: Import, sheet: Sheet, tell: Callable[[float], None]) -> int:
    """Keep the lines of a file; returns how many. `tell` hears how much of the file was read. Raises Invalid, TooLarge."""
    delivery.columns = sheet.columns
    kept = _copy_blocks(delivery, sheet, tell) if len(sheet.columns) <= CELLS else None
    if kept is None:
        kept = _copy_rows(delivery, sheet, tell)
    if kept >= WORTH_COUNTING:
        execute("ANALYZE funds_sentline (import_id)")
    return kept


def _copy_blocks(delivery: Import, sheet: Sheet, tell: Callable[[float], None]) -> int | None:
    """The quick way: None where it is not to be had."""
    blocks = sheet.chunks()
    if blocks is None:
        return None
    columns = ", ".join(f"c{n}" for n in range(1, len(sheet.columns) + 1))
    with connection.cursor() as cursor:
        # Each session takes its numbers from a block of its own, so that the lines of a file are numbered without a gap.
        cursor.execute(
            """SELECT set_config('coop.import_id', %s, true),
                      set_config('coop.lines_before', (nextval('funds_sentline_line_no') - 1)::text, true)""",
            [str(delivery.pk)],
        )
        try:
            with (
                transaction.atomic(),
                cursor.copy(
                    f"COPY funds_sentline ({columns}) FROM STDIN (FORMAT csv, DELIMITER '{sheet.delimiter}', FORCE_NOT_NULL *)"
                ) as copy,
            ):
                for block in blocks:
                    copy.write(block)
                    tell(sheet.share_read())
        except DataError:
            return None
        return int(cursor.rowcount)


def _copy_rows(delivery: Import, sheet: Sheet, tell: Callable[[float], None]) -> int:
    """The patient way. Of a table with more columns than are kept those that are understood, and then the first, stay."""
    kept = _kept_columns(sheet)
    delivery.columns = [sheet.columns[position] for position in kept]
    names = ["import_id", "line_no", "problem", "message", *(f"c{n}" for n in range(1, len(kept) + 1))]
    count = 0
    with connection.cursor() as cursor, cursor.copy(f"COPY funds_sentline ({', '.join(names)}) FROM STDIN") as copy:
        for line_no, cells, problem, message in sheet.rows():
            given = [cells[p] if cells and p < len(cells) else None for p in kept]
            copy.write_row([delivery.pk, line_no, problem or None, message or None, *given])
            count += 1
            if count % 1_000 == 0:
                tell(sheet.share_read())
    return count


def _kept_columns(sheet: Sheet) -> Sequence[int]:
    if len(sheet.columns) <= CELLS:
        return range(len(sheet.columns))
    understood = set(sheet.fields.values())
    others = [position for position in range(len(sheet.columns)) if position not in understood]
    return sorted([*understood, *others[: CELLS - len(understood)]])


def source_of_file(delivery: Import) -> Source:
    """Where the cells of a kept file are."""
    places = understand(delivery.columns, delivery.mapping).fields
    cells = {name: f"coalesce(l.c{places[f] + 1}, '')" for f, name in FIELDS.items() if f in places}
    split = "kind" in places
    found = {
        name: cells[name] if name in SHARED and name in cells else clean(cells[name]) if name in cells else "''"
        for name in FIELDS.values()
    }
    found["kind"] = found["kind"] if split else "'incentive'"
    selected = ", ".join(f"{sql} AS {name}" for name, sql in found.items())
    sql = f"""SELECT l.line_no, l.problem AS unreadable, l.message AS complaint, {selected}
              FROM funds_sentline l WHERE l.import_id = %(import)s"""
    params = {"import": delivery.pk}
    settled = places.get("settled_amount_text")
    return Source(
        sql,
        params,
        kinds=KINDS if split else {},
        # A workbook's numbers come with a point, whatever its texts look like.
        notation=Notation() if str(delivery.file.name).endswith(".xlsx") else find_notation(sql, params),
        clean=clean,
        settled_in="USD" if settled is not None and delivery.columns[settled].upper().endswith("USD") else "",
    )


# --- The lines of a request -------------------------------------------------------------------------------------------


def keep_lines(delivery: Import, lines: Sequence[Mapping[str, str | None]]) -> Source:
    """Keep the lines of a request, numbered from 0, and say where they are: in the statement itself."""
    delivery.columns = [field for field in FIELDS if any(line.get(field) is not None for line in lines)]
    params: dict[str, Any] = {"import": delivery.pk}
    params |= {name: [line.get(field) for line in lines] for field, name in FIELDS.items()}
    arrays = ", ".join(f"%({name})s::text[]" for name in FIELDS.values())
    given = f"unnest({arrays}) WITH ORDINALITY AS l({', '.join(FIELDS.values())}, place)"
    if delivery.columns:
        targets = ", ".join(f"c{n}" for n in range(1, len(delivery.columns) + 1))
        values = ", ".join(f"l.{FIELDS[field]}" for field in delivery.columns)
        execute(
            f"INSERT INTO funds_sentline (import_id, line_no, {targets}) SELECT %(import)s, l.place - 1, {values} FROM {given}",
            params,
        )
    selected = ", ".join(f"coalesce(l.{name}, '') AS {name}" for name in FIELDS.values() if name != "id")
    return Source(
        f"SELECT (l.place - 1)::int AS line_no, NULL AS unreadable, NULL AS complaint, btrim(coalesce(l.id, '')) AS id, "
        f"{selected} FROM {given}",
        params,
    )


# --- What was sent ----------------------------------------------------------------------------------------------------


def cells_of(delivery: Import, line_nos: Sequence[int]) -> dict[int, list[str | None]]:
    """The cells of some lines as they were sent, by the delivery's `columns`."""
    if not delivery.columns:
        return {}
    cells = ", ".join(f"c{n}" for n in range(1, len(delivery.columns) + 1))
    found = rows(
        f"SELECT line_no, ARRAY[{cells}] FROM funds_sentline WHERE import_id = %s AND line_no = ANY(%s)",
        [delivery.pk, list(line_nos)],
    )
    return {line_no: list(cells) for line_no, cells in found}
