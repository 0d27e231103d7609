"""PostgreSQL and a Redis-protocol broker out of Python wheels, for a machine that has neither.

Where their programs are and who runs them is found by coop/programs.py. Nothing here imports Django.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from coop.children import last_lines, start_child, stop_children
from coop.embedded import ROLE, ServerFailed, broker_socket, socket_folder
from coop.programs import account_of, broker_program, postgres_programs, private_folder

POSTGRES_MAJOR = "18"
SILENCE_LIMIT = 60.0  # seconds without any answer; a server that answers "starting up" may take as long as it needs


class Postgres:
    """An embedded PostgreSQL whose data are in `home`/postgres.

    `options` are server settings (name to value), given on the command line; the tests switch durability off
    with them.
    """

    name = "PostgreSQL"

    def __init__(self, home: Path, options: Mapping[str, str] | None = None) -> None:
        self.home = home
        self.folder = home / "postgres"
        self.log = home / "logs" / "postgres.log"
        self.options = dict(options or {})
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make the data folder if there is none, and start the server. Raises ServerFailed."""
        self.programs = postgres_programs(self.home)
        self.account = account_of(self.folder)
        if not self.folder.exists():
            self._initialize()
        self._check_folder()
        self.sockets = socket_folder(self.folder, ".s.PGSQL.5432")
        self._stop_left_over()
        if self.sockets != self.folder:
            private_folder(self.sockets, self.account)
        self._launch()

    def _launch(self) -> None:
        quoted_sockets = '"' + str(self.sockets).replace('"', '""') + '"'
        options = {
            "listen_addresses": "",
            "unix_socket_directories": quoted_sockets,
            "unix_socket_permissions": "0700",
            "timezone": "UTC",
            "log_timezone": "UTC",
            **self.options,
        }
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self.process = start_child(
            [self.programs / "postgres", "-D", self.folder, *arguments],
            log=self.log,
            death_signal=signal.SIGINT,  # fast shutdown; TERM would wait for clients
            account=self.account,
            env=_server_environment(),
            cwd=Path("/"),
        )

    def _initialize(self) -> None:
        """Run initdb in a folder beside, and name it only when finished: a kill leaves no half a database."""
        unfinished = self.folder.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        private_folder(unfinished, self.account)
        initdb = start_child(
            [
                self.programs / "initdb",
                f"--pgdata={unfinished}",
                f"--username={ROLE}",
                "--auth=trust",  # the socket's folder is closed to everybody else
                "--encoding=UTF8",
                "--locale=C",  # with the next two: the same sort order on every machine, whatever its locales
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--no-instructions",
                *(["--no-sync"] if self.options.get("fsync") == "off" else []),
            ],
            log=self.log,
            account=self.account,
            env=_server_environment(),
            cwd=Path("/"),
        )
        if initdb.wait() != 0:
            raise ServerFailed(f"PostgreSQL could not make its data folder: {self._last_words()} See {self.log}.")
        unfinished.rename(self.folder)

    def _check_folder(self) -> None:
        try:
            version = (self.folder / "PG_VERSION").read_text(errors="replace").strip()[:20]
        except OSError:
            version = "missing"
        if version != POSTGRES_MAJOR:
            raise ServerFailed(
                f"{self.folder} holds no database of PostgreSQL {POSTGRES_MAJOR} "
                f"(its PG_VERSION is {version!r}): "
                f"put a backup in its place, or delete {self.home} to begin anew."
            )

    def _stop_left_over(self) -> None:
        """Stop a server that outlived its supervisor; forget a dead one whose pid another process has now."""
        pid_file = self.folder / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            pid_file.unlink(missing_ok=True)  # absent, or cut off by a crash: PostgreSQL itself would give up on it
            return
        if str(self.folder) in _command_line(pid):
            os.kill(pid, signal.SIGINT)
            if not _until(lambda: str(self.folder) not in _command_line(pid), seconds=30):
                raise ServerFailed(f"A PostgreSQL of {self.folder} is still running (process {pid}): stop it first.")
        elif _pid_is_taken(pid):
            pid_file.unlink()
            (self.sockets / ".s.PGSQL.5432.lock").unlink(missing_ok=True)
        # else the process is gone: PostgreSQL sees that itself, and looks for its shared memory too

    def wait(self, tell: Callable[[str], None] = lambda text: None) -> None:
        """Wait until the server takes connections; crash recovery may take its time. Raises ServerFailed."""
        began = time.monotonic()
        answered = began
        told = False
        while (status := self._readiness()) != 0:
            if self.process is None or self.process.poll() is not None:
                words = self._last_words()
                if "shared memory block" not in words or time.monotonic() - began > SILENCE_LIMIT:
                    advice = f"See {self.log}; if the data may go, delete {self.home}."
                    raise ServerFailed(f"PostgreSQL did not start: {words} {advice}")
                time.sleep(0.3)  # backends of a killed server are still letting go
                self._launch()
            answered = time.monotonic() if status == 1 else answered
            if time.monotonic() - answered > SILENCE_LIMIT:
                raise ServerFailed(f"PostgreSQL does not answer: see {self.log}.")
            if not told and time.monotonic() - began > 5:
                told = True
                tell("PostgreSQL is still recovering from an unclean stop; waiting for it.")
            time.sleep(0.03)

    def _readiness(self) -> int:
        """Return 0 when connections are taken, 1 while the server says that it starts, 2 without an answer."""
        return self._run("pg_isready", "-q", "-t", "3").returncode

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.programs / program, "-h", self.sockets, "-U", ROLE, *arguments],
            env=_server_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def query(self, sql: str, database: str = "postgres") -> str:
        """Run one statement as the owner and return its plain output. Raises ServerFailed."""
        done = self._run("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", sql)
        if done.returncode != 0:
            raise ServerFailed(f"PostgreSQL refused a statement: {done.stderr.strip()}")
        return done.stdout.strip()

    def _last_words(self) -> str:
        lines = last_lines(self.log, 8)
        telling = [line for line in lines if any(sign in line for sign in ("FATAL", "PANIC", "error:"))]
        return (telling or lines or ["it left no message."])[-1].strip()

    def stop(self) -> bool:
        """Stop the server, throwing clients out; returns whether it ended cleanly."""
        if self.process is None:
            return True
        return stop_children([self.process], by=signal.SIGINT, seconds=3.5)


class Broker:
    """An embedded broker that speaks the Redis protocol, its queue kept in `home`/broker across a crash."""

    name = "The broker"

    def __init__(self, home: Path) -> None:
        self.home = home
        self.folder = home / "broker"
        self.log = home / "logs" / "broker.log"
        self.socket = broker_socket(home)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server. Raises ServerFailed."""
        program = broker_program(self.home)
        account = account_of(self.folder)
        private_folder(self.folder, account)
        if self.socket.parent != self.folder:
            private_folder(self.socket.parent, account)
        if self._ask(b"SHUTDOWN\r\n") is not None:  # one that outlived its supervisor
            _until(lambda: self._ask(b"PING\r\n") is None, seconds=10)
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "appendonly": "yes",  # queued work survives a crash
            "save": "",
            "maxmemory-policy": "noeviction",
            "loglevel": "warning",
        }
        self.process = start_child(
            [
                program,
                *(part for name, value in options.items() for part in (f"--{name}", value)),
            ],
            log=self.log,
            account=account,
            env=_server_environment(),
            cwd=Path("/"),
        )

    def wait(self, tell: Callable[[str], None] = lambda text: None) -> None:
        """Wait until the broker answers, however long it reads its file back. Raises ServerFailed."""
        answered = time.monotonic()
        while (answer := self._ask(b"PING\r\n")) != b"+PONG\r\n":
            if self.process is None or self.process.poll() is not None:
                words = (last_lines(self.log, 1) or ["it left no message."])[0]
                advice = f"See {self.log}; {self.folder} holds queued jobs only and may be deleted."
                raise ServerFailed(f"The broker did not start: {words} {advice}")
            answered = time.monotonic() if answer else answered
            if time.monotonic() - answered > SILENCE_LIMIT:
                raise ServerFailed(f"The broker does not answer: see {self.log}.")
            time.sleep(0.03)

    def _ask(self, command: bytes) -> bytes | None:
        """Send a command and return the first bytes of the answer; None when nobody listens."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(3)
                connection.connect(str(self.socket))
                connection.sendall(command)
                return connection.recv(200)
        except OSError:
            return None

    def stop(self) -> bool:
        """Stop the server; returns whether it ended by itself."""
        return self.process is None or stop_children([self.process], seconds=1.5)


def _server_environment() -> dict[str, str]:
    """Return a server's whole environment: nothing of the user's, whose LANG or PGDATA could break it."""
    return {"LC_ALL": "C", "PATH": "/usr/bin:/bin", "TZ": "UTC"}


def _pid_is_taken(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # somebody else's process
    return True


def _command_line(pid: int) -> str:
    """Return the command line of a process, empty when there is none or it is dead and not yet buried."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        pass
    try:
        command = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except OSError:
        return ""


def _until(true: Callable[[], bool], *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
