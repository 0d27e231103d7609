"""Programs, their calendars, splits, thresholds and earning periods, and who is enrolled."""

from __future__ import annotations

from datetime import datetime

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from coop.lib.constraints import one_of, whole_range
from funds import rules, states
from partners.models import Location, Partner, Person
from partners.permissions import within_partner


class Calendar(models.Model):
    """The rule by which periods are generated. Changing it changes no stored date."""

    code = models.CharField(max_length=40, unique=True)
    first_month = models.PositiveSmallIntegerField()
    months = models.PositiveSmallIntegerField()
    claims_open_after_days = models.PositiveSmallIntegerField()
    days_to_settle = models.PositiveSmallIntegerField()
    days_to_claim = models.PositiveSmallIntegerField()
    days_to_cure = models.PositiveSmallIntegerField()

    def __str__(self) -> str:
        return self.code

    def rule(self) -> rules.CalendarRule:
        return rules.CalendarRule(
            first_month=self.first_month,
            months=self.months,
            claims_open_after_days=self.claims_open_after_days,
            days_to_settle=self.days_to_settle,
            days_to_claim=self.days_to_claim,
            days_to_cure=self.days_to_cure,
        )


class Program(models.Model):
    """An incentive programme with its own split, threshold, calendar and approvers."""

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    currency = models.CharField(max_length=3)
    time_zone = models.CharField(max_length=50, default="UTC")
    calendar = models.ForeignKey(Calendar, models.PROTECT)
    plan_approval = models.CharField(max_length=10)
    approvers = models.JSONField(default=list)
    # Payments of one kind below this wait until they reach it; adjustments above the other need a second person.
    minimum_payment_minor = models.BigIntegerField(default=0)
    four_eyes_minor = models.BigIntegerField(default=0)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    discontinued_on = models.DateField(null=True)
    # Whose public holidays are no business days.
    holiday_country = models.CharField(max_length=2, default="US")
    example = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                name="program_plan_approval_is_known", condition=one_of("plan_approval", states.PLAN_APPROVAL)
            ),
            models.CheckConstraint(
                name="program_dates_in_order",
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ProgramSplit(models.Model):
    """Which share of an earning is co-op, in basis points, for earnings dated from `valid_from` to `valid_to`."""

    program = models.ForeignKey(Program, models.CASCADE, related_name="splits")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    coop_bp = models.PositiveIntegerField()
    example = models.BooleanField(default=False)

    class Meta:
        ordering = ["valid_from"]
        constraints = [
            models.CheckConstraint(name="split_is_a_share", condition=Q(coop_bp__lte=10_000)),
            ExclusionConstraint(
                name="splits_of_a_program_do_not_overlap",
                expressions=[
                    ("program", RangeOperators.EQUAL),
                    (whole_range("valid_from", "valid_to"), RangeOperators.OVERLAPS),
                ],
            ),
        ]


class ProgramThreshold(models.Model):
    """The co-op a fund must have earned to keep it, for periods whose last day of earning lies in the range."""

    program = models.ForeignKey(Program, models.CASCADE, related_name="thresholds")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    amount_minor = models.BigIntegerField()
    example = models.BooleanField(default=False)

    class Meta:
        ordering = ["valid_from"]
        constraints = [
            models.CheckConstraint(name="threshold_is_not_negative", condition=Q(amount_minor__gte=0)),
            ExclusionConstraint(
                name="thresholds_of_a_program_do_not_overlap",
                expressions=[
                    ("program", RangeOperators.EQUAL),
                    (whole_range("valid_from", "valid_to"), RangeOperators.OVERLAPS),
                ],
            ),
        ]


class EarningPeriod(models.Model):
    """One half, named after where the money was earned, with the dates of all four clocks.

    Days are what people were promised; the `_at` columns are the instants that are tested, half-open. Both are stored
    once and never computed again; a fund whose partner got an extension has its own (`Fund.claims_close_at`).

    `settled_at` says when the threshold test was complete, `closed_at` when all funds without a deadline of their own had
    expired, and `expired_at` when no fund of the period is left to expire.
    """

    program = models.ForeignKey(Program, models.PROTECT, related_name="periods")
    code = models.CharField(max_length=10)
    earn_from = models.DateField()
    earn_to = models.DateField()
    use_from = models.DateField()
    use_to = models.DateField()
    settle_on = models.DateField()
    claims_open_on = models.DateField()
    claims_close_on = models.DateField()
    cure_close_on = models.DateField()
    earn_open_at = models.DateTimeField()
    earn_close_at = models.DateTimeField()
    use_open_at = models.DateTimeField()
    use_close_at = models.DateTimeField()
    settle_at = models.DateTimeField()
    claims_open_at = models.DateTimeField()
    claims_close_at = models.DateTimeField()
    cure_close_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    expired_at = models.DateTimeField(null=True)
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["program", "earn_from"]
        verbose_name = "earning period"
        constraints = [
            models.UniqueConstraint(fields=["program", "code"], name="period_code_is_unique"),
            ExclusionConstraint(
                name="periods_of_a_program_do_not_overlap",
                expressions=[
                    ("program", RangeOperators.EQUAL),
                    (whole_range("earn_from", "earn_to"), RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                name="period_clocks_in_order",
                condition=Q(earn_open_at__lt=F("earn_close_at"))
                & Q(earn_close_at__lte=F("use_open_at"))
                & Q(use_open_at__lt=F("use_close_at"))
                & Q(earn_close_at__lte=F("settle_at"))
                & Q(settle_at__lte=F("claims_open_at"))
                & Q(claims_open_at__lt=F("claims_close_at"))
                & Q(use_close_at__lte=F("claims_close_at"))
                & Q(claims_close_at__lte=F("cure_close_at")),
            ),
        ]
        indexes = [
            models.Index(fields=["settle_at"], name="period_to_settle", condition=Q(settled_at__isnull=True)),
            models.Index(fields=["claims_close_at"], name="period_to_expire", condition=Q(expired_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.code[:4]} {self.code[5:]}"

    def state(self, at: datetime) -> str:
        return rules.period_state(
            at,
            earn_close_at=self.earn_close_at,
            use_open_at=self.use_open_at,
            claims_open_at=self.claims_open_at,
            claims_close_at=self.claims_close_at,
            cure_close_at=self.cure_close_at,
        )


class EnrollmentQuerySet(models.QuerySet["Enrollment"]):
    def visible_to(self, person: Person) -> EnrollmentQuerySet:
        return self.filter(within_partner(person))


class Enrollment(models.Model):
    """A partner's location in a program, from a date on. No enrollment, no accrual.

    `payout_profile_complete`: whether bank and tax details for co-op are known to be complete; empty means unknown here,
    because the vendor keeps them elsewhere.
    """

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="enrollments")
    location = models.ForeignKey(Location, models.PROTECT, related_name="enrollments")
    program = models.ForeignKey(Program, models.PROTECT, related_name="enrollments")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True)
    payout_profile_complete = models.BooleanField(null=True)
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()

    objects = EnrollmentQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="enrollment_dates_in_order",
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
            ),
            models.UniqueConstraint(fields=["partner", "id"], name="enrollment_is_of_its_partner"),
            ExclusionConstraint(
                name="a_location_is_enrolled_once_at_a_time",
                expressions=[
                    ("location", RangeOperators.EQUAL),
                    ("program", RangeOperators.EQUAL),
                    (whole_range("starts_on", "ends_on"), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.location} in {self.program}"
