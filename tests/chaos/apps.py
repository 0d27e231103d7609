"""What a run changes of the product, in every process of the stack: nothing but how often the timetable rings.

With CHAOS_BREAK it also takes away one guard (tests/chaos/breaks), to show that the auditor would see it missing.
"""

from __future__ import annotations

import os

from django.apps import AppConfig

EVERY = 3.0  # seconds: a run of minutes shall hold what a day does elsewhere


class ChaosConfig(AppConfig):
    name = "tests.chaos"

    def ready(self) -> None:
        from coop.timetable import TIMETABLE  # noqa: PLC0415 - models must be there first
        from tests.chaos.breaks import take_away  # noqa: PLC0415

        for ring in TIMETABLE.values():
            if isinstance(ring["schedule"], (int, float)):
                ring["schedule"] = min(ring["schedule"], EVERY)
        if name := os.environ.get("CHAOS_BREAK"):
            take_away(name)
