"""The pages of webhooks: added, seen to work, mended and ended without script, each by its owner alone."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from coop.lib import clock
from coop.telling import tell_untold
from partners.hooks.sending import send_deliveries
from partners.hooks.signing import unseal
from partners.models import Delivery, Event, Notice, Person, Webhook
from tests import factories
from tests.webhooks.conftest import happen, make_hook, note
from tests.webhooks.receiver import Receiver

pytestmark = pytest.mark.django_db


@pytest.fixture
def mine(owner: Person, client: Client) -> Client:
    client.force_login(owner)
    return client


def words(answer: Any) -> str:
    text = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", answer.content.decode(), flags=re.DOTALL)
    return " ".join(unescape(text).split())


def test_a_webhook_is_added_tested_paused_and_deleted(mine: Client, owner: Person, receiver: Receiver) -> None:
    assert "No webhooks yet" in words(mine.get(reverse("webhooks")))
    given = {"url": receiver.url(), "areas": ["claim.*"], "kinds": "plan.approved,  plan.returned"}
    made = mine.post(reverse("webhook-new"), given)
    hook = Webhook.objects.get()
    assert f'value="{unseal(hook.secret)}"' in made.content.decode()
    assert hook.events == ["claim.*", "plan.approved", "plan.returned"]

    page = mine.get(reverse("webhook", args=[hook.pk]))
    assert unseal(hook.secret) not in page.content.decode()
    assert "Claims, plan.approved, plan.returned" in words(page)
    page = mine.post(reverse("webhook-test", args=[hook.pk]), follow=True)
    assert 'hx-trigger="every 1s"' in page.content.decode()
    send_deliveries(at=clock.now())
    page = mine.get(reverse("webhook", args=[hook.pk]))
    assert "webhook.test A test" in words(page)
    assert "hx-trigger" not in page.content.decode()

    mine.post(reverse("webhook-pause", args=[hook.pk]), {"active": "0"})
    assert "Paused" in words(mine.get(reverse("webhooks")))
    mine.post(reverse("webhook-pause", args=[hook.pk]), {"active": "1"})
    rotated = mine.post(reverse("webhook-secret", args=[hook.pk]))
    hook.refresh_from_db()
    assert unseal(hook.secret) in rotated.content.decode()
    assert "signed with the one before, too, until" in words(mine.get(reverse("webhook", args=[hook.pk])))
    mine.post(reverse("webhook-delete", args=[hook.pk]))
    assert not Webhook.objects.exists()


def test_what_is_wrong_stands_beside_its_field(mine: Client, settings: Any) -> None:
    settings.WEBHOOK_PRIVATE_ADDRESSES = False
    answer = mine.post(reverse("webhook-new"), {"url": "https://127.0.0.1/", "kinds": "clam.approved"})
    assert answer.status_code == 400
    assert "127.0.0.1 is not a public address of the internet" in words(answer)
    assert "“clam.approved” is no kind of event" in words(answer)
    assert answer.context["form"].errors.keys() == {"url", "kinds"}


def test_a_change_on_an_old_reading_is_refused(mine: Client, owner: Person) -> None:
    hook = make_hook(owner, "https://hooks.example.com/", "claim.*", "plan.approved")
    where = reverse("webhook-change", args=[hook.pk])
    page = mine.get(where)
    assert page.context["form"].initial["kinds"] == "plan.approved"
    given = {"url": "https://other.example.com/", "areas": ["plan.*"], "kinds": "", "revision": "1"}
    assert mine.post(where, given).status_code == 302
    hook.refresh_from_db()
    assert (hook.url, hook.events, hook.revision) == ("https://other.example.com/", ["plan.*"], 2)
    refused = mine.post(where, {**given, "url": "https://third.example.com/"})
    assert refused.status_code == 400
    assert "You read revision 1" in words(refused)


def test_the_log_tells_what_went_wrong_and_delivers_again(mine: Client, owner: Person, receiver: Receiver) -> None:
    hook = make_hook(owner, receiver.url())
    receiver.conduct = lambda message: 302
    happen(owner.partner)
    send_deliveries(at=clock.now())
    page = words(mine.get(reverse("webhook", args=[hook.pk])))
    assert "claim.submitted claim 1" in page
    assert "It answered 302, a redirect. Redirects are not followed" in page
    assert "Next try" in page
    assert "No delivery of this status" in words(mine.get(reverse("webhook", args=[hook.pk]), {"show": "sent"}))
    where = reverse("webhook-delivery", args=[hook.pk, Delivery.objects.get().pk])
    page = words(mine.get(where))
    assert '"type": "claim.submitted"' in page
    assert f"Webhook-Id: {receiver.messages[0].id}" in page
    receiver.conduct = lambda message: 200
    mine.post(where)
    send_deliveries(at=clock.now())
    assert re.search(r"claim 1 Sent claim\.submitted", words(mine.get(where)))


def test_what_was_missed_is_sent_from_a_day_on(mine: Client, owner: Person, receiver: Receiver) -> None:
    factories.set_clock(factories.CLAIMING)
    hook = make_hook(owner, receiver.url(), "claim.*")
    note(owner.partner)
    where = reverse("webhook-replay", args=[hook.pk])
    answer = mine.post(where, {"since": "2024-03-04T08:00"}, follow=True)
    assert "1 missed event" in words(answer)
    send_deliveries(at=clock.now())
    assert len(receiver.taken) == 1
    assert "Nothing was missed since then." in words(mine.post(where, {"since": "2024-03-04T08:00"}, follow=True))
    refused = mine.post(where, {"since": "soon"})
    assert refused.status_code == 400
    assert "Write it like 2024-03-31 09:00" in words(refused)


def test_who_lost_the_right_to_see_an_event_does_not_read_it_in_the_log(client: Client) -> None:
    partner = factories.make_partner()
    manager = factories.make_person(None, "channel_manager", portfolio=[partner.pk])
    hook = make_hook(manager, "https://hooks.example.com/")
    happen(partner, secretly="hidden words")
    manager.portfolio.clear()
    client.force_login(Person.objects.get(pk=manager.pk))
    page = client.get(reverse("webhook-delivery", args=[hook.pk, Delivery.objects.get().pk]))
    assert "You may not see this event any more" in words(page)
    assert "hidden words" not in words(page)


def test_nobody_sees_the_webhooks_of_others(client: Client, owner: Person) -> None:
    hook = make_hook(owner, "https://hooks.example.com/")
    happen(owner.partner)
    client.force_login(factories.make_person(owner.partner, "partner_admin"))
    pages = ("webhook", "webhook-change", "webhook-secret", "webhook-delete")
    assert {client.get(reverse(name, args=[hook.pk])).status_code for name in pages} == {404}
    verbs = ("webhook-test", "webhook-pause", "webhook-replay", "webhook-secret", "webhook-delete", "webhook-change")
    assert {
        client.post(reverse(name, args=[hook.pk]), {"since": "2024-01-01T00:00"}).status_code for name in verbs
    } == {404}
    assert client.get(reverse("webhook-delivery", args=[hook.pk, Delivery.objects.get().pk])).status_code == 404
    client.force_login(factories.make_person(owner.partner, "agency"))
    assert client.get(reverse("webhooks")).status_code == 404


def test_the_owner_is_told_when_events_are_given_up_once_a_day_and_when_it_is_switched_off(
    mine: Client, owner: Person, receiver: Receiver
) -> None:
    hook = make_hook(owner, receiver.url())
    receiver.conduct = lambda message: 410 if message.said["subject"] == "3" else 500
    for record in ("1", "2"):
        happen(owner.partner, record)
    Delivery.objects.update(first_try_wall=Now() - timedelta(days=3))
    send_deliveries(at=clock.now())
    happen(owner.partner, "3")
    send_deliveries(at=clock.now())
    assert Event.objects.filter(verb="webhook.gave_up").count() == 2
    tell_untold(at=clock.now())
    told = Notice.objects.filter(person=owner, subject_type="webhook").order_by("id")
    assert [one.title for one in told] == [
        f"Events for 127.0.0.1:{receiver.port} were given up",
        f"Your webhook to 127.0.0.1:{receiver.port} was switched off",
    ]
    assert mine.get(told[0].link).status_code == 200
    assert not hook.deliveries.filter(verb__startswith="webhook.").exists(), "a webhook gets no news of itself"
