"""Ringing the worker once a change is committed. A ring that gets lost costs seconds: the timetable rings anyway."""

from __future__ import annotations

import structlog
from django.db import transaction
from django.utils.module_loading import import_string
from kombu.exceptions import OperationalError

log = structlog.get_logger()


def nudge(task: str) -> None:
    """Ask for a task (by its name, e.g. "coop.check_imports") after the commit; a dead broker fails nothing.

    It goes by name, and the Celery app too, because doors must not import what knows every app. There is one quick try:
    a request does not wait for a broker.
    """
    transaction.on_commit(lambda: ring(task))


def ring(task: str) -> None:
    try:
        import_string("coop.celery.app").send_task(task, retry=False, ignore_result=True)
    except (OperationalError, OSError) as error:
        log.warning("nudge.lost", task=task, error=str(error))
