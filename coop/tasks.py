"""The tasks: each reads the clock and runs one job. Truth is in PostgreSQL; a lost, late or doubled task does no harm."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog

from coop import jobs
from coop.celery import app
from coop.lib import clock
from coop.sandbox import jobs_are_held

log = structlog.get_logger()

LONG = 2 * 60 * 60  # seconds


def run(job: Callable[[datetime], jobs.Done]) -> dict[str, Any]:
    done = job(clock.now()).as_dict()
    if done["worked"] or done["failed"]:
        log.info("job.done", **done)
    return done


@app.task(name="coop.settle_periods")
def settle_periods() -> None:
    if not jobs_are_held():
        run(jobs.settle_periods)


@app.task(name="coop.lapse_claims")
def lapse_claims() -> None:
    if not jobs_are_held():
        run(jobs.lapse_claims)


@app.task(name="coop.lapse_plans")
def lapse_plans() -> None:
    if not jobs_are_held():
        run(jobs.lapse_plans)


@app.task(name="coop.expire_periods")
def expire_periods() -> None:
    if not jobs_are_held():
        run(jobs.expire_periods)


@app.task(name="coop.gather_rebates")
def gather_rebates() -> None:
    if not jobs_are_held():
        run(jobs.gather_rebates)


# Files of millions of lines take their time. The broker delivers such a task once more meanwhile: that run finds the import
# locked and does nothing.
@app.task(name="coop.check_imports", time_limit=LONG, soft_time_limit=LONG - 60)
def check_imports() -> None:
    run(jobs.check_imports)


@app.task(name="coop.commit_imports", time_limit=LONG, soft_time_limit=LONG - 60)
def commit_imports() -> None:
    run(jobs.commit_imports)


@app.task(name="coop.record_head")
def record_head() -> None:
    if not jobs_are_held():
        run(jobs.record_head)


@app.task(name="coop.mail_heads")
def mail_heads() -> None:
    run(jobs.mail_heads)


@app.task(name="coop.verify_links")
def verify_links() -> None:
    run(jobs.verify_links)


@app.task(name="coop.audit_ledger")
def audit_ledger() -> None:
    run(jobs.audit_ledger)


@app.task(name="coop.make_previews")
def make_previews() -> None:
    run(jobs.make_previews)


@app.task(name="coop.delete_files")
def delete_files() -> None:
    if not jobs_are_held():
        run(jobs.delete_files)


@app.task(name="coop.check_files", time_limit=LONG, soft_time_limit=LONG - 60)
def check_files() -> None:
    run(jobs.check_files)
