"""Waits until nothing is left to do; the end of a run. `python -m tests.chaos.left SECONDS`; status 1 if something is left."""

from __future__ import annotations

import sys
import time

import django

# What is leased or put off is not due now, and not done either.
WAITING = {
    "events": "SELECT count(*) FROM partners_untold",
    "mails": "SELECT count(*) FROM partners_mail WHERE status = 'waiting'",
    "deliveries": "SELECT count(*) FROM partners_delivery WHERE status = 'waiting'",
}


def left() -> dict[str, int]:
    """What jobs still have to do by the clock as it stands, and what waits to be told, mailed or delivered."""
    at = clock.now()
    found = {job.name: job.due(at) for job in JOBS if job.due is not None}
    found |= {name: rows(sql)[0][0] for name, sql in WAITING.items()}
    return {name: number for name, number in found.items() if number}


def ask_for_night_work() -> None:
    """What rings at a time of day would wait for that; the run's clock has gone through years in minutes."""
    for job in JOBS:
        if isinstance(job.every, crontab) and job.due is not None:
            JobRun.objects.create(job=job.name, status="asked", asked_by="chaos")


def main(seconds: float) -> int:
    deadline = time.monotonic() + seconds
    ask_for_night_work()
    while found := left():
        if time.monotonic() > deadline:
            sys.stdout.write(f"Left after {seconds:.0f} seconds: {found}\n")
            return 1
        time.sleep(0.5)
    return 0


if __name__ == "__main__":
    django.setup()

    from celery.schedules import crontab

    from coop.jobs import JOBS
    from coop.lib import clock
    from coop.lib.db import rows
    from coop.lib.models import JobRun

    sys.exit(main(float(sys.argv[1])))
