"""Killing the worker, and the database, at random points of an import leaves all of it or nothing, and the next run ends it.

The database is a server of this test's own, and the worker a process that can be killed: nothing is simulated.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from coop.embedded import prepare_home
from coop.servers import Postgres

pytestmark = [pytest.mark.slow, pytest.mark.worker]

ROOT = Path(__file__).resolve().parents[2]
KILLS = 20
EVERY_FOURTH = 4  # kill is one of the database
# 40 % of 500 lines of 1.00, and with the second import of 2,500 lines of 2.50.
WITHOUT, WITH = 20_000, 250_000


class Yard:
    """A sandbox of its own with a database and a worker."""

    def __init__(self) -> None:
        memory = Path("/dev/shm")
        self.home = Path(mkdtemp(prefix="coop-kills-", dir=memory if memory.is_dir() else "/tmp"))
        self.home.chmod(0o755)
        prepare_home(self.home)
        # Not waiting for the disk loses nothing here: the machine stays up, only processes die.
        self.server = Postgres(self.home, {"fsync": "off", "autovacuum": "off"})
        self.log = (self.home / "worker.log").open("wb")
        self.environment = {**os.environ, "COOP_HOME": str(self.home), "PYTHONPATH": str(ROOT)}
        for name in ("COOP_DATABASE", "COOP_TESTING", "PYTEST_XDIST_WORKER"):
            self.environment.pop(name, None)
        self.start_server()
        self.server.query("CREATE DATABASE coop")
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=self.environment, check=True, timeout=120
        )
        self.worker = subprocess.Popen(
            [sys.executable, "tests/funds/import_child.py"],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )

    def start_server(self) -> None:
        self.server.start()
        self.server.wait()

    def begin(self, act: str) -> int:
        """Have the worker begin; returns the process that does it."""
        assert self.worker.stdin is not None
        self.worker.stdin.write(f"{act}\n")
        self.worker.stdin.flush()
        return int(self.hear().removeprefix("pid "))

    def hear(self) -> str:
        assert self.worker.stdout is not None
        heard = self.worker.stdout.readline().strip()
        assert heard, (self.home / "worker.log").read_text()[-2_000:]
        return heard

    def do(self, act: str) -> Any:
        """Have the worker do it, undisturbed."""
        self.begin(act)
        heard = self.hear()
        assert heard.startswith("done "), (act, (self.home / "worker.log").read_text()[-2_000:])
        return json.loads(heard.removeprefix("done "))

    def kill_worker_at(self, moment: float) -> None:
        process = self.begin("work")
        time.sleep(moment)
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it was quicker
        self.hear()

    def kill_database_at(self, moment: float, by: signal.Signals) -> None:
        self.begin("work")
        time.sleep(moment)
        assert self.server.process is not None
        self.server.process.send_signal(by)
        self.server.process.wait(30)
        self.hear()
        self.start_server()

    def close(self) -> None:
        self.worker.kill()
        self.worker.communicate()  # closes its pipes too
        self.log.close()
        self.server.stop()
        shutil.rmtree(self.home, ignore_errors=True)


@pytest.fixture
def yard() -> Iterator[Yard]:
    yard = Yard()
    yield yard
    yard.close()


# What the jobs lead to from each state of the import.
NEXT = {
    ("queued", ""): ("ready", ""),
    ("running", "commit"): ("committed", ""),
    ("committed", "reverse"): ("reversed", ""),
}


def agrees(state: dict[str, Any]) -> None:
    """No half of anything: the money fits the status, and the audit finds nothing."""
    assert state["differences"] == []
    assert state["earned"] == (WITH if state["status"] == "committed" else WITHOUT), state


@pytest.mark.timeout(240)
def test_killing_worker_and_database_at_random_points_leaves_all_or_nothing(yard: Yard) -> None:
    chance = random.Random()
    yard.do("world")
    in_time = tried = 0
    took = {"queued": 0.3, "running": 0.2, "committed": 0.2}
    while in_time < KILLS:
        yard.do("send")
        for prepare in (None, "ask_commit", "ask_reverse"):
            if prepare:
                yard.do(prepare)
            before = yard.do("state")
            agrees(before)
            step = before["status"]
            for _ in range(4):
                tried += 1
                assert tried <= 4 * KILLS, "hardly any kill comes in time: this shows nothing"
                moment = chance.uniform(0, took[step])
                if tried % EVERY_FOURTH == 0:
                    yard.kill_database_at(moment, chance.choice([signal.SIGKILL, signal.SIGQUIT]))
                else:
                    yard.kill_worker_at(moment)
                after = yard.do("state")
                agrees(after)
                if (after["status"], after["asked"]) != (step, before["asked"]):
                    took[step] = max(0.04, took[step] * 0.7)  # it had ended before it was killed
                    break
                assert after == before, "something was left behind"
                in_time += 1
            yard.do("work")
            end = yard.do("state")
            agrees(end)
            assert (end["status"], end["asked"]) == NEXT[(step, before["asked"])]
