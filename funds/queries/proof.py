"""Whether the ledger is still what it was: every link, anchor and head computed anew, in one snapshot. Reads only.

It finds what was changed behind the product's back, with whatever rights: docs/ledger.md, "Proof". The work is done by
the database in one pass over entries and links, which spills to disk rather than into memory; only faults come back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from coop.lib.dates import show_day
from coop.lib.db import execute, named_rows, one_snapshot, rows
from funds.models import LedgerHead

MOST_FAULTS = 100  # told one by one; further ones are counted
SHORT = 12  # characters of a hash that a sentence shows

# Each entry beside its link. A link that follows a gap is only told as the gap: its own hash cannot be judged.
LINKS = """
WITH linked AS (
  SELECT fund_id, number, entry_id, hash, lag(hash) OVER w AS before, lag(number, 1, 0) OVER w AS number_before,
    lead(number) OVER w IS NULL AS newest
  FROM funds_link WINDOW w AS (PARTITION BY fund_id ORDER BY number)
), compared AS (
  SELECT coalesce(l.fund_id, e.fund_id) AS fund, l.number, l.number_before, coalesce(l.entry_id, e.id) AS entry,
    CASE WHEN l.fund_id IS NULL THEN 'inserted entry'
         WHEN l.number <> l.number_before + 1 THEN 'missing link'
         WHEN e.id IS NULL THEN 'missing entry'
         WHEN l.hash IS DISTINCT FROM funds_link_hash(l.before, funds_entry_text(e)) THEN 'changed entry'
         WHEN l.newest AND f.id IS NULL THEN 'missing fund'
         WHEN l.newest AND f.head IS DISTINCT FROM l.hash THEN 'fund head differs'
         WHEN l.newest AND f.entries_posted <> l.number THEN 'count differs' END AS kind
  FROM linked l
  FULL JOIN funds_entry e ON e.id = l.entry_id AND e.fund_id = l.fund_id
  LEFT JOIN funds_fund f ON l.newest AND f.id = l.fund_id
)
SELECT fund, number, number_before, entry, kind, count(*) OVER () AS found FROM compared WHERE kind IS NOT NULL
ORDER BY fund, number NULLS LAST, entry LIMIT %s
"""

# An entry that is unchanged but stands elsewhere: with another link of its fund before it, it gives a link that is there.
OUT_OF_ORDER = """
SELECT EXISTS (
  SELECT FROM (SELECT hash FROM funds_link WHERE fund_id = %s UNION ALL SELECT NULL) before
  JOIN funds_link l ON l.fund_id = e.fund_id AND l.hash = funds_link_hash(before.hash, funds_entry_text(e)))
FROM funds_entry e WHERE e.id = %s
"""

FUNDS_WITHOUT_LINKS = """
SELECT f.id AS fund, f.entries_posted AS number, count(*) OVER () AS found FROM funds_fund f
WHERE (f.entries_posted <> 0 OR f.head IS NOT NULL) AND NOT EXISTS (SELECT FROM funds_link l WHERE l.fund_id = f.id)
ORDER BY f.id LIMIT %s
"""

ANCHORS = """
SELECT a.fund_id AS fund, a.number, a.day, l.hash IS NULL AS gone, h.day IS NULL AS loose, count(*) OVER () AS found
FROM funds_anchor a
LEFT JOIN funds_link l ON l.fund_id = a.fund_id AND l.number = a.number
LEFT JOIN funds_ledgerhead h ON h.day = a.day
WHERE l.hash IS DISTINCT FROM a.hash OR h.day IS NULL
ORDER BY a.day, a.fund_id LIMIT %s
"""

# A head's figures are those of all anchors until its day, its hash is the chain over the head before and its own anchors.
HEADS = """
WITH anchored AS (
  SELECT *, number - lag(number, 1, 0) OVER w AS added, (lag(number) OVER w IS NULL)::int AS first
  FROM funds_anchor WINDOW w AS (PARTITION BY fund_id ORDER BY day)
), texts AS (
  SELECT day, 0 AS place, funds_head_text(day, at, funds, entries) AS text, 0 AS first, 0 AS added FROM funds_ledgerhead
  UNION ALL
  SELECT day, fund_id, funds_anchor_text((fund_id, day, number, hash)::funds_anchor), first, added FROM anchored
), computed AS (
  SELECT t.day, funds_chain(h.previous, t.text ORDER BY t.place) AS hash,
    sum(sum(t.first)) OVER (ORDER BY t.day) AS funds, sum(sum(t.added)) OVER (ORDER BY t.day) AS entries
  FROM texts t JOIN funds_ledgerhead h ON h.day = t.day GROUP BY t.day
), compared AS (
  SELECT h.day, h.hash = c.hash AS own, (h.funds, h.entries) = (c.funds, c.entries) AS counted,
    h.previous IS NOT DISTINCT FROM lag(h.hash) OVER (ORDER BY h.day) AS follows
  FROM funds_ledgerhead h JOIN computed c ON c.day = h.day
)
SELECT day, own, counted, follows, count(*) OVER () AS found FROM compared WHERE NOT (own AND counted AND follows)
ORDER BY day LIMIT %s
"""


@dataclass(frozen=True)
class Fault:
    """One thing that is not as it was recorded: its kind, the record, and a sentence."""

    kind: str
    subject: str
    detail: str


@dataclass(frozen=True)
class Verdict:
    """What was looked at, and what is not as it was. `found` counts all faults, of which `faults` tells the first ones."""

    funds: int
    entries: int
    head: str
    anchored: date | None
    anchored_entries: int
    found: int
    faults: list[Fault]

    @property
    def sentence(self) -> str:
        """ "1,204,332 entries match; head 9f86d081884c; anchored 14 August 2024, 331 entries are younger." """
        if self.found:
            return f"{self.entries:,} entries checked: {self.found:,} fault{'' if self.found == 1 else 's'} found"
        said = f"{self.entries:,} entr{'y matches' if self.entries == 1 else 'ies match'}"
        if self.anchored is None:
            return f"{said}; no head has been recorded yet"
        younger = self.entries - self.anchored_entries
        tail = f", {younger:,} entr{'y is' if younger == 1 else 'ies are'} younger" if younger else ""
        return f"{said}; head {self.head[:SHORT]}; anchored {show_day(self.anchored)}{tail}"


def verify_ledger(kept_heads: Sequence[str] = ()) -> Verdict:
    """Compute every link, anchor and head anew, all in one snapshot that writers do not disturb.

    `kept_heads` are hashes of daily heads, in hexadecimal, that somebody kept outside the database: each must be there
    still. Only they catch an insider who rewrote the entries and all hashes with them.
    """
    with one_snapshot():
        execute("SET LOCAL work_mem = '64MB'")
        parts = [
            told(LINKS, of_entry),
            told(FUNDS_WITHOUT_LINKS, of_empty_fund),
            told(ANCHORS, of_anchor),
            told(HEADS, of_head),
        ]
        known = (
            {bytes(hash_).hex() for hash_ in LedgerHead.objects.values_list("hash", flat=True)} if kept_heads else ()
        )
        lost = [lost_head(kept) for kept in kept_heads if kept.strip().lower() not in known]
        ((entries, funds, links),) = rows(
            """SELECT (SELECT count(*) FROM funds_entry), (SELECT count(*) FROM funds_fund),
                      (SELECT count(*) FROM funds_link)"""
        )
        newest = LedgerHead.objects.first()
        found = sum(rows_[0]["found"] for rows_, _ in parts if rows_)
        if not found and links != entries:  # every entry has its link, so some have two
            lost.append(Fault("count differs", "the ledger", f"{links:,} links are there for {entries:,} entries"))
    return Verdict(
        funds=funds,
        entries=entries,
        head=bytes(newest.hash).hex() if newest else "",
        anchored=newest.day if newest else None,
        anchored_entries=newest.entries if newest else 0,
        found=found + len(lost),
        faults=[*lost, *(fault for _, faults in parts for fault in faults)],
    )


def told(sql: str, say: Callable[[dict[str, Any]], Fault]) -> tuple[list[dict[str, Any]], list[Fault]]:
    """The faulty rows of a check, and what is said of each."""
    found = named_rows(sql, [MOST_FAULTS])
    return found, [say(row) for row in found]


def of_entry(row: dict[str, Any]) -> Fault:
    """What is wrong with one entry or its link."""
    kind, number, entry = row["kind"], row["number"], row["entry"]
    if kind == "changed entry" and rows(OUT_OF_ORDER, [row["fund"], entry])[0][0]:
        kind = "wrong order"
    detail = {
        "changed entry": f"entry {entry}, number {number} of this fund, is not what was recorded",
        "wrong order": f"entry {entry} stands at number {number}, where it was not recorded",
        "missing entry": f"entry {entry}, number {number} of this fund, is gone",
        "missing link": f"after number {row['number_before']} comes number {number}: what was between them is gone",
        "inserted entry": f"entry {entry} has no link: it came around the ledger's own trigger",
        "missing fund": f"it has {number} entries and is gone",
        "fund head differs": f"its head is not the link of its last entry, {entry}",
        "count differs": f"it counts its entries otherwise than the {number} that are linked",
    }[kind]
    return Fault(kind, f"fund {row['fund']}", detail)


def of_empty_fund(row: dict[str, Any]) -> Fault:
    return Fault(
        "missing entry", f"fund {row['fund']}", f"it had {row['number']} entries, and all their links are gone"
    )


def of_anchor(row: dict[str, Any]) -> Fault:
    if row["loose"]:
        return Fault("head differs", f"head of {row['day']}", f"it is gone, but fund {row['fund']} was anchored in it")
    what = "is gone" if row["gone"] else "is another one now"
    return Fault("anchor differs", f"fund {row['fund']}", f"link {row['number']}, anchored on {row['day']}, {what}")


def of_head(row: dict[str, Any]) -> Fault:
    detail = "it does not follow from its anchors and the head before"
    if row["own"]:
        detail = "it does not continue the head before" if not row["follows"] else "it does not count what is anchored"
    return Fault("head differs", f"head of {row['day']}", detail)


def lost_head(kept: str) -> Fault:
    return Fault(
        "kept head is gone",
        f"head {kept.strip()[:SHORT]}",
        "no recorded head has this hash: heads, and what lies under them, were rewritten after it was kept",
    )


def entries_posted() -> int:
    """How many entries there are, from the funds' own counts: cheap, however many there are."""
    return int(rows("SELECT coalesce(sum(entries_posted), 0) FROM funds_fund")[0][0])
