"""What a partner intends to do: plans and their activities. Approval reserves money."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from claims import states
from claims.models.catalog import Activity
from claims.models.numbers import new_plan_number
from coop.lib import money
from coop.lib.constraints import one_of
from funds.models import Fund
from partners.models import Partner, Person
from partners.permissions import within_partner


class PlanQuerySet(models.QuerySet["Plan"]):
    def visible_to(self, person: Person) -> PlanQuerySet:
        """Partners see their own; the vendor sees a plan once it was sent."""
        rows = self.filter(within_partner(person))
        if person.is_authenticated and person.is_vendor:
            rows = rows.filter(submitted_at__isnull=False)
        return rows

    def with_names(self) -> PlanQuerySet:
        return self.select_related("partner", "fund__program", "fund__earning_period", "fund__location")


class Plan(models.Model):
    """What a partner intends to do with one fund. An approved plan is amended by a new version, never edited.

    `amends` is the version before; all versions share a `number`, and at most one of them is in force. `revision` rises
    with every change of the plan or its activities.
    """

    number = models.CharField(max_length=12, default=new_plan_number)
    version = models.PositiveSmallIntegerField(default=1)
    amends = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="amended_by")
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="plans")
    fund = models.ForeignKey(Fund, models.PROTECT, related_name="plans")
    title = models.CharField(max_length=200)
    people = models.ManyToManyField(Person, blank=True, related_name="+")
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=12, default=states.DRAFT)
    turn_since = models.DateTimeField()
    findings = models.JSONField(default=list)
    decision_note = models.TextField(blank=True)
    sendings = models.PositiveSmallIntegerField(default=0)
    submitted_at = models.DateTimeField(null=True)
    submitted_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    review_due_at = models.DateTimeField(null=True)
    reviewer = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    revision = models.PositiveIntegerField(default=1)

    objects = PlanQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["number", "version"], name="plan_version_is_one"),
            models.UniqueConstraint(
                fields=["number"], condition=Q(status="approved"), name="one_version_of_a_plan_is_in_force"
            ),
            models.CheckConstraint(name="plan_status_is_known", condition=one_of("status", states.PLAN_STATUSES)),
            models.CheckConstraint(
                name="plan_amends_the_version_before",
                condition=Q(amends__isnull=True, version=1) | Q(amends__isnull=False, version__gt=1),
            ),
            models.CheckConstraint(
                name="nobody_decides_on_the_plan_they_sent",
                condition=Q(reviewer__isnull=True) | ~Q(reviewer=F("submitted_by")),
            ),
            models.CheckConstraint(
                name="sent_plan_says_when_and_by_whom",
                condition=Q(sendings=0, submitted_at__isnull=True)
                | Q(sendings__gt=0, submitted_at__isnull=False, submitted_by__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["status", "turn_since", "id"], name="plan_worklist"),
            models.Index(fields=["partner", "id"], name="plan_by_partner"),
        ]

    def __str__(self) -> str:
        return self.number if self.version == 1 else f"{self.number}, version {self.version}"

    @property
    def whose_turn(self) -> str:
        return states.PLAN_STATUSES[self.status][1]

    @property
    def status_name(self) -> str:
        return states.PLAN_STATUSES[self.status][0]

    @property
    def is_open(self) -> bool:
        """Whether the partner may write in it."""
        return self.status in states.PLAN_OPEN

    @property
    def reference(self) -> tuple[str, str]:
        """How the ledger names it."""
        return ("plan", str(self.pk))

    def show(self, minor: int) -> str:
        return money.display(minor, self.currency)


class PlanActivity(models.Model):
    """One activity of a plan, decided on its own. `reserved_minor` is what the ledger still holds in reserve for it.

    `follows` is the same activity in the version before.
    """

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="activities")
    follows = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="followed_by")
    activity = models.ForeignKey(Activity, models.PROTECT, related_name="+")
    title = models.CharField(max_length=200)
    solution_area = models.CharField(max_length=40, blank=True)
    country = models.CharField(max_length=2)
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
    requested_minor = models.BigIntegerField(default=0)
    expected_outcome = models.CharField(max_length=1000, blank=True)
    answers = models.JSONField(default=dict, blank=True)
    decision = models.CharField(max_length=12, blank=True)
    approved_minor = models.BigIntegerField(null=True)
    reserved_minor = models.BigIntegerField(default=0)
    reason_code = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=1000, blank=True)
    closed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "plan activities"
        constraints = [
            models.CheckConstraint(
                name="plan_activity_decision_is_known", condition=Q(decision="") | one_of("decision", states.DECISIONS)
            ),
            models.CheckConstraint(
                name="plan_activity_amounts_in_order",
                condition=Q(requested_minor__gte=0, reserved_minor__gte=0)
                & (Q(approved_minor__isnull=True) | Q(approved_minor__gte=0, approved_minor__lte=F("requested_minor")))
                & (Q(reserved_minor=0) | Q(approved_minor__isnull=False, reserved_minor__lte=F("approved_minor"))),
            ),
            models.CheckConstraint(
                name="plan_activity_decision_other_than_approval_has_a_reason",
                condition=Q(decision__in=["", "approve"]) | ~Q(reason=""),
            ),
            models.CheckConstraint(
                name="closed_plan_activity_reserves_nothing",
                condition=Q(closed_at__isnull=True) | Q(reserved_minor=0),
            ),
        ]

    def __str__(self) -> str:
        return self.title
