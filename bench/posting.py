"""Sending a claim by the full operation, and posting alone (V2), against two peers and pgbench's TPC-B-like transaction.

Every claim is sent from a fund of its own. The peers post two bare legs of one movement, without any rule, limit or event.
"""

from __future__ import annotations

import subprocess
from itertools import count

from django.conf import settings
from django.db import transaction

import bench.ready as run
from bench import databases, drafts, peer, world
from bench.measure import Row, median, ratio, rounds, timed
from coop.lib import clock
from coop.programs import postgres_programs
from funds.ledger import Movement, lock_fund, post

CLAIMS, CLIENTS = 200, 16
PGBENCH = "bench_pgbench"


def make_clients(number: int) -> list[peer.Helper]:
    return [peer.client("bench.drafts") for _ in range(number)]


def send_all(clients: list[peer.Helper], ids: list[int]) -> float:
    """Share the claims among the clients and wait for the last of them."""
    shares = [ids[turn :: len(clients)] for turn in range(len(clients))]

    def work() -> None:
        for client, share in zip(clients, shares, strict=True):
            client.tell("send " + " ".join(map(str, share)))
        for client in clients:
            client.answer()

    return timed(work) / len(ids)


def post_alone(fund_ids: list[int], serial: int) -> None:
    for fund_id in fund_ids:
        with transaction.atomic():
            fund = lock_fund(fund_id)
            movement = Movement(
                "adjustment",
                "program",
                "available",
                100,
                fund.earning_period.use_from,
                "adjustment",
                str(serial),
                f"bench:{serial}",
                "ops_adjustment",
            )
            post(fund, movement, by=None, at=clock.now())


def run_pgbench(*arguments: str) -> str:
    found = settings.DATABASES["default"]
    where = ["-h", found["HOST"], "-U", found["USER"]]
    program = postgres_programs(settings.COOP_HOME) / "pgbench"
    done = subprocess.run([program, *where, *arguments, PGBENCH], capture_output=True, text=True, check=True)
    return done.stdout


def pgbench(clients: int, seconds: int) -> float:
    """Seconds a transaction of pgbench's own TPC-B-like script, at so many clients."""
    said = run_pgbench("-n", "-c", str(clients), "-j", str(min(clients, 2)), "-T", str(seconds))
    line = next(line for line in said.splitlines() if line.startswith("tps = "))
    return 1 / float(line.split()[2])


def main() -> None:
    scale, turns = run.asked()
    claims = run.scaled(CLAIMS, scale, 16)
    seconds, clients = run.scaled(5, scale, 1), CLIENTS if scale >= 0.1 else 2
    world.make_partners(claims * turns * 2)
    funds = world.make_funds("FY24-H1")
    world.earn(funds)
    world.set_clock(world.CLAIMING)
    waiting = iter(drafts.make(funds))
    databases.settle("bench_posting")
    databases.use("bench_posting")
    with databases.owner() as sql:
        sql.execute(f"DROP DATABASE IF EXISTS {PGBENCH} (FORCE)")
        sql.execute(f"CREATE DATABASE {PGBENCH}")
    run_pgbench("-i", "-q", "-s", str(run.scaled(10, scale)))
    one, many = make_clients(1), make_clients(clients)
    peers = peer.start(100)
    serial = count(1)

    def take() -> list[int]:
        return [next(waiting) for _ in range(claims)]

    beside = {name: lambda helper=helper: helper.ask(f"post {claims}") / claims for name, helper in peers.items()}
    took = rounds(
        turns,
        {
            **beside,
            "one": lambda: send_all(one, take()),
            "many": lambda: send_all(many, take()),
            "post": lambda: timed(lambda: post_alone(funds[:claims], next(serial))) / claims,
            "tpcb 1": lambda: pgbench(1, seconds),
            "tpcb 16": lambda: pgbench(clients, seconds),
        },
    )
    for helper in [*one, *many, *peers.values()]:
        helper.stop()
    run.finish(table(took, clients))


def table(took: dict[str, list[float]], clients: int) -> list[Row]:
    def of(name: str) -> str:
        return f"{1 / median(took[name]):,.0f} a second"

    def faster(ours: str, theirs: str) -> float:
        """How many of ours are done in the time of one of theirs."""
        return ratio(took[theirs], took[ours])

    full, alone = "send a claim by the full operation", "lock a fund and post one entry"
    legs, journal = f"{peer.PEERS['hordak']}, two bare legs", f"{peer.PEERS['ledger']}, one journal entry"
    tpcb = "pgbench TPC-B-like"
    wanted = [
        ("V2", f"{full}, one client", "one", legs, "hordak", 1.0),
        ("V2", f"{full}, {clients} clients", "many", f"{tpcb}, {clients} clients", "tpcb 16", 0.5),
        ("", f"{full}, one client", "one", f"{tpcb}, one client", "tpcb 1", None),
        ("", f"{full}, one client", "one", journal, "ledger", None),
        ("", alone, "post", legs, "hordak", None),
        ("", alone, "post", journal, "ledger", None),
    ]
    return [
        Row(promise, what, of(ours), f"{named}: {of(theirs)}", faster(ours, theirs), goal, at_most=False)
        for promise, what, ours, named, theirs, goal in wanted
        if theirs in took
    ]


if __name__ == "__main__":
    main()
