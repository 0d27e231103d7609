"""What the auditor says of what people and programs are told, and of the jobs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from coop.jobs import JOBS
from coop.lib import clock
from coop.lib.db import rows
from tests.chaos.journals import Journals
from tests.chaos.lines import Line, asked, line, number

TABLES = ("claims_claim", "partners_event", "partners_notice", "partners_mail", "partners_delivery", "funds_entry")


def counted() -> dict[str, int]:
    return {f"rows of {table}": number(f"SELECT count(*) FROM {table}") for table in TABLES}


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def telling(home: Path, journals: Journals) -> list[Line]:
    events = number("SELECT count(*) FROM partners_event")
    return [
        asked("every event was told", "SELECT 'event', event_id FROM partners_untold", f"{events} events"),
    ]


def work(home: Path) -> list[Line]:
    """The jobs: nothing is due, and no job's last run failed."""
    at = clock.now()
    due = {job.name: job.due(at) for job in JOBS if job.due is not None}
    ends = json.loads((home / "ends.json").read_text()) if (home / "ends.json").exists() else {}
    last = rows(
        """SELECT DISTINCT ON (job) job, failed, failures FROM lib_jobrun WHERE status IN ('done', 'failed')
           ORDER BY job, id DESC"""
    )
    return [
        line(
            "nothing that is due is left undone",
            (f"{name}: {number}" for name, number in due.items() if number),
            f"{len(due)} jobs",
        ),
        line(
            "no failure of a job is left",
            (f"{job}: {failures}" for job, failed, failures in last if failed),
            f"{len(last)} jobs ran",
        ),
        line(
            "everybody who made the load got answers to the end",
            (f"{name}: {end}" for name, end in ends.items() if end != 0),
            f"{len(ends)} processes",
        ),
    ]
