"""Ringing the worker once a change is committed. A ring that gets lost costs seconds: the timetable rings anyway."""

from __future__ import annotations

import structlog
from django.db import transaction
from django.utils.module_loading import import_string
from kombu.exceptions import OperationalError

log = structlog.get_logger()

ONE_TRY = {"max_retries": 0, "interval_start": 0, "interval_step": 0, "interval_max": 0, "socket_connect_timeout": 1}


def nudge(task: str) -> None:
    """Ask for a task (by its name, e.g. "coop.check_imports") after the commit; a dead broker fails nothing.

    It goes by name, and the Celery app too, because doors must not import what knows every app. There is one quick try:
    a request does not wait for a broker.
    """
    transaction.on_commit(lambda: ring(task))


def ring(task: str) -> None:
    app = import_string("coop.celery.app")
    try:
        # A connection of its own, because the pool's tries for six seconds before it gives up on a dead broker.
        with app.connection_for_write(transport_options={**app.conf.broker_transport_options, **ONE_TRY}) as connection:
            app.send_task(task, connection=connection, retry=False, ignore_result=True)
    except (OperationalError, OSError) as error:
        log.warning("nudge.lost", task=task, error=str(error))
