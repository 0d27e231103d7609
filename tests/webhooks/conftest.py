"""Webhooks of a marketer, led to receivers on this machine, and events of theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db.models.functions import Now

from coop.lib import clock
from partners import events
from partners.hooks.fanout import deliver_events
from partners.hooks.operations import create_webhook
from partners.hooks.sending import send_deliveries
from partners.models import Delivery, Event, Partner, Person, Webhook
from tests import factories
from tests.webhooks.receiver import Receiver


@pytest.fixture(autouse=True)
def receivers_are_on_this_machine(settings: Any) -> None:
    settings.WEBHOOK_PRIVATE_ADDRESSES = True


@pytest.fixture
def receivers() -> Iterator[Callable[..., Receiver]]:
    """Start a receiver; all of them are stopped in the end."""
    started: list[Receiver] = []

    def start(certificate: str = "", **options: Any) -> Receiver:
        receiver = Receiver(**options)
        started.append(receiver)
        if certificate:
            receiver.encrypt(certificate)
        return receiver.start()

    yield start
    for receiver in started:
        receiver.stop()


@pytest.fixture
def receiver(receivers: Callable[..., Receiver]) -> Receiver:
    return receivers()


@pytest.fixture
def owner(db: None) -> Person:
    """A marketer of Northwind Traders."""
    return factories.make_person(factories.make_partner())


@pytest.fixture
def hook(owner: Person, receiver: Receiver) -> Webhook:
    return make_hook(owner, receiver.url())


def make_hook(owner: Person, url: str, *kinds: str, **options: Any) -> Webhook:
    return create_webhook(url=url, events=kinds, by=owner, at=clock.now(), **options)[0]


def happen(partner: Partner, record: str = "1", verb: str = "claim.submitted", **options: Any) -> Event:
    """An event on a record of a partner, told to webhooks as the outbox tells it."""
    event = note(partner, record, verb, **options)
    deliver_events([event])
    return event


def note(partner: Partner | None, record: str = "1", verb: str = "claim.submitted", **options: Any) -> Event:
    """An event, not told to anybody yet."""
    shape = type("Record", (), {"_meta": type("Meta", (), {"verbose_name": verb.partition(".")[0]}), "pk": record})
    return events.record(
        verb, shape(), by=None, at=clock.now(), partner_id=partner.pk if partner else None, text="said", **options
    )


def send(**options: Any) -> Any:
    return send_deliveries(at=clock.now(), **options)


def due_now(*deliveries: Delivery) -> None:
    """The gap of what waits is over."""
    waiting = Delivery.objects.filter(status="waiting")
    (waiting.filter(id__in=[one.pk for one in deliveries]) if deliveries else waiting).update(next_try_wall=Now())


def the(hook: Webhook) -> Delivery:
    return Delivery.objects.get(webhook=hook)
