"""A real worker is killed in the middle of a sweep over thousands of funds: all is finished, and nothing done twice."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.db.models.functions import Now

from claims.checks import CHECKS as CLAIM_CHECKS
from coop import jobs
from coop.celery import app
from coop.children import kill_session, start_child
from coop.lib.models import JobRun
from funds.checks import check_ledger
from funds.models import EarningPeriod, Enrollment, Entry, Fund
from funds.operations import settlement
from funds.operations.earnings import take_lines
from partners.models import Event, Location
from tests import factories as make

FUNDS = 2_000
COOP_MINOR = 1_000_000  # each: 40 % of 25,000.00

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.worker, pytest.mark.slow]


def make_many_funds(count: int) -> EarningPeriod:
    """So many funds of FY24 H1, settled; then the clock stands three days after the claim deadline."""
    make.set_clock(make.EARNING)
    one = make.make_enrollment()
    locations = Location.objects.bulk_create(
        Location(
            partner=one.location.partner,
            external_id=f"L-many-{n}",
            name=f"Shop {n}",
            country="US",
            created_at=make.EARNING,
        )
        for n in range(count)
    )
    Enrollment.objects.bulk_create(
        Enrollment(
            location=location,
            partner=one.location.partner,
            program=one.program,
            starts_on=one.starts_on,
            payout_profile_complete=True,
            created_at=make.EARNING,
        )
        for location in locations
    )
    lines = [make.earning_line(location.external_id, "25000.00") for location in locations]
    for first in range(0, count, 1_000):
        assert take_lines(lines[first : first + 1_000], by=make.vendor("finance"), at=make.EARNING).rejected == 0
    half = make.period()
    settlement.settle_period(half.id, at=make.set_clock(half.settle_at))
    make.set_clock(make.DEADLINE + timedelta(days=3))
    assert Fund.objects.filter(available_minor=COOP_MINOR).count() == count
    return half


def expired_once(half: EarningPeriod, count: int) -> None:
    """Each fund expired once, all of it, effective on the promised day, and said once; and the audit agrees."""
    entries = Entry.objects.filter(kind="expiry")
    assert Counter(entries.values_list("amount_minor", "effective_on")) == {(COOP_MINOR, date(2024, 8, 14)): count}
    assert entries.values("fund").distinct().count() == count
    assert Event.objects.filter(verb="fund.expired").count() == count
    assert Event.objects.filter(verb="earning_period.expired").count() == 1
    assert Fund.objects.filter(available_minor=0, expired_minor=COOP_MINOR).count() == count
    half.refresh_from_db()
    assert half.expired_at is not None
    assert check_ledger(CLAIM_CHECKS).differences == []


def expired() -> int:
    return Entry.objects.filter(kind="expiry").count()


class Worker:
    """A real worker on the test's database, with two processes, that sweeps fifty funds at a time."""

    def __init__(self, folder: Path) -> None:
        command = [
            sys.executable,
            "-m",
            "tests.jobs.slow_worker",
            "-A",
            "coop",
            "worker",
            "-c",
            "2",
            "--loglevel",
            "INFO",
        ]
        env = {**os.environ, "COOP_DATABASE": str(connection.settings_dict["NAME"])}
        self.process = start_child(command, log=folder / "worker.log", env=env, cwd=Path(__file__).resolve().parents[2])

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        kill_session(self.process)  # its children too: what a machine that loses its power does
        self.process.wait(30)


def wait_until(holds: object, seconds: float = 60) -> None:
    assert callable(holds)
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.01)


def test_a_worker_that_is_killed_in_the_middle_is_followed_by_one_that_ends_the_work(tmp_path: Path) -> None:
    half = make_many_funds(FUNDS)
    app.send_task("coop.expire_periods", ignore_result=True)
    first = Worker(tmp_path)
    wait_until(lambda: expired() >= 500)
    wait_until(lambda: JobRun.objects.filter(job="expire_periods", status="running", worked__gt=0).exists())
    first.kill()
    left = expired()
    assert 500 <= left < FUNDS, "the kill came too late to show anything"
    run = JobRun.objects.get(job="expire_periods")
    assert (run.status, run.total) == ("running", FUNDS)
    assert 0 < run.worked <= left, "it showed no more than was committed"

    JobRun.objects.update(heartbeat_wall=Now() - timedelta(minutes=3))  # two minutes later
    app.send_task("coop.expire_periods", ignore_result=True)  # what beat does every minute
    second = Worker(tmp_path)
    try:
        wait_until(lambda: JobRun.objects.filter(job="expire_periods", status="done").exists())
    finally:
        second.kill()
    expired_once(half, FUNDS)
    told = [(run.status, run.worked) for run in JobRun.objects.filter(job="expire_periods").order_by("id")]
    assert told == [("killed", run.worked), ("done", FUNDS - left)], "the dead run is shown as killed by the next one"


def test_two_runs_together_and_a_third_one_days_late_expire_each_fund_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settlement, "CHUNK", 40)
    half = make_many_funds(800)
    at = make.DEADLINE + timedelta(days=3)
    begun = threading.Barrier(2)
    done: list[jobs.Done] = []

    def run() -> None:
        begun.wait()
        done.append(jobs.run_job("expire_periods", at))
        connection.close()

    runs = [threading.Thread(target=run) for _ in range(2)]
    for thread in runs:
        thread.start()
    for thread in runs:
        thread.join()
    assert [one.failed for one in done] == [0, 0]
    assert sum(one.worked for one in done) == 800, "they shared the work"
    assert all(one.worked > 0 for one in done)
    assert jobs.run_job("expire_periods", at + timedelta(days=3)).worked == 0
    expired_once(half, 800)
