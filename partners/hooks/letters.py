"""What is posted: the event as the API gives it at this moment, under a signature."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework.renderers import JSONRenderer

from partners.api.serializers import EventOut
from partners.hooks.calling import Order
from partners.hooks.signing import signature, unseal
from partners.models import Delivery, Event, Webhook

TEST = "webhook.test"


def body_of(delivery: Delivery, event: Event | None) -> bytes:
    """The JSON of an event as `GET /events/` has it, with its verb as `type` and its instant as `timestamp` in front."""
    said = as_given(event) if event else test_event(delivery)
    return bytes(JSONRenderer().render({"type": said["verb"], "timestamp": said["at"], **said}))


def test_event(delivery: Delivery) -> dict[str, Any]:
    """What a test says: the form of an event, about the webhook itself. It is no event and not in the list of events."""
    event = Event(
        at=delivery.created_at,
        actor_id=delivery.webhook.owner_id,
        acting_as=delivery.webhook.owner.role,
        verb=TEST,
        subject_type="webhook",
        subject=str(delivery.webhook_id),
        data={"text": "This is a test of your webhook."},
    )
    return {**as_given(event), "id": delivery.message_id}


def as_given(event: Event) -> dict[str, Any]:
    """An event as the API gives it."""
    return dict(EventOut(event).data)  # type: ignore[call-overload]


def order_for(delivery: Delivery, event: Event | None, *, timestamp: int, two_secrets: bool) -> Order:
    """The call that brings a delivery. `timestamp` is in seconds of the wall clock. Raises Unreadable."""
    webhook: Webhook = delivery.webhook
    kept = [webhook.secret, webhook.old_secret] if two_secrets else [webhook.secret]
    body = body_of(delivery, event)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"Coop-Webhooks/{settings.VERSION}",
        "Webhook-Id": delivery.message_id,
        "Webhook-Timestamp": str(timestamp),
        "Webhook-Signature": signature((unseal(one) for one in kept), delivery.message_id, timestamp, body),
    }
    return Order(webhook.url, body, headers)
