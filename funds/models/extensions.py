"""Extensions: a later claim deadline for a period, for every open period of a program, or for one partner."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from coop.lib.constraints import one_of
from funds import states
from funds.models.programs import EarningPeriod
from partners.models import Partner, Person
from partners.permissions import within_partner


class ExtensionQuerySet(models.QuerySet["Extension"]):
    def visible_to(self, person: Person) -> ExtensionQuerySet:
        """Those of one partner are that partner's; those of a whole period are everybody's."""
        return self.filter(within_partner(person) | Q(partner__isnull=True, status="granted"))

    def waiting(self) -> ExtensionQuerySet:
        return self.filter(status="asked")


class Extension(models.Model):
    """A claim deadline that moves to a later day: asked for by a partner or not, decided by a program admin with a reason.

    `partner` is empty where it holds for everybody in the period. What was granted is never taken back: a date only ever
    moves later.
    """

    earning_period = models.ForeignKey(EarningPeriod, models.PROTECT, related_name="extensions")
    partner = models.ForeignKey(Partner, models.PROTECT, null=True, related_name="+")
    status = models.CharField(max_length=10, choices=list(states.EXTENSIONS.items()))
    asked_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField(null=True)
    asked_until = models.DateField(null=True)
    asked_because = models.TextField(blank=True)
    decided_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True)
    claims_close_on_before = models.DateField(null=True)
    claims_close_on = models.DateField(null=True)
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()

    objects = ExtensionQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(name="extension_status_is_known", condition=one_of("status", states.EXTENSIONS)),
            models.CheckConstraint(
                name="extension_only_moves_later",
                condition=Q(claims_close_on__isnull=True) | Q(claims_close_on__gt=F("claims_close_on_before")),
            ),
            models.CheckConstraint(
                name="decided_extension_says_who_and_why",
                condition=Q(status="asked", decided_by__isnull=True, claims_close_on__isnull=True)
                | Q(status="granted", decided_by__isnull=False, claims_close_on__isnull=False) & ~Q(reason="")
                | Q(status="declined", decided_by__isnull=False, claims_close_on__isnull=True) & ~Q(reason=""),
            ),
            models.CheckConstraint(
                name="extension_that_is_asked_for_is_one_partners",
                condition=Q(asked_by__isnull=True, asked_until__isnull=True)
                | Q(asked_by__isnull=False, asked_until__isnull=False, partner__isnull=False) & ~Q(asked_because=""),
            ),
            models.UniqueConstraint(
                fields=["earning_period", "partner"],
                condition=Q(status="asked"),
                name="one_open_request_for_an_extension",
            ),
        ]

    def __str__(self) -> str:
        return f"Extension of {self.earning_period}"
