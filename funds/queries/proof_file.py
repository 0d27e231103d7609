"""The ledger as a file that proves itself: JSON lines, checked without this software by tools/verify_proof.py.

First the daily heads, each followed by its anchors, then every fund's entries with their links in order. What is in the
database is written as it is, faults too: it is the checker's task to find them. docs/ledger.md says what each line holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from django.db import connection

from coop.lib.db import one_snapshot

# The values of an entry's text, in the order of the SQL function `funds_entry_text`.
FIELDS = (
    "id",
    "fund",
    "partner",
    "currency",
    "kind",
    "from",
    "to",
    "amount_minor",
    "effective_on",
    "recorded_at",
    "actor",
    "reference_type",
    "reference",
    "reason",
    "key",
    "note",
)
AT_ONCE = 5_000  # rows fetched from the server's cursor

HEADS = """
SELECT t.text, encode(previous, 'hex'), encode(hash, 'hex') FROM (
  SELECT day, 0 AS fund_id, funds_head_text(day, at, funds, entries) AS text, previous, hash FROM funds_ledgerhead
  UNION ALL SELECT day, fund_id, funds_anchor_text(a), NULL, NULL FROM funds_anchor a
) t WHERE %(since)s::date IS NULL OR day >= %(since)s ORDER BY day, fund_id
"""

# For one fund no more than it is anchored in: the figures of a head, and the links of others, are not its partner's.
HEADS_OF_FUND = """
SELECT funds_anchor_text(a), encode(h.hash, 'hex') FROM funds_anchor a LEFT JOIN funds_ledgerhead h ON h.day = a.day
WHERE a.fund_id = %(fund)s AND (%(since)s::date IS NULL OR a.day >= %(since)s) ORDER BY a.day
"""

# Where a fund's lines begin that are newer than its last anchor before `since`.
LINKS = """
WITH start AS (
  SELECT DISTINCT ON (fund_id) fund_id, number, hash FROM funds_anchor
  WHERE day < %(since)s AND (%(fund)s::bigint IS NULL OR fund_id = %(fund)s) ORDER BY fund_id, day DESC
)
SELECT l.fund_id, l.number, encode(l.hash, 'hex'), CASE WHEN e.id IS NOT NULL THEN funds_entry_text(e) END, s.number,
  encode(s.hash, 'hex')
FROM funds_link l
LEFT JOIN funds_entry e ON e.id = l.entry_id AND e.fund_id = l.fund_id
LEFT JOIN start s ON s.fund_id = l.fund_id
WHERE (%(fund)s::bigint IS NULL OR l.fund_id = %(fund)s) AND l.number > coalesce(s.number, 0)
ORDER BY l.fund_id, l.number
"""

WITHOUT_LINK = """
SELECT e.fund_id, NULL, NULL, funds_entry_text(e), NULL, NULL FROM funds_entry e
LEFT JOIN funds_link l ON l.entry_id = e.id AND l.fund_id = e.fund_id
WHERE l.entry_id IS NULL AND (%(fund)s::bigint IS NULL OR e.fund_id = %(fund)s)
"""


def proof_lines(*, fund_id: int | None = None, since: date | None = None, at: datetime) -> Iterator[str]:
    """The lines of a proof of one fund or of all, from one snapshot, as they are read: memory stays bounded.

    With `since`, only the heads from that day on, and of each fund what came after its last anchor before them.
    """
    scope = {"fund": fund_id, "since": since}
    with one_snapshot():
        yield as_line({"proof": "coop ledger", "version": 1, "exported_at": at.isoformat(), **as_text(scope)})
        yield from map(as_line, heads_of_fund(scope) if fund_id else heads(scope))
        entries, last = 0, None
        for sql in (LINKS, WITHOUT_LINK):
            for fund, number, link, text, start, start_link in streamed(sql, scope):
                if start is not None and fund != last:
                    yield as_line({"start": {"fund": fund, "number": start, "link": start_link}})
                entries, last = entries + 1, fund
                entry = dict(zip(FIELDS, json.loads(text), strict=True)) if text else None
                yield as_line({"fund": fund, "number": number, "link": link, "entry": entry})
        yield as_line({"end": entries})


def heads(scope: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every head, each followed by its anchors."""
    for text, previous, hash_ in streamed(HEADS, scope):
        if hash_ is None:
            yield anchor(text)
        else:
            said = dict(zip(("day", "at", "funds", "entries"), json.loads(text), strict=True))
            yield {"head": {**said, "previous": previous, "hash": hash_}}


def heads_of_fund(scope: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The days and hashes of the heads in which a fund is anchored, each followed by that anchor."""
    for text, hash_ in streamed(HEADS_OF_FUND, scope):
        said = anchor(text)
        yield {"head": {"day": said["anchor"]["day"], "hash": hash_}}
        yield said


def anchor(text: str) -> dict[str, Any]:
    return {"anchor": dict(zip(("day", "fund", "number", "link"), json.loads(text), strict=True))}


def streamed(sql: str, params: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, params)
        while found := cursor.fetchmany(AT_ONCE):
            yield from found


def as_text(scope: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in scope.items()}


def as_line(values: dict[str, Any]) -> str:
    return json.dumps(values) + "\n"
