"""Two small tables that belong to nobody's business: the sandbox's clock and the answers kept for retries."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class SandboxClock(models.Model):
    """The time of a sandbox: at most one row, which stands still until it is moved."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    now = models.DateTimeField()
    jobs_held = models.BooleanField(default=False)  # the last move was made without jobs

    class Meta:
        constraints = [models.CheckConstraint(name="sandbox_clock_is_one_row", condition=Q(id=1))]


class IdempotencyRecord(models.Model):
    """The first answer to a write, kept so that a retry gets the same one. See api.md, ground rules.

    `scope` is the person or key that sent it together with method and path; `fingerprint` is the SHA-256 of the body.
    Kept by wall-clock time, also in a sandbox: retries happen on the network's clock.
    """

    scope = models.CharField(max_length=300)
    key = models.CharField(max_length=200)
    fingerprint = models.BinaryField(max_length=32)
    status = models.SmallIntegerField()
    body = models.JSONField(null=True)
    headers = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "key"], name="idempotency_key_is_used_once")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_by_age")]
