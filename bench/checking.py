"""Recomputing everything: `check_ledger` over 5 million entries, against one sequential scan of their table (V9)."""

from __future__ import annotations

import bench.ready as run
from bench import databases, world
from bench.measure import Row, each, median, ratio, rounds, timed
from claims.checks import CHECKS
from coop.lib.db import rows
from funds.checks import check_ledger

ENTRIES, EACH = 5_000_000, 101  # an odd number: each hold has its release


def check() -> None:
    report = check_ledger(CHECKS)
    if report.differences:
        raise SystemExit(f"{len(report.differences)} differences, the first: {report.differences[0]}")


def scan() -> float:
    return timed(lambda: rows("SELECT sum(amount_minor) FROM funds_entry"))


def main() -> None:
    scale, turns = run.asked()
    funds = run.scaled(ENTRIES, scale, 1_000) // EACH
    world.make_partners(funds)
    world.post_history(world.make_funds("FY24-H1"), EACH)
    world.back_history()
    world.set_clock(world.CLAIMING)
    databases.settle("bench_checking")
    took = rounds(turns, {"scan": scan, "check": check})
    count = funds * EACH
    run.finish(
        [
            Row(
                "V9",
                f"check_ledger, {count:,} entries of {funds:,} funds",
                each(median(took["check"]), count, "entry"),
                f"one scan of the table: {each(median(took['scan']), count, 'entry')}",
                ratio(took["check"], took["scan"]),
                6,
            )
        ]
    )


if __name__ == "__main__":
    main()
