"""What a receiver gets: signed, in order for each record, again until it is accepted, and not for ever."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from coop import jobs
from coop.lib import clock
from coop.lib.models import JobRun
from partners.api.serializers import EventOut
from partners.hooks import calling, leasing, operations
from partners.hooks.fanout import deliver_events
from partners.hooks.operations import redeliver, rotate_secret, update_webhook
from partners.hooks.signing import seal, unseal
from partners.models import Delivery, Event, Person, Webhook
from partners.operations import deactivate_person
from tests import factories
from tests.webhooks.conftest import due_now, happen, make_hook, note, send, the
from tests.webhooks.receiver import Receiver, verify

pytestmark = pytest.mark.django_db


# --- What arrives -----------------------------------------------------------------------------------------------------


def test_a_receiver_gets_the_event_as_the_api_gives_it_and_can_verify_who_sent_it(
    hook: Webhook, owner: Person, receiver: Receiver
) -> None:
    event = happen(owner.partner)
    assert send().sent == 1
    [message] = receiver.taken
    assert verify(unseal(hook.secret), message.headers, message.body)
    assert message.headers["content-type"] == "application/json"
    assert message.said == {
        "type": "claim.submitted",
        "timestamp": EventOut(event).data["at"],
        **EventOut(Event.objects.get(id=event.pk)).data,
    }
    delivery = the(hook)
    assert (delivery.status, delivery.attempts, message.id) == ("sent", 1, delivery.message_id)
    assert delivery.tries.get().status == 204


@pytest.mark.parametrize("change", ["body", "id", "timestamp", "secret"])
def test_a_changed_message_does_not_verify(hook: Webhook, owner: Person, receiver: Receiver, change: str) -> None:
    happen(owner.partner)
    send()
    [message] = receiver.taken
    headers, body, secret = dict(message.headers), message.body, unseal(hook.secret)
    if change == "body":
        body = body.replace(b"said", b"sand")
    elif change == "secret":
        secret = "whsec_" + "A" * 43 + "="
    else:
        headers[f"webhook-{change}"] = {"id": "msg_1_2", "timestamp": str(int(headers["webhook-timestamp"]) + 1)}[
            change
        ]
    assert not verify(secret, headers, body)


def test_after_a_new_secret_both_verify_for_a_day(hook: Webhook, owner: Person, receiver: Receiver) -> None:
    before = unseal(hook.secret)
    _, after = rotate_secret(hook.pk, by=owner, at=clock.now())
    happen(owner.partner)
    send()
    [message] = receiver.taken
    assert verify(before, message.headers, message.body)
    assert verify(after, message.headers, message.body)
    Webhook.objects.update(old_secret_until_wall=Now())
    happen(owner.partner, "2")
    send()
    message = receiver.taken[1]
    assert not verify(before, message.headers, message.body)
    assert verify(after, message.headers, message.body)


def test_a_clock_of_a_sandbox_that_stands_still_signs_with_the_time_of_the_wall(
    hook: Webhook, owner: Person, receiver: Receiver
) -> None:
    factories.set_clock(factories.CLAIMING)
    happen(owner.partner)
    send()
    [message] = receiver.taken
    assert message.said["at"] == "2024-03-04T09:00:00Z"
    assert verify(unseal(hook.secret), message.headers, message.body)


# --- Who gets what ----------------------------------------------------------------------------------------------------


def test_each_webhook_gets_what_its_owner_may_see_and_what_it_asked_for(
    owner: Person, receivers: Callable[..., Receiver]
) -> None:
    other = factories.make_person(factories.make_partner("Contoso"))
    guest_like = factories.make_person(owner.partner)
    hooks = {
        "all": make_hook(owner, "http://127.0.0.1/"),
        "plans": make_hook(owner, "http://127.0.0.1/", "plan.*"),
        "one": make_hook(guest_like, "http://127.0.0.1/", "claim.submitted", "plan.approved"),
        "other": make_hook(other, "http://127.0.0.1/"),
        "vendor": make_hook(factories.vendor("program"), "http://127.0.0.1/", "claim.*"),
        "paused": make_hook(owner, "http://127.0.0.1/", active=False),
    }
    happened = [
        note(owner.partner, "1", "claim.submitted"),
        note(owner.partner, "1", "claim.noted", vendor_only=True),
        note(owner.partner, "2", "claim.created", partner_only=True),
        note(owner.partner, "3", "plan.approved"),
        note(None, "4", "import.committed"),
        note(owner.partner, "5", "webhook.gave_up"),
    ]
    deliver_events(happened)
    deliver_events(happened)  # told twice after a crash
    got = {name: list(hook.deliveries.order_by("id").values_list("verb", flat=True)) for name, hook in hooks.items()}
    assert got == {
        "all": ["claim.submitted", "claim.created", "plan.approved"],
        "plans": ["plan.approved"],
        "one": ["claim.submitted", "plan.approved"],
        "other": [],
        "vendor": ["claim.submitted", "claim.noted"],
        "paused": [],
    }


def test_who_lost_the_right_to_see_an_event_before_it_is_sent_does_not_get_it(receiver: Receiver, db: None) -> None:
    partner = factories.make_partner()
    manager = factories.make_person(None, "channel_manager", portfolio=[partner.pk])
    hook = make_hook(manager, receiver.url())
    happen(partner)
    manager.portfolio.clear()
    done = send()
    assert (done.sent, done.closed, receiver.messages) == (0, 1, [])
    assert (the(hook).status, the(hook).reason) == ("failed", "Its owner may not see this event any more.")


def test_who_has_left_gets_nothing_any_more(hook: Webhook, owner: Person, receiver: Receiver) -> None:
    happen(owner.partner, "1")
    deactivate_person(owner.pk, by=factories.vendor("program"), at=clock.now())
    happen(owner.partner, "2")
    send()
    assert receiver.messages == []
    assert (the(hook).status, the(hook).reason) == ("failed", "Its owner is no longer active.")


def test_what_is_closed_without_a_call_lets_the_next_of_its_record_go(receiver: Receiver, db: None) -> None:
    partner = factories.make_partner()
    manager = factories.make_person(None, "channel_manager", portfolio=[partner.pk])
    make_hook(manager, receiver.url())
    first, second = happen(partner), happen(partner)
    with connection.cursor() as cursor:  # as if it had been marked so while it waited
        cursor.execute("ALTER TABLE partners_event DISABLE TRIGGER USER")
        cursor.execute("UPDATE partners_event SET partner_only = true WHERE id = %s", [first.pk])
        cursor.execute("ALTER TABLE partners_event ENABLE TRIGGER USER")
    send()
    assert [message.said["id"] for message in receiver.taken] == [str(second.pk)]


# --- Order ------------------------------------------------------------------------------------------------------------


def test_what_fails_holds_up_its_own_record_and_no_other(hook: Webhook, owner: Person, receiver: Receiver) -> None:
    broken = {"status": 500}
    receiver.conduct = lambda message: broken["status"] if message.said["subject"] == "1" else 200
    for record in ("1", "2", "1", "2", "1"):
        happen(owner.partner, record)
    send()
    assert [message.said["subject"] for message in receiver.taken] == ["2", "2"]
    assert len(receiver.messages) == 3
    waiting = Delivery.objects.filter(status="waiting").order_by("id")
    assert [one.attempts for one in waiting] == [1, 0, 0]
    broken["status"] = 200
    due_now()
    send()
    ones = [message.said["id"] for message in receiver.taken if message.said["subject"] == "1"]
    assert ones == [str(one.event_id) for one in waiting]
    assert not Delivery.objects.filter(status="waiting").exists()


def test_a_replayed_event_goes_before_the_later_ones_that_wait(
    hook: Webhook, owner: Person, receiver: Receiver
) -> None:
    receiver.conduct = lambda message: 500
    first, second = happen(owner.partner), happen(owner.partner)
    send()
    Delivery.objects.filter(event=first).update(status="failed")
    receiver.conduct = lambda message: 200
    redeliver(hook.pk, Delivery.objects.get(event=first).pk, by=owner, at=clock.now())
    send()
    assert [message.said["id"] for message in receiver.taken] == [str(first.pk), str(second.pk)]


def test_what_waits_behind_a_failing_delivery_falls_due_with_it(
    hook: Webhook, owner: Person, receiver: Receiver
) -> None:
    """So that a long queue behind it is not looked through at every turn."""
    receiver.conduct = lambda message: 503
    for record in ("1", "1", "2", "1"):
        happen(owner.partner, record)
    send()
    first, second, other, third = Delivery.objects.annotate(now=Now()).order_by("event_id")
    assert first.now < first.next_try_wall == second.next_try_wall == third.next_try_wall
    assert other.next_try_wall != first.next_try_wall


# --- Tests and replays ------------------------------------------------------------------------------------------------


def test_a_test_goes_once_on_the_same_way_also_to_an_address_that_rests_or_is_off(
    hook: Webhook, owner: Person, receiver: Receiver
) -> None:
    update_webhook(hook.pk, {"active": False}, by=owner, at=clock.now())
    Webhook.objects.update(paused_until_wall=Now() + timedelta(minutes=9), failures=12)
    receiver.conduct = lambda message: 500
    operations.test_webhook(hook.pk, by=owner, at=clock.now())
    send()
    assert (the(hook).status, the(hook).reason) == ("failed", "A test is tried once.")
    receiver.conduct = lambda message: 200
    operations.test_webhook(hook.pk, by=owner, at=clock.now())
    send()
    [message] = receiver.taken
    assert verify(unseal(hook.secret), message.headers, message.body)
    assert (message.said["type"], message.said["id"], message.said["subject"]) == (
        "webhook.test",
        message.id,
        str(hook.pk),
    )
    assert Webhook.objects.get().failures == 0


def test_delivering_again_keeps_the_id_and_begins_three_new_days(
    hook: Webhook, owner: Person, receiver: Receiver
) -> None:
    happen(owner.partner)
    send()
    Delivery.objects.update(first_try_wall=Now() - timedelta(days=9))
    receiver.conduct = lambda message: 500
    redeliver(hook.pk, the(hook).pk, by=owner, at=clock.now())
    send()
    assert the(hook).status == "waiting"
    receiver.conduct = lambda message: 200
    due_now()
    send()
    assert len({message.id for message in receiver.messages}) == 1
    assert (the(hook).status, the(hook).attempts) == ("sent", 3)


def test_an_outcome_that_comes_after_somebody_else_took_over_does_not_count(hook: Webhook, owner: Person) -> None:
    happen(owner.partner)
    [lease] = leasing.take(hook.pk, 5)
    Delivery.objects.update(next_try_wall=Now(), attempts=F("attempts") + 1)
    assert not leasing.mark(lease, calling.Outcome(status=500, error="late"), at=clock.now())
    assert the(hook).status == "waiting"
    assert not leasing.mark(lease, calling.Outcome(status=200), at=clock.now())
    assert the(hook).status == "waiting"
    assert the(hook).tries.count() == 2, "the log has both"


def test_a_message_that_cannot_be_written_is_a_failure_of_its_own_and_holds_up_nobody(
    hook: Webhook, owner: Person, receiver: Receiver
) -> None:
    broken = make_hook(owner, receiver.url())
    Webhook.objects.filter(id=broken.pk).update(secret=seal("whsec_not-base64"))
    happen(owner.partner)
    done = send()
    assert (done.sent, done.failed) == (1, 1)
    assert broken.deliveries.get().tries.get().error == "The message could not be written: Error."


# --- The job ----------------------------------------------------------------------------------------------------------


def test_the_job_sends_what_is_due_and_leaves_the_workers_to_others_while_one_sends(
    hook: Webhook, owner: Person, receiver: Receiver
) -> None:
    happen(owner.partner)
    assert jobs.BY_NAME["send_deliveries"].due(clock.now()) == 1
    other = JobRun.objects.create(job="send_deliveries", status="running")
    assert jobs.run_job("send_deliveries", clock.now()).worked == 0
    JobRun.objects.filter(id=other.pk).update(heartbeat_wall=Now() - timedelta(seconds=6))  # it was killed
    assert jobs.run_job("send_deliveries", clock.now()).worked == 1
    assert len(receiver.taken) == 1
    assert jobs.BY_NAME["send_deliveries"].due(clock.now()) == 0


def test_a_receiver_that_refuses_is_no_failure_of_the_job(hook: Webhook, owner: Person, receiver: Receiver) -> None:
    receiver.conduct = lambda message: 500
    happen(owner.partner)
    done = jobs.run_job("send_deliveries", clock.now())
    assert (done.worked, done.failed) == (1, 0)
    assert done.notes == ["0 accepted, 1 refused or out of reach, 0 closed unsent"]
