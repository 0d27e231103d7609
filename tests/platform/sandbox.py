"""Runs `manage.py up` for real, as a user does, in a folder and on a port of its own."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def bare_environment(**variables: str) -> dict[str, str]:
    """A user's environment with nothing of the test run's in it."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, **variables}


def free_port() -> int:
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        port: int = any_port.getsockname()[1]
    return port


def start_and_fail(**variables: str) -> str:
    """Run `manage.py up`, which must fail at once, and return what it said."""
    done = subprocess.run(
        [sys.executable, "manage.py", "up"],
        cwd=PROJECT,
        env=bare_environment(**variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.strip()


class Sandbox:
    """One COOP_HOME that is started, stopped and killed."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.output = home.with_name("output.txt")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, **variables: str) -> str:
        """Start everything, wait for the line with the address, and return all that was said."""
        env = bare_environment(COOP_HOME=str(self.home), PORT=str(self.port), **variables)
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up"],
                cwd=PROJECT,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + 90
        while "Stop with Ctrl-C" not in (said := self.output.read_text()):
            assert self.process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.1)
        return said

    def get(self, path: str, host: str = "127.0.0.1") -> tuple[int, str]:
        """Return status and body of a page."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path, headers={"Host": host})
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def processes(self) -> list[int]:
        """Return every living process of this sandbox: those told its folder, and their children."""
        mark = os.fsencode(self.home)
        ours: list[int] = []
        others: dict[int, int] = {}  # process to parent
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                told = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            except OSError:
                continue
            if state == "Z" or int(entry.name) == os.getpid():
                continue
            if mark in told:
                ours.append(int(entry.name))
            else:
                others[int(entry.name)] = int(parent)
        return ours + [pid for pid, parent in others.items() if parent in ours]

    def interrupt(self) -> float:
        """Press Ctrl-C, wait for the end, and return the seconds it took."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(timeout=30) == 0, self.output.read_text()
        return time.monotonic() - began

    def kill_supervisor(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def kill_everything(self) -> None:
        """`kill -9` every process of the sandbox, as a power cut would."""
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if self.process is not None:
            self.process.wait()
