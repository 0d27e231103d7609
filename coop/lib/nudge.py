"""Ringing the worker once a change is committed. A ring that gets lost costs seconds: the timetable rings anyway."""

from __future__ import annotations

import time
from dataclasses import dataclass

import structlog
from django.db import connection, transaction
from django.utils.module_loading import import_string
from kombu.exceptions import OperationalError

log = structlog.get_logger()

ONE_TRY = {"max_retries": 0, "interval_start": 0, "interval_step": 0, "interval_max": 0, "socket_connect_timeout": 1}
REST = 10.0  # seconds without further rings of a kind that may be left out, after the broker did not answer
# Until when, on this process's own watch, rings of a task are left out.
resting: dict[str, float] = {}


@dataclass(frozen=True)
class Ring:
    """One ring that waits for the commit. Two of the same task in a transaction are one."""

    task: str
    at_most_every: float

    def __call__(self) -> None:
        if self.at_most_every and time.monotonic() < resting.get(self.task, 0):
            return
        heard = ring(self.task)
        resting[self.task] = time.monotonic() + (self.at_most_every if heard else REST)


def nudge(task: str, *, at_most_every: float = 0) -> None:
    """Ask for a task (by its name, e.g. "coop.check_imports") after the commit; a dead broker fails nothing.

    It goes by name, and the Celery app too, because doors must not import what knows every app. There is one quick try:
    a request does not wait for a broker. `at_most_every` so many seconds a process rings, for tasks that everybody rings.
    """
    asked = Ring(task, at_most_every)
    if not any(entry[1] == asked for entry in connection.run_on_commit):
        transaction.on_commit(asked)


def ring(task: str) -> bool:
    """Send the message; says whether the broker took it."""
    app = import_string("coop.celery.app")
    try:
        # A connection of its own, because the pool's tries for six seconds before it gives up on a dead broker.
        with app.connection_for_write(transport_options={**app.conf.broker_transport_options, **ONE_TRY}) as broker:
            app.send_task(task, connection=broker, retry=False, ignore_result=True)
    except (OperationalError, OSError) as error:
        log.warning("nudge.lost", task=task, error=str(error))
        return False
    return True
