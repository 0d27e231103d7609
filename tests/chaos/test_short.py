"""The short run: half a minute of load, each thing killed at least once, one deadline crossed; the auditor's word decides."""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.report import as_text
from tests.chaos.run import SHORT, Run

pytestmark = [pytest.mark.platform, pytest.mark.slow, pytest.mark.worker, pytest.mark.timeout(480)]
ROOM = 1_000_000_000  # bytes


@pytest.fixture
def home() -> Iterator[Path]:
    """In memory where there is room: only processes die here, so the disk need not be waited for."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > ROOM
    folder = Path(tempfile.mkdtemp(prefix="coop-chaos-", dir=memory if roomy else "/tmp"))
    folder.chmod(0o755)
    yield folder / "coop"
    shutil.rmtree(folder, ignore_errors=True)


def free_port() -> str:
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        return str(any_port.getsockname()[1])


def test_every_promise_is_kept_while_everything_is_killed(home: Path) -> None:
    home.mkdir()
    found = Run(home, seed="short", port=free_port(), plan=SHORT).go(lambda text: None)
    assert not found["breaches"], as_text(found)
    killed = {what.partition(",")[0] for what in found["kills"]}
    assert {"worker", "redis", "postgres", "web"} <= killed, killed
