"""Balances now and as of a past day, at 10 thousand, 1 million and 10 million entries (V3, V4).

An ordinary fund has 100 entries at every size; one whale holds a tenth of them all. Each size is a database of its own, so
that the sizes take turns in every round. The peers read a balance of an account with 50,000 legs.
"""

from __future__ import annotations

import random
from datetime import date
from itertools import cycle, islice

import bench.ready as run
from bench import databases, peer, world
from bench.measure import Row, median, ratio, rounds, seconds, timed
from coop.lib.db import rows
from funds.models import Fund
from funds.queries.past import balance_as_of

SIZES = (10_000, 1_000_000, 10_000_000)
EACH = 100
PAST = date(2023, 10, 1)
READS = 200


def database_of(size: int) -> str:
    return f"bench_reads_{size}"


def fill(size: int) -> None:
    """So many entries: a tenth in the first fund, the others a hundred to a fund, over the days of the earning period."""
    databases.copy("bench_reads", database_of(size))
    databases.use(database_of(size))
    ordinary = max(1, (size - size // 10) // EACH)
    world.make_partners(ordinary + 1)
    ids = world.make_funds("FY24-H1")
    world.post_history(ids[1:], EACH)
    world.post_history(ids[:1], size // 10)
    databases.settle(database_of(size))


class Reader:
    """Reads of random ordinary funds, or of the whale, on one of the databases."""

    def __init__(self, size: int) -> None:
        databases.use(database_of(size))
        self.size = size
        self.ids = [row[0] for row in rows("SELECT id FROM funds_fund ORDER BY id")]
        chosen = random.Random(size).choices(self.ids[1:], k=READS)
        self.ordinary = cycle(chosen)

    def begin(self) -> None:
        databases.use(database_of(self.size))
        rows("SELECT 1")

    def now(self, count: int, whale: bool = False) -> float:
        self.begin()
        ids = self.ids[:1] * count if whale else list(islice(self.ordinary, count))
        return timed(lambda: [Fund.objects.get(id=fund_id).available_minor for fund_id in ids]) / count

    def past(self, count: int, whale: bool = False) -> float:
        self.begin()
        ids = self.ids[:1] * count if whale else list(islice(self.ordinary, count))
        funds = Fund.objects.select_related("earning_period")
        return (
            timed(lambda: [balance_as_of(funds.get(id=fund_id), as_of=PAST).available_minor for fund_id in ids]) / count
        )

    def bare(self, count: int) -> float:
        self.begin()
        return timed(lambda: [rows("SELECT 1") for _ in range(count)]) / count


def main() -> None:
    scale, turns = run.asked()
    sizes = sorted({run.scaled(size, scale, 1_000) for size in SIZES})
    for size in sizes:
        fill(size)
    readers = {size: Reader(size) for size in sizes}
    peers = peer.start(run.scaled(peer.LEGS, min(1, scale * 10), 100))
    works = {}
    for size, reader in readers.items():
        works[f"now {size}"] = lambda reader=reader: reader.now(READS)
        works[f"past {size}"] = lambda reader=reader: reader.past(READS)
        works[f"whale now {size}"] = lambda reader=reader: reader.now(READS, whale=True)
        works[f"whale past {size}"] = lambda reader=reader: reader.past(3, whale=True)
    works["bare"] = lambda: readers[sizes[-1]].bare(READS)
    for name, times in (("hordak", 10), ("ledger", 3)):
        if name in peers:
            works[name] = lambda helper=peers[name], times=times: helper.ask(f"read {times}") / times
    took = rounds(turns, works)
    for helper in peers.values():
        helper.stop()
    run.finish(table(sizes, took))
    for size in sizes:
        databases.drop(database_of(size))


def table(sizes: list[int], took: dict[str, list[float]]) -> list[Row]:
    small, large = sizes[0], sizes[-1]

    def against(ours: str, theirs: str) -> float:
        return ratio(took[ours], took[theirs])

    def of(name: str) -> str:
        return seconds(median(took[name]))

    now = f"balance of a fund at {large:,} entries"
    found = [
        Row("V3", now, of(f"now {large}"), f"{name}: {of(key)}", against(key, f"now {large}"), goal, at_most=False)
        for key, name, goal in (("hordak", peer.PEERS["hordak"], 50), ("ledger", peer.PEERS["ledger"], 500))
        if key in took
    ]
    found += [
        Row(
            "V3",
            f"balance at {size:,} entries",
            of(f"now {size}"),
            f"at {small:,}: {of(f'now {small}')}",
            against(f"now {size}", f"now {small}"),
            1.3,
        )
        for size in sizes[1:]
    ]
    found.append(
        Row(
            "V3",
            f"balance of a whale of {large // 10:,} entries",
            of(f"whale now {large}"),
            f"of an ordinary fund: {of(f'now {large}')}",
            against(f"whale now {large}", f"now {large}"),
            1.3,
        )
    )
    found += [
        Row(
            "V4",
            f"balance as of a past day at {size:,} entries",
            of(f"past {size}"),
            f"now: {of(f'now {size}')}",
            against(f"past {size}", f"now {size}"),
            5,
        )
        for size in sizes
    ]
    found += [
        Row(
            "V4",
            f"the same of a whale of {size // 10:,} entries",
            of(f"whale past {size}"),
            f"now: {of(f'whale now {size}')}",
            against(f"whale past {size}", f"whale now {size}"),
            5,
        )
        for size in sizes
    ]
    found.append(
        Row(
            "",
            "balance of a fund, through Django's ORM",
            of(f"now {large}"),
            f"SELECT 1: {of('bare')}",
            against(f"now {large}", "bare"),
        )
    )
    return found


if __name__ == "__main__":
    main()
