"""Expiring every fund of a period (V5), against one plain UPDATE of the same rows.

Each way works on its own fresh copy of one filled database. The limit is an UPDATE that moves the same amounts in the same
rows in one statement with the product's triggers off: no entries, no chain, no events, no chunks.

Then claims are sent at a fixed rate in quiet, while the period expires, and while its partners are told of it. The three take
turns in slices of a few seconds, so that whoever else works on the machine disturbs all of them alike.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from typing import TypeVar

import bench.ready as run
from bench import databases, drafts, peer, world
from bench.measure import Row, each, median, percentile, ratio, rounds, seconds, timed
from coop.lib.db import execute, rows
from coop.telling import tell_untold
from funds.operations.settlement import expire_period

FULL = 500_000
CLAIMS, RATE, SLICE = 1_500, 5, 4  # claims that are ready, how many are sent a second, and the seconds of a slice
Said = TypeVar("Said")
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
        world.make_marketers()
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
    """How long claims take that are sent at a fixed rate by another process: quiet, while a period expires, while it is told.

    Each of the two works only in its own slices: it stands still between them.
    """

    def __init__(self, slice_seconds: float) -> None:
        self.slice_seconds = slice_seconds
        self.took: dict[str, list[float]] = {"quiet": [], "expire": [], "tell": []}
        self.told, self.told_seconds, self.memory = 0, 0.0, 0

    def round(self) -> None:
        fresh()
        half = world.period("FY24-H1").id
        self.ids = [row[0] for row in rows("SELECT id FROM claims_claim WHERE status = 'draft' ORDER BY id")]
        execute("DELETE FROM partners_untold")  # of what was made before
        self.client = peer.client("bench.drafts")
        self.client.ask("send " + " ".join(map(str, self.take(10))))  # what is only slow the first time
        expire, tell = peer.client("bench.sweep", "slices", str(half)), peer.client("bench.sweep", "tell-slices")
        expired = all_told = False
        while not all_told and len(self.ids) > 4 * self.slice_seconds * RATE:
            self.send("quiet", lambda: time.sleep(self.slice_seconds))
            if not expired:
                expired = self.send("expire", lambda: self.let(expire))[0] == "over"
            over, told, took, memory = self.send("tell", lambda: self.let(tell))
            all_told = expired and over == "over"
            self.told, self.told_seconds = self.told + int(told), self.told_seconds + float(took)
            self.memory = max(self.memory, int(memory))
        for worker in (self.client, expire, tell):
            worker.stop()

    def let(self, worker: peer.Helper) -> list[str]:
        """Let a worker work for a slice; what it says of that."""
        worker.tell(str(self.slice_seconds))
        return worker.answer().split()

    def take(self, count: int) -> list[int]:
        taken, self.ids = self.ids[:count], self.ids[count:]
        return taken

    def send(self, name: str, meanwhile: Callable[[], Said]) -> Said:
        """Send claims while something else is done; returns what that returns."""
        ids = self.ids[: round(self.slice_seconds * RATE * 4)]
        self.client.tell(f"rate {RATE} " + " ".join(map(str, ids)))
        found = meanwhile()
        self.client.tell("stop")
        took = [float(word) for word in self.client.answer().split()]
        self.take(len(took))
        self.took[name] += took
        return found


class Sliced:
    """Work that stands still when its slice is over, until the next line says how many seconds it may go on."""

    def __init__(self) -> None:
        self.until, self.done, self.began = 0.0, 0, 0.0

    def begin(self) -> bool:
        line = sys.stdin.readline()
        if line:
            self.began, self.done = time.perf_counter(), 0
            self.until = self.began + float(line)
        return bool(line)

    def step(self, done: int = 1) -> None:
        self.done += done
        if time.perf_counter() >= self.until:
            self.say("more")
            if not self.begin():
                raise SystemExit

    def say(self, word: str) -> None:
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        sys.stdout.write(f"{word} {self.done} {time.perf_counter() - self.began} {memory}\n")
        sys.stdout.flush()


def in_slices(work: Callable[[Callable[[int], None]], object]) -> None:
    rows("SELECT 1")
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sliced = Sliced()
    while sliced.begin():
        work(sliced.step)
        sliced.say("over")


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
    few = min(1.0, 3 * scale)  # a percentile needs its claims, also of few funds
    fill(count, run.scaled(CLAIMS, few, 60))
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
    latency = Latency(max(1.0, SLICE * few))
    for _ in range(turns):
        latency.round()
    quiet = percentile(latency.took["quiet"], 0.99)
    for name, what in (("expire", "funds expire"), ("tell", "partners are told of it")):
        during = percentile(latency.took[name], 0.99)
        found.append(
            Row(
                "V5",
                f"99th percentile of sending a claim, {RATE} a second, while {what} ({len(latency.took[name])} claims)",
                seconds(during),
                f"quiet: {seconds(quiet)} ({len(latency.took['quiet'])} claims)",
                during / quiet,
                2,
            )
        )
    told = each(latency.told_seconds, max(latency.told, 1), "event")
    alone = each(median(took["one"]), count, "fund")
    share = latency.told_seconds / max(latency.told, 1) / (median(took["one"]) / count)
    found.append(Row("", f"telling of {latency.told:,} expired funds", told, f"expiring them: {alone}", share))
    found.append(Row("V5", "memory of who tells", f"{latency.memory // 1024} MB", "1 GB", latency.memory / 1024**2, 1))
    databases.drop(ROUND)
    run.finish(found)


if __name__ == "__main__":
    if sys.argv[1] == "worker":
        as_worker()
    elif sys.argv[1] == "slices":
        in_slices(lambda step: expire_period(int(sys.argv[2]), at=world.AFTER, tell=step))
    elif sys.argv[1] == "tell-slices":
        in_slices(lambda step: tell_untold(at=world.AFTER, step=step))
    else:
        main()
