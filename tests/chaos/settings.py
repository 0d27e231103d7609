"""The product's settings, with one more app (apps.py): it rings the timetable faster, and removes a guard for `--break`."""

from __future__ import annotations

from coop.settings import *  # noqa: F403
from coop.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.chaos.apps.ChaosConfig"]
