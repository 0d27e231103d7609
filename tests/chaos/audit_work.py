"""What the auditor says of the work itself: jobs, and who made the load; and the figures of a run."""

from __future__ import annotations

import json
from pathlib import Path

from coop.jobs import JOBS
from coop.lib import clock
from coop.lib.db import rows
from tests.chaos.lines import Line, line, number

TABLES = {
    "claims": "claims_claim",
    "entries": "funds_entry",
    "events": "partners_event",
    "notices": "partners_notice",
    "mails": "partners_mail",
    "deliveries to webhooks": "partners_delivery",
    "runs of jobs": "lib_jobrun",
}
# The last run of each job that came to its end. Of mails each is looked at by itself (audit_telling.py): one that its
# deadline overtook counts as given up.
LAST = """
  SELECT DISTINCT ON (job) job, failed, failures FROM lib_jobrun WHERE status IN ('done', 'failed')
    AND job <> 'send_mails' ORDER BY job, id DESC"""


def counted() -> dict[str, int]:
    found = {name: number(f"SELECT count(*) FROM {table}") for name, table in TABLES.items()}
    found["runs of jobs that were killed"] = number("SELECT count(*) FROM lib_jobrun WHERE status = 'killed'")
    return found


def work(home: Path) -> list[Line]:
    at = clock.now()
    due = {job.name: job.due(at) for job in JOBS if job.due is not None}
    left = (f"{name}: {waits}" for name, waits in due.items() if waits)
    last = rows(LAST)
    ends = json.loads((home / "ends.json").read_text())
    given_up = (f"{name}: {end}" for name, end in ends.items() if end != 0)
    return [
        line("nothing that is due is left undone", left, f"{len(due)} jobs"),
        line(
            "no failure of a job is left",
            (f"{job}: {failures}" for job, failed, failures in last if failed),
            f"{len(last)} jobs",
        ),
        line("every act got an answer in the end", given_up, f"{len(ends)} processes"),
    ]
