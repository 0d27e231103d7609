"""Real workers and a real beat on the test's database, with a broker of their own that may be flushed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import redis
from django.db import connection

from coop.children import start_child, stop_children
from coop.embedded import broker_socket, prepare_home
from coop.servers import Broker

PROJECT = Path(__file__).resolve().parents[2]
CELERY = [sys.executable, "-m", "celery", "-A", "coop"]


class Processes:
    """A broker that runs, and workers and beats that are started on demand; all of them stop in the end.

    Their mails go to the server at a port of this machine, and their webhooks may be here.
    """

    def __init__(self, mail_port: int) -> None:
        self.home = Path(os.environ["COOP_HOME"]) / f"flushed-{os.getpid()}"
        self.mail_port = mail_port
        self.broker = Broker(self.home)
        self.children: list[subprocess.Popen[bytes]] = []

    @property
    def address(self) -> str:
        """As Celery writes it; CELERY_BROKER_URL in an environment wins over the settings."""
        return f"redis+socket://{broker_socket(self.home)}?virtual_host=0"

    def __enter__(self) -> Processes:
        prepare_home(self.home)
        self.broker.start()
        self.broker.wait()
        return self

    def __exit__(self, *error: object) -> None:
        stop_children(self.children, seconds=10)
        self.broker.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def start(self, *, workers: int, beats: int = 1) -> None:
        """Start them all at once."""
        for number in range(workers):
            self.run("worker", "--concurrency", "1", "--hostname", f"worker{number}")
        for number in range(beats):
            self.run("beat", "--schedule", str(self.home / f"schedule{number}"), "--pidfile=")

    def run(self, *command: str) -> None:
        env = {name: value for name, value in os.environ.items() if name != "COOP_TESTING"}
        env |= {
            "COOP_DATABASE": str(connection.settings_dict["NAME"]),
            "CELERY_BROKER_URL": self.address,
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(self.mail_port),
            "WEBHOOK_PRIVATE_ADDRESSES": "1",
        }
        log = self.home / "logs" / f"{command[0]}{len(self.children)}.log"
        child = start_child([*CELERY, *command, "--loglevel", "INFO"], log=log, env=env, cwd=PROJECT)
        self.children.append(child)

    def wait_until(self, true: Callable[[], object], *, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, self.logs()
            time.sleep(0.1)

    def logs(self) -> str:
        return "\n".join(f"{log.name}\n{log.read_text()[-4000:]}" for log in (self.home / "logs").glob("*.log"))

    def flush(self) -> None:
        with redis.Redis(unix_socket_path=str(broker_socket(self.home))) as broker:
            broker.flushall()
