"""Adjustments: corrections of a fund by a person, with a reason, and above an amount by two."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from coop.lib.constraints import one_of
from funds import states
from funds.models.ledger import Fund
from partners.models import Partner, Person
from partners.permissions import within_partner
from partners.states import AUDITOR, FINANCE, PROGRAM_ADMIN

# Who sees what is asked for and what was declined; everybody else sees what was posted.
READERS = (FINANCE, PROGRAM_ADMIN, AUDITOR)


class AdjustmentQuerySet(models.QuerySet["Adjustment"]):
    def visible_to(self, person: Person) -> AdjustmentQuerySet:
        """What waits for its second person, or was declined, is finance's own paper; what was posted is the partner's too."""
        rows = self.filter(within_partner(person))
        if person.is_authenticated and person.role not in READERS:
            rows = rows.filter(status="posted")
        return rows

    def with_names(self) -> AdjustmentQuerySet:
        return self.select_related(
            "fund__partner",
            "fund__location",
            "fund__program",
            "fund__earning_period",
            "to_fund__earning_period",
            "requested_by",
            "approved_by",
        )


class Adjustment(models.Model):
    """One correction of a fund, asked for by one person and, above the program's amount, approved by another.

    `purpose` says what is posted: a `correction` adds or takes (signed amount); a `rollover` moves an amount to another
    fund of the same enrollment; `to_rebate` pays it out as cash instead; a `write_off` lifts a fund below zero, at most to
    zero. `effective_on` is the day that it is for.
    """

    fund = models.ForeignKey(Fund, models.PROTECT, related_name="+")
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=12, default="correction")
    to_fund = models.ForeignKey(Fund, models.PROTECT, null=True, related_name="+")
    amount_minor = models.BigIntegerField()
    reason_code = models.CharField(max_length=20)
    effective_on = models.DateField()
    note = models.TextField(blank=True)
    status = models.CharField(max_length=10, default="requested")
    requested_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    approved_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    # When it was posted or declined, and why it was declined.
    decided_at = models.DateTimeField(null=True)
    decline_reason = models.TextField(blank=True, default="")
    # Whether the amount was above the program's limit when it was asked for.
    second_person_needed = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    revision = models.PositiveIntegerField(default=1)

    objects = AdjustmentQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="adjustment_status_is_known", condition=one_of("status", states.ADJUSTMENT_STATUSES)
            ),
            models.CheckConstraint(
                name="adjustment_purpose_is_known", condition=one_of("purpose", states.ADJUSTMENT_PURPOSES)
            ),
            models.CheckConstraint(
                name="adjustment_reason_is_known", condition=one_of("reason_code", states.REASON_CODES)
            ),
            models.CheckConstraint(
                name="adjustment_amount_fits_its_purpose",
                condition=Q(amount_minor__gt=0) | Q(purpose="correction", amount_minor__lt=0),
            ),
            models.CheckConstraint(
                name="only_a_rollover_names_another_fund",
                condition=Q(purpose="rollover", to_fund__isnull=False) & ~Q(to_fund=F("fund"))
                | ~Q(purpose="rollover") & Q(to_fund__isnull=True),
            ),
            models.CheckConstraint(
                name="decided_adjustment_has_an_instant",
                condition=Q(status="requested", decided_at__isnull=True)
                | ~Q(status="requested") & Q(decided_at__isnull=False),
            ),
            models.CheckConstraint(
                name="adjustment_above_the_limit_has_a_second_person",
                condition=~Q(status="posted")
                | Q(second_person_needed=False)
                | (Q(approved_by__isnull=False) & ~Q(approved_by=F("requested_by"))),
            ),
        ]

    def __str__(self) -> str:
        return f"Adjustment {self.pk}"

    @property
    def currency(self) -> str:
        code: str = self.fund.currency
        return code
