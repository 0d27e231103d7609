"""From events to deliveries: which webhook gets which event."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from django.db.models import BigIntegerField, Q, Value

from coop.lib.nudge import nudge
from partners.models import Delivery, Event, Person, Webhook

SEND = "coop.send_deliveries"
# A dead address would otherwise get news of itself for ever; its owner is told by a notice.
NEVER_SENT = "webhook."
PEOPLE_AT_ONCE = 50


def deliver_events(events: Iterable[Event]) -> int:
    """Note one delivery for each active webhook that asked for the event and whose owner may see it now.

    Called in the transaction that takes the events from the outbox; called again with the same events it adds nothing.
    Returns the number of deliveries it asked for.
    """
    sendable = sorted((one for one in events if not one.verb.startswith(NEVER_SENT)), key=lambda one: one.pk)
    if not sendable:
        return 0
    webhooks = listening_to(sendable)
    seen = seen_by({webhook.owner for webhook in webhooks}, sendable)
    deliveries = [one for webhook in webhooks for one in wanted_by(webhook, sendable, seen[webhook.owner_id])]
    # By events and not by webhooks, so that the log of each webhook is in the order in which things happened.
    deliveries.sort(key=lambda one: (one.event_id or 0, one.webhook_id))
    Delivery.objects.bulk_create(deliveries, ignore_conflicts=True, batch_size=1_000)
    if deliveries:
        nudge(SEND)
    return len(deliveries)


def listening_to(events: Sequence[Event]) -> list[Webhook]:
    """Active webhooks of people who could see at least one of these events: nobody of a partner sees another's."""
    found = Webhook.objects.filter(active=True, owner__is_active=True).select_related("owner").order_by("id")
    partners = {event.partner_id for event in events}
    if None not in partners:
        found = found.filter(Q(owner__partner__isnull=True) | Q(owner__partner_id__in=partners))
    return list(found)


def for_webhook(webhook: Webhook, events: Sequence[Event], at: datetime) -> list[Delivery]:
    """The deliveries of these events to one webhook, not saved yet: what it asked for and its owner may see."""
    return wanted_by(webhook, events, seen_by([webhook.owner], events)[webhook.owner_id], at)


def wanted_by(webhook: Webhook, events: Sequence[Event], seen: set[int], at: datetime | None = None) -> list[Delivery]:
    wanted = [event for event in events if event.pk in seen and asks_for(webhook, event.verb)]
    return [new_delivery(webhook, event, at or event.at) for event in wanted]


def asks_for(webhook: Webhook, verb: str) -> bool:
    """Whether a webhook wants events of this verb: no list means all, "claim.*" means all of claims."""
    area = f"{verb.partition('.')[0]}.*"
    return not webhook.events or verb in webhook.events or area in webhook.events


def seen_by(owners: Iterable[Person], events: Sequence[Event]) -> dict[int, set[int]]:
    """Which of these events `GET /events/` would show each person at this moment; one statement for fifty people."""
    seen: dict[int, set[int]] = defaultdict(set)
    waiting = iter(owners)
    while some := list(islice(waiting, PEOPLE_AT_ONCE)):
        each = [visible_pairs(owner, events) for owner in some]
        for owner_id, event_id in each[0].union(*each[1:], all=True):
            seen[owner_id].add(event_id)
    return seen


def visible_pairs(owner: Person, events: Sequence[Event]) -> Any:
    """The person's id with the id of each event that they may see."""
    ids = [event.pk for event in events if owner.partner_id is None or event.partner_id in (None, owner.partner_id)]
    found = Event.objects.visible_to(owner).filter(id__in=ids).order_by()
    return found.values_list(Value(owner.pk, BigIntegerField()), "id")


def new_delivery(webhook: Webhook, event: Event, at: datetime) -> Delivery:
    return Delivery(
        webhook=webhook,
        event=event,
        verb=event.verb,
        record=f"{event.subject_type}:{event.subject}",
        message_id=f"msg_{webhook.pk}_{event.pk}",
        created_at=at,
    )
