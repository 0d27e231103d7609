"""Beat begins where the jobs stopped, whatever became of its file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from coop import tasks  # noqa: F401 - gives the app its timetable
from coop.beat import Scheduler
from coop.celery import app
from coop.lib.models import JobState


@pytest.mark.django_db
def test_in_a_new_container_beat_rings_at_once_for_what_did_not_look_since(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    looked = {"expire_periods": now - timedelta(days=8), "audit_ledger": now - timedelta(days=2), "remind": now}
    JobState.objects.all().delete()
    for job, wall in looked.items():
        JobState.objects.create(job=job, looked_wall=wall)

    beat = Scheduler(app, schedule_filename=str(tmp_path / "schedule"))
    try:
        due = {entry.task for entry in beat.schedule.values() if entry.is_due().is_due}
    finally:
        beat.close()

    assert due == {"coop.expire_periods", "coop.audit_ledger"}
