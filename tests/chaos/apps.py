"""What a run changes of the product, in every process of the stack: only how long it waits.

The timetable rings more often, and what was leased by somebody who was killed, or refused, is tried again sooner: a run of
minutes shall hold what a day does elsewhere. With CHAOS_BREAK it also takes away one guard (tests/chaos/breaks), to show
that the auditor would see it missing.
"""

# ruff: noqa: PLC0415 - models must be there first
from __future__ import annotations

import os

from django.apps import AppConfig

EVERY = 3.0  # seconds
LEASE = 20
GAPS = (2, 4, 8, 8)


class ChaosConfig(AppConfig):
    name = "tests.chaos"

    def ready(self) -> None:
        from coop.timetable import TIMETABLE
        from partners import mailing
        from partners.hooks import leasing

        for ring in TIMETABLE.values():
            if isinstance(ring["schedule"], (int, float)):
                ring["schedule"] = min(ring["schedule"], EVERY)
        mailing.TAKE = mailing.TAKE.replace(f"secs => {mailing.LEASE_SECONDS}", f"secs => {LEASE}")
        mailing.GAPS = leasing.GAPS = GAPS
        mailing.LAST_GAP = leasing.LAST_GAP = GAPS[-1]
        leasing.LEASE_SECONDS = LEASE
        if name := os.environ.get("CHAOS_BREAK"):
            from tests.chaos.breaks import take_away

            take_away(name)
