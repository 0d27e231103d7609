"""What the supervisor does with a process that dies."""

import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from coop import supervisor
from coop.children import stop_children
from coop.embedded import ServerFailed
from coop.supervisor import RESTARTS_A_MINUTE, App, Supervisor, Wishes


def test_a_process_that_dies_is_started_again(tmp_path: Path) -> None:
    app = App("worker", [sys.executable, "-c", "import time; time.sleep(60)"], os.environ, tmp_path / "worker.log")
    app.start()
    assert app.process is not None
    first = app.process
    first.kill()
    first.wait()
    app.restart()
    assert app.process.pid != first.pid
    assert app.process.poll() is None
    app.process.send_signal(signal.SIGKILL)
    app.process.wait()


def test_worker_and_beat_are_started_again_when_they_crash_and_the_others_are_left_alone(tmp_path: Path) -> None:
    said: list[str] = []
    running = Supervisor(Wishes(home=tmp_path, embedded=True), said.append)
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    running.apps = [App(name, sleep, os.environ, tmp_path / f"{name}.log") for name in ("web", "worker", "beat")]
    for app in running.apps:
        app.start()
    web, *crashed = (app.process for app in running.apps if app.process)
    for process in crashed:
        process.kill()
        process.wait()
    running._watch()
    after = [app.process for app in running.apps if app.process]
    assert after[0] is web
    assert [process.poll() for process in after] == [None] * 3
    assert [line.split(" (")[0] for line in said] == ["worker stopped unexpectedly", "beat stopped unexpectedly"]
    stop_children(after, seconds=5)


def test_a_process_that_dies_again_and_again_is_given_up_with_its_last_words(tmp_path: Path) -> None:
    app = App("web", ["/bin/sh", "-c", "echo no such module; exit 3"], os.environ, tmp_path / "web.log")
    app.start()
    assert app.process is not None
    for _ in range(RESTARTS_A_MINUTE):
        app.process.wait()
        app.restart()
    app.process.wait()
    with pytest.raises(ServerFailed, match="web stopped again and again, last with: no such module"):
        app.restart()


def test_when_nobody_asked_for_a_port_a_free_one_replaces_a_busy_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        busy = other.getsockname()[1]
        monkeypatch.setattr(supervisor, "DEFAULT_PORT", busy)
        chosen = Supervisor(Wishes(home=tmp_path, embedded=True), said.append)._choose_port()
    assert chosen != busy
    assert said == [f"Port {busy} is taken by another program, so this is port {chosen}."]
