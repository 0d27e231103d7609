"""Moves the sandbox's clock while everything is under load: in leaps where nothing is due, in tiny steps across each instant
at which something closes, so that some claims are sent in that very second.

Mostly it moves the row of the clock alone, so that the worker's timetable finds what is due; sometimes it asks the product to
move it, which runs the jobs in the web process while the worker may run the same ones.

Run as `python -m tests.chaos.mover HOME PORT NAME SEED SECONDS UNTIL`.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from coop.embedded import database_url
from tests.chaos.client import Load, Unanswered

# Around an instant: how far from it the clock stands, and for how long it is left there (a share of the time for it).
STEPS = (
    (timedelta(seconds=-30), 2.0),
    (timedelta(seconds=-2), 2.0),
    (timedelta(seconds=-1), 1.0),
    (timedelta(microseconds=-1), 1.0),
    (timedelta(0), 1.0),
    (timedelta(microseconds=1), 1.0),
    (timedelta(seconds=1), 1.0),
    (timedelta(seconds=30), 1.0),
)
# What closes, and how many seconds a long run takes for it.
CLOSES = """
  SELECT DISTINCT at, max(takes) FROM (
    SELECT claims_close_at AS at, 8 AS takes, id FROM funds_earningperiod
    UNION ALL SELECT cure_close_at, 3, id FROM funds_earningperiod
    UNION ALL SELECT settle_at, 1, id FROM funds_earningperiod
    UNION ALL SELECT own_close_at, 2, earning_period_id FROM funds_fund WHERE own_close_at IS NOT NULL
  ) closes (at, takes, period)
  WHERE at > %s AND at <= %s AND EXISTS (SELECT 1 FROM funds_fund f WHERE f.earning_period_id = period OR takes = 1)
  GROUP BY at ORDER BY at"""


class Mover(Load):
    def __init__(self, home: Path, port: int, name: str, seed: str, seconds: float, until: datetime) -> None:
        super().__init__(home, port, name, seed)
        self.ends, self.until = time.monotonic() + seconds, until
        self.slow = min(1.0, seconds / 300)  # a short run takes less time for each instant
        self.database = database_url(home)

    def run(self) -> None:
        now = datetime.fromisoformat(self.world["begin"])
        while now < self.until and not self.over:
            closes = self.ask(CLOSES, now, self.until)
            soon = closes[0][0] if closes else self.until
            free = max(1.0, self.ends - time.monotonic() - sum(takes for _, takes in closes) * self.slow)
            # One leap a second, at even speed over the time that the closings leave.
            leap = (self.until - now) / free
            if soon - now > leap:
                now = self.move(now + leap * self.chance.uniform(0.6, 1.4))
                self.rest(1.0)
            else:
                now = self.cross(now, soon, float(closes[0][1]) * self.slow if closes else 0.5)
        self.write({"arrived": now.isoformat()})

    def cross(self, now: datetime, instant: datetime, seconds: float) -> datetime:
        for step, share in STEPS:
            if instant + step > now and not self.over:
                now = self.move(instant + step)
                self.rest(seconds * share / 10)
        return now

    def move(self, to: datetime) -> datetime:
        if self.chance.random() < 0.25:
            key = self.world["vendor"]["program"]
            try:
                self.once("PUT", "clock/", key, json={"now": to.isoformat(), "run_jobs": True})
            except Unanswered:
                pass  # it may have moved or not
        self.ask("UPDATE lib_sandboxclock SET now = greatest(now, %s), jobs_held = false RETURNING now", to)
        self.write({"moved": to.isoformat(), "at": time.time()})
        return to

    def rest(self, seconds: float) -> None:
        time.sleep(seconds * self.chance.uniform(0.7, 1.3))

    def ask(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask until the database answers."""
        while True:
            try:
                with psycopg.connect(self.database, connect_timeout=3) as connection:
                    return connection.execute(sql, values).fetchall()
            except psycopg.Error:
                if self.over:
                    raise
                time.sleep(0.1)


def main() -> None:
    home, port, name, seed, seconds, until = sys.argv[1:7]
    os.environ["COOP_HOME"] = home
    Mover(Path(home), int(port), name, seed, float(seconds), datetime.fromisoformat(until)).run()


if __name__ == "__main__":
    main()
