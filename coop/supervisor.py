"""Runs the whole product on one machine: servers, preparation, then web, worker and beat; stops it in reverse.

Used by `manage.py up`. Nothing here imports Django: what needs it runs in a child.
"""

import fcntl
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

from coop.children import kill_session, last_lines, start_child, stop_children
from coop.embedded import ServerFailed, prepare_home
from coop.servers import Broker, Postgres

PROJECT = Path(__file__).resolve().parent.parent
DEFAULT_PORT = 8000
RESTARTS_A_MINUTE = 5
SECONDS_TO_STOP = 4.5  # for web, worker and beat together; with the servers after them, all is over in 10
SECONDS_TO_ANSWER = 90.0  # for the first page
UNFINISHED = "coop: being prepared"  # the comment on a database whose preparation was not yet finished


@dataclass(frozen=True)
class Wishes:
    """What the user asked for, as text from the environment, tested here already for sense where that is possible."""

    home: Path
    embedded: bool  # no DATABASE_URL: run our own servers, and show the sandbox's people
    port: str = ""
    empty: bool = False
    now: str = ""
    host: str = "127.0.0.1"  # a name that the web process answers to


@dataclass
class App:
    """One of web, worker and beat: how to start it, and when it was started."""

    name: str
    command: list[str]
    env: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    starts: deque[float] = field(default_factory=deque)

    def start(self) -> None:
        self.starts.append(time.monotonic())
        self.process = start_child(self.command, log=self.log, env=self.env, cwd=PROJECT)

    def restart(self) -> None:
        """Start it again. Raises ServerFailed when it died too often within a minute."""
        while self.starts and time.monotonic() - self.starts[0] > 60:
            self.starts.popleft()
        if len(self.starts) > RESTARTS_A_MINUTE:
            words = (last_lines(self.log, 1) or ["it left no message."])[0]
            raise ServerFailed(f"{self.name} stopped again and again, last with: {words} See {self.log}.")
        if self.process is not None:
            kill_session(self.process)  # children of the dead one must not work beside the new one
        self.start()


class Supervisor:
    """Starts everything, watches it, and stops it; `say` prints one line to the user."""

    def __init__(self, wishes: Wishes, say: Callable[[str], None]) -> None:
        self.wishes = wishes
        self.home = wishes.home
        self.say = say
        self.began = time.monotonic()
        self.lock: IO[str] | None = None
        self.servers: list[Postgres | Broker] = []
        self.apps: list[App] = []
        self.preparation: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        """Start everything and keep it running until Ctrl-C or SIGTERM. Raises ServerFailed."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _interrupt)
        try:
            self._start()
            while True:
                self._watch()
                time.sleep(0.25)
        except KeyboardInterrupt:
            self.say("Stopping ...")
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            self._stop()
        self.say("Stopped. The data stay as they are for the next start.")

    # Starting

    def _start(self) -> None:
        prepare_home(self.home)
        self._take_lock()
        port = self._choose_port()
        new = self._start_servers() if self.wishes.embedded else False
        self._prepare(new=new)
        self._start_apps(port)
        self._wait_for_answer(port)
        address = f"http://127.0.0.1:{port}/"
        self._note(address)
        self._welcome(address)

    def _take_lock(self) -> None:
        """Hold `up.lock` for as long as we live; the kernel lets go of it however we die. Raises ServerFailed."""
        path = self.home / "up.lock"
        path.touch(mode=0o600)
        self.lock = path.open("r+")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            try:
                running = json.load(self.lock)
                where = f"at {running['address']}" if running["address"] else "and is still starting"
                sentence = f"Coop is already running {where} (process {running['pid']}, data in {self.home})."
            except (ValueError, KeyError, TypeError):
                sentence = f"Coop is already running with its data in {self.home}."
            raise ServerFailed(sentence) from None
        self._note("")

    def _note(self, address: str) -> None:
        """Write into the lock file what a second start tells its user."""
        if self.lock is not None:
            self.lock.seek(0)
            self.lock.truncate()
            json.dump({"pid": os.getpid(), "address": address}, self.lock)
            self.lock.flush()

    def _choose_port(self) -> int:
        """Return the port asked for, or 8000, or a free one if nobody asked and 8000 is taken. Raises ServerFailed."""
        if not self.wishes.port:
            if _is_free(DEFAULT_PORT):
                return DEFAULT_PORT
            with socket.socket() as any_port:
                any_port.bind(("127.0.0.1", 0))
                port: int = any_port.getsockname()[1]
            self.say(f"Port {DEFAULT_PORT} is taken by another program, so this is port {port}.")
            return port
        if not self.wishes.port.isascii() or not self.wishes.port.isdigit() or not 0 < int(self.wishes.port) < 65536:
            raise ServerFailed(f"PORT must be a number from 1 to 65535, not {self.wishes.port!r}.")
        port = int(self.wishes.port)
        if not _is_free(port):
            raise ServerFailed(f"Port {port} cannot be used here (taken, or not allowed): choose another with PORT=.")
        return port

    def _start_servers(self) -> bool:
        """Start the embedded servers side by side, and return whether this sandbox is new."""
        postgres, broker = Postgres(self.home), Broker(self.home)
        for server in (postgres, broker):
            self.servers.append(server)
            server.start()
        for server in self.servers:
            server.wait(self.say)
        found = postgres.query(
            "SELECT coalesce(shobj_description(oid, 'pg_database'), 'ready') FROM pg_database WHERE datname = 'coop'"
        )
        if found and found != UNFINISHED:
            return False
        if found:
            self.say("The last start was cut off while it made this sandbox, so it is made anew.")
        postgres.query("DROP DATABASE IF EXISTS coop")
        postgres.query("DROP DATABASE IF EXISTS coop_new")
        postgres.query("CREATE DATABASE coop_new")
        postgres.query(f"COMMENT ON DATABASE coop_new IS '{UNFINISHED}'")
        postgres.query("ALTER DATABASE coop_new RENAME TO coop")
        return True

    def _prepare(self, *, new: bool) -> None:
        """Migrate, load and collect in one child: each start of Django costs a second. Raises ServerFailed."""
        options = ["--new"] if new else []
        ignored = []
        if self.wishes.empty:
            options += ["--empty"] if new else []
            ignored += [] if new else ["EMPTY=1"]
        if self.wishes.now:
            options += ["--now", self.wishes.now] if new else []
            ignored += [] if new else [f"NOW={self.wishes.now}"]
        if ignored:
            reason = f"the sandbox in {self.home} exists already" if self.wishes.embedded else "this is no sandbox"
            self.say(f"{' and '.join(ignored)} left aside: {reason}.")
        log = self.home / "logs" / "prepare.log"
        log.unlink(missing_ok=True)
        self.say("Making the sandbox ..." if new else "Preparing the database ...")
        command = [sys.executable, "manage.py", "prepare", *options]
        self.preparation = start_child(command, log=log, env=self._environment(), cwd=PROJECT)
        if self.preparation.wait() != 0:
            words = (last_lines(log, 1) or ["it left no message."])[0]
            raise ServerFailed(f"The database could not be prepared: {words.removeprefix('CommandError: ')} See {log}.")
        if new and isinstance(self.servers[0], Postgres):
            self.servers[0].query("COMMENT ON DATABASE coop IS NULL")

    def _environment(self, **more: str) -> dict[str, str]:
        return {**os.environ, "COOP_HOME": str(self.home), "PYTHONUNBUFFERED": "1", **more}

    def _start_apps(self, port: int) -> None:
        logs = self.home / "logs"
        schedule = self.home / "beat"
        schedule.mkdir(mode=0o700, exist_ok=True)
        python = [sys.executable, "-m"]
        gunicorn = ["gunicorn", "coop.wsgi:application", "--bind", f"127.0.0.1:{port}", "--no-control-socket"]
        threads = ["--worker-class", "gthread", "--workers", "2", "--threads", "4", "--graceful-timeout", "3"]
        celery = ["celery", "-A", "coop"]
        level = ["--loglevel", "INFO"]
        here = {"PUBLIC_URL": os.environ.get("PUBLIC_URL") or f"http://127.0.0.1:{port}"}
        beat = ["beat", "--schedule", str(schedule / "schedule"), "--pidfile=", *level]
        self.apps = [
            App("web", [*python, *gunicorn, *threads], self._environment(COOP_POOL="1", **here), logs / "web.log"),
            App(
                "worker",
                [*python, *celery, "worker", "-c", "2", *level],
                self._environment(**here),
                logs / "worker.log",
            ),
            App("beat", [*python, *celery, *beat], self._environment(), logs / "beat.log"),
        ]
        for app in self.apps:
            app.start()

    def _wait_for_answer(self, port: int) -> None:
        """Wait for the first healthy answer of the web process. Raises ServerFailed."""
        deadline = time.monotonic() + SECONDS_TO_ANSWER
        while (answer := _ask_health(port, self.wishes.host)) != "":
            self._watch()
            if time.monotonic() > deadline:
                log = self.home / "logs" / "web.log"
                raise ServerFailed(f"The web process does not answer well ({answer}): see {log}.")
            time.sleep(0.1)

    def _welcome(self, address: str) -> None:
        seconds = time.monotonic() - self.began
        self.say(f"\nCoop is running at {address} (ready in {seconds:.1f} s)\n")
        welcome = self.home / "welcome.txt"
        if self.wishes.embedded and welcome.exists():
            self.say(welcome.read_text(encoding="utf-8"))
        self.say(f"Data and logs are in {self.home}. Stop with Ctrl-C.")

    # Running

    def _watch(self) -> None:
        """Restart a dead app process; give up when a server is gone. Raises ServerFailed."""
        for server in self.servers:
            if server.process is not None and server.process.poll() is not None:
                raise ServerFailed(
                    f"{server.name} stopped unexpectedly, so everything was stopped. See {server.log}, and start again."
                )
        for app in self.apps:
            if app.process is not None and (status := app.process.poll()) is not None:
                self.say(f"{app.name} stopped unexpectedly (status {status}) and is started again; see {app.log}.")
                app.restart()

    # Stopping

    def _stop(self) -> None:
        running = [self.preparation, *(app.process for app in self.apps)]
        stop_children([process for process in running if process is not None], seconds=SECONDS_TO_STOP)
        for server in reversed(self.servers):
            server.stop()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _is_free(port: int) -> bool:
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as gunicorn does
        try:
            attempt.bind(("127.0.0.1", port))
            attempt.listen(1)
        except OSError:
            return False
        return True


def _ask_health(port: int, host: str) -> str:
    """Return an empty text when /healthz answers 200, else what it said instead."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz", headers={"Host": host})
        response = connection.getresponse()
        body = response.read(200).decode(errors="replace")
        return "" if response.status == 200 else f"status {response.status}: {body}"
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()
