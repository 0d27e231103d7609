"""A real worker takes tasks from a real broker and works on the database that it was given."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from coop.celery import app
from coop.children import start_child, stop_children
from coop.timetable import TIMETABLE

PROJECT = Path(__file__).resolve().parents[2]
QUEUE = f"of-test-process-{os.getpid()}"  # what other tests ring for, here and in the other process, is left alone


@pytest.fixture
def worker_log(transactional_db: None, tmp_path: Path) -> Iterator[Path]:
    """The log of a real Celery worker on this process's test database; it ends with the test."""
    log = tmp_path / "worker.log"
    command = [sys.executable, "-m", "celery", "-A", "coop", "worker", "-c", "1", "-Q", QUEUE, "--loglevel", "INFO"]
    env = {**os.environ, "COOP_DATABASE": str(connection.settings_dict["NAME"])}
    worker = start_child(command, log=log, env=env, cwd=PROJECT)
    wait_for(" ready.", log)
    yield log
    stop_children([worker], seconds=10)


def wait_for(words: str, log: Path) -> None:
    deadline = time.monotonic() + 60
    while words not in (log.read_text() if log.exists() else ""):
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


def test_every_entry_of_the_timetable_names_a_task_that_exists() -> None:
    app.loader.import_default_modules()
    assert {entry["task"] for entry in TIMETABLE.values()} <= set(app.tasks)


@pytest.mark.worker
@pytest.mark.slow
def test_a_task_sent_through_the_broker_is_done_by_the_worker(worker_log: Path) -> None:
    sent = app.send_task("coop.audit_ledger", queue=QUEUE)
    wait_for(f"{sent.id}] succeeded", worker_log)
