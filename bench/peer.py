"""The processes that stand beside the product in a run: its peers in their own environment, and clients of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings

import bench.ready as run
from bench import databases

HERE = Path(__file__).resolve().parent
LEGS = 50_000
PEERS = {"hordak": "django-hordak 2.0", "ledger": "django-ledger 0.8.5"}


class Helper:
    """A process that says "ready" and then answers each line it is given with one line."""

    def __init__(self, command: Sequence[str | Path], **env: str) -> None:
        self.process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **env},
            cwd=HERE.parent,
        )

    def wait(self) -> Helper:
        if self.answer() != "ready":
            raise SystemExit(f"{self.process.args} did not start")
        return self

    def tell(self, line: str) -> None:
        self.process.stdin.write(line + "\n")  # type: ignore[union-attr]
        self.process.stdin.flush()  # type: ignore[union-attr]

    def answer(self) -> str:
        return self.process.stdout.readline().strip()  # type: ignore[union-attr]

    def ask(self, line: str) -> float:
        self.tell(line)
        return float(self.answer())

    def stop(self) -> None:
        self.process.stdin.close()  # type: ignore[union-attr]
        self.process.wait(30)


def client(module: str, *arguments: str) -> Helper:
    """A process of the product on the database that is in use now."""
    return Helper([sys.executable, "-m", module, *arguments]).wait()


def environment() -> Path:
    """The peers' own environment, made once beside the servers' folders; its locked packages never meet the product's."""
    folder = settings.COOP_HOME.parent / "peers"
    if not (folder / "complete").exists():
        venv.create(folder, clear=True, with_pip=True)
        pip = [
            folder / "bin" / "python",
            "-m",
            "pip",
            "install",
            "-q",
            "--disable-pip-version-check",
            "--require-hashes",
        ]
        subprocess.run([*pip, "-r", HERE / "requirements-peers.txt"], check=True)
        (folder / "complete").touch()
    return folder / "bin" / "python"


def start(legs: int = LEGS) -> dict[str, Helper]:
    """Each peer on a new database, with so many legs in one account; none if they are left out."""
    if run.alone():
        return {}
    python, found = environment(), settings.DATABASES["default"]
    helpers = {}
    for name in PEERS:
        database = f"bench_peer_{name}"
        with databases.owner() as sql:
            sql.execute(f"DROP DATABASE IF EXISTS {database} (FORCE)")
            sql.execute(f"CREATE DATABASE {database}")
        command = [python, "-W", "ignore", HERE / "peers.py", name, found["HOST"], found["USER"], database, str(legs)]
        helpers[name] = Helper(command).wait()
    return helpers
