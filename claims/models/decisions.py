"""What was decided, by whom, and on which findings of which rules. Append-only."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from claims import states
from claims.models.catalog import Publication
from claims.models.claims import Claim
from claims.models.plans import Plan
from coop.lib.constraints import one_of
from partners.models import Person


class Decision(models.Model):
    """One decision on a claim or on a plan, with everything it rested on.

    `findings` are those of that instant, `publication` the rules that made them. `rows` are what was decided of each line
    or plan activity, `documents` of each document; `letter` is what the partner was sent.
    """

    claim = models.ForeignKey(Claim, models.PROTECT, null=True, related_name="decisions")
    plan = models.ForeignKey(Plan, models.PROTECT, null=True, related_name="decisions")
    act = models.CharField(max_length=20)
    decided_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    acting_for = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField()
    publication = models.ForeignKey(Publication, models.PROTECT, related_name="+")
    findings = models.JSONField(default=list)
    rows = models.JSONField(default=list)
    documents = models.JSONField(default=list)
    note = models.TextField(blank=True)
    currency = models.CharField(max_length=3)
    asked_minor = models.BigIntegerField()
    approved_minor = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="decision_is_on_a_claim_or_a_plan",
                condition=Q(claim__isnull=False, plan__isnull=True) | Q(claim__isnull=True, plan__isnull=False),
            ),
            models.CheckConstraint(name="decision_act_is_known", condition=one_of("act", states.ACTS)),
            models.CheckConstraint(
                name="decision_approves_at_most_what_was_asked",
                condition=Q(approved_minor__gte=0, approved_minor__lte=models.F("asked_minor")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.act} of {self.claim or self.plan}"
