"""Ringing the worker: a message where there is a broker, and nothing worse than a log line where there is none."""

import json
import time

import pytest
import redis
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from coop.celery import app
from coop.lib.nudge import nudge


def waiting(broker: redis.Redis, task: str) -> list[bytes]:
    """The messages in the queue that ask for a task; other tests ring for others meanwhile."""
    return [message for message in broker.lrange("celery", 0, -1) if json.loads(message)["headers"]["task"] == task]


@pytest.mark.django_db
def test_a_ring_is_sent_once_the_change_is_committed(
    settings: Settings, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    task = "coop.rung_by_this_test_alone"
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        with django_capture_on_commit_callbacks() as rings:
            nudge(task)
        assert waiting(broker, task) == []
        rings[0]()
        [message] = waiting(broker, task)
        broker.lrem("celery", 1, message)


@pytest.mark.django_db
@pytest.mark.parametrize("nowhere", ["redis+socket:///nowhere/broker.sock", "redis://127.0.0.1:1/0"])
def test_a_dead_broker_costs_a_request_less_than_two_seconds_and_no_error(
    nowhere: str,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    monkeypatch.setitem(app.conf, "broker_url", nowhere)
    started = time.monotonic()
    with django_capture_on_commit_callbacks(execute=True):
        nudge("coop.check_imports")
    assert time.monotonic() - started < 2
