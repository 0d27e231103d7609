"""How much there is: programs and their calendars, earnings, funds, the ledger, imports and payments.

Money columns are whole minor units of the row's currency and end in `_minor`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Now

from coop.lib import money
from funds import rules, states
from partners.models import Location, Partner, Person
from partners.permissions import within_partner


def one_of(field: str, values: Any) -> Q:
    return Q(**{f"{field}__in": list(values)})


def whole_range(start: str, end: str) -> Func:
    """The closed range of days between two columns; an empty end is open."""
    return Func(F(start), F(end), Value("[]"), function="daterange", output_field=DateRangeField())


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
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    discontinued_on = models.DateField(null=True)
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
    once and never computed again. `settled_at` and `expired_at` say when the sweep of that kind was complete.
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
    expired_at = models.DateTimeField(null=True)
    lapsed_at = models.DateTimeField(null=True)
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


class FundQuerySet(models.QuerySet["Fund"]):
    def visible_to(self, person: Person) -> FundQuerySet:
        return self.filter(within_partner(person))

    def with_names(self) -> FundQuerySet:
        return self.select_related("partner", "location", "program", "earning_period")


class Fund(models.Model):
    """The co-op of one enrollment for one earning period in one currency: the thing that has a balance.

    The totals are moved by the database when an entry is inserted, and by nothing else; they always satisfy
    earned + adjustments = available + reserved + in review + approved + paid + expired + converted.
    Until `settled_at` is set (threshold test) what is available is an estimate and cannot be spent.
    """

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="funds", db_index=False)
    location = models.ForeignKey(Location, models.PROTECT, related_name="+", db_index=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="+", db_index=False)
    enrollment = models.ForeignKey(Enrollment, models.PROTECT, related_name="funds", db_index=False)
    earning_period = models.ForeignKey(EarningPeriod, models.PROTECT, related_name="funds", db_index=False)
    currency = models.CharField(max_length=3)
    earned_minor = models.BigIntegerField(default=0)
    adjustments_minor = models.BigIntegerField(default=0)
    available_minor = models.BigIntegerField(default=0)
    reserved_minor = models.BigIntegerField(default=0)
    in_review_minor = models.BigIntegerField(default=0)
    approved_minor = models.BigIntegerField(default=0)
    paid_minor = models.BigIntegerField(default=0)
    expired_minor = models.BigIntegerField(default=0)
    converted_minor = models.BigIntegerField(default=0)
    settled_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    objects = FundQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "enrollment", "earning_period", "currency"], name="one_fund_per_period"
            ),
            models.UniqueConstraint(fields=["partner", "id"], name="fund_is_of_its_partner"),
            models.CheckConstraint(
                name="no_bucket_below_zero",
                condition=Q(reserved_minor__gte=0)
                & Q(in_review_minor__gte=0)
                & Q(approved_minor__gte=0)
                & Q(paid_minor__gte=0)
                & Q(expired_minor__gte=0)
                & Q(converted_minor__gte=0),
            ),
            models.CheckConstraint(
                name="balance_identity",
                condition=Q(
                    earned_minor=F("available_minor")
                    + F("reserved_minor")
                    + F("in_review_minor")
                    + F("approved_minor")
                    + F("paid_minor")
                    + F("expired_minor")
                    + F("converted_minor")
                    - F("adjustments_minor")
                ),
            ),
        ]
        indexes = [models.Index(fields=["earning_period", "id"], name="fund_by_period")]

    def __str__(self) -> str:
        return f"{self.program} {self.earning_period} of {self.location}"

    @property
    def claimed_minor(self) -> int:
        """Co-op claimed: in review, approved and paid."""
        return self.in_review_minor + self.approved_minor + self.paid_minor

    @property
    def remaining_minor(self) -> int:
        """Remaining co-op: available and reserved."""
        return self.available_minor + self.reserved_minor

    @property
    def estimated_minor(self) -> int:
        """What is still an estimate: all that is available while the fund is not settled."""
        return self.available_minor if self.settled_at is None else 0

    def show(self, minor: int) -> str:
        return money.display(minor, self.currency)


class EntryQuerySet(models.QuerySet["Entry"]):
    def visible_to(self, person: Person) -> EntryQuerySet:
        return self.filter(within_partner(person))


class Entry(models.Model):
    """One movement of money between two buckets of a fund. Never changed, never deleted.

    `effective_on` is the day it is for, `recorded_at` the instant it was learned. `key` makes a retry harmless: it is
    unique within the fund. There are no foreign keys here on purpose (ADR 0012); the trigger checks the fund.
    """

    fund = models.ForeignKey(Fund, models.PROTECT, related_name="entries", db_constraint=False, db_index=False)
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    currency = models.CharField(max_length=3)
    kind = models.CharField(max_length=12)
    from_bucket = models.CharField(max_length=10)
    to_bucket = models.CharField(max_length=10)
    amount_minor = models.BigIntegerField()
    effective_on = models.DateField()
    recorded_at = models.DateTimeField()
    actor = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False)
    reference_type = models.CharField(max_length=20)
    reference = models.CharField(max_length=40)
    reason_code = models.CharField(max_length=20, blank=True, db_default="")
    note = models.TextField(blank=True, db_default="")
    key = models.CharField(max_length=80)

    objects = EntryQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        verbose_name = "entry"
        constraints = [
            models.UniqueConstraint(fields=["fund", "key"], name="entry_key_is_used_once"),
            models.UniqueConstraint(
                fields=["fund", "effective_on"],
                condition=Q(kind="expiry"),
                name="a_deadline_expires_a_fund_once",
            ),
            models.CheckConstraint(name="entry_amount_is_positive", condition=Q(amount_minor__gt=0)),
            models.CheckConstraint(
                name="adjustment_has_a_reason",
                condition=~Q(kind="adjustment") | one_of("reason_code", states.REASON_CODES),
            ),
        ]
        indexes = [models.Index(fields=["fund", "id"], name="entry_by_fund")]

    @property
    def sentence(self) -> str:
        return states.SENTENCES[(self.kind, self.to_bucket)]


class ImportQuerySet(models.QuerySet["Import"]):
    def visible_to(self, person: Person) -> ImportQuerySet:
        return self.filter(visible_imports(person))


def visible_imports(person: Person) -> Q:
    """Imports hold lines of many partners: only the vendor's finance, program admins and auditors see them."""
    allowed = person.is_authenticated and person.is_active and person.role in ("finance", "program_admin", "auditor")
    return Q() if allowed else Q(pk__in=[])


class Import(models.Model):
    """One delivery of earnings: a file, or the lines of one REST request (then `filename` is empty)."""

    filename = models.CharField(max_length=200, blank=True)
    format = models.CharField(max_length=20)
    status = models.CharField(max_length=12)
    file = models.FileField(upload_to="imports/", null=True, max_length=200)
    sha256 = models.CharField(max_length=64, blank=True)
    progress = models.PositiveSmallIntegerField(default=0)
    lines = models.PositiveIntegerField(default=0)
    new = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    totals = models.JSONField(default=list)
    failure = models.TextField(blank=True)
    created_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    committed_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    committed_at = models.DateTimeField(null=True)
    revision = models.PositiveIntegerField(default=1)

    objects = ImportQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(name="import_status_is_known", condition=one_of("status", states.IMPORT_STATUSES)),
            models.CheckConstraint(name="import_format_is_known", condition=one_of("format", states.IMPORT_FORMATS)),
        ]

    def __str__(self) -> str:
        return self.filename or f"REST delivery {self.pk}"


class StagedLine(models.Model):
    """One line of an import while it is being checked, and after it the lines that were rejected, with their reason.

    `raw` is the line as it was sent; the other columns are filled in by set-based statements. `problem` is empty for a
    line that can be taken.
    """

    pk = models.CompositePrimaryKey("import_id", "line_no")
    import_id = models.BigIntegerField()
    line_no = models.IntegerField()
    raw = models.JSONField()
    external_id = models.TextField(null=True)
    location_code = models.TextField(null=True)
    program_code = models.TextField(null=True)
    kind = models.TextField(null=True)
    earned_text = models.TextField(null=True)
    amount_text = models.TextField(null=True)
    currency = models.TextField(null=True)
    lever = models.TextField(null=True)
    reason_code = models.TextField(null=True)
    settled_amount_text = models.TextField(null=True)
    rate_text = models.TextField(null=True)
    rate_on_text = models.TextField(null=True)
    partner_id = models.BigIntegerField(null=True)
    location_id = models.BigIntegerField(null=True)
    program_id = models.BigIntegerField(null=True)
    enrollment_id = models.BigIntegerField(null=True)
    earning_period_id = models.BigIntegerField(null=True)
    earned_on = models.DateField(null=True)
    amount_minor = models.BigIntegerField(null=True)
    fund_currency = models.CharField(max_length=3, null=True)
    fund_amount_minor = models.BigIntegerField(null=True)
    coop_minor = models.BigIntegerField(null=True)
    rate = models.DecimalField(max_digits=18, decimal_places=8, null=True)
    rate_on = models.DateField(null=True)
    outcome = models.CharField(max_length=10, null=True)  # new, unchanged, rejected
    problem = models.CharField(max_length=40, blank=True, db_default="")
    field = models.CharField(max_length=40, blank=True, db_default="")
    message = models.TextField(blank=True, db_default="")


class EarningQuerySet(models.QuerySet["Earning"]):
    def visible_to(self, person: Person) -> EarningQuerySet:
        return self.filter(within_partner(person))


class Earning(models.Model):
    """One line of incentive that the vendor calculated. Written by the import only.

    The key (partner, external id) is the idempotency key and the listing index at once. `amount_minor` is in the line's
    own `currency`; rebate and co-op are in the fund's currency and sum to `fund_amount_minor`. No foreign keys (ADR 0012).
    """

    pk = models.CompositePrimaryKey("partner_id", "external_id")
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    external_id = models.CharField(max_length=80, db_collation="C")
    location = models.ForeignKey(Location, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    earning_period = models.ForeignKey(
        EarningPeriod, models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    enrollment = models.ForeignKey(Enrollment, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    delivery = models.ForeignKey(Import, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    line_no = models.IntegerField()
    kind = models.CharField(max_length=10)
    earned_on = models.DateField()
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    fund_currency = models.CharField(max_length=3)
    fund_amount_minor = models.BigIntegerField()
    rebate_minor = models.BigIntegerField()
    coop_minor = models.BigIntegerField()
    rate = models.DecimalField(max_digits=18, decimal_places=8, null=True)
    rate_on = models.DateField(null=True)
    lever = models.CharField(max_length=100, blank=True)
    reason_code = models.CharField(max_length=20, blank=True)
    details = models.JSONField(null=True)
    created_at = models.DateTimeField()

    objects = EarningQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="earning_shares_sum", condition=Q(fund_amount_minor=F("rebate_minor") + F("coop_minor"))
            ),
            models.CheckConstraint(name="earning_kind_is_known", condition=one_of("kind", states.EARNING_KINDS)),
        ]


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
    """Money sent to a partner for one program, currency and kind; it may settle many claims."""

    run = models.ForeignKey(PaymentRun, models.PROTECT, related_name="payments")
    kind = models.CharField(max_length=10, default="claim")
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="payments")
    program = models.ForeignKey(Program, models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    status = models.CharField(max_length=20, default="unprocessed")
    expected_on = models.DateField()
    sent_on = models.DateField(null=True)
    bank_reference = models.CharField(max_length=80, blank=True)
    failure = models.CharField(max_length=200, blank=True)
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
        ]

    def __str__(self) -> str:
        return f"Payment {self.pk}"


class Payable(models.Model):
    """Approved money that waits to be paid. What it is for is a reference (a claim), which funds does not look into."""

    fund = models.ForeignKey(Fund, models.PROTECT, related_name="payables")
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="+")
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
