"""Ringing the worker: a message where there is a broker, and nothing worse than a log line where there is none."""

import time

import pytest
import redis
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from coop.celery import app
from coop.lib.nudge import nudge


@pytest.mark.worker  # in the process of the tests whose worker would take the message
@pytest.mark.django_db
def test_a_ring_is_sent_once_the_change_is_committed(
    settings: Settings, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    broker = redis.Redis.from_url(settings.REDIS_URL)
    before = broker.llen("celery")
    with django_capture_on_commit_callbacks() as rings:
        nudge("coop.check_imports")
    assert broker.llen("celery") == before
    rings[0]()
    assert broker.llen("celery") == before + 1
    broker.rpop("celery")
    broker.close()


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
