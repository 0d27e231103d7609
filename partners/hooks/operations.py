"""What people do with their webhooks. Nothing here speaks to a network: calls are made by a job."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from django.db import transaction

from coop.lib.db import execute
from coop.lib.errors import FieldError, Invalid, NotAllowed, NotFound, WrongStatus, check_revision, require_fields
from coop.lib.nudge import nudge
from partners import states
from partners.hooks.addresses import BadAddress, read_url
from partners.hooks.fanout import NEVER_SENT, SEND, for_webhook
from partners.hooks.letters import TEST
from partners.hooks.news import note
from partners.hooks.signing import Unreadable, new_secret, seal, sealed_anew
from partners.models import Delivery, Event, Person, Webhook

FIELDS = ("url", "events", "active")
MOST_WEBHOOKS = 10  # of one person
MOST_EVENTS = 100
MOST_TESTS = 5  # that wait at once
MOST_REPLAYED = 10_000
HOURS_OF_TWO_SECRETS = 24
DAYS_KEPT = 30
VERB = re.compile(r"([a-z_]{1,40})\.(\*|[a-z_]{1,40})", re.ASCII)
NOT_FOUND = "There is no such webhook."


@dataclass(frozen=True)
class Replayed:
    """What a replay found: deliveries that wait once more, and events that had none yet."""

    again: int
    added: int


@transaction.atomic
def create_webhook(
    *, url: str, events: Sequence[str] = (), active: bool = True, by: Person, at: datetime
) -> tuple[Webhook, str]:
    """A new webhook of this person, and its secret, which nobody is shown again. Raises NotAllowed, Invalid, WrongStatus."""
    require_place(by)
    Person.objects.select_for_update(no_key=True).get(id=by.pk)  # two at once count each other
    if faults := faults_of(url, events):
        raise Invalid(errors=faults)
    if Webhook.objects.filter(owner=by).count() >= MOST_WEBHOOKS:
        raise WrongStatus(f"You have {MOST_WEBHOOKS} webhooks, which is the most. Delete one that you do not need.")
    secret = new_secret()
    webhook = Webhook.objects.create(
        owner=by, url=url, events=sorted(set(events)), active=active, secret=seal(secret), created_at=at
    )
    note("webhook.created", webhook, by=by, at=at, events=webhook.events)
    return webhook, secret


@transaction.atomic
def update_webhook(
    webhook_id: int, changes: Mapping[str, Any], *, revision: int | None = None, by: Person, at: datetime
) -> Webhook:
    """Change where a webhook leads or what it gets, pause it or let it go on. Raises NotFound, Stale, Invalid.

    A new address, or going on, begins anew: no failures are counted, and what waits has its three days before it again.
    """
    webhook = lock_webhook(webhook_id, by=by, revision=revision)
    require_place(by)
    require_fields(changes, FIELDS, "A webhook")
    wanted = {name: changes.get(name, getattr(webhook, name)) for name in FIELDS}
    if faults := faults_of(wanted["url"], wanted["events"]):
        raise Invalid(errors=faults)
    wanted["events"] = sorted(set(wanted["events"]))
    changed = [name for name in FIELDS if wanted[name] != getattr(webhook, name)]
    if not changed:
        return webhook
    for name in changed:
        setattr(webhook, name, wanted[name])
    if "url" in changed or ("active" in changed and webhook.active):
        webhook.failures, webhook.failing_since_wall, webhook.paused_until_wall = 0, None, None
        webhook.off_reason = ""
        begin_anew(webhook)
    webhook.revision += 1
    webhook.save()
    verb = ("webhook.resumed" if webhook.active else "webhook.paused") if changed == ["active"] else "webhook.changed"
    note(verb, webhook, by=by, at=at, fields=changed)
    nudge(SEND)
    return webhook


@transaction.atomic
def delete_webhook(webhook_id: int, *, revision: int | None = None, by: Person, at: datetime) -> None:
    """Delete a webhook with the log of its deliveries; what waits is not sent any more. Raises NotFound, Stale."""
    webhook = lock_webhook(webhook_id, by=by, revision=revision)
    note("webhook.deleted", webhook, by=by, at=at)
    webhook.delete()


@transaction.atomic
def rotate_secret(webhook_id: int, *, revision: int | None = None, by: Person, at: datetime) -> tuple[Webhook, str]:
    """A new secret, shown once. For a day what is sent is signed with the one before, too. Raises NotFound, Stale."""
    webhook = lock_webhook(webhook_id, by=by, revision=revision)
    require_place(by)
    secret = new_secret()
    webhook.old_secret, webhook.secret = webhook.secret, seal(secret)
    webhook.revision += 1
    webhook.save()
    execute(
        "UPDATE partners_webhook SET old_secret_until_wall = clock_timestamp() + make_interval(hours => %s) WHERE id = %s",
        [HOURS_OF_TWO_SECRETS, webhook.pk],
    )
    webhook.refresh_from_db()
    note("webhook.secret_rotated", webhook, by=by, at=at)
    return webhook, secret


@transaction.atomic
def test_webhook(webhook_id: int, *, by: Person, at: datetime) -> Delivery:
    """Send a test on the way of all deliveries, at once and once, also to an address that is paused.

    Raises NotFound, and WrongStatus while others wait: nobody's address shall be flooded by a button.
    """
    webhook = lock_webhook(webhook_id, by=by)
    require_place(by)
    if webhook.deliveries.filter(status="waiting", verb=TEST).count() >= MOST_TESTS:
        raise WrongStatus(f"{MOST_TESTS} tests are on their way already. Look in the log what came of them.")
    token = secrets.token_hex(8)
    delivery = Delivery.objects.create(
        webhook=webhook, verb=TEST, record=f"{TEST}:{token}", message_id=f"msg_{webhook.pk}_test_{token}", created_at=at
    )
    note("webhook.tested", webhook, by=by, at=at)
    nudge(SEND)
    delivery.refresh_from_db()
    return delivery


@transaction.atomic
def redeliver(webhook_id: int, delivery_id: int, *, by: Person, at: datetime) -> Delivery:
    """Deliver once more, with the same Webhook-Id; what waits is tried now. Raises NotFound, WrongStatus.

    It goes before the later events of its record that still wait.
    """
    webhook = lock_webhook(webhook_id, by=by)
    require_place(by)
    delivery = Delivery.objects.select_for_update(no_key=True).filter(id=delivery_id, webhook=webhook).first()
    if delivery is None:
        raise NotFound("There is no such delivery.")
    if not webhook.active and delivery.event_id is not None:
        raise WrongStatus("This webhook is paused, so nothing is sent. Let it go on first.")
    wait_again(webhook, [delivery.pk])
    execute("UPDATE partners_webhook SET paused_until_wall = NULL WHERE id = %s", [webhook.pk])
    note("webhook.redelivered", webhook, by=by, at=at, delivery=str(delivery.pk), kind=delivery.verb)
    nudge(SEND)
    delivery.refresh_from_db()
    return delivery


@transaction.atomic
def replay(webhook_id: int, *, since: datetime, by: Person, at: datetime) -> Replayed:
    """Deliver what was missed since an instant: given up, or not sent because the webhook was paused or not there yet.

    Raises NotFound, WrongStatus, and Invalid where it would be more than can be asked for at once.
    """
    webhook = lock_webhook(webhook_id, by=by)
    require_place(by)
    if not webhook.active:
        raise WrongStatus("This webhook is paused, so nothing is sent. Let it go on first.")
    found = Event.objects.visible_to(webhook.owner).filter(at__gte=since).exclude(verb__startswith=NEVER_SENT)
    missed = list(found.order_by("id")[: MOST_REPLAYED + 1])
    if len(missed) > MOST_REPLAYED:
        raise Invalid.field(
            "since",
            f"There are more than {MOST_REPLAYED:,} events since then. Choose a later instant, and read on by the API.",
        )
    wanted = for_webhook(webhook, missed, at)
    known = dict(
        Delivery.objects.filter(webhook=webhook, event_id__in=[one.event_id for one in wanted]).values_list(
            "event_id", "status"
        )
    )
    failed = [event_id for event_id, status in known.items() if status == "failed"]
    again = Delivery.objects.filter(webhook=webhook, event_id__in=failed).values_list("id", flat=True)
    new = [one for one in wanted if one.event_id not in known]
    wait_again(webhook, list(again))
    Delivery.objects.bulk_create(new, ignore_conflicts=True, batch_size=1_000)
    note("webhook.replayed", webhook, by=by, at=at, since=since.isoformat(), again=len(failed), added=len(new))
    nudge(SEND)
    return Replayed(len(failed), len(new))


def keep_house() -> int:
    """Forget deliveries that ended a month ago, and keep secrets under the present SECRET_KEY. Returns the deliveries."""
    for webhook_id, secret, old in Webhook.objects.values_list("id", "secret", "old_secret"):
        try:
            anew, old_anew = sealed_anew(secret), sealed_anew(old) if old else ""
        except Unreadable:  # the log of deliveries says so
            continue
        Webhook.objects.filter(id=webhook_id, secret=secret, old_secret=old).update(secret=anew, old_secret=old_anew)
    ended = "ended_wall < now() - make_interval(days => %s)"  # the same instant in both statements
    with transaction.atomic():
        execute(
            f"DELETE FROM partners_attempt WHERE delivery_id IN (SELECT id FROM partners_delivery WHERE {ended})",
            [DAYS_KEPT],
        )
        return execute(f"DELETE FROM partners_delivery WHERE {ended}", [DAYS_KEPT])


# --- What they are made of --------------------------------------------------------------------------------------------


def require_place(by: Person) -> None:
    """Guests of an agency see no events, so there is nothing to send them. Raises NotAllowed."""
    if not by.is_active or by.role == states.AGENCY:
        raise NotAllowed("Guests of an agency see no events of a partner, so webhooks would tell them nothing.")


def lock_webhook(webhook_id: int, *, by: Person, revision: int | None = None) -> Webhook:
    """One's own webhook, locked. Raises NotFound, Stale."""
    mine = Webhook.objects.visible_to(by).select_related("owner")
    webhook = mine.select_for_update(of=("self",), no_key=True).filter(id=webhook_id).first()
    if webhook is None:
        raise NotFound(NOT_FOUND)
    check_revision(revision, webhook.revision)
    return webhook


def faults_of(url: str, events: Sequence[str]) -> list[FieldError]:
    """All that is wrong with what was asked for."""
    faults = []
    try:
        read_url(url)
    except BadAddress as error:
        faults.append(FieldError("url", "invalid", str(error)))
    if len(events) > MOST_EVENTS:
        faults.append(FieldError("events", "invalid", f"Name at most {MOST_EVENTS} kinds of events, or none for all."))
        return faults
    for place, verb in enumerate(events):
        read = VERB.fullmatch(verb)
        if not read or read[1] not in states.EVENT_AREAS:
            near = get_close_matches(verb.partition(".")[0], states.EVENT_AREAS, n=1)
            hint = f"Did you mean {near[0]}.*?" if near else f"It begins with one of: {', '.join(states.EVENT_AREAS)}."
            message = f"“{verb[:60]}” is no kind of event. Write claim.approved, or claim.* for all of claims. {hint}"
            faults.append(FieldError(f"events.{place}", "invalid", message))
    return faults


def wait_again(webhook: Webhook, delivery_ids: Sequence[int]) -> None:
    """Let deliveries wait for their turn now, with three days before them; what waits for them falls due with them.

    Their attempts go on being counted.
    """
    ids = {"webhook": webhook.pk, "ids": list(delivery_ids)}
    execute(
        """
        UPDATE partners_delivery
        SET status = 'waiting', reason = '', ended_wall = NULL, first_try_wall = NULL, next_try_wall = clock_timestamp()
        WHERE webhook_id = %(webhook)s AND id = ANY(%(ids)s)
        """,
        ids,
    )
    execute(
        """
        UPDATE partners_delivery d SET next_try_wall = clock_timestamp()
        FROM partners_delivery first
        WHERE first.id = ANY(%(ids)s) AND d.webhook_id = %(webhook)s AND d.record = first.record AND d.status = 'waiting'
          AND d.event_id > first.event_id AND d.next_try_wall > clock_timestamp()
        """,
        ids,
    )


def begin_anew(webhook: Webhook) -> None:
    execute(
        """
        UPDATE partners_delivery SET first_try_wall = NULL, next_try_wall = clock_timestamp()
        WHERE webhook_id = %s AND status = 'waiting'
        """,
        [webhook.pk],
    )
