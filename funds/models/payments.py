"""Payment runs, payments, and what they settle."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from coop.lib.constraints import one_of
from funds import states
from funds.models.ledger import Fund
from funds.models.programs import EarningPeriod, Enrollment, Program
from partners.models import Partner, Person
from partners.permissions import within_partner


class PaymentRun(models.Model):
    """Payments that are prepared by one person and approved by another."""

    cutoff = models.DateField()
    status = models.CharField(max_length=10, default="draft")
    totals = models.JSONField(default=list)
    held = models.JSONField(default=list)
    prepared_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    exported_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-id"]
        verbose_name = "payment run"
        constraints = [
            models.CheckConstraint(name="run_status_is_known", condition=one_of("status", states.RUN_STATUSES)),
            models.CheckConstraint(
                name="run_is_approved_by_a_second_person",
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("prepared_by")),
            ),
            models.CheckConstraint(
                name="run_past_draft_was_approved",
                condition=Q(status__in=["draft", "cancelled"])
                | Q(approved_by__isnull=False, approved_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"Payment run {self.pk}"


class PaymentQuerySet(models.QuerySet["Payment"]):
    def visible_to(self, person: Person) -> PaymentQuerySet:
        """Partners see a payment once its run is approved: before that it is the vendor's draft."""
        rows = self.filter(within_partner(person))
        if person.is_authenticated and person.partner_id:
            rows = rows.exclude(status__in=["unprocessed", "rejected"])
        return rows


class Payment(models.Model):
    """Money sent to a partner for one program, currency and kind; it may settle many claims.

    `payee` is the partner's payout account as it stood when the run was approved, or first exported where there was none
    before: what was approved goes there, whatever the partner writes later. `failure` says why it failed or came back.
    """

    run = models.ForeignKey(PaymentRun, models.PROTECT, related_name="payments")
    kind = models.CharField(max_length=10, default="claim")
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="payments")
    program = models.ForeignKey(Program, models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    status = models.CharField(max_length=20, default="unprocessed")
    expected_on = models.DateField()
    sent_on = models.DateField(null=True)
    returned_on = models.DateField(null=True)
    bank_reference = models.CharField(max_length=80, blank=True)
    failure = models.CharField(max_length=200, blank=True)
    payee = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField()
    revision = models.PositiveIntegerField(default=1)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "kind", "partner", "program", "currency"], name="one_payment_a_run_and_kind"
            ),
            models.CheckConstraint(name="payment_amount_is_positive", condition=Q(amount_minor__gt=0)),
            models.CheckConstraint(name="payment_status_is_known", condition=one_of("status", states.PAYMENT_STATUSES)),
            models.CheckConstraint(name="payment_kind_is_known", condition=one_of("kind", ["claim", "rebate"])),
            models.CheckConstraint(
                name="sent_payment_has_a_day", condition=~Q(status="sent") | Q(sent_on__isnull=False)
            ),
            models.CheckConstraint(
                name="returned_payment_has_a_day", condition=~Q(status="reversed") | Q(returned_on__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"Payment {self.pk}"


class Payable(models.Model):
    """Money that waits to be paid: an approved claim, from its fund, or a month's rebate, which has no fund.

    What it is for is a reference: a claim, which funds does not look into, or a month and a program.
    """

    fund = models.ForeignKey(Fund, models.PROTECT, null=True, related_name="payables")
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="+")
    program = models.ForeignKey(Program, models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    kind = models.CharField(max_length=10, default="claim")
    reference_type = models.CharField(max_length=20)
    reference = models.CharField(max_length=40)
    amount_minor = models.BigIntegerField()
    approved_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["reference_type", "reference"], name="a_reference_is_payable_once"),
            models.CheckConstraint(name="payable_amount_is_positive", condition=Q(amount_minor__gt=0)),
            models.CheckConstraint(
                name="claims_are_paid_from_a_fund",
                condition=Q(kind="claim", fund__isnull=False) | Q(kind="rebate", fund__isnull=True),
            ),
        ]
        indexes = [models.Index(fields=["approved_at"], name="payable_waiting", condition=Q(paid_at__isnull=True))]


class PaymentItem(models.Model):
    """A payable in a payment. It is `open` until the payment failed or was dropped; a payable is in one open item at most."""

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="items")
    payable = models.ForeignKey(Payable, models.PROTECT, related_name="items")
    amount_minor = models.BigIntegerField()
    open = models.BooleanField(default=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["payable"], condition=Q(open=True), name="a_payable_is_in_one_open_payment"
            ),
            models.CheckConstraint(name="payment_item_is_positive", condition=Q(amount_minor__gt=0)),
        ]


class RebateQuerySet(models.QuerySet["Rebate"]):
    def visible_to(self, person: Person) -> RebateQuerySet:
        return self.filter(within_partner(person))


class Rebate(models.Model):
    """Cash that a partner is owed, or owes back: the rebate share of an import, or co-op that was converted. Append-only.

    The monthly job gathers what was recorded until the end of a month into one payable for each partner, program and
    currency, and notes here which; what sums to nothing or less waits for a later month. `source` and `reference` name
    what it comes from: an import, the entry of a conversion, an adjustment.
    """

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    enrollment = models.ForeignKey(Enrollment, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    earning_period = models.ForeignKey(
        EarningPeriod, models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    source = models.CharField(max_length=12)
    reference = models.CharField(max_length=40)
    effective_on = models.DateField()
    recorded_at = models.DateTimeField()
    payable = models.ForeignKey(Payable, models.PROTECT, null=True, related_name="rebates")

    objects = RebateQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "enrollment", "earning_period", "currency", "source", "reference"],
                name="a_rebate_is_owed_once",
            ),
            models.CheckConstraint(name="rebate_is_not_zero", condition=~Q(amount_minor=0)),
            models.CheckConstraint(name="rebate_source_is_known", condition=one_of("source", states.REBATE_SOURCES)),
        ]
        indexes = [models.Index(fields=["recorded_at"], name="rebate_waiting", condition=Q(payable__isnull=True))]
