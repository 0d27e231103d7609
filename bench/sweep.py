"""Expiring every fund of a period (V5), against one plain UPDATE of the same rows.

Each way works on its own fresh copy of one filled database. The limit is an UPDATE that moves the same amounts in the same
rows in one statement with the product's triggers off: no entries, no chain, no events, no chunks.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import bench.ready as run
from bench import databases, drafts, peer, world
from bench.measure import Row, each, median, percentile, ratio, rounds, seconds, timed
from coop.lib.db import rows
from funds.operations.settlement import expire_period

FULL = 500_000
CLAIMS, RATE, QUIET = (
    1_000,
    10,
    15,
)  # claims that are ready, how many are sent a second, and for how many seconds in quiet
FILLED, ROUND = "bench_sweep", "bench_sweep_round"


def fill(count: int, claims: int = 0) -> None:
    """Funds of FY24 H1, to be expired, and of FY24 H2, with claims ready to be sent from some of them."""
    world.make_partners(count)
    world.earn(world.make_funds("FY24-H1"))
    world.set_clock(world.AFTER)
    if claims:
        ids = world.make_funds("FY24-H2", first=claims)
        world.earn(ids)
        drafts.make(ids)
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


def two_workers() -> float:
    """Two processes that expire the same period; timed from the moment that both are ready until both are done."""
    fresh()
    half = world.period("FY24-H1").id
    both = [peer.client("bench.sweep", "worker") for _ in range(2)]

    def work() -> None:
        for worker in both:
            worker.tell(str(half))
        for worker in both:
            worker.answer()

    took = timed(work)
    for worker in both:
        worker.stop()
    require_all_expired(half)
    return took


def as_worker() -> None:
    """Expire the period that a line names, and say so."""
    rows("SELECT 1")
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    expire_period(int(sys.stdin.readline()), at=world.AFTER)
    sys.stdout.write("done\n")
    sys.stdout.flush()


class Latency:
    """How long claims take that are sent at a fixed rate by another process, quiet and while a period expires."""

    def __init__(self, quiet_seconds: float) -> None:
        self.quiet_seconds = quiet_seconds
        self.quiet: list[float] = []
        self.during: list[float] = []

    def round(self) -> None:
        fresh()
        half = world.period("FY24-H1").id
        ids = [row[0] for row in rows("SELECT id FROM claims_claim WHERE status = 'draft' ORDER BY id")]
        client = peer.client("bench.drafts")
        client.ask("send " + " ".join(map(str, ids[:10])))  # what is only slow the first time
        middle = min(len(ids) // 2, round(self.quiet_seconds * RATE) + 10)
        self.quiet += self.send(client, ids[10:middle], lambda: time.sleep(self.quiet_seconds))
        worker = peer.client("bench.sweep", "worker")
        worker.tell(str(half))
        self.during += self.send(client, ids[middle:], worker.answer)
        worker.stop()
        client.stop()

    @staticmethod
    def send(client: peer.Helper, ids: list[int], meanwhile: Callable[[], object]) -> list[float]:
        client.tell(f"rate {RATE} " + " ".join(map(str, ids)))
        meanwhile()
        client.tell("stop")
        return [float(word) for word in client.answer().split()]


def require_all_expired(half: int) -> None:
    """A sweep that left something, or did not say that it is complete, measured nothing."""
    ((left, entries, funds),) = rows(
        """SELECT count(*) FILTER (WHERE available_minor > 0),
             (SELECT count(*) FROM funds_entry WHERE kind = 'expiry'), count(*)
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
    fill(count, run.scaled(CLAIMS, scale, 60))
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
    latency = Latency(max(1.0, QUIET * scale))
    for _ in range(turns):
        latency.round()
    quiet, during = percentile(latency.quiet, 0.99), percentile(latency.during, 0.99)
    found.append(
        Row(
            "V5",
            f"99th percentile of sending a claim, {RATE} a second, while funds expire ({len(latency.during)} claims)",
            seconds(during),
            f"quiet: {seconds(quiet)} ({len(latency.quiet)} claims)",
            during / quiet,
            2,
        )
    )
    databases.drop(ROUND)
    run.finish(found)


if __name__ == "__main__":
    if sys.argv[1] == "worker":
        as_worker()
    else:
        main()
