"""Which deliveries go next, and what becomes of them. The wall clock is the database's.

A delivery is leased before it is called: its attempts are raised and its next try is put behind the lease, and that is
committed. Whoever is killed in between costs the length of a lease. The outcome counts only if nobody leased it since.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from coop.lib.db import execute, named_rows, rows
from partners.hooks.calling import GONE, Outcome
from partners.hooks.news import note
from partners.models import Attempt, Delivery, Webhook

LEASE_SECONDS = 60  # longer than any call, with the look-up of its host
GAPS = (5, 30, 120, 600, 3_600, 10_800)  # seconds between the tries of one delivery
LAST_GAP = 21_600
DAYS_TRIED = 3
ROW_OF_FAILURES = 10
REST_MINUTES = 15
DAYS_OF_FAILING = 7

GAVE_UP = f"Given up {DAYS_TRIED} days after the first try."
NEVER_BACK = f"Nothing was accepted here for {DAYS_OF_FAILING} days."
GONE_FOR_GOOD = "The address answered 410: it is gone for good."


@dataclass(frozen=True)
class Lease:
    """One delivery that this process is to call now. `epoch` is the wall clock in seconds."""

    delivery_id: int
    attempts: int
    epoch: int
    two_secrets: bool


@dataclass(frozen=True)
class Address:
    """A webhook with something due; one that failed lately gets less room."""

    webhook_id: int
    failing: bool


# A test goes at once, also to an address that rests or is switched off: it is how its owner finds out.
OPEN = "(d.event_id IS NULL OR (w.active AND coalesce(w.paused_until_wall, '-infinity') <= clock_timestamp()))"

IS_DUE = f"d.status = 'waiting' AND d.next_try_wall <= clock_timestamp() AND {OPEN}"

DUE = f"""
SELECT w.id, w.failures > 0 FROM partners_webhook w
CROSS JOIN LATERAL (
  SELECT min(d.next_try_wall) AS since FROM partners_delivery d
  WHERE d.webhook_id = w.id AND {IS_DUE}
) due
WHERE due.since IS NOT NULL ORDER BY due.since, w.id
"""

# Of one record only the first that waits: the others wait for it, however often it fails.
TAKE = f"""
WITH due AS (
  SELECT d.id, coalesce(w.old_secret_until_wall > clock_timestamp(), false) AS two_secrets
  FROM partners_delivery d JOIN partners_webhook w ON w.id = d.webhook_id
  WHERE d.webhook_id = %(webhook)s AND {IS_DUE}
    AND NOT EXISTS (
      SELECT FROM partners_delivery e WHERE e.webhook_id = d.webhook_id AND e.record = d.record
        AND e.status = 'waiting' AND e.event_id < d.event_id)
  ORDER BY d.next_try_wall, d.event_id LIMIT %(room)s FOR UPDATE OF d SKIP LOCKED
)
UPDATE partners_delivery d
SET attempts = attempts + 1, first_try_wall = coalesce(first_try_wall, clock_timestamp()),
    next_try_wall = clock_timestamp() + make_interval(secs => %(lease)s)
FROM due WHERE d.id = due.id
RETURNING d.id, d.attempts, extract(epoch FROM clock_timestamp())::bigint, due.two_secrets
"""


def due_addresses() -> list[Address]:
    """Webhooks that have something due, who waits longest first."""
    return [Address(*row) for row in rows(DUE)]


def count_due() -> int:
    """How many deliveries are due, those that wait for another of their record among them."""
    due = f"SELECT count(*) FROM partners_delivery d JOIN partners_webhook w ON w.id = d.webhook_id WHERE {IS_DUE}"
    return int(rows(due)[0][0])


def take(webhook_id: int, room: int) -> list[Lease]:
    """Lease at most `room` deliveries of a webhook."""
    return [Lease(*row) for row in rows(TAKE, {"webhook": webhook_id, "room": room, "lease": LEASE_SECONDS})]


@transaction.atomic
def close(lease: Lease, reason: str) -> bool:
    """End a delivery that must not be made; the next of its record goes on. False where somebody else has it by now."""
    return settle(lease, "status = 'failed', reason = %(reason)s, ended_wall = clock_timestamp()", reason=reason) > 0


@transaction.atomic
def mark(lease: Lease, outcome: Outcome, *, at: datetime) -> bool:
    """Write down what came of a call. False where somebody else leased the delivery since, or it is there no more."""
    known = Delivery.objects.filter(id=lease.delivery_id).values("webhook_id")
    webhook = Webhook.objects.select_for_update(no_key=True).filter(id__in=known).first()
    delivery = Delivery.objects.select_for_update(no_key=True).filter(id=lease.delivery_id).first()
    if webhook is None or delivery is None:
        return False
    Attempt.objects.create(
        delivery=delivery,
        took_ms=outcome.took_ms,
        status=outcome.status,
        answer=outcome.answer,
        error=outcome.error,
    )
    if outcome.accepted:
        note_success(webhook)
        return settle(lease, "status = 'sent', reason = '', ended_wall = clock_timestamp()") > 0
    is_test = delivery.event_id is None
    if not is_test:
        note_failure(webhook, gone=outcome.status == GONE, at=at)
    if is_test or outcome.status == GONE:
        reason = "A test is tried once." if is_test else GONE_FOR_GOOD
        return (
            settle(lease, "status = 'failed', reason = %(reason)s, ended_wall = clock_timestamp()", reason=reason) > 0
        )
    return try_later(lease, webhook, delivery, at=at)


def settle(lease: Lease, change: str, **values: Any) -> int:
    """Change a delivery if it is still the one that was leased."""
    return execute(
        f"UPDATE partners_delivery SET {change} WHERE id = %(id)s AND status = 'waiting' AND attempts = %(attempts)s",
        {"id": lease.delivery_id, "attempts": lease.attempts, **values},
    )


def note_success(webhook: Webhook) -> None:
    """The row of failures is over, and so is the rest."""
    if webhook.failures or webhook.paused_until_wall:
        changes = "failures = 0, failing_since_wall = NULL, paused_until_wall = NULL"
        execute(f"UPDATE partners_webhook SET {changes} WHERE id = %s", [webhook.pk])


def note_failure(webhook: Webhook, *, gone: bool, at: datetime) -> None:
    """One failure more: a row of them rests the address, a week of them or a 410 switches it off."""
    [found] = named_rows(
        """
        UPDATE partners_webhook
        SET failures = failures + 1, failing_since_wall = coalesce(failing_since_wall, clock_timestamp()),
            paused_until_wall = CASE WHEN failures + 1 >= %(row)s
              THEN clock_timestamp() + make_interval(mins => %(rest)s) ELSE paused_until_wall END
        WHERE id = %(id)s
        RETURNING failing_since_wall <= clock_timestamp() - make_interval(days => %(days)s) AS for_long
        """,
        {"id": webhook.pk, "row": ROW_OF_FAILURES, "rest": REST_MINUTES, "days": DAYS_OF_FAILING},
    )
    if webhook.active and (gone or found["for_long"]):
        switch_off(webhook, GONE_FOR_GOOD if gone else NEVER_BACK, at=at)


def switch_off(webhook: Webhook, reason: str, *, at: datetime) -> None:
    changes = "active = false, off_reason = %s, revision = revision + 1"
    execute(f"UPDATE partners_webhook SET {changes} WHERE id = %s", [reason, webhook.pk])
    note("webhook.switched_off", webhook, by=None, at=at, reason=reason)


def try_later(lease: Lease, webhook: Webhook, delivery: Delivery, *, at: datetime) -> bool:
    """Put off the next try, a little by chance so that many do not come together; or give up after three days."""
    tries = delivery.tries.filter(at_wall__gte=delivery.first_try_wall).count()
    gap = GAPS[tries - 1] if tries <= len(GAPS) else LAST_GAP
    kept = named_rows(
        """
        UPDATE partners_delivery
        SET next_try_wall = least(clock_timestamp() + make_interval(secs => %(gap)s * (0.9 + 0.2 * random())),
                                  first_try_wall + make_interval(days => %(days)s)),
            status = CASE WHEN over THEN 'failed' ELSE 'waiting' END,
            reason = CASE WHEN over THEN %(reason)s ELSE '' END,
            ended_wall = CASE WHEN over THEN clock_timestamp() END
        FROM (SELECT first_try_wall <= clock_timestamp() - make_interval(days => %(days)s) AS over
              FROM partners_delivery WHERE id = %(id)s) age
        WHERE id = %(id)s AND status = 'waiting' AND attempts = %(attempts)s
        RETURNING over
        """,
        {"id": lease.delivery_id, "attempts": lease.attempts, "gap": gap, "days": DAYS_TRIED, "reason": GAVE_UP},
    )
    if kept and not kept[0]["over"]:
        hold_back_followers(delivery)
    elif kept:
        note("webhook.gave_up", webhook, by=None, at=at, count=1, verbs=[delivery.verb])
    return bool(kept)


def hold_back_followers(delivery: Delivery) -> None:
    """Let what waits for a delivery fall due with it, so that a long queue behind it is not looked through at every turn."""
    execute(
        """
        UPDATE partners_delivery d SET next_try_wall = first.next_try_wall
        FROM partners_delivery first
        WHERE first.id = %s AND d.webhook_id = first.webhook_id AND d.record = first.record
          AND d.status = 'waiting' AND d.event_id > first.event_id AND d.next_try_wall < first.next_try_wall
        """,
        [delivery.pk],
    )


@transaction.atomic
def give_up_old(*, at: datetime) -> int:
    """End the deliveries whose three days ended while their address rested, and tell each owner once."""
    found = rows(
        """
        UPDATE partners_delivery d SET status = 'failed', reason = %(reason)s, ended_wall = clock_timestamp()
        FROM partners_webhook w
        WHERE w.id = d.webhook_id AND w.active AND w.paused_until_wall > clock_timestamp()
          AND d.status = 'waiting' AND d.next_try_wall <= clock_timestamp() AND d.event_id IS NOT NULL
          AND d.first_try_wall <= clock_timestamp() - make_interval(days => %(days)s, hours => 1)
        RETURNING d.webhook_id, d.verb
        """,
        {"reason": GAVE_UP, "days": DAYS_TRIED},
    )
    given_up: dict[int, list[str]] = {}
    for webhook_id, verb in found:
        given_up.setdefault(webhook_id, []).append(verb)
    for webhook in Webhook.objects.select_related("owner").filter(id__in=given_up).order_by("id"):
        verbs = given_up[webhook.pk]
        note("webhook.gave_up", webhook, by=None, at=at, count=len(verbs), verbs=sorted(set(verbs))[:10])
    return len(found)
