"""Reconciliation: the vendor's own report of what was earned or paid, held against ours."""

from __future__ import annotations

from django.db import models

from coop.lib.constraints import one_of
from funds import states
from partners.models import Person


class Reconciliation(models.Model):
    """One comparison of a report with our books as they were known at `known_at`. It changes nothing."""

    kind = models.CharField(max_length=10)
    filename = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    known_at = models.DateTimeField()
    matched = models.PositiveIntegerField(default=0)
    different = models.PositiveIntegerField(default=0)
    missing_here = models.PositiveIntegerField(default=0)
    missing_there = models.PositiveIntegerField(default=0)
    unreadable = models.PositiveIntegerField(default=0)
    totals = models.JSONField(default=list)
    created_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="reconciliation_kind_is_known", condition=one_of("kind", states.RECONCILIATION_KINDS)
            )
        ]


class ReconciledLine(models.Model):
    """A line that does not match: it is missing on one side, different, or could not be read. Matched ones are counted."""

    reconciliation = models.ForeignKey(Reconciliation, models.CASCADE, related_name="lines")
    line_no = models.IntegerField(null=True)  # in the report; empty for what is missing there
    outcome = models.CharField(max_length=14)
    key = models.CharField(max_length=120)  # the id of the earning or of the payment
    currency = models.CharField(max_length=3, blank=True)
    theirs_minor = models.BigIntegerField(null=True)
    ours_minor = models.BigIntegerField(null=True)
    message = models.TextField(blank=True)
    address = models.CharField(max_length=200, blank=True)  # our record, where there is one

    class Meta:
        ordering = ["id"]
