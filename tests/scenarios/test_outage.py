"""Beat and workers are down over a deadline: the clock decides, and partners are told what is true when somebody tells them.

Source: domain.md section 2. The deadline of FY24 H1 is the end of 14 August 2024, UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from claims.models import Claim
from coop.jobs import JOBS, run_job
from coop.lib import clock
from partners.models import Mail, Notice, Person
from tests import factories as make
from tests.factories import marketer_of
from tests.notices.post import MailServer
from tests.scenarios.outage import LAST, WHEN_IT_RAN, make_world, pass_over, require_truth, send_by_api, send_by_page
from tests.scenarios.world import begin, deliver, differences, instant, partner_in, reach

pytestmark = pytest.mark.django_db

LEFT_OUT = (
    "audit_ledger",
    "verify_links",
    "check_files",
    "make_previews",
)  # nobody is told by them, and they take time


@pytest.fixture
def server(settings: Any) -> Iterator[MailServer]:
    with MailServer() as running:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", running.port, 5
        yield running


def run(*jobs: str) -> None:
    for job in jobs:
        run_job(job, clock.now())


def run_everything() -> dict[str, int]:
    """Every job once that tells or changes anything, in whatever state things are; returns how much each did."""
    done = [run_job(job.name, clock.now()) for job in JOBS if job.name not in LEFT_OUT]
    assert [(one.job, one.notes) for one in done if one.failed] == []
    return {one.job: one.worked for one in done if one.worked}


def reminders(person: Person) -> list[str]:
    told = Notice.objects.filter(person=person, kind="deadline").order_by("id")
    return [one.title.partition(":")[0] for one in told]


def test_an_outage_over_the_deadline_takes_no_late_claim_and_tells_nobody_what_is_not_true(server: MailServer) -> None:
    world = make_world(drafts=6)
    run_everything()
    before = Notice.objects.latest("id").pk
    assert reminders(world.mia) == ["6 days left"]
    by_api, by_page, *late = world.drafts

    reach(LAST, jobs=False)
    assert send_by_api(by_api)["status"] == "submitted"
    assert send_by_page(by_page)[0] == 302
    for day, claim in zip(("15", "16", "17"), late, strict=False):
        reach(f"2024-08-{day}", jobs=False)
        refused = send_by_api(claim)
        assert (refused.status, refused.code) == (422, "window_closed"), refused
        status, words = send_by_page(claim)
        assert status == 422
        assert "14 Aug 2024, 23:59:59" in words
        assert Claim.objects.get(id=claim.pk).status == "draft"
    assert not Notice.objects.filter(id__gt=before).exists()

    reach(WHEN_IT_RAN)
    for _ in range(2):
        run_everything()

    require_truth(world, server, before)
    assert run_everything() == {}
    assert differences() == []


def test_after_an_outage_before_the_deadline_only_the_reminder_that_is_still_true_is_given(server: MailServer) -> None:
    begin(at="2023-12-01", years=(2024, 2024))
    reseller = partner_in()
    mia = marketer_of(reseller.partner)
    deliver(reseller, ("25000.00", "2023-08-15"))
    pass_over("2024-03-04")
    pass_over("2024-07-14")
    assert reminders(mia) == ["31 days left"]  # that of 60 days before, which was not made before either

    pass_over("2024-08-10 06:00")  # those of 30, 14 and 7 days before fall into the outage
    run_everything()

    assert reminders(mia) == ["31 days left", "4 days left"]
    reach("2024-08-13 06:00")
    run_everything()
    assert reminders(mia) == ["31 days left", "4 days left", "2 days left", "1 day left"]
    subjects = [mail["Subject"].partition(":")[0] for mail in server.taken if mail["To"] == mia.email]
    assert [subject for subject in subjects if "left" in subject] == reminders(mia)


@pytest.mark.parametrize("stopped", ["before it was written", "before a server took it"])
def test_a_reminder_that_an_outage_held_up_over_its_deadline_is_not_mailed_any_more(
    server: MailServer, stopped: str
) -> None:
    begin(at="2023-12-01", years=(2024, 2024))
    reseller = partner_in()
    mia = marketer_of(reseller.partner)
    deliver(reseller, ("25000.00", "2023-08-15"))
    pass_over("2024-03-04")
    Mail.objects.all().delete()
    make.set_clock(instant("2024-08-12 06:00"))
    run("remind", *(["write_mails"] if stopped == "before a server took it" else []))
    assert reminders(mia) == ["2 days left"]

    make.set_clock(instant("2024-08-15"))
    run("write_mails", "send_mails")

    assert [mail["Subject"] for mail in server.taken if "left" in mail["Subject"]] == []
    late = list(Mail.objects.filter(subject__startswith="2 days left").values_list("status", "error"))
    given_up = [("failed", "Its deadline passed before a mail server took it.")]
    assert late == (given_up if stopped == "before a server took it" else [])
    assert not Notice.objects.filter(mail_at__isnull=False, mail=None).exists()
