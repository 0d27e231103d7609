"""How the jobs stand: `manage.py jobs`, and what a watchdog is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models.functions import Now
from django.test import Client

from coop.jobs import JOBS, run_job
from coop.jobs.registry import BY_NAME
from coop.jobs.running import BEAT, WORKER, note_alive
from coop.jobs.standing import deep_health, processes, standings
from coop.lib import clock
from coop.lib.models import JobRun, JobState
from partners.models import Untold
from tests import factories as make

pytestmark = pytest.mark.django_db


def all_looked() -> None:
    for job in JOBS:
        JobState.objects.update_or_create(job=job.name, defaults={"looked_wall": Now(), "failed_wall": None})
    note_alive(BEAT)
    note_alive(WORKER)


def looked_ago(name: str, **ago: float) -> None:
    JobState.objects.filter(job=name).update(looked_wall=Now() - timedelta(**ago))


def standing(name: str) -> Any:
    return next(one for one in standings(clock.now()) if one.job.name == name)


def listed(*args: str) -> str:
    out = StringIO()
    call_command("jobs", *args, stdout=out, stderr=out)
    return out.getvalue()


def test_the_list_says_of_each_job_what_it_does_and_what_is_due_and_ends_well() -> None:
    all_looked()
    make.make_fund("25000.00", now=make.EARNING, settled=False)
    make.set_clock(make.CLAIMING)
    said = listed()
    for job in JOBS:
        assert job.name in said
        assert job.title in said
    line = next(line for line in said.splitlines() if line.startswith("settle_periods"))
    assert "every minute" in line
    assert "due now 0" not in line


def test_the_list_fails_where_a_job_or_beat_did_not_look() -> None:
    all_looked()
    looked_ago("expire_periods", minutes=16)
    looked_ago(BEAT, minutes=3)
    with pytest.raises(CommandError, match=r"Needs attention: expire_periods, timetable \(beat\)"):
        listed()


def test_a_job_of_the_night_may_look_once_a_day_and_no_seldomer() -> None:
    all_looked()
    looked_ago("audit_ledger", hours=25)
    assert not standing("audit_ledger").late
    looked_ago("audit_ledger", hours=26.1)
    assert standing("audit_ledger").late


def test_a_job_that_is_running_is_not_late_and_shows_how_far_it_is() -> None:
    all_looked()
    looked_ago("expire_periods", hours=1)
    JobRun.objects.create(job="expire_periods", status="running", worked=12_000, total=500_000)
    assert not standing("expire_periods").late
    assert "running, 12000 of 500000" in listed()
    worker = next(one for one in processes() if one.name == "Worker")
    assert not worker.silent


def test_running_one_by_hand_is_kept_with_its_counts_and_says_what_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    make.make_fund("25000.00", now=make.EARNING, settled=False)
    make.set_clock(make.CLAIMING)
    assert listed("run", "settle_periods") == "settle_periods: 1 done, 0 failed\n"
    assert JobRun.objects.get(job="settle_periods").asked_by == "manage.py"
    with pytest.raises(CommandError, match="There is no job nonsense"):
        listed("run", "nonsense")


def test_failures_are_listed_with_their_sentence_until_a_look_finds_none(
    monkeypatch: pytest.MonkeyPatch, failing: Callable[[str], None]
) -> None:
    all_looked()
    assert listed("failures") == "No run failed or was killed.\n"
    failing("lapse_claims")
    run_job("lapse_claims", make.CLAIMING)
    out = StringIO()
    with pytest.raises(CommandError, match="Something still fails"):
        call_command("jobs", "failures", stdout=out)
    assert "claim 41: the total does not fit" in out.getvalue()
    with pytest.raises(CommandError, match="Needs attention: lapse_claims"):
        listed()
    monkeypatch.undo()
    run_job("lapse_claims", make.CLAIMING)
    assert "lapse_claims" in listed()


# --- Health -----------------------------------------------------------------------------------------------------------


def health() -> tuple[int, dict[str, Any]]:
    answer = Client().get("/healthz?deep=1")
    return answer.status_code, answer.json()


def test_the_quick_check_says_how_long_ago_a_job_looked() -> None:
    assert Client().get("/healthz").json()["jobs_looked_seconds_ago"] is None
    all_looked()
    assert Client().get("/healthz").json()["jobs_looked_seconds_ago"] in range(60)


def test_the_deep_check_is_green_when_all_is_well_and_names_nobody() -> None:
    fund = make.make_fund("25000.00")
    all_looked()
    Untold.objects.all().delete()
    status, body = health()
    assert (status, body["failing"]) == (200, [])
    assert set(body["checks"]) == {"audit_age", "audit", "timetable", "events", "outgoing", "mails", "deliveries"}
    assert fund.partner.name not in str(body)


@pytest.mark.parametrize(
    ("name", "ago", "failing"),
    [
        ("audit_ledger", {"hours": 26.1}, "audit_age"),
        ("lapse_plans", {"minutes": 15.1}, "timetable"),
        ("expire_periods", {"minutes": 14.9}, ""),
    ],
)
def test_the_deep_check_turns_red_on_age(name: str, ago: dict[str, float], failing: str) -> None:
    all_looked()
    looked_ago(name, **ago)
    status, body = health()
    assert (status, body["failing"]) == ((503, [failing]) if failing else (200, []))


def test_the_deep_check_turns_red_when_the_audit_found_differences(failing: Callable[[str], None]) -> None:
    all_looked()
    failing("audit_ledger")
    run_job("audit_ledger", make.set_clock(make.CLAIMING))
    assert health()[1]["failing"] == ["audit"]


def test_the_deep_check_turns_red_when_an_event_waits_to_be_told_for_ten_minutes() -> None:
    make.make_fund("25000.00")
    all_looked()
    assert Untold.objects.exists()
    at = make.CLAIMING
    first = Untold.objects.order_by("event_id").first()
    assert first is not None
    assert "events" not in deep_health(first.event.at + timedelta(minutes=10)).failing
    assert deep_health(first.event.at + timedelta(minutes=10, seconds=1)).failing == ["events"], at


def test_every_job_has_a_sentence_a_time_and_a_task_of_its_own() -> None:
    for job in JOBS:
        assert job.title.endswith("."), job.name
        assert len(job.title) < 140, job.name
        assert job.how_often
    assert len(BY_NAME) == len(JOBS)
