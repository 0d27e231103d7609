"""Where a sandbox lives, and how its servers are addressed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import dj_database_url
import pytest

from coop import embedded
from coop.children import last_lines, start_child, stop_children
from coop.servers import Postgres

ROOT = os.geteuid() == 0


def test_a_short_plain_path_holds_its_own_sockets() -> None:
    home = Path("/srv/Coop/.coop")
    parsed = dj_database_url.parse(embedded.database_url(home))
    assert (parsed["HOST"], parsed["NAME"], parsed["USER"]) == ("/srv/Coop/.coop/postgres", "coop", "coop")
    assert embedded.redis_url(home) == "unix:///srv/Coop/.coop/broker/broker.sock?db=0"


@pytest.mark.parametrize("odd", ["/srv/a folder/.coop", "/srv/a,b/.coop", "/srv/" + "long/" * 25, "/srv/größer/.coop"])
def test_a_path_that_clients_could_not_use_gets_a_short_socket_folder(odd: str) -> None:
    address = embedded.database_url(Path(odd))
    parsed = dj_database_url.parse(address)
    assert parsed["HOST"].startswith(f"/tmp/coop-{os.geteuid()}-")
    assert embedded.redis_url(Path(odd)).startswith("unix:///tmp/coop-")
    assert address == embedded.database_url(Path(odd)), "the settings must find what the supervisor made"


@pytest.mark.skipif(not ROOT, reason="only root's servers run as somebody else")
def test_root_keeps_its_data_where_the_servers_account_can_reach_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setenv("COOP_HOME", str(closed / ".coop"))
    moved = embedded.home()
    assert moved.parent == Path("/var/lib")
    assert moved.name.startswith("coop-")
    monkeypatch.setenv("COOP_HOME", str(moved))
    assert embedded.home() == moved, "children are told the place, and must not move it again"


def test_a_child_ends_with_its_parent_even_when_that_is_killed(tmp_path: Path) -> None:
    script = """
import sys, time
from pathlib import Path
from coop.children import start_child
child = start_child([sys.executable, "-c", "import time; time.sleep(60)"], log=Path(sys.argv[1]))
print(child.pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "log")], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 5
    while runs(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not runs(child)


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_child_that_will_not_stop_is_killed(tmp_path: Path) -> None:
    script = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(60)
"""
    log = tmp_path / "log"
    child = start_child([sys.executable, "-c", script], log=log)
    while last_lines(log) != ["deaf"]:
        time.sleep(0.02)
    assert stop_children([child], seconds=0.2) is False
    assert child.returncode == -signal.SIGKILL


@pytest.mark.platform
@pytest.mark.slow
def test_a_pid_file_of_a_dead_server_whose_pid_lives_on_elsewhere_does_no_harm(home: Path) -> None:
    embedded.prepare_home(home)
    postgres = Postgres(home)
    postgres.start()
    postgres.wait()
    assert postgres.query("SELECT datcollate FROM pg_database WHERE datname = 'postgres'") == "C"
    assert postgres.stop()
    (postgres.folder / "postmaster.pid").write_text(f"{os.getpid()}\n{postgres.folder}\n")
    again = Postgres(home)
    again.start()
    again.wait()
    assert again.query("SELECT 1") == "1"
    assert again.stop()


@pytest.mark.platform
@pytest.mark.slow
def test_a_server_that_outlived_its_supervisor_is_stopped_before_the_next_one(home: Path) -> None:
    embedded.prepare_home(home)
    left_over = Postgres(home)
    left_over.start()
    left_over.wait()
    assert left_over.process is not None
    again = Postgres(home)
    again.start()
    again.wait()
    assert left_over.process.wait(timeout=5) == 0
    assert again.query("SELECT 1") == "1"
    assert again.stop()
