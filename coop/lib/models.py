"""Small tables that belong to nobody's business: the sandbox's clock, the answers kept for retries, and how the jobs ran."""

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


class JobState(models.Model):
    """What is known of one job, one row each: when it last looked, and when it last had something to do. Wall-clock times."""

    job = models.CharField(max_length=40, primary_key=True)
    looked_wall = models.DateTimeField(null=True)
    worked_wall = models.DateTimeField(null=True)
    failed_wall = models.DateTimeField(null=True)


class JobRun(models.Model):
    """One run of a job that had something to do, that failed, or that somebody asked for. Runs that found nothing leave no row.

    `at` is the instant of the product's clock up to which it worked. A run whose `heartbeat_wall` is old was killed; the next
    one finds what it left. `failures` are {"record", "error"}, at most 100 of them.
    """

    STATUSES = {"asked": "Asked for", "running": "Running", "done": "Done", "failed": "Failed", "killed": "Killed"}

    job = models.CharField(max_length=40)
    status = models.CharField(max_length=10, choices=list(STATUSES.items()))
    asked_by = models.CharField(max_length=254, blank=True)  # an e-mail address; empty for the timetable
    at = models.DateTimeField(null=True)
    began_wall = models.DateTimeField(db_default=Now())
    heartbeat_wall = models.DateTimeField(db_default=Now())
    ended_wall = models.DateTimeField(null=True)
    total = models.PositiveIntegerField(null=True)
    worked = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    failures = models.JSONField(default=list)
    notes = models.JSONField(default=list)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["job", "-id"], name="job_run_by_job"),
            models.Index(
                fields=["heartbeat_wall"], name="job_run_unended", condition=Q(status__in=["asked", "running"])
            ),
        ]
