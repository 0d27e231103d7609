"""The real stack: the product's own supervisor, which here also brings back servers, and lets things be dead for a while.

Run as `python -m tests.chaos.stack`, a process of its own, because children are tied to the thread that starts them. It
writes who runs into `status.json`, so that the nemesis knows whom to kill.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from pathlib import Path

from coop.children import start_child
from coop.embedded import ServerFailed
from coop.servers import Broker, Postgres
from coop.supervisor import PROJECT, Supervisor, Wishes
from tests.chaos.breaks import NAMES

DOWN = (0.1, 2.0)  # seconds for which a dead thing stays dead


class Stack(Supervisor):
    """As `manage.py up`, but whatever dies is started again, however often."""

    def __init__(self, wishes: Wishes, seed: str) -> None:
        super().__init__(wishes, say)
        self.random = random.Random(seed)
        self.returns: dict[str, float] = {}  # when the dead come back

    def _environment(self, **more: str) -> dict[str, str]:
        return super()._environment(DJANGO_SETTINGS_MODULE="tests.chaos.settings", PYTHONPATH=str(PROJECT), **more)

    def _prepare(self, *, new: bool) -> None:
        """Tables and a world of our own; no static files, since nobody looks at pages here."""
        log = self.home / "logs" / "prepare.log"
        for command in (["manage.py", "migrate", "-v0"], ["-m", "tests.chaos.world", str(self.home)]) if new else ():
            child = start_child([sys.executable, *command], log=log, env=self._environment(), cwd=PROJECT)
            if child.wait() != 0:
                raise ServerFailed(f"The world could not be made: see {log}.")
        postgres = self._servers()[0]
        postgres.query("COMMENT ON DATABASE coop IS NULL")
        if broken := os.environ.get("CHAOS_BREAK"):
            postgres.query(NAMES[broken].sql or "SELECT 1", "coop")

    def _servers(self) -> tuple[Postgres, Broker]:
        postgres, broker = self.servers
        assert isinstance(postgres, Postgres)
        assert isinstance(broker, Broker)
        return postgres, broker

    def _welcome(self, address: str) -> None:
        self.tell()

    def tell(self) -> None:
        """Write down who runs: {"web": process id, ...}; what is dead is not named."""
        postgres, broker = self._servers()
        running = {"postgres": postgres.process, "redis": broker.process}
        running |= {app.name: app.process for app in self.apps}
        alive = {name: p.pid for name, p in running.items() if p is not None and p.poll() is None}
        unfinished = self.home / "status.new"
        unfinished.write_text(json.dumps(alive))
        unfinished.replace(self.home / "status.json")

    def _watch(self) -> None:
        for name, server in zip(("postgres", "redis"), self._servers(), strict=True):
            if server.process is not None and server.process.poll() is not None and self._may_return(name):
                server.start()
                server.wait()  # PostgreSQL: until the children of the dead one are gone, and its log is replayed
                self.tell()
        for app in self.apps:
            if app.process is not None and app.process.poll() is not None and self._may_return(app.name):
                app.starts.clear()  # no limit here: it is killed as often as somebody likes
                app.restart()
                self.tell()

    def _may_return(self, name: str) -> bool:
        """Whether a dead thing was dead for long enough; the first look at it decides for how long."""
        if name not in self.returns:
            self.returns[name] = time.monotonic() + self.random.uniform(*DOWN)
            self.tell()
        if time.monotonic() < self.returns[name]:
            return False
        del self.returns[name]
        return True


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    home, port, seed = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    for name in ("DATABASE_URL", "REDIS_URL", "COOP_DATABASE", "COOP_TESTING", "PYTEST_XDIST_WORKER"):
        os.environ.pop(name, None)
    try:
        Stack(Wishes(home=home, embedded=True, port=port, empty=True), seed).run()
    except ServerFailed as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
