"""What the auditor says of what people and programs are told: every event, every notice, every mail, every webhook."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coop.lib import clock
from coop.lib.db import rows
from coop.telling import notices_of
from partners.hooks.fanout import NEVER_SENT, for_webhook
from partners.models import Delivery, Event, Notice, Webhook
from tests.chaos.lines import Line, asked, line, number

CHUNK = 500
BEFORE = 1.0  # seconds by which the clocks of two books may differ
ASKS = "SELECT 'notice', id, person_id, key FROM partners_notice WHERE mail_id IS NULL AND mail_at <= coop_now()"
# A reminder is not sent any more when its deadline is over, as it is after a leap of the clock.
NOT_SENT = """
  SELECT 'mail', id, status, attempts, error FROM partners_mail m WHERE status = 'waiting' OR (status = 'failed'
    AND NOT EXISTS (SELECT 1 FROM partners_notice n WHERE n.mail_id = m.id AND n.deadline_at <= coop_now()))"""
NOT_DELIVERED = "SELECT 'delivery', id, record, status, attempts FROM partners_delivery WHERE status <> 'sent'"


@dataclass(frozen=True)
class Came:
    """What came to one of our receivers: its id, and when, in the order of its book."""

    id: str
    at: float
    more: dict[str, Any]


class Book:
    """What a receiver wrote down, and which of it had come before."""

    def __init__(self, path: Path) -> None:
        texts = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        found = (json.loads(text) for text in texts)
        self.came = [Came(one["id"], one["at"], one) for one in found]
        self.first: dict[str, Came] = {}
        self.repeats: list[tuple[Came, Came]] = []
        for one in self.came:
            known = self.first.setdefault(one.id, one)
            if known is not one:
                self.repeats.append((known, one))

    def unexplained(self, kills: list[float]) -> Iterator[str]:
        """Repeats between which nobody was killed."""
        for first, repeat in self.repeats:
            if not any(first.at - BEFORE <= kill <= repeat.at for kill in kills):
                yield f"{repeat.id} came again after {repeat.at - first.at:.1f} s, and nobody was killed in between"


def telling(home: Path) -> list[Line]:
    kills = [at for _, at in json.loads((home / "kills.json").read_text())]
    events = number("SELECT count(*) FROM partners_event")
    return [
        asked("every event left the outbox", "SELECT 'event', event_id FROM partners_untold", f"{events} events"),
        noticed(),
        *mails(Book(home / "mails.jsonl"), kills),
        *hooks(Book(home / "webhooks.jsonl"), kills),
    ]


def chunks() -> Iterator[list[Event]]:
    last = 0
    while found := list(Event.objects.filter(id__gt=last).order_by("id")[:CHUNK]):
        yield found
        last = found[-1].pk


def noticed() -> Line:
    """For every event it is worked out once more who is to be told: each of them was."""
    there = set(Notice.objects.values_list("person_id", "key"))
    at, wanted, missing = clock.now(), 0, []
    for events in chunks():
        for people, told in notices_of(events, at):
            for person in people:
                wanted += 1
                if (person.pk, told.key) not in there:
                    missing.append(f"{person.email}: {told.key}")
    return line("everybody was told what concerns them", missing, f"{wanted} notices of {len(there)}")


def mails(book: Book, kills: list[float]) -> list[Line]:
    sent = dict(rows("SELECT message_id, subject FROM partners_mail WHERE status = 'sent'"))
    heads = [one for one in book.first.values() if one.more["to"] == ["heads@vendor.example"]]
    known = {row[0] for row in rows("SELECT message_id FROM partners_mail")}
    strange = [one for one in book.first.values() if one.id not in known and one not in heads]
    asks = number("SELECT count(*) FROM partners_notice WHERE mail_id IS NOT NULL")
    repeats = f"{len(book.came)} came, {len(book.repeats)} of them again"
    return [
        asked("every notice that asks for a mail is in one", ASKS, f"{asks} notices in {len(sent)} mails"),
        asked(
            "every mail was sent", NOT_SENT, f"{len(sent)} mails, {len(known) - len(sent)} overtaken by their deadline"
        ),
        line("every mail that counts as sent came", (i for i in sent if i not in book.first), f"{len(sent)} mails"),
        line("no mail came that nobody sent, or under a second id", (one.more for one in strange), repeats),
        line("a mail comes again only after a kill", book.unexplained(kills), repeats),
    ]


def hooks(book: Book, kills: list[float]) -> list[Line]:
    known = {
        message: (webhook, record, event)
        for message, webhook, record, event in Delivery.objects.values_list(
            "message_id", "webhook_id", "record", "event_id"
        )
    }
    last: dict[tuple[int, str], int] = defaultdict(int)
    disorder = []
    for one in book.first.values():
        webhook, record, event = known.get(one.id, (0, "", 0))
        if event < last[webhook, record]:
            disorder.append(f"{one.id} of {record} came after {last[webhook, record]}")
        last[webhook, record] = max(last[webhook, record], event)
    repeats = f"{len(book.came)} came, {len(book.repeats)} of them again"
    there = f"{len(known)} deliveries"
    return [
        line("each webhook has every event that is for it", missing_deliveries(), there),
        asked("every webhook was delivered", NOT_DELIVERED, there),
        line("every delivery that counts as made came", (i for i in known if i not in book.first), there),
        line("no webhook came that nobody sent", (i for i in book.first if i not in known), repeats),
        line("a webhook comes again only after a kill", book.unexplained(kills), repeats),
        line("the webhooks of each record came in order", disorder, f"{len(last)} records"),
    ]


def missing_deliveries() -> Iterator[str]:
    webhooks = list(Webhook.objects.select_related("owner").order_by("id"))
    there = set(Delivery.objects.values_list("webhook_id", "event_id"))
    for events in chunks():
        sendable = [event for event in events if not event.verb.startswith(NEVER_SENT)]
        made = {event.pk: event.at for event in events}
        for webhook in webhooks:
            for wanted in for_webhook(webhook, sendable, at=clock.now()):
                if (webhook.pk, wanted.event_id) not in there and made[wanted.event_id] >= webhook.created_at:
                    yield f"webhook {webhook.pk}: event {wanted.event_id} {wanted.verb}"
