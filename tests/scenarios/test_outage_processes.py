"""Real workers and a real beat: started after days of outage, twice at once; and with a broker that forgets everything."""

from __future__ import annotations

import io
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from coop.jobs.asking import ask_for_run
from coop.lib import clock
from coop.lib.models import JobRun, JobState
from funds.models import EarningPeriod, Import
from funds.operations.imports import receive_file
from partners.hooks.operations import create_webhook
from partners.models import Delivery, Event, Mail, Notice, Untold
from tests import factories as make
from tests.notices.post import MailServer
from tests.scenarios.outage import (
    LAST,
    WHEN_IT_RAN,
    World,
    make_world,
    require_mailed_once,
    require_truth,
    send_by_api,
    send_by_page,
)
from tests.scenarios.processes import Processes
from tests.scenarios.world import give_back, instant, reach, send
from tests.webhooks.receiver import Receiver

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.worker,
    pytest.mark.slow,
    pytest.mark.timeout(240),
]
HEADER = "external_id,location,program,earned_on,amount,currency"


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as running:
        yield running


@pytest.fixture
def processes(server: MailServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Processes]:
    with Processes(server.port) as started:
        monkeypatch.setenv("CELERY_BROKER_URL", started.address)  # what this process rings goes there too
        yield started


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver().start()
    yield running
    running.stop()


def all_is_told() -> bool:
    """Whether nothing waits. Asked in this order, because what one of them is done with goes on to the next."""
    return not (
        Import.objects.filter(status__in=["queued", "running"]).exists()
        or JobRun.objects.filter(status__in=["asked", "running"]).exists()
        or Untold.objects.exists()
        or Notice.objects.filter(mail_at__lte=clock.now(), mail=None).exists()
        or Mail.objects.filter(status="waiting").exists()
        or Delivery.objects.filter(status="waiting").exists()
    )


def deliver_file(world: World, number: str) -> Import:
    """A file of one line waits to be checked."""
    lines = f"{HEADER}\n{number},{world.northwind.location.external_id},{make.RESELLER},2024-02-01,10.00,USD\n"
    who = {"by": make.vendor("finance"), "at": clock.now()}
    return receive_file(filename=f"{number}.csv", file=io.BytesIO(lines.encode()), **who)


def test_two_workers_and_two_beats_started_after_the_outage_do_everything_once(
    processes: Processes, server: MailServer
) -> None:
    world = make_world(drafts=4)
    by_api, by_page, *_ = world.drafts
    reach(LAST, jobs=False)
    assert send_by_api(by_api)["status"] == "submitted"
    assert send_by_page(by_page)[0] == 302
    before = Notice.objects.latest("id").pk
    make.set_clock(instant(WHEN_IT_RAN))
    JobState.objects.update(looked_wall=Now() - timedelta(days=8))  # the outage, by the wall clock

    processes.start(workers=2, beats=2)
    half = EarningPeriod.objects.get(id=world.funds[0].earning_period_id)
    processes.wait_until(lambda: half.refresh_from_db() or half.expired_at, seconds=60)
    looked = {"notice_overdue", "remind", "escalate", "write_mails", "send_mails", "record_head"}
    processes.wait_until(
        lambda: (
            JobState.objects.filter(job__in=looked, looked_wall__gt=Now() - timedelta(hours=1)).count() == len(looked)
            and all_is_told()
        ),
        seconds=60,
    )

    require_truth(world, server, before)
    # Reminders that were written before the outage and lay there are given up, which is said.
    assert set(JobRun.objects.filter(failed__gt=0).values_list("job", flat=True)) <= {"send_mails"}


def test_a_broker_that_is_flushed_all_the_time_loses_nothing(
    processes: Processes, server: MailServer, receiver: Receiver, settings: Any
) -> None:
    settings.WEBHOOK_PRIVATE_ADDRESSES = True
    world = make_world(drafts=12)
    create_webhook(url=receiver.url(), events=["claim.*"], by=world.mia, at=clock.now())
    first = Event.objects.latest("id").pk
    over = threading.Event()

    def forget() -> None:
        while not over.wait(0.4):
            processes.flush()

    forgetting = threading.Thread(target=forget)
    processes.start(workers=2)
    processes.wait_until(lambda: processes.logs().count(" ready.") == 2, seconds=60)
    forgetting.start()
    asked: list[int] = []
    files: list[int] = []
    for turn, claim in enumerate(world.drafts):
        send(claim)
        if turn % 2:
            give_back(claim)
        if turn % 4 == 0:
            asked.append(ask_for_run("record_head", by=make.vendor("program"), at=clock.now()).pk)
            files.append(deliver_file(world, f"F-{turn}").pk)
        time.sleep(0.2)
    processes.wait_until(all_is_told, seconds=60)  # while it still is flushed: the timetable rings again and again
    over.set()
    forgetting.join()

    happened = list(
        Event.objects.filter(id__gt=first, verb__startswith="claim.", partner_id=world.northwind.partner_id)
    )
    told = Counter(message.id for message in receiver.messages)
    assert told == Counter(Delivery.objects.values_list("message_id", flat=True))
    assert {event.pk for event in happened} <= set(Delivery.objects.values_list("event_id", flat=True))
    returned = [event for event in happened if event.verb == "claim.returned"]
    assert len(returned) == len(world.drafts) // 2
    for event in returned:
        assert Notice.objects.filter(person=world.mia, key=f"claim.returned:{event.pk}").count() == 1
    assert set(JobRun.objects.filter(id__in=asked).values_list("status", flat=True)) == {"done"}
    assert set(Import.objects.filter(id__in=files).values_list("status", flat=True)) == {"ready"}
    require_mailed_once(server)
