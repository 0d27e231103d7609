"""`python -m bench [NAME ...]`: start a PostgreSQL, run the benchmarks, print their tables, write them into the document.

Each benchmark is a module of this package that runs as a process of its own, on a database of its own that is a copy of
one that was migrated and given the catalog and the vendor's people. Everything lies in COOP_HOME/bench and is deleted at
the end.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from bench import measure
from coop import embedded
from coop.servers import Postgres

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "performance.md"
NAMES = ("imports", "sweep", "reads", "posting", "checking", "web")
TEMPLATE = "coop"
# Durable as in production; memory and WAL as any real server would have them, the rest as PostgreSQL ships it.
SETTINGS = {
    "shared_buffers": "1GB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "maintenance_work_mem": "256MB",
    "jit": "off",
}


def main() -> int:
    asked = arguments()
    home = embedded.home() / "bench"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    embedded.prepare_home(home)
    postgres = Postgres(home, SETTINGS)
    failed = []
    try:
        postgres.start()
        postgres.wait()
        prepare(postgres, home)
        for name in asked.names or NAMES:
            rows = run(name, asked, postgres, home)
            if rows is None:
                failed.append(name)
            elif asked.write or asked.scale == 1:
                write(name, rows, asked)
    finally:
        postgres.stop()
        if not asked.keep:
            shutil.rmtree(home, ignore_errors=True)
    return 1 if failed else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *NAMES], metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--scale", type=float, default=1.0, help="1 is the size that the goals speak of")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="write the tables into the document below scale 1 too")
    parser.add_argument("--alone", action="store_true", help="without the peers, which need packages of their own")
    parser.add_argument("--keep", action="store_true", help="leave the servers' folder behind")
    return parser.parse_args()


def environment(home: Path, database: str) -> dict[str, str]:
    """The environment of a process of this run: the sandbox of this run's home, nothing of anybody's real servers."""
    theirs = {"DATABASE_URL", "REDIS_URL", "COOP_TESTING", "COOP_POOL"}
    ours = {"COOP_HOME": str(home), "COOP_DATABASE": database, "DJANGO_SETTINGS_MODULE": "coop.settings"}
    return {**{name: value for name, value in os.environ.items() if name not in theirs}, **ours, "LOG_LEVEL": "ERROR"}


def prepare(postgres: Postgres, home: Path) -> None:
    """Make the database that every benchmark gets a copy of."""
    postgres.query(f"CREATE DATABASE {TEMPLATE}")
    subprocess.run(
        [sys.executable, "manage.py", "prepare", "--new", "--empty", "--without-static"],
        cwd=ROOT,
        env=environment(home, TEMPLATE),
        stdout=subprocess.DEVNULL,
        check=True,
    )


def run(name: str, asked: argparse.Namespace, postgres: Postgres, home: Path) -> list[measure.Row] | None:
    """Run one benchmark and print its table; None if it failed."""
    database = f"bench_{name}"
    postgres.query(f"CREATE DATABASE {database} TEMPLATE {TEMPLATE} STRATEGY FILE_COPY")
    result = home / f"{name}.json"
    began = time.monotonic()
    command = [
        sys.executable,
        "-m",
        f"bench.{name}",
        str(asked.scale),
        str(asked.rounds),
        str(result),
        *(["alone"] if asked.alone else []),
    ]
    done = subprocess.run(command, cwd=ROOT, env=environment(home, database), check=False)
    for left in postgres.query(f"SELECT datname FROM pg_database WHERE datname LIKE 'bench_{name}%'").split():
        postgres.query(f"DROP DATABASE {left} (FORCE)")
    if done.returncode != 0:
        sys.stdout.write(f"{name} failed\n")
        return None
    rows = measure.load(result)
    sys.stdout.write(f"\n{name}, scale {asked.scale:g}, {time.monotonic() - began:.0f} s\n{measure.plain(rows)}\n")
    sys.stdout.flush()
    return rows


def write(name: str, rows: list[measure.Row], asked: argparse.Namespace) -> None:
    """Put a table between its two marks in the document."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    said = (
        f"Measured {time.strftime('%Y-%m-%d', time.gmtime())} in {asked.rounds} round{'s' * (asked.rounds > 1)}, "
        f"scale {asked.scale:g}, on {os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GB, "
        f"Python {platform.python_version()}."
    )
    text = DOCUMENT.read_text(encoding="utf-8")
    marks = re.compile(rf"(<!-- bench {name} -->\n).*?(<!-- end -->)", flags=re.DOTALL)
    table = f"{said}\n\n{measure.markdown(rows)}\n"
    DOCUMENT.write_text(marks.sub(lambda found: found[1] + table + found[2], text), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
