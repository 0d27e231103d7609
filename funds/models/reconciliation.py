"""Reconciliation: the vendor's own report of what was earned or paid, held against ours."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from coop.lib.constraints import one_of
from funds import states
from partners.models import Person
from partners.states import AUDITOR, FINANCE, PROGRAM_ADMIN


class ReconciliationQuerySet(models.QuerySet["Reconciliation"]):
    def visible_to(self, person: Person) -> ReconciliationQuerySet:
        """They hold lines of many partners: only the vendor's finance, program admins and auditors see them."""
        allowed = person.is_authenticated and person.is_active and person.role in (FINANCE, PROGRAM_ADMIN, AUDITOR)
        return self.filter(Q() if allowed else Q(pk__in=[]))


class Reconciliation(models.Model):
    """One comparison of a report with our books as they were known at `known_at`. It changes nothing.

    `scope` is what the report covers, by `program` and `earning_period`: its `first` and `last` day. What is ours alone is
    sought in it only. `totals` are sums of both sides by currency, as decimal strings.
    """

    kind = models.CharField(max_length=10)
    filename = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    known_at = models.DateTimeField()
    scope = models.JSONField(default=list)
    matched = models.PositiveIntegerField(default=0)
    different = models.PositiveIntegerField(default=0)
    missing_here = models.PositiveIntegerField(default=0)
    missing_there = models.PositiveIntegerField(default=0)
    unreadable = models.PositiveIntegerField(default=0)
    totals = models.JSONField(default=list)
    created_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    objects = ReconciliationQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="reconciliation_kind_is_known", condition=one_of("kind", states.RECONCILIATION_KINDS)
            )
        ]

    def __str__(self) -> str:
        return self.filename or f"Reconciliation {self.pk}"


class ReconciledLine(models.Model):
    """A line that does not match: it is missing on one side, different, or could not be read. Matched ones are counted.

    `record_type` and `record` name what of ours it is held against: a fund, an import (where rebate alone made no fund), or
    a payment.
    """

    reconciliation = models.ForeignKey(Reconciliation, models.CASCADE, related_name="lines")
    line_no = models.IntegerField(null=True)  # in the report; empty for what is missing there
    outcome = models.CharField(max_length=14)
    key = models.CharField(max_length=120)  # the id of the earning or of the payment
    currency = models.CharField(max_length=3, blank=True)
    theirs_minor = models.BigIntegerField(null=True)
    ours_minor = models.BigIntegerField(null=True)
    message = models.TextField(blank=True)
    record_type = models.CharField(max_length=10, blank=True)
    record = models.CharField(max_length=20, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="reconciled_outcome_is_known", condition=one_of("outcome", states.RECONCILED_OUTCOMES)
            )
        ]
