"""`manage.py up`, started for real: it answers, stops, and survives whatever it is killed with."""

import os
import time
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from coop.embedded import database_url
from tests.platform.sandbox import Sandbox, start_and_fail

pytestmark = [pytest.mark.platform, pytest.mark.slow, pytest.mark.timeout(240)]


def remember(sandbox: Sandbox, word: str) -> None:
    with psycopg.connect(database_url(sandbox.home)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS platform_test (word text)")
        connection.execute("INSERT INTO platform_test VALUES (%s)", [word])


def remembered(sandbox: Sandbox) -> set[str]:
    with psycopg.connect(database_url(sandbox.home)) as connection:
        return {word for (word,) in connection.execute("SELECT word FROM platform_test")}


def wait_until_nothing_runs(sandbox: Sandbox, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while left := sandbox.processes():
        assert time.monotonic() < deadline, f"still running: {left}"
        time.sleep(0.1)


def test_data_outlive_ctrl_c_and_kill_9_and_nothing_is_left_running(sandbox: Sandbox) -> None:
    said = sandbox.start(EMPTY="1", NOW="2023-07-01T00:00:00Z")
    assert f"http://127.0.0.1:{sandbox.port}/" in said
    assert "finance@vendor.example" in said
    assert sandbox.get("/healthz")[0] == 200
    remember(sandbox, "before Ctrl-C")

    again = start_and_fail(COOP_HOME=str(sandbox.home), PORT="1")
    assert again.startswith(f"Coop is already running at http://127.0.0.1:{sandbox.port}/")

    assert sandbox.interrupt() < 10
    wait_until_nothing_runs(sandbox, 1)

    said = sandbox.start(NOW="2024-01-01T00:00:00Z")
    assert "NOW=2024-01-01T00:00:00Z left aside" in said
    assert "finance@vendor.example" in said
    remember(sandbox, "before kill -9 of everything")
    sandbox.kill_everything()
    wait_until_nothing_runs(sandbox, 5)

    sandbox.start()
    assert sandbox.get("/healthz")[0] == 200
    assert remembered(sandbox) == {"before Ctrl-C", "before kill -9 of everything"}
    sandbox.kill_supervisor()
    wait_until_nothing_runs(sandbox, 10)


def test_with_real_servers_there_is_no_sandbox_and_no_known_password(sandbox: Sandbox, tmp_path: Path) -> None:
    # the test run's own servers stand in for real ones
    servers = Path(os.environ["COOP_HOME"])
    postgres = f"postgresql://coop@{quote(str(servers / 'postgres'), safe='')}"
    with psycopg.connect(f"{postgres}/postgres", autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS real_installation")
        connection.execute("CREATE DATABASE real_installation")
    said = sandbox.start(
        EMPTY="1",
        DATABASE_URL=f"{postgres}/real_installation",
        REDIS_URL=f"unix://{servers}/broker/broker.sock?db=1",
        ALLOWED_HOSTS="coop.vendor.example",
        MEDIA_ROOT=str(tmp_path),
        SECRET_KEY="only-for-this-test-3Hq0yVw8mKf5tZr1xNb7cJd2pLs9gTe4",
    )
    assert "EMPTY=1 left aside: this is no sandbox" in said
    assert "@vendor.example" not in said
    assert "assword" not in said
    assert not (sandbox.home / "postgres").exists()
    assert sandbox.get("/healthz", host="coop.vendor.example")[0] == 200
    with psycopg.connect(f"{postgres}/real_installation") as connection:
        assert connection.execute("SELECT count(*) FROM partners_person").fetchone() == (0,)
    assert sandbox.interrupt() < 10
