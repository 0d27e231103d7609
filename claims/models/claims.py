"""Requests to be paid back: claims, their lines, and who works on which part of one."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from claims import states
from claims.models.catalog import Activity
from claims.models.numbers import new_claim_number
from claims.models.plans import PlanActivity
from coop.lib import money
from coop.lib.constraints import one_of
from funds.models import Fund
from partners.models import Partner, Person
from partners.permissions import within_partner


class ClaimQuerySet(models.QuerySet["Claim"]):
    def visible_to(self, person: Person) -> ClaimQuerySet:
        """Partners see their own; the vendor sees a claim once it was sent: a draft is the partner's own paper.

        A guest sees no claim this way: what one was invited to is asked of `Invitation`.
        """
        rows = self.filter(within_partner(person))
        if person.is_authenticated and person.is_vendor:
            rows = rows.filter(submitted_at__isnull=False)
        return rows

    def with_names(self) -> ClaimQuerySet:
        return self.select_related(
            "partner", "activity", "fund__partner", "fund__program", "fund__earning_period", "fund__location"
        )


class Claim(models.Model):
    """A request to be paid back for work done: one fund, one activity, one currency, several lines.

    `held_minor` is what the ledger holds in review for it, of which `from_plan_minor` came out of the plan's
    reserve. `findings` are those of the last sending; `returned_fixes` the
    fix list of the last return. `revision` rises with every change of the claim, its lines or its documents.
    """

    number = models.CharField(max_length=12, unique=True, default=new_claim_number)
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="claims")
    fund = models.ForeignKey(Fund, models.PROTECT, related_name="claims")
    activity = models.ForeignKey(Activity, models.PROTECT, related_name="+")
    plan_activity = models.ForeignKey(PlanActivity, models.PROTECT, null=True, blank=True, related_name="claims")
    title = models.CharField(max_length=200)
    solution_area = models.CharField(max_length=40, blank=True)
    country = models.CharField(max_length=2)
    activity_from = models.DateField(null=True, blank=True)
    activity_to = models.DateField(null=True, blank=True)
    currency = models.CharField(max_length=3)
    metrics = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=20, default=states.DRAFT)
    turn_since = models.DateTimeField()
    claimed_minor = models.BigIntegerField(default=0)
    held_minor = models.BigIntegerField(default=0)
    from_plan_minor = models.BigIntegerField(default=0)
    approved_minor = models.BigIntegerField(default=0)
    paid_minor = models.BigIntegerField(default=0)
    findings = models.JSONField(default=list)
    returned_fixes = models.JSONField(default=list)
    decision_note = models.TextField(blank=True)
    sendings = models.PositiveSmallIntegerField(default=0)
    submitted_at = models.DateTimeField(null=True)
    first_submitted_at = models.DateTimeField(null=True)
    submitted_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    reviewer = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    review_due_at = models.DateTimeField(null=True)
    dispute = models.TextField(blank=True)
    disputed_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    disputed_at = models.DateTimeField(null=True)
    first_decided_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    paid_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    revision = models.PositiveIntegerField(default=1)

    objects = ClaimQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["partner", "id"], name="claim_is_of_its_partner"),
            models.CheckConstraint(name="claim_status_is_known", condition=one_of("status", states.STATUSES)),
            models.CheckConstraint(
                name="claim_amounts_in_order",
                condition=Q(claimed_minor__gte=0)
                & Q(held_minor__gte=0)
                & Q(from_plan_minor__gte=0)
                & Q(from_plan_minor__lte=F("held_minor"))
                & Q(paid_minor__gte=0)
                & Q(approved_minor__gte=F("paid_minor"))
                & Q(claimed_minor__gte=F("approved_minor")),
            ),
            models.CheckConstraint(
                name="claim_holds_money_only_while_it_is_decided",
                condition=Q(status__in=states.HOLDING, held_minor__gt=0)
                | (~Q(status__in=states.HOLDING) & Q(held_minor=0)),
            ),
            models.CheckConstraint(
                name="nobody_reviews_what_they_sent",
                condition=Q(reviewer__isnull=True) | ~Q(reviewer=F("submitted_by")),
            ),
            models.CheckConstraint(
                name="dispute_is_decided_by_another_person",
                condition=Q(first_decided_by__isnull=True)
                | Q(status=states.DISPUTED)
                | ~Q(reviewer=F("first_decided_by")),
            ),
            models.CheckConstraint(
                name="dispute_says_why_when_and_by_whom",
                condition=Q(
                    disputed_at__isnull=True, dispute="", disputed_by__isnull=True, first_decided_by__isnull=True
                )
                | Q(disputed_at__isnull=False, disputed_by__isnull=False, first_decided_by__isnull=False)
                & ~Q(dispute=""),
            ),
            models.CheckConstraint(
                name="sent_claim_says_when_and_by_whom",
                condition=Q(sendings=0, submitted_at__isnull=True)
                | Q(
                    sendings__gt=0,
                    submitted_at__isnull=False,
                    first_submitted_at__isnull=False,
                    submitted_by__isnull=False,
                ),
            ),
        ]
        indexes = [
            models.Index(fields=["status", "turn_since", "id"], name="claim_worklist"),
            models.Index(fields=["partner", "id"], name="claim_by_partner"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def whose_turn(self) -> str:
        return states.STATUSES[self.status][1]

    @property
    def status_name(self) -> str:
        return states.STATUSES[self.status][0]

    @property
    def is_open(self) -> bool:
        """Whether the partner may write in it."""
        return self.status in states.OPEN

    @property
    def reference(self) -> tuple[str, str]:
        """How the ledger names it."""
        return ("claim", str(self.pk))

    def show(self, minor: int) -> str:
        return money.display(minor, self.currency)


class ClaimLine(models.Model):
    """One invoice, or one piece of in-house work certified by a CSR, and what was decided on it.

    `amount_minor` is what is claimed of what it cost; `cost_minor` is empty where that is the same. `details` are what
    rules ask for beside it (the code of a course, its day), for in-house work also what its CSR says. The keys are supplier
    and number as they are compared (claims/files/suppliers.py).
    """

    claim = models.ForeignKey(Claim, models.CASCADE, related_name="lines")
    kind = models.CharField(max_length=10)
    supplier = models.CharField(max_length=200, blank=True)
    invoice_number = models.CharField(max_length=80, blank=True)
    supplier_key = models.CharField(max_length=80, blank=True, editable=False)
    number_key = models.CharField(max_length=80, blank=True, editable=False)
    invoiced_on = models.DateField(null=True, blank=True)
    description = models.CharField(max_length=500, blank=True)
    cost_minor = models.BigIntegerField(null=True)
    amount_minor = models.BigIntegerField()
    details = models.JSONField(default=dict, blank=True)
    decision = models.CharField(max_length=12, blank=True)
    approved_minor = models.BigIntegerField(null=True)
    reason_code = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=1000, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        verbose_name = "claim line"
        constraints = [
            models.CheckConstraint(name="line_kind_is_known", condition=one_of("kind", states.LINE_KINDS)),
            models.CheckConstraint(name="line_amount_is_positive", condition=Q(amount_minor__gt=0)),
            models.CheckConstraint(
                name="line_never_claims_more_than_it_cost",
                condition=Q(cost_minor__isnull=True) | Q(cost_minor__gte=F("amount_minor")),
            ),
            models.CheckConstraint(
                name="line_decision_is_known", condition=Q(decision="") | one_of("decision", states.DECISIONS)
            ),
            models.CheckConstraint(
                name="line_is_never_approved_above_its_amount",
                condition=Q(approved_minor__isnull=True)
                | Q(approved_minor__gte=0, approved_minor__lte=F("amount_minor")),
            ),
            models.CheckConstraint(
                name="line_decision_other_than_approval_has_a_reason",
                condition=Q(decision__in=["", "approve"]) | ~Q(reason=""),
            ),
        ]
        indexes = [
            models.Index(fields=["supplier_key", "number_key"], name="line_by_invoice", condition=~Q(number_key="")),
            models.Index(
                F("supplier_key"),
                Coalesce("cost_minor", "amount_minor"),
                F("invoiced_on"),
                name="line_by_cost",
                condition=~Q(supplier_key="") & Q(invoiced_on__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return " ".join(part for part in (self.supplier, self.invoice_number) if part) or f"Line {self.pk}"


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self) -> InvitationQuerySet:
        return self.filter(revoked_at__isnull=True, done_at__isnull=True, claim__status__in=states.OPEN)


class Invitation(models.Model):
    """Somebody was asked to do one task of a claim: a colleague, or an agency's guest who sees nothing else of it."""

    claim = models.ForeignKey(Claim, models.CASCADE, related_name="invitations")
    task = models.CharField(max_length=10)
    person = models.ForeignKey(Person, models.PROTECT, related_name="invitations")
    note = models.CharField(max_length=500, blank=True)
    invited_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    invited_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(name="invitation_task_is_known", condition=one_of("task", states.TASKS)),
            models.UniqueConstraint(
                name="one_open_invitation_a_person_and_task",
                fields=["claim", "task", "person"],
                condition=Q(done_at__isnull=True, revoked_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} for {self.task} of {self.claim_id}"
