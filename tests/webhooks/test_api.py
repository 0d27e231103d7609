"""Webhooks over the API: shown once, seen by their owner alone, written as every other record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from coop.lib import clock
from coop.lib.models import IdempotencyRecord
from partners.hooks.fanout import deliver_events
from partners.hooks.operations import MOST_WEBHOOKS, keep_house
from partners.hooks.sending import send_deliveries
from partners.hooks.signing import seal, unseal
from partners.models import Attempt, Delivery, Event, Person, Webhook
from tests import factories
from tests.api.client import Api, api_of
from tests.webhooks.conftest import happen, make_hook, note
from tests.webhooks.receiver import Receiver, verify

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(owner: Person) -> Api:
    return api_of(owner)


def test_the_secret_is_shown_once_and_stands_nowhere_as_plain_text(api: Api, owner: Person, caplog: Any) -> None:
    asked = {"url": "https://hooks.example.com/coop", "events": ["plan.*", "claim.approved"]}
    made = api.post("webhooks/", asked, key="k1")
    assert made.status == 201, made
    secret = made["secret"]
    assert secret.startswith("whsec_")
    assert made["events"] == ["claim.approved", "plan.*"]
    kept = Webhook.objects.get()
    assert unseal(kept.secret) == secret
    assert secret not in kept.secret

    again = api.post("webhooks/", asked, key="k1")
    assert (again.status, again["id"], again["secret"]) == (201, made["id"], None)
    assert again.headers["Idempotent-Replayed"] == "true"
    rotated = api.post(f"webhooks/{made['id']}/rotate_secret/")
    assert rotated["secret"] not in (None, secret)
    assert "secret" not in api.get(f"webhooks/{made['id']}/").body
    api.post(f"webhooks/{made['id']}/test/")
    written = [str(row) for model in (IdempotencyRecord, Event, Delivery) for row in model.objects.values()]
    for shown in (secret, rotated["secret"]):
        assert not [row for row in written if shown in row]
        assert shown not in caplog.text
        assert not [row for row in Webhook.objects.values_list() if shown in str(row)]
    told = [str(row) for row in Event.objects.values()]
    assert not [row for row in told if "hooks.example.com/coop" in row], "events name the host alone"


def test_a_dry_run_shows_no_secret_and_keeps_nothing(api: Api) -> None:
    tried = api.post("webhooks/", {"url": "https://hooks.example.com/"}, dry_run="true")
    assert (tried.status, tried["secret"]) == (201, None)
    assert not Webhook.objects.exists()


def test_all_that_is_wrong_is_said_at_once(api: Api, settings: Any) -> None:
    settings.WEBHOOK_PRIVATE_ADDRESSES = False
    answer = api.post("webhooks/", {"url": "http://10.0.0.1/", "events": ["claim.approved", "clam.*", "*", "claim"]})
    assert answer.status == 400
    assert answer.fields == {"url": "invalid", "events.1": "invalid", "events.2": "invalid", "events.3": "invalid"}
    assert api.post("webhooks/", {"url": "https://x.example.com/", "secret": "mine"}).fields == {
        "secret": "unknown_field"
    }


def test_webhooks_are_written_with_if_match_and_a_scope_for_writing(api: Api, owner: Person) -> None:
    made = api.post("webhooks/", {"url": "https://hooks.example.com/"})
    path = f"webhooks/{made['id']}/"
    assert made.headers["ETag"] == '"1"'
    paused = api.patch(path, {"active": False}, headers={"If-Match": '"1"'})
    assert (paused.status, paused["active"], paused.headers["ETag"]) == (200, False, '"2"')
    assert api.patch(path, {"active": True}, headers={"If-Match": '"1"'}).code == "stale"
    assert api.delete(path, headers={"If-Match": '"1"'}).code == "stale"
    reading = api_of(owner, "funds:read")
    assert reading.get(path).status == 200
    for method, where in (("POST", "webhooks/"), ("PATCH", path), ("DELETE", path), ("POST", f"{path}test/")):
        assert reading.send(method, where, {}).status == 403, where
    assert api.delete(path).status == 204
    assert api.get(path).status == 404
    verbs = Event.objects.filter(subject_type="webhook").order_by("id").values_list("verb", flat=True)
    assert list(verbs) == ["webhook.created", "webhook.paused", "webhook.deleted"]


def test_a_colleagues_webhook_is_nobodys_business(api: Api, owner: Person) -> None:
    colleague = factories.make_person(owner.partner, "partner_admin")
    hook = make_hook(colleague, "https://hooks.example.com/")
    happen(owner.partner)
    delivery = hook.deliveries.get()
    path = f"webhooks/{hook.pk}/"
    assert api.get("webhooks/")["results"] == []
    tries: list[tuple[str, str, Any]] = [
        ("GET", path, None),
        ("PATCH", path, {"active": False}),
        ("DELETE", path, None),
        ("POST", f"{path}test/", None),
        ("POST", f"{path}rotate_secret/", None),
        ("POST", f"{path}replay/", {"since": "2024-01-01T00:00:00Z"}),
        ("GET", f"{path}deliveries/", None),
        ("GET", f"{path}deliveries/{delivery.pk}/", None),
        ("POST", f"{path}deliveries/{delivery.pk}/redeliver/", None),
    ]
    for method, where, body in tries:
        assert api.send(method, where, body).status == 404, where


def test_guests_have_none_and_nobody_has_more_than_ten(api: Api, owner: Person) -> None:
    guest = api_of(factories.make_person(owner.partner, "agency"))
    assert guest.post("webhooks/", {"url": "https://hooks.example.com/"}).status == 403
    for _ in range(MOST_WEBHOOKS):
        make_hook(owner, "https://hooks.example.com/")
    assert api.post("webhooks/", {"url": "https://hooks.example.com/"}).code == "wrong_status"


def test_the_log_shows_each_try_and_is_filtered(api: Api, owner: Person, receiver: Receiver) -> None:
    hook = make_hook(owner, receiver.url())
    receiver.conduct = lambda message: 500 if message.said["subject"] == "1" else 200
    happen(owner.partner, "1")
    happen(owner.partner, "2", "plan.approved")
    send_deliveries(at=clock.now())
    path = f"webhooks/{hook.pk}/deliveries/"
    [sent] = api.get(path, status="sent")["results"]
    assert (sent["verb"], sent["attempts"], sent["next_try_wall"]) == ("plan.approved", 1, None)
    assert sent["webhook_id"] == receiver.taken[0].id
    [waiting] = api.get(path, verb="claim.submitted")["results"]
    assert (waiting["status"], waiting["tries"][0]["status"]) == ("waiting", 500)
    assert waiting["tries"][0]["error"] == "It answered 500 Internal Server Error."
    assert api.get(path, colour="red").status == 400

    receiver.conduct = lambda message: 200
    again = api.post(f"{path}{waiting['id']}/redeliver/")
    assert (again.status, again["status"]) == (200, "waiting")
    send_deliveries(at=clock.now())
    known = api.get(f"{path}{waiting['id']}/")
    assert (known["status"], [one["status"] for one in known["tries"]]) == ("sent", [200, 500])


def test_a_test_goes_at_once_and_its_outcome_is_in_the_log(api: Api, owner: Person, receiver: Receiver) -> None:
    made = api.post("webhooks/", {"url": receiver.url()})
    delivery = api.post(f"webhooks/{made['id']}/test/")
    assert (delivery["verb"], delivery["event"], delivery["status"]) == ("webhook.test", None, "waiting")
    send_deliveries(at=clock.now())
    assert api.get(f"webhooks/{made['id']}/deliveries/{delivery['id']}/")["status"] == "sent"
    assert verify(made["secret"], receiver.taken[0].headers, receiver.taken[0].body)


def test_five_tests_may_wait_at_once(api: Api, owner: Person, receiver: Receiver) -> None:
    hook = make_hook(owner, receiver.url())
    answers = [api.post(f"webhooks/{hook.pk}/test/") for _ in range(6)]
    assert [answer.status for answer in answers] == [200] * 5 + [409]
    send_deliveries(at=clock.now())
    assert api.post(f"webhooks/{hook.pk}/test/").status == 200


def test_a_replay_brings_what_was_missed_in_its_order_and_nothing_twice(
    api: Api, owner: Person, receiver: Receiver
) -> None:
    factories.set_clock(factories.CLAIMING)
    hook = make_hook(owner, receiver.url(), "claim.*")
    before = note(owner.partner, "1")
    factories.set_clock(factories.CLAIMING + timedelta(hours=1))
    sent, failed = happen(owner.partner, "1"), happen(owner.partner, "2")
    missed = [
        note(owner.partner, "2"),
        note(owner.partner, "1", "claim.approved"),
        note(owner.partner, "1", "plan.sent"),
    ]
    send_deliveries(at=clock.now())
    Delivery.objects.filter(event=failed).update(status="failed")
    receiver.taken.clear()
    path = f"webhooks/{hook.pk}/replay/"
    since = {"since": "2024-03-04T10:00:00Z"}
    assert api.post(path, since).body == {"again": 1, "added": 2}
    assert api.post(path, since).body == {"again": 0, "added": 0}
    send_deliveries(at=clock.now())
    got = [(message.said["subject"], message.said["id"]) for message in receiver.taken]
    assert sorted(got) == sorted([("2", str(failed.pk)), ("2", str(missed[0].pk)), ("1", str(missed[1].pk))]), (
        before,
        sent,
    )
    assert [record for subject, record in got if subject == "2"] == [str(failed.pk), str(missed[0].pk)]
    api.patch(f"webhooks/{hook.pk}/", {"active": False})
    assert api.post(path, since).code == "wrong_status"


def test_what_was_delivered_is_told_once_also_when_the_outbox_tells_it_after_a_replay(api: Api, owner: Person) -> None:
    hook = make_hook(owner, "https://hooks.example.com/")
    event = note(owner.partner)
    assert api.post(f"webhooks/{hook.pk}/replay/", {"since": "2020-01-01T00:00:00Z"})["added"] >= 1
    deliver_events([event])
    assert hook.deliveries.filter(event=event).count() == 1


def test_a_month_after_their_end_deliveries_are_forgotten(api: Api, owner: Person, receiver: Receiver) -> None:
    hook = make_hook(owner, receiver.url())
    for record in ("1", "2", "3"):
        happen(owner.partner, record)
    send_deliveries(at=clock.now())
    old, young, waiting = Delivery.objects.order_by("id")
    Delivery.objects.filter(id=old.pk).update(ended_wall=Now() - timedelta(days=30, minutes=1))
    Delivery.objects.filter(id=young.pk).update(ended_wall=Now() - timedelta(days=29))
    Delivery.objects.filter(id=waiting.pk).update(
        status="waiting", ended_wall=None, created_wall=datetime(2020, 1, 1, tzinfo=UTC)
    )
    assert keep_house() == 1
    assert set(hook.deliveries.values_list("id", flat=True)) == {young.pk, waiting.pk}
    assert Attempt.objects.count() == 2


def test_secrets_survive_a_new_secret_key_and_a_lost_one_is_said(
    owner: Person, receiver: Receiver, settings: Any
) -> None:
    hook = make_hook(owner, receiver.url())
    secret, first = unseal(hook.secret), settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 50, [first]
    happen(owner.partner, "1")
    send_deliveries(at=clock.now())
    assert verify(secret, receiver.taken[0].headers, receiver.taken[0].body)
    keep_house()
    settings.SECRET_KEY_FALLBACKS = []
    hook.refresh_from_db()
    assert unseal(hook.secret) == secret
    settings.SECRET_KEY = "o" * 50
    happen(owner.partner, "2")
    send_deliveries(at=clock.now())
    assert len(receiver.taken) == 1
    assert Attempt.objects.first().error.startswith("The secret cannot be read, because SECRET_KEY has changed.")
    assert seal("whsec_x") != seal("whsec_x")
