"""One run from the first process to the auditor's word."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from coop.embedded import database_url, prepare_home
from tests.chaos.breaks import NAMES
from tests.chaos.nemesis import EVERY, Nemesis

ROOT = Path(__file__).resolve().parents[2]
SECONDS_TO_START = 180.0
SECONDS_TO_END = 150.0  # for what is still to be done when nothing is killed any more
# One to four halves close on the way, each at two instants: New York's midnight and Tokyo's; and can be mended after that.
UNTIL = [datetime(year, month, 12, tzinfo=UTC) for year, month in ((2024, 10), (2025, 4), (2025, 10), (2026, 4))]
SECONDS_A_HALF = 120.0


@dataclass
class Plan:
    """How long, by whom, and how often each thing is killed, in seconds."""

    seconds: float = 600.0
    partners: int = 3
    reviewers: tuple[str, ...] = ("manager", "pcmm")
    every: dict[str, float] = field(default_factory=lambda: dict(EVERY))

    @property
    def until(self) -> datetime:
        """To where the sandbox's clock is moved."""
        return UNTIL[min(len(UNTIL) - 1, int(self.seconds / SECONDS_A_HALF))]


LONG = Plan()
SHORT = Plan(
    seconds=15.0,
    partners=2,
    reviewers=("manager",),
    every={"worker": 11.0, "beat": 19.0, "redis": 9.0, "flushall": 10.0, "postgres": 12.0, "web": 14.0},
)


class Run:
    def __init__(self, home: Path, *, seed: str, port: str, plan: Plan, broken: str = "") -> None:
        self.home, self.seed, self.port, self.plan, self.broken = home, seed, port, plan, broken
        self.children: list[subprocess.Popen[bytes]] = []
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in FOREIGN},
            "COOP_HOME": str(home),
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "DJANGO_SETTINGS_MODULE": "tests.chaos.settings",
            "CHAOS_BREAK": broken,
        }
        prepare_home(home)
        (home / "journals").mkdir(exist_ok=True)

    def go(self, say: Callable[[str], None]) -> dict[str, Any]:
        """Make it all happen; returns what was found. Raises RuntimeError where the stack itself does not start."""
        commit = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        said = {"seed": self.seed, "commit": commit.stdout.strip(), "broken": self.broken, "seconds": self.plan.seconds}
        say(" ".join(f"{name} {value}" for name, value in said.items() if value))
        try:
            self.start_stack()
            say(f"The stack runs in {self.home}; load and nemesis begin.")
            began = time.monotonic()
            nemesis = self.destroy()
            took = time.monotonic() - began
            say(f"{len(nemesis.kills)} kills. Nothing is killed any more; what is left is being done.")
            drained = self.drain(nemesis)
            audited = self.audit()
        finally:
            self.stop()
        return {**said, "load_seconds": round(took, 1), "drained": drained, "kills": nemesis.report(), **audited}

    # Starting

    def start_stack(self) -> None:
        sinks = self.start("sinks", "tests.chaos.sinks", str(self.home))
        self.wait_for("sinks.json", sinks)
        mail = json.loads((self.home / "sinks.json").read_text())["mail"]
        self.environment |= {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(mail), "WEBHOOK_PRIVATE_ADDRESSES": "1"}
        self.environment["LEDGER_HEAD_MAIL_TO"] = "heads@vendor.example"
        stack = self.start("stack", "tests.chaos.stack", str(self.home), self.port, self.seed)
        self.wait_for("status.json", stack)

    def start(self, name: str, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.home / "logs" / f"{name}.out").open("ab") as output:
            child = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.children.append(child)
        return child

    def wait_for(self, file: str, child: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + SECONDS_TO_START
        while not (self.home / file).exists():
            if child.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{child.args} did not start: see {self.home}/logs.")
            time.sleep(0.1)

    # Load and kills

    def destroy(self) -> Nemesis:
        names = [f"partner-{number}" for number in range(self.plan.partners)]
        load = [self.start(n, "tests.chaos.partners_load", str(self.home), self.port, n, self.seed) for n in names]
        load += [
            self.start(who, "tests.chaos.vendor_load", str(self.home), self.port, who, self.seed)
            for who in (*self.plan.reviewers, "finance", "program", "reader")
        ]
        until, seconds = self.plan.until.isoformat(), str(self.plan.seconds)
        mover = self.start("mover", "tests.chaos.mover", str(self.home), self.port, "mover", self.seed, seconds, until)
        nemesis = Nemesis(self.home, int(self.port), self.seed, self.plan.every)
        while mover.poll() is None:
            nemesis.look()
            time.sleep(0.05)
        for what in ("worker", "redis", "postgres", "web"):  # a short run may have left one out
            if not any(kill.what == what for kill in nemesis.kills):
                nemesis.kill(what)
        (self.home / "stop").touch()
        (self.home / "kills.json").write_text(json.dumps([(kill.what, kill.wall) for kill in nemesis.kills]))
        deadline = time.monotonic() + SECONDS_TO_END
        while any(child.poll() is None for child in load) and time.monotonic() < deadline:
            nemesis.note_returns()
            time.sleep(0.1)
        (self.home / "ends.json").write_text(json.dumps({child.args[-2]: child.poll() for child in (*load, mover)}))  # type: ignore[index]
        return nemesis

    def drain(self, nemesis: Nemesis) -> float | None:
        """Seconds until nothing was left to do, once everything ran again; None if that did not come."""
        began = time.monotonic()
        ends = began + SECONDS_TO_END / (4 if self.broken else 1)  # what is broken may never be done
        while time.monotonic() < ends:
            nemesis.note_returns()
            if nemesis.all_work():
                command = [sys.executable, "-m", "tests.chaos.left", str(max(1.0, ends - time.monotonic()))]
                left = subprocess.run(command, cwd=ROOT, env=self.environment, check=False)
                return round(time.monotonic() - began, 1) if left.returncode == 0 else None
            time.sleep(0.2)
        return None

    # The end

    def audit(self) -> dict[str, Any]:
        if self.broken and (sql := NAMES[self.broken].at_end):
            with psycopg.connect(database_url(self.home)) as connection:
                connection.execute(sql)
        command = [sys.executable, "-m", "tests.chaos.auditor", str(self.home), self.port]
        with (self.home / "logs" / "auditor.out").open("ab") as output:
            subprocess.run(command, cwd=ROOT, env=self.environment, stdout=output, stderr=output, check=True)
        found: dict[str, Any] = json.loads((self.home / "audit.json").read_text())
        return found

    def stop(self) -> None:
        """End what we started: the load first, the stack by Ctrl-C, as a user does."""
        (self.home / "stop").touch()
        for child in reversed(self.children):
            if child.poll() is None:
                child.send_signal(signal.SIGINT)
        for child in reversed(self.children):
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


# What a test run has in its environment; a stack of our own must not see it.
FOREIGN = (
    "COOP_DATABASE",
    "COOP_TESTING",
    "PYTEST_XDIST_WORKER",
    "DATABASE_URL",
    "REDIS_URL",
    "DJANGO_ALLOW_ASYNC_UNSAFE",
)
