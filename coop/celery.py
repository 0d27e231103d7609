"""The Celery app. Tasks are alarm clocks (coop/tasks.py); when they ring is in coop/timetable.py."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coop.settings")

app = Celery("coop")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["coop"])
