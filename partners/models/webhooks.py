"""Webhooks: where a client wants events sent, and the log of what was sent. Source: api.md."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from partners import states
from partners.models.people import Event, Person


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def visible_to(self, person: Person) -> WebhookQuerySet:
        return self.filter(owner=person)


class Webhook(models.Model):
    """An address that gets the events which its owner may see, as they may see them now.

    `events` are verbs ("claim.approved") or their first part with a star ("claim.*"); empty means all. `secret` signs what is
    sent, so it must be readable: it is encrypted with a key made of SECRET_KEY. The secret before it signs too, until
    `old_secret_until_wall`. After a row of failures, the first at `failing_since_wall`, the address rests until
    `paused_until_wall`. `off_reason` says why the product itself switched it off.
    """

    owner = models.ForeignKey(Person, models.PROTECT, related_name="webhooks")
    url = models.CharField(max_length=500)
    events = models.JSONField(default=list)
    active = models.BooleanField(default=True)
    secret = models.CharField(max_length=300)
    old_secret = models.CharField(max_length=300, blank=True)
    old_secret_until_wall = models.DateTimeField(null=True)
    off_reason = models.CharField(max_length=300, blank=True)
    failures = models.PositiveIntegerField(default=0)
    failing_since_wall = models.DateTimeField(null=True)
    paused_until_wall = models.DateTimeField(null=True)
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()

    objects = WebhookQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.url


class Delivery(models.Model):
    """One event on its way to one webhook. Those of one `record` go one after the other, in the order of their events.

    `message_id` goes with every attempt, also when it is delivered again by hand, so that a receiver takes it once. `event` is
    empty for a test. `first_try_wall` is when the three days began; `reason` says why it was given up.
    """

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries", db_index=False)
    event = models.ForeignKey(Event, models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False)
    verb = models.CharField(max_length=60)
    record = models.CharField(max_length=130)
    message_id = models.CharField(max_length=80, unique=True)
    status = models.CharField(max_length=10, default="waiting", choices=list(states.SENDING.items()))
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    created_wall = models.DateTimeField(db_default=Now())
    first_try_wall = models.DateTimeField(null=True)
    next_try_wall = models.DateTimeField(db_default=Now())
    reason = models.CharField(max_length=300, blank=True)
    ended_wall = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["webhook", "event"], name="event_goes_to_a_webhook_once"),
            models.CheckConstraint(name="delivery_status_is_known", condition=Q(status__in=list(states.SENDING))),
        ]
        indexes = [
            models.Index(fields=["webhook", "record", "event"], name="delivery_waiting", condition=Q(status="waiting")),
            models.Index(
                fields=["webhook", "next_try_wall", "event"], name="delivery_due", condition=Q(status="waiting")
            ),
            models.Index(fields=["webhook", "-id"], name="delivery_by_webhook"),
        ]


class Attempt(models.Model):
    """One try of a delivery: what the address answered, or what went wrong."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="tries")
    at_wall = models.DateTimeField(db_default=Now())
    took_ms = models.PositiveIntegerField(default=0)
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.CharField(max_length=500, blank=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
