"""Sums over all records at once that tell whether two tables agree, record by record, without going through the records.

Each amount is multiplied by a number that is drawn for its record and bucket, and all products are summed modulo a prime.
Where the entries give another sum than the records, some record differs, and the check that names it is made. Where the two
sums are the same, every record agrees: that two tables which differ give the same sum by chance happens once in a thousand
million runs, and each run draws anew, so it does not happen twice (Freivalds' check, 1977). All such sums of a check run come
out of one pass over the entries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from secrets import randbits

from coop.lib.db import rows

PRIME = 2_147_483_647  # 2^31 - 1: the product of two numbers below it fits a bigint
SEED = ":seed"  # stands in the SQL for the number that a run begins with


@dataclass(frozen=True)
class Fingerprint:
    """Two sums that agree if a check holds: an expression over one entry, and a query over the records."""

    entries: str
    records: str


def drawn(number: str) -> str:
    """SQL: the number below 2^31 that this run draws for a bigint."""
    return f"(hashint8extended({number}, {SEED}) & {PRIME})"


def drawn_for(text: str) -> str:
    """SQL: the number below 2^31 that this run draws for a text."""
    return f"(hashtextextended({text}, {SEED}) & {PRIME})"


def times(*factors: str) -> str:
    """SQL: the product modulo the prime, of bigint factors of any size."""
    product = f"mod({factors[0]}, {PRIME})"
    for factor in factors[1:]:
        product = f"mod({product} * mod({factor}, {PRIME}), {PRIME})"
    return product


def disagreeing(fingerprints: Sequence[Fingerprint]) -> tuple[int, set[Fingerprint]]:
    """How many entries there are, and the fingerprints of which the two sums differ."""
    seed = str(randbits(62))
    sums = "".join(f", coalesce(sum({each.entries}), 0)" for each in fingerprints)
    ((entries, *found),) = rows(f"SELECT count(*){sums} FROM funds_entry".replace(SEED, seed))
    differing = set()
    for each, of_entries in zip(fingerprints, found, strict=True):
        ((of_records,),) = rows(
            f"SELECT coalesce(sum(value), 0) FROM ({each.records}) AS r (value)".replace(SEED, seed)
        )
        if (of_entries - of_records) % PRIME:
            differing.add(each)
    return entries, differing
