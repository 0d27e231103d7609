"""At least once outside, exactly once inside: killed senders, two at once, and the order of each record whatever fails."""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coop.lib import clock
from partners.hooks import leasing
from partners.hooks.calling import call
from partners.hooks.sending import send_deliveries
from partners.models import Delivery, Person, Webhook
from tests import factories
from tests.funds.test_races import at_once
from tests.webhooks.conftest import happen, make_hook
from tests.webhooks.receiver import Message, Receiver

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_sender_that_is_killed_between_call_and_mark_costs_the_length_of_a_lease_and_nothing_else(
    owner: Person, receiver: Receiver
) -> None:
    make_hook(owner, receiver.url())
    first, second = happen(owner.partner), happen(owner.partner)
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "COOP_DATABASE": str(connection.settings_dict["NAME"]),
        "WEBHOOK_PRIVATE_ADDRESSES": "1",
    }
    child = subprocess.run(
        [sys.executable, "tests/webhooks/send_child.py"], cwd=ROOT, env=environment, check=False, timeout=60
    )
    assert child.returncode == -signal.SIGKILL
    assert [message.said["id"] for message in receiver.taken] == [str(first.pk)]
    killed = Delivery.objects.annotate(now=Now()).get(event=first)
    assert (killed.status, killed.attempts, killed.tries.count()) == ("waiting", 1, 0), "the try was counted before it"
    assert 0 < (killed.next_try_wall - killed.now).total_seconds() <= leasing.LEASE_SECONDS

    assert send_deliveries(at=clock.now()).sent == 0, "while the lease lasts nobody else takes it, nor what comes after"
    Delivery.objects.filter(event=first).update(next_try_wall=Now())
    assert send_deliveries(at=clock.now()).sent == 2
    one, again, other = receiver.taken
    assert one.id == again.id
    assert [message.said["id"] for message in receiver.accepted()] == [str(first.pk), str(second.pk)]
    assert other.id != one.id


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_two_senders_at_once_send_everything_once_and_in_order(owner: Person, receiver: Receiver) -> None:
    def slowly(message: Message) -> int:
        time.sleep(0.005)
        return 200

    receiver.conduct = slowly
    make_hook(owner, receiver.url())
    happened = [happen(owner.partner, str(number % 6)) for number in range(48)]
    done = at_once([lambda: send_deliveries(at=clock.now()) for _ in range(2)])
    assert sum(one.sent for one in done) == 48, done
    assert len(receiver.messages) == 48, "no call was made twice"
    for record in range(6):
        wanted = [str(one.pk) for one in happened if one.subject == str(record)]
        assert [one.said["id"] for one in receiver.taken if one.said["subject"] == str(record)] == wanted


CONTEXT = ssl.create_default_context()  # reading the system's certificates takes longer than the calls
OUTCOMES = st.sampled_from(["accepted", "refused", "lost"])


@pytest.mark.django_db
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    records=st.lists(st.integers(0, 2), min_size=1, max_size=9),
    fates=st.dictionaries(st.integers(0, 2), st.lists(OUTCOMES, max_size=4)),
)
def test_whatever_fails_a_receiver_accepts_the_events_of_a_record_in_their_order(
    receiver: Receiver, records: list[int], fates: dict[int, list[str]]
) -> None:
    """`lost`: the receiver took it, but the answer never came, so that it is sent once more."""
    waiting = {str(record): list(fate) for record, fate in fates.items()}
    receiver.messages.clear()
    receiver.taken.clear()

    def conduct(message: Message) -> int:
        fate = waiting.get(message.said["subject"], [])
        outcome = fate.pop(0) if fate else "accepted"
        if outcome == "lost":
            receiver.taken.append(message)
            raise ConnectionAbortedError
        return 200 if outcome == "accepted" else 503

    receiver.conduct = conduct
    owner = factories.make_person(factories.make_partner())
    hook = make_hook(owner, receiver.url())
    happened = [happen(owner.partner, str(record)) for record in records]
    for _ in range(1 + sum(len(fate) for fate in fates.values())):
        Delivery.objects.filter(webhook=hook, status="waiting").update(next_try_wall=Now())
        Webhook.objects.filter(id=hook.pk).update(paused_until_wall=None)
        send_deliveries(at=clock.now(), make_call=lambda order: call(order, CONTEXT))
    for record in map(str, range(3)):
        got: list[Any] = [one.said["id"] for one in receiver.accepted() if one.said["subject"] == record]
        assert got == [str(one.pk) for one in happened if one.subject == record]
    assert not hook.deliveries.exclude(status="sent").exists()
