"""The operators' page: what ran, what is due, what failed and why, and asking for a run."""

from __future__ import annotations

import pytest
from django.db.models.functions import Now
from django.urls import reverse

from coop.jobs import JOBS
from coop.jobs.running import BEAT, WORKER, note_alive
from coop.lib.models import JobRun, JobState
from tests import factories as make
from tests.web.vendor.conftest import Enter, get_within_bound, words

pytestmark = pytest.mark.django_db
MOST = 20 + len(JOBS)  # queries: each job counts what is due for it


@pytest.fixture(autouse=True)
def all_looked(db: None) -> None:
    for job in JOBS:
        JobState.objects.create(job=job.name, looked_wall=Now())
    note_alive(BEAT)
    note_alive(WORKER)


def failed_run(claim_id: int) -> JobRun:
    JobState.objects.filter(job="lapse_claims").update(failed_wall=Now())
    return JobRun.objects.create(
        job="lapse_claims",
        status="failed",
        at=make.DEADLINE,
        ended_wall=Now(),
        worked=7,
        failed=102,
        failures=[{"record": f"claim {claim_id}", "error": "The totals do not fit."}],
    )


def test_it_is_quiet_when_all_is_well(enter: Enter) -> None:
    make.make_fund("25000.00")
    page = words(get_within_bound(enter("program"), reverse("operations"), MOST))
    assert "Nothing needs attention: every job looked in time, and none fails." in page
    assert "Needs attention" not in page.replace("Nothing needs attention", "")
    for job in JOBS:
        assert job.title in page


def test_what_failed_says_why_in_a_sentence_and_leads_to_the_record(enter: Enter) -> None:
    claim = make.make_sent_claim(make.make_fund("25000.00"), "1200.00")
    run = failed_run(claim.pk)
    client = enter("program")
    page = words(get_within_bound(client, reverse("operations"), MOST))
    assert f"Lapse claims fails. Claim {claim.pk}: The totals do not fit. And 101 more." in page
    answer = client.get(reverse("operations-run", args=[run.id]))
    assert f'href="{reverse("review", args=[claim.pk])}">Claim {claim.number}</a>' in answer.content.decode()
    assert client.get(reverse("review", args=[claim.pk])).status_code == 200, "the link leads there for who reads it"
    assert "And 101 more, which are not kept." in words(answer)


def test_a_run_shows_how_far_it_is_and_a_dead_one_that_it_was_killed(enter: Enter) -> None:
    JobRun.objects.create(job="expire_periods", status="running", worked=12_000, total=500_000)
    JobRun.objects.create(job="lapse_plans", status="running", heartbeat_wall="2026-01-01T00:00:00Z")
    page = words(get_within_bound(enter("auditor"), reverse("operations"), MOST))
    assert "12,000 of 500,000" in page
    assert "The worker died in the middle. What it left is found by the next run." in page


def test_beat_and_a_job_that_are_silent_need_attention(enter: Enter) -> None:
    JobState.objects.filter(job__in=[BEAT, "expire_periods"]).update(looked_wall="2026-01-01T00:00:00Z")
    page = words(enter("program").get(reverse("operations")))
    assert "Timetable (beat): no sign of life for two minutes. Is it running?" in page
    assert "Expire periods did not look every minute, as it should." in page


def test_a_program_admin_asks_for_a_run_and_is_named(enter: Enter) -> None:
    client = enter("program")
    page = words(client.post(reverse("operations-ask", args=["audit_ledger"]), follow=True))
    assert "“Audit ledger” was asked for. A worker begins within seconds." in page
    assert list(JobRun.objects.values_list("job", "status", "asked_by")) == [
        ("audit_ledger", "asked", "program@vendor.example")
    ]
    assert client.post(reverse("operations-ask", args=["nonsense"])).status_code == 404


def test_auditor_and_finance_read_and_ask_for_nothing_and_others_do_not_see_it(enter: Enter) -> None:
    for who in ("auditor", "finance"):
        client = enter(who)
        page = client.get(reverse("operations"))
        assert page.status_code == 200
        assert "Run again" not in page.content.decode()
        assert reverse("operations") in page.content.decode(), "the footer leads there"
        assert client.post(reverse("operations-ask", args=["audit_ledger"])).status_code == 403
    client = enter("manager")
    assert client.get(reverse("operations")).status_code == 403
    assert not JobRun.objects.exists()


def test_a_run_that_is_not_there_is_not_found(enter: Enter) -> None:
    assert enter("program").get(reverse("operations-run", args=[4711])).status_code == 404
