"""A real worker takes tasks from a real broker and works on the database that it was given."""

import time
from pathlib import Path

import pytest

from coop import tasks
from coop.celery import app
from coop.timetable import TIMETABLE


def test_every_entry_of_the_timetable_names_a_task_that_exists() -> None:
    app.loader.import_default_modules()
    assert {entry["task"] for entry in TIMETABLE.values()} <= set(app.tasks)


@pytest.mark.worker
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_task_sent_through_the_broker_is_done_by_the_worker(worker_log: Path) -> None:
    sent = tasks.TASKS["audit_ledger"].delay()
    deadline = time.monotonic() + 20
    while f"{sent.id}] succeeded" not in worker_log.read_text():
        assert time.monotonic() < deadline, worker_log.read_text()
        time.sleep(0.05)
