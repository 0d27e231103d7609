"""The settings of Celery that decide what becomes of a task whose worker, broker or beat dies. See docs/operations.md."""

from __future__ import annotations

import pytest
from celery.schedules import crontab

from coop.celery import app
from coop.jobs import JOBS
from coop.jobs.asking import TASK
from coop.timetable import TIMETABLE

app.loader.import_default_modules()

PINNED = {
    # A task is given back when it ends, so one whose worker dies comes back; which may be twice, and does no harm.
    "task_acks_late": True,
    # No: a task that kills its worker would go round for ever. What it left is found by the next ring.
    "task_reject_on_worker_lost": False,
    # A worker that is busy keeps no further task from others.
    "worker_prefetch_multiplier": 1,
    "task_time_limit": 300,
    "task_soft_time_limit": 270,
    "visibility_timeout": 900,
    # Nobody reads results: truth is in tables.
    "task_ignore_result": True,
    "result_backend": None,
    "task_serializer": "json",
    "accept_content": ["json"],
    "broker_connection_retry_on_startup": True,
    "worker_max_tasks_per_child": 500,
    "worker_max_memory_per_child": 300_000,
    "worker_soft_shutdown_timeout": 60,
    "worker_enable_soft_shutdown_on_idle": True,
    "timezone": "UTC",
    "beat_scheduler": "coop.beat:Scheduler",
    "beat_cron_starting_deadline": None,
}


@pytest.mark.parametrize("name", PINNED)
def test_a_setting_is_what_the_promises_rest_on(name: str) -> None:
    assert app.conf[name] == PINNED[name]


def test_the_broker_gives_a_task_of_a_dead_worker_back_well_before_an_hour_and_after_its_time_limit() -> None:
    options = app.conf.broker_transport_options
    assert options == {
        "visibility_timeout": 900,
        "socket_timeout": 10,
        "socket_keepalive": True,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
    }
    assert options["visibility_timeout"] > 2 * app.conf.task_time_limit


def test_each_job_has_its_task_and_its_ring_and_no_task_takes_arguments() -> None:
    assert {entry["task"] for entry in TIMETABLE.values()} == {job.task for job in JOBS} | {TASK}
    assert app.conf.beat_schedule == TIMETABLE
    for entry in TIMETABLE.values():
        assert "args" not in entry
        assert "kwargs" not in entry
    for name, task in app.tasks.items():
        if name.startswith("coop."):
            assert task.run.__code__.co_argcount == 0, name


def test_a_ring_that_waited_until_the_next_ones_came_is_dropped_and_one_of_the_night_never() -> None:
    """After days without a worker it would otherwise work through tens of thousands of rings that find nothing."""
    for entry in TIMETABLE.values():
        expires = entry.get("options", {}).get("expires")
        if isinstance(entry["schedule"], crontab):
            assert expires is None, entry
        else:
            assert expires >= 10 * entry["schedule"], entry


def test_a_long_job_may_take_two_hours_and_is_warned_before_it_is_stopped() -> None:
    for job in JOBS:
        if job.limit is not None:
            task = app.tasks[job.task]
            assert (task.time_limit, task.soft_time_limit) == (7200, 7140)
