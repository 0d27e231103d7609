"""What is kept of the runs of jobs: that they looked, what they did, what failed, how far they are, and who asked for one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection, transaction
from django.db.models.functions import Now

from coop.jobs import BY_NAME, Done, Progress, each, heartbeat, run_job
from coop.jobs.asking import ask_for_run, run_asked
from coop.lib.errors import NotAllowed, NotFound
from coop.lib.models import JobRun, JobState
from partners.models import Event
from tests import factories as make

AT = make.CLAIMING
NAME = "lapse_claims"


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets a job do something else."""

    def does(run: Callable[[datetime, Progress], Done], name: str = NAME, **changes: Any) -> None:
        monkeypatch.setitem(BY_NAME, name, replace(BY_NAME[name], run=run, **changes))

    return does


def works(count: int) -> Callable[[datetime, Progress], Done]:
    return lambda at, progress: each(Done(NAME, at, progress=progress), range(count), lambda i: True, kind="claim")


def fails_on(bad: set[int]) -> Callable[[datetime, Progress], Done]:
    def act(record: int) -> None:
        if record in bad:
            raise ValueError(f"the total of {record} does not fit")

    return lambda at, progress: each(Done(NAME, at, progress=progress), range(5), act, kind="claim")


@pytest.mark.django_db
def test_a_look_that_finds_nothing_is_noted_and_leaves_no_run(job: Callable[..., None]) -> None:
    job(works(0))
    run_job(NAME, AT)
    state = JobState.objects.get(job=NAME)
    assert state.looked_wall is not None
    assert (state.worked_wall, state.failed_wall, JobRun.objects.count()) == (None, None, 0)


@pytest.mark.django_db
def test_a_run_that_did_something_is_kept_with_its_count_and_its_instant(job: Callable[..., None]) -> None:
    job(works(3))
    run_job(NAME, AT)
    run = JobRun.objects.get()
    assert (run.job, run.status, run.at, run.total, run.worked, run.failed) == (NAME, "done", AT, 3, 3, 0)
    assert run.ended_wall is not None
    state = JobState.objects.get(job=NAME)
    assert state.worked_wall == state.looked_wall


@pytest.mark.django_db
def test_a_record_that_fails_is_kept_with_its_sentence_and_the_others_go_on(job: Callable[..., None]) -> None:
    job(fails_on({1, 3}))
    done = run_job(NAME, AT)
    assert (done.worked, done.failed) == (3, 2)
    run = JobRun.objects.get()
    assert (run.status, run.worked, run.failed) == ("failed", 3, 2)
    assert run.failures == [
        {"record": "claim 1", "error": "the total of 1 does not fit"},
        {"record": "claim 3", "error": "the total of 3 does not fit"},
    ]
    assert JobState.objects.get(job=NAME).failed_wall is not None
    event = Event.objects.get(verb="job.failed")
    assert event.vendor_only
    assert event.data["record"] == "claim 1"


@pytest.mark.django_db
def test_of_very_many_failures_a_hundred_are_kept_and_all_are_counted(job: Callable[..., None]) -> None:
    def act(record: int) -> None:
        raise ValueError("x" * 5_000)

    job(lambda at, progress: each(Done(NAME, at), range(250), act))
    run_job(NAME, AT)
    run = JobRun.objects.get()
    assert (run.failed, len(run.failures), max(len(f["error"]) for f in run.failures)) == (250, 100, 500)


@pytest.mark.django_db
def test_the_same_failure_minute_after_minute_is_one_run_and_is_told_once(job: Callable[..., None]) -> None:
    job(lambda at, progress: each(Done(NAME, at), [41], lambda i: 1 / 0, kind="claim"))
    for minute in range(3):
        run_job(NAME, AT + timedelta(minutes=minute))
    assert JobRun.objects.get().at == AT + timedelta(minutes=2)
    assert Event.objects.filter(verb="job.failed").count() == 1
    job(lambda at, progress: each(Done(NAME, at), [42], lambda i: 1 / 0, kind="claim"))
    run_job(NAME, AT)
    assert JobRun.objects.count() == 2, "another record is another failure"


@pytest.mark.django_db
def test_a_job_that_looks_every_few_seconds_is_added_up_by_the_hour(job: Callable[..., None]) -> None:
    job(works(2), every=5.0)
    for _ in range(3):
        run_job(NAME, AT)
    assert JobRun.objects.get().worked == 6
    JobRun.objects.update(began_wall=Now() - timedelta(minutes=61))
    run_job(NAME, AT)
    assert sorted(JobRun.objects.values_list("worked", flat=True)) == [2, 6]


@pytest.mark.django_db
def test_a_job_that_breaks_altogether_is_a_failed_run_with_a_sentence(job: Callable[..., None]) -> None:
    def breaks(at: datetime, progress: Progress) -> Done:
        raise RuntimeError("the catalog could not be read")

    job(breaks)
    done = run_job(NAME, AT)
    assert done.failed == 1
    assert JobRun.objects.get().failures == [
        {"record": NAME, "error": "It broke off: the catalog could not be read"},
    ]


@pytest.mark.django_db
def test_a_run_that_takes_too_long_ends_and_says_so_and_no_record_is_blamed(job: Callable[..., None]) -> None:
    tried = []

    def act(record: int) -> None:
        tried.append(record)
        raise SoftTimeLimitExceeded

    job(lambda at, progress: each(Done(NAME, at), range(5), act, kind="claim"))
    run_job(NAME, AT)
    assert tried == [0]
    assert JobRun.objects.get().failures == [
        {
            "record": NAME,
            "error": "It took longer than it may and was stopped; what it left is found by the next run.",
        }
    ]


@pytest.mark.django_db(transaction=True)
def test_a_long_run_shows_how_far_it_is_before_its_own_transaction_ends(
    job: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "FIRST_BEAT", 0.01)
    monkeypatch.setattr(heartbeat, "BEAT", 0.01)
    half, go_on = threading.Event(), threading.Event()

    @transaction.atomic
    def slow(at: datetime, progress: Progress) -> Done:
        progress.expect(2_000)
        progress.step(1_000)
        half.set()
        assert go_on.wait(20)
        return Done(NAME, at, worked=2_000)

    job(slow)
    worker = threading.Thread(target=lambda: (run_job(NAME, AT), connection.close()))
    worker.start()
    assert half.wait(20)
    wanted = ("running", 1_000, 2_000)
    seen = None
    for _ in range(500):
        seen = JobRun.objects.values_list("status", "worked", "total").first()
        if seen == wanted:
            break
        threading.Event().wait(0.02)
    go_on.set()
    worker.join()
    assert seen == wanted
    run = JobRun.objects.get()
    assert (run.status, run.worked) == ("done", 2_000)


@pytest.mark.django_db
def test_a_run_whose_heart_stopped_is_shown_as_killed_by_whoever_looks_next(job: Callable[..., None]) -> None:
    JobRun.objects.create(job="expire_periods", status="running", heartbeat_wall=Now() - timedelta(seconds=121))
    alive = JobRun.objects.create(job="expire_periods", status="running", heartbeat_wall=Now() - timedelta(seconds=90))
    job(works(0))
    run_job(NAME, AT)
    assert list(JobRun.objects.order_by("id").values_list("status", flat=True)) == ["killed", "running"]
    assert JobRun.objects.get(id=alive.id).ended_wall is None


@pytest.mark.django_db
def test_rows_of_runs_are_forgotten_after_ninety_days_by_the_wall_clock() -> None:
    old, young = Now() - timedelta(days=90, seconds=9), Now() - timedelta(days=89, hours=23)
    JobRun.objects.create(job=NAME, status="done", ended_wall=old)
    kept = [
        JobRun.objects.create(job=NAME, status="done", ended_wall=young),
        JobRun.objects.create(job=NAME, status="asked", began_wall=old),
    ]
    run_job("forget_runs", AT)
    assert list(JobRun.objects.exclude(job="forget_runs").order_by("id")) == kept


# --- Runs that somebody asks for ----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_run_that_was_asked_for_waits_in_a_table_and_names_who_asked(job: Callable[..., None]) -> None:
    make.set_clock(AT)
    admin = make.vendor("program")
    job(works(0))
    run = ask_for_run(NAME, by=admin, at=AT)
    assert ask_for_run(NAME, by=admin, at=AT) == run, "asked twice before it began, it runs once"
    assert (run.status, run.asked_by) == ("asked", admin.email)
    assert [done.job for done in run_asked(AT)] == [NAME]
    run.refresh_from_db()
    assert (run.status, run.asked_by, run.worked) == ("done", admin.email, 0), "it is kept although it found nothing"
    assert run_asked(AT) == []


@pytest.mark.django_db
def test_only_a_program_admin_asks_for_runs_and_only_of_jobs_that_exist() -> None:
    for who in ("finance", "auditor", "manager"):
        with pytest.raises(NotAllowed):
            ask_for_run(NAME, by=make.vendor(who), at=AT)
    with pytest.raises(NotFound):
        ask_for_run("drop_tables", by=make.vendor("program"), at=AT)
    assert not JobRun.objects.exists()
