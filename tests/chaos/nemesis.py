"""Kills things at random, and watches how long they take to come back."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import urllib3

from coop.embedded import broker_socket, database_url

# How often each is killed in a long run, in seconds; a short run is told its own.
EVERY = {"worker": 17.0, "beat": 31.0, "redis": 15.0, "flushall": 40.0, "postgres": 25.0, "web": 21.0}


@dataclass
class Kill:
    what: str
    at: float  # seconds since the load began
    back: float | None = None  # seconds until it worked again
    wall: float = field(default_factory=time.time)


@dataclass
class Nemesis:
    home: Path
    port: int
    seed: str
    every: dict[str, float] = field(default_factory=lambda: dict(EVERY))

    def __post_init__(self) -> None:
        self.chance = random.Random(f"{self.seed} nemesis")
        self.began = time.monotonic()
        self.next = {what: self.began + every * self.chance.uniform(0.3, 1.0) for what, every in self.every.items()}
        self.kills: list[Kill] = []
        self.waiting: list[tuple[Kill, float, Callable[[], bool]]] = []
        self.http = urllib3.PoolManager(retries=False, timeout=1.0)

    def look(self) -> None:
        """One turn: kill what is due, and note what is back."""
        self.note_returns()
        down = {kill.what.partition(",")[0] for kill, _, _ in self.waiting}
        for what, due in self.next.items():
            now = time.monotonic()
            if what in down:  # it lives for its time once it is back, however slow the machine is
                self.next[what] = max(due, now + self.every[what] * self.chance.uniform(0.7, 1.3))
            elif now >= due:
                self.next[what] = now + self.every[what] * self.chance.uniform(0.7, 1.3)
                self.kill(what)

    def note_returns(self) -> None:
        still = []
        for kill, since, is_back in self.waiting:
            if is_back():
                kill.back = round(time.monotonic() - since, 2)
            else:
                still.append((kill, since, is_back))
        self.waiting = still

    def running(self) -> dict[str, int]:
        found: dict[str, int] = json.loads((self.home / "status.json").read_text())
        return found

    def kill(self, what: str) -> None:
        now = time.monotonic()
        pid = self.running().get(what)
        kill = Kill(what, round(now - self.began, 1))
        if what == "flushall":
            if not self.say(b"FLUSHALL\r\n"):
                return
            kill.back = 0.0
        elif pid is None:
            return  # it is dead already
        elif what in ("worker", "web", "postgres") and self.chance.random() < 0.25:
            # One of its children alone, as when memory runs out.
            children = children_of(pid)
            if not children:
                return
            kill.what = f"{what}, one child"
            strike(self.chance.choice(children))
            if what == "postgres":  # it restarts all its children itself
                self.waiting.append((kill, now, self.postgres_answers))
        else:
            is_back = self.how_back(what, pid)
            strike(pid, group=what not in ("postgres", "redis"))
            self.waiting.append((kill, now, is_back))
        self.kills.append(kill)

    def how_back(self, what: str, old: int) -> Callable[[], bool]:
        """What tells that a thing works again: another process runs, and it answers, or says that it is ready."""
        log = self.home / "logs" / f"{what}.log"
        before, file = ready_in(log), file_of(log)

        def again() -> bool:
            if self.running().get(what) in (None, old):
                return False
            if what == "web":
                return self.web_answers()
            if what == "postgres":
                return self.postgres_answers()
            if what == "redis":
                return self.say(b"PING\r\n")
            # A log that grew long is put aside, and another begins.
            return ready_in(log) > (before if file_of(log) == file else 0)

        return again

    def web_answers(self) -> bool:
        try:
            return self.http.request("GET", f"http://127.0.0.1:{self.port}/healthz").status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def postgres_answers(self) -> bool:
        try:
            with psycopg.connect(database_url(self.home), connect_timeout=1) as connection:
                connection.execute("SELECT coop_now()")
        except psycopg.Error:
            return False
        return True

    def say(self, command: bytes) -> bool:
        """Whether the broker did what it was told."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(2)
                connection.connect(str(broker_socket(self.home)))
                connection.sendall(command)
                return connection.recv(100).startswith(b"+")
        except OSError:
            return False

    def all_work(self) -> bool:
        names = {"web", "worker", "beat", "postgres", "redis"}
        return names <= self.running().keys() and self.web_answers() and self.say(b"PING\r\n") and not self.waiting

    def report(self) -> dict[str, Any]:
        """For each kind the times of its kills, and how long it took to come back."""
        kinds: dict[str, Any] = {}
        for kill in self.kills:
            kinds.setdefault(kill.what, []).append((kill.at, kill.back))
        return kinds


def file_of(log: Path) -> int:
    """Which file this is, by its number on the disk."""
    return log.stat().st_ino if log.exists() else 0


def strike(pid: int, *, group: bool = False) -> None:
    try:
        (os.killpg if group else os.kill)(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def children_of(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == pid:
            found.append(int(entry.name))
    return sorted(found)


def ready_in(log: Path) -> int:
    """How often the log of a worker or of beat says that it began."""
    if not log.exists():
        return 0
    text = log.read_text(errors="replace")
    return text.count(" ready.") + text.count("beat: Starting")
