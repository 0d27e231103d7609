"""Expiring every fund of a period (V5), against one plain UPDATE of the same rows.

Each way works on its own fresh copy of one filled database. The limit is an UPDATE that moves the same amounts in the same
rows in one statement with the product's triggers off: no entries, no chain, no events, no chunks.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time

import bench.ready as run
from bench import databases, world
from bench.measure import Row, each, median, percentile, ratio, rounds, seconds, timed
from coop.lib.db import rows
from funds.operations.settlement import expire_period

FULL = 500_000
FILLED, ROUND = "bench_sweep", "bench_sweep_round"


def fill(count: int) -> None:
    """Funds of FY24 H1, to be expired, and of FY24 H2, to be claimed from; one entry each."""
    world.make_partners(count)
    for code in ("FY24-H1", "FY24-H2"):
        ids = world.make_funds(code)
        world.earn(ids if code == "FY24-H1" else ids[:2_000])
    world.set_clock(world.AFTER)
    databases.settle(FILLED)


def fresh() -> None:
    databases.copy(FILLED, ROUND)
    databases.use(ROUND)


def plain_update() -> float:
    fresh()
    half = world.period("FY24-H1").id
    with databases.owner(ROUND) as sql:
        sql.execute("ALTER TABLE funds_fund DISABLE TRIGGER ALL")
        return timed(
            lambda: sql.execute(
                "UPDATE funds_fund SET expired_minor = expired_minor + available_minor, available_minor = 0 "
                "WHERE earning_period_id = %s AND available_minor > 0",
                [half],
            )
        )


def one_worker() -> float:
    fresh()
    half = world.period("FY24-H1").id
    took = timed(lambda: expire_period(half, at=world.AFTER))
    require_all_expired(half)
    return took


def workers(count: int) -> subprocess.Popen[str]:
    return [start("worker") for _ in range(count)]


def start(role: str, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "bench.sweep", role, *more],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def two_workers() -> float:
    """Two processes that expire the same period; timed from the moment that both are ready until both are done."""
    fresh()
    half = world.period("FY24-H1").id
    both = [start("worker", str(half)) for _ in range(2)]
    for worker in both:
        worker.stdout.readline()
    began = time.perf_counter()
    for worker in both:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in both:
        worker.stdout.readline()
    took = time.perf_counter() - began
    for worker in both:
        worker.wait()
    require_all_expired(half)
    return took


def as_worker(half: int) -> None:
    rows("SELECT 1")
    print("ready", flush=True)
    sys.stdin.readline()
    expire_period(half, at=world.AFTER)
    print("done", flush=True)


def require_all_expired(half: int) -> None:
    """A sweep that left something, or did not say that it is complete, measured nothing."""
    ((left, entries, funds),) = rows(
        """SELECT count(*) FILTER (WHERE available_minor > 0), (SELECT count(*) FROM funds_entry WHERE kind = 'expiry'), count(*)
           FROM funds_fund WHERE earning_period_id = %s""",
        [half],
    )
    if (
        left
        or entries != funds
        or not rows("SELECT 1 FROM funds_earningperiod WHERE id = %s AND expired_at IS NOT NULL", [half])
    ):
        raise SystemExit(f"{left} of {funds} funds were not expired, {entries} entries")


def main() -> None:
    scale, turns = run.asked()
    count = run.scaled(FULL, scale, 500)
    fill(count)
    took = rounds(turns, {"plain": plain_update, "one": one_worker, "two": two_workers})
    against = each(median(took["plain"]), count, "fund")
    found = [
        Row(
            "V5",
            f"expire {count:,} funds with entries, chain and events, one worker",
            each(median(took["one"]), count, "fund"),
            f"plain UPDATE: {against}",
            ratio(took["one"], took["plain"]),
            3,
        ),
        Row(
            "V5",
            "the same with two workers",
            each(median(took["two"]), count, "fund"),
            f"plain UPDATE: {against}",
            ratio(took["two"], took["plain"]),
            1.5,
        ),
    ]
    databases.drop(ROUND)
    run.finish(found)


if __name__ == "__main__":
    if sys.argv[1] == "worker":
        as_worker(int(sys.argv[2]))
    else:
        main()
