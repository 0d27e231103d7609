"""Importing a vendor's file of 1 and of 3 million lines (V1), against raw COPY of the same file into a bare table of text.

The dry run with its diff and the commit are each a process of its own, as a worker makes them, whose memory is measured.
Every import meets the same database: 20,000 enrolled locations and no earnings yet.
"""

from __future__ import annotations

import resource
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

import bench.ready as run
from bench import databases, peer, vendor_file, world
from bench.measure import Row, each, median, ratio, rounds
from coop import jobs
from coop.lib.db import rows
from funds.models import Import, Program
from funds.operations.earnings import commit_import
from funds.operations.imports import receive_file

SIZES = (1_000_000, 3_000_000)
FILLED, ROUND = "bench_imports", "bench_imports_round"
AT = datetime(2024, 1, 10, 9, tzinfo=UTC)
MEGABYTE = 1024 * 1024


def raw_copy(path: Path) -> float:
    databases.copy(FILLED, ROUND)
    with databases.owner(ROUND) as sql:
        sql.execute(f"CREATE TABLE bare ({', '.join(f'{name} text' for name in vendor_file.COLUMNS)})")
        began = time.perf_counter()
        sql.execute(f"COPY bare FROM '{path}' (FORMAT csv, HEADER)")
        return time.perf_counter() - began


class Worker:
    """One import on a fresh database, and what its two steps took."""

    def __init__(self, path: Path, lines: int) -> None:
        self.path, self.lines = path, lines
        self.memory = 0

    def step(self, name: str, import_id: int) -> float:
        helper = peer.client("bench.imports", "worker")
        helper.tell(f"{name} {import_id}")
        took, memory = helper.answer().split()
        helper.stop()
        self.memory = max(self.memory, int(memory))
        return float(took)

    def check(self) -> float:
        databases.copy(FILLED, ROUND)
        databases.use(ROUND)
        with self.path.open("rb") as file:
            delivery = receive_file(
                filename="vendor.csv", file=file, max_bytes=settings.IMPORT_COMMAND_MAX_BYTES, by=world.finance(), at=AT
            )
        took = self.step("check", delivery.pk)
        delivery.refresh_from_db()
        if (delivery.status, delivery.new, delivery.rejected) != ("ready", self.lines, 0):
            raise SystemExit(f"{delivery.status}: {delivery.new} new, {delivery.rejected} rejected. {delivery.failure}")
        self.delivery = delivery
        return took

    def commit(self) -> float:
        databases.use(ROUND)
        took = self.step("commit", self.delivery.pk)
        self.delivery.refresh_from_db()
        if self.delivery.status != "committed" or not rows("SELECT 1 FROM funds_entry LIMIT 1"):
            raise SystemExit(f"{self.delivery.status}: {self.delivery.failure}")
        self.delivery.file.delete(save=False)
        return took


def as_worker() -> None:
    """Answer "check ID" or "commit ID" with the seconds it took and the most bytes that this process ever had."""
    rows("SELECT 1")
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    step, import_id = sys.stdin.readline().split()
    began = time.perf_counter()
    if step == "check":
        done = jobs.check_imports(AT)
    else:
        commit_import(int(import_id), by=world.finance(), at=AT)
        done = jobs.commit_imports(AT) if Import.objects.get(id=import_id).status == "running" else None
    if done is not None and done.failed:
        raise SystemExit(f"{step} failed: {done.notes}")
    took = time.perf_counter() - began
    sys.stdout.write(f"{took} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}\n")
    sys.stdout.flush()


def main() -> None:
    scale, turns = run.asked()
    sizes = [run.scaled(size, scale, 1_000) for size in SIZES]
    locations = run.scaled(vendor_file.LOCATIONS, scale, 20)
    world.make_partners(locations)
    world.set_clock(AT)
    program = Program.objects.get(code=world.PROGRAM).name
    databases.settle(FILLED)
    folder = settings.COOP_HOME / "delivered"
    folder.mkdir()
    folder.chmod(0o755)
    workers, works = {}, {}
    for size in sizes:
        path = vendor_file.write(folder / f"{size}.csv", size, program, locations)
        workers[size] = worker = Worker(path, size)
        works[f"raw {size}"] = lambda path=path: raw_copy(path)
        # The commit needs the check before it, so the two stand in one work and the commit is told afterwards.
        works[f"check {size}"] = worker.check
    commits: dict[str, list[float]] = {f"commit {size}": [] for size in sizes}

    def whole(size: int) -> float:
        took = workers[size].check()
        commits[f"commit {size}"].append(workers[size].commit())
        return took

    for size in sizes:
        works[f"check {size}"] = lambda size=size: whole(size)
    took = {**rounds(turns, works), **commits}
    databases.drop(ROUND)
    run.finish(table(sizes, took, {size: worker.memory for size, worker in workers.items()}))


def table(sizes: list[int], took: dict[str, list[float]], memory: dict[int, int]) -> list[Row]:
    found = []
    for size in sizes:
        raw, check, commit = (took[f"{name} {size}"] for name in ("raw", "check", "commit"))
        total = [a + b for a, b in zip(check, commit, strict=True)]
        limit = f"raw COPY: {each(median(raw), size, 'line')}"
        found += [
            Row(
                "V1",
                f"load and post {size:,} lines (commit)",
                each(median(commit), size, "line"),
                limit,
                ratio(commit, raw),
                4,
            ),
            Row(
                "", f"dry run with diff of {size:,} lines", each(median(check), size, "line"), limit, ratio(check, raw)
            ),
            Row("V1", f"both, {size:,} lines", each(median(total), size, "line"), limit, ratio(total, raw), 6),
            Row(
                "V1",
                f"memory of the worker, {size:,} lines",
                f"{memory[size] / MEGABYTE:,.0f} MB",
                "1 GB",
                memory[size] / 1024 / MEGABYTE,
                1,
            ),
        ]
    small, large = sizes[0], sizes[-1]
    line = {
        size: [(a + b) / size for a, b in zip(took[f"check {size}"], took[f"commit {size}"], strict=True)]
        for size in sizes
    }
    found.append(
        Row(
            "V1",
            f"a line of {large:,}",
            f"{median(line[large]) * 1e6:.1f} µs",
            f"of {small:,}: {median(line[small]) * 1e6:.1f} µs",
            ratio(line[large], line[small]),
            1.2,
        )
    )
    return found


if __name__ == "__main__":
    if sys.argv[1] == "worker":
        as_worker()
    else:
        main()
