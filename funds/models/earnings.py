"""Deliveries of earnings: imports, their staged lines, what they do to each fund, and the earnings that were taken."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q

from coop.lib.constraints import one_of
from funds import states
from funds.models.programs import EarningPeriod, Enrollment, Program
from partners.models import Location, Partner, Person
from partners.permissions import within_partner


class ImportQuerySet(models.QuerySet["Import"]):
    def visible_to(self, person: Person) -> ImportQuerySet:
        return self.filter(visible_imports(person))


def visible_imports(person: Person) -> Q:
    """Imports hold lines of many partners: only the vendor's finance, program admins and auditors see them."""
    allowed = person.is_authenticated and person.is_active and person.role in ("finance", "program_admin", "auditor")
    return Q() if allowed else Q(pk__in=[])


class Import(models.Model):
    """One delivery of earnings: a file, or the lines of one REST request (then `filename` is empty).

    `columns` are the names of its columns as they were sent; `mapping` says which of them fills which staged field, for a
    file whose names had to be explained. `checked_against` is a fingerprint of all that the lines were judged by (programs,
    periods, enrollments, rates, known lines): if it has changed by the time of the commit, they are judged once more.
    """

    filename = models.CharField(max_length=200, blank=True)
    format = models.CharField(max_length=20)
    status = models.CharField(max_length=12)
    file = models.FileField(upload_to="imports/", null=True, max_length=200)
    sha256 = models.CharField(max_length=64, blank=True)
    columns = ArrayField(models.TextField(), default=list)
    mapping = models.JSONField(default=dict)
    decimal = models.CharField(max_length=1, default=".")
    lines = models.PositiveIntegerField(default=0)
    new = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    totals = models.JSONField(default=list)
    failure = models.TextField(blank=True)
    # What the sender should know of how the file was read: another encoding, one sheet of several.
    remark = models.TextField(blank=True)
    checked_against = models.CharField(max_length=64, blank=True)
    created_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    # Which of commit and reverse a worker is to make, who asked for it, and when.
    asked_for = models.CharField(max_length=8, blank=True)
    asked_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField(null=True)
    committed_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    committed_at = models.DateTimeField(null=True)
    reversed_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    reversed_at = models.DateTimeField(null=True)
    reversal_reason = models.TextField(blank=True)
    revision = models.PositiveIntegerField(default=1)

    objects = ImportQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(name="import_status_is_known", condition=one_of("status", states.IMPORT_STATUSES)),
            models.CheckConstraint(name="import_format_is_known", condition=one_of("format", states.IMPORT_FORMATS)),
            models.CheckConstraint(
                name="reversed_import_says_who_and_when",
                condition=~Q(status="reversed") | Q(reversed_by__isnull=False, reversed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.filename or f"REST delivery {self.pk}"


class ImportProgress(models.Model):
    """How far a worker has come with an import. Written on a connection of its own, so that it is seen while the import's
    own transaction is still open. It is a message to people, not a state: nothing is decided by it.
    """

    import_id = models.BigIntegerField(primary_key=True)
    step = models.CharField(max_length=40)
    percent = models.PositiveSmallIntegerField()
    at = models.DateTimeField()


class ColumnMapping(models.Model):
    """Which columns of a file with these names fill which staged fields, as somebody said once."""

    # SHA-256 of the folded names of the header, sorted.
    header = models.CharField(max_length=64, unique=True)
    mapping = models.JSONField()
    saved_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    saved_at = models.DateTimeField()


class ImportEffect(models.Model):
    """What an import does, or did, to the money of one enrollment in one earning period: all its lines summed.

    Amounts are changes, signed, in the fund's currency. `earned_before_minor` and `available_before_minor` are what the
    fund held when the import was checked, and from its commit on what it held just before.
    """

    pk = models.CompositePrimaryKey("import_id", "enrollment_id", "earning_period_id", "currency")
    import_id = models.BigIntegerField()
    partner_id = models.BigIntegerField()
    location_id = models.BigIntegerField()
    program_id = models.BigIntegerField()
    enrollment_id = models.BigIntegerField()
    earning_period_id = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    new = models.IntegerField()
    changed = models.IntegerField()
    rebate_minor = models.BigIntegerField()
    coop_minor = models.BigIntegerField()
    # Whether any of its lines is co-op: then there is a fund, even where they sum to nothing. Rebate alone makes none.
    holds_coop = models.BooleanField()
    last_earned_on = models.DateField()
    earned_before_minor = models.BigIntegerField(db_default=0)
    available_before_minor = models.BigIntegerField(db_default=0)


class EarningQuerySet(models.QuerySet["Earning"]):
    def visible_to(self, person: Person) -> EarningQuerySet:
        return self.filter(within_partner(person))


class Earning(models.Model):
    """One line of incentive that the vendor calculated, as one delivery brought it. Written by imports only, never changed.

    A line that is delivered again with other content is a new version; the highest version is what holds. The key begins
    with (partner, external id), so it is the idempotency key and the listing index at once. `amount_minor` is in the line's
    own `currency`; rebate and co-op are in the fund's currency and sum to `fund_amount_minor`. `rebate_change_minor` and
    `coop_change_minor` are what this version added to its own fund: their sums are what was posted. A line that was taken
    back, or moved to another fund, ends with a version that is `withdrawn` and holds nothing. The line as it was sent is the
    SentLine of its delivery and line number. No foreign keys (ADR 0012).
    """

    pk = models.CompositePrimaryKey("partner_id", "external_id", "version")
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    external_id = models.CharField(max_length=80, db_collation="C")
    version = models.PositiveIntegerField(db_default=1)
    withdrawn = models.BooleanField(db_default=False)
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
    rebate_change_minor = models.BigIntegerField()
    coop_change_minor = models.BigIntegerField()
    rate = models.DecimalField(max_digits=18, decimal_places=8, null=True)
    rate_on = models.DateField(null=True)
    rate_source = models.CharField(max_length=40, blank=True, db_default="")
    lever = models.CharField(max_length=100, blank=True)
    reason_code = models.CharField(max_length=20, blank=True)
    created_at = models.DateTimeField()

    objects = EarningQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="earning_shares_sum", condition=Q(fund_amount_minor=F("rebate_minor") + F("coop_minor"))
            ),
            models.CheckConstraint(name="earning_kind_is_known", condition=one_of("kind", states.EARNING_KINDS)),
            models.CheckConstraint(
                name="withdrawn_earning_holds_nothing",
                condition=Q(withdrawn=False) | Q(fund_amount_minor=0, coop_minor=0),
            ),
        ]
        # Lines of one delivery lie together, so a block range index finds them at next to no cost.
        indexes = [BrinIndex(fields=["delivery"], name="earning_by_delivery", pages_per_range=16, autosummarize=True)]


class ExchangeRateQuerySet(models.QuerySet["ExchangeRate"]):
    def visible_to(self, person: Person) -> ExchangeRateQuerySet:
        return self.filter(visible_imports(person))


class ExchangeRate(models.Model):
    """What one unit of `base` was worth in `quote` on a day, and who says so. A rate that was loaded is never changed."""

    base = models.CharField(max_length=3)
    quote = models.CharField(max_length=3)
    on = models.DateField()
    rate = models.DecimalField(max_digits=18, decimal_places=8)
    source = models.CharField(max_length=40)
    loaded_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    loaded_at = models.DateTimeField()

    objects = ExchangeRateQuerySet.as_manager()

    class Meta:
        ordering = ["base", "quote", "-on"]
        verbose_name = "exchange rate"
        constraints = [
            models.UniqueConstraint(fields=["base", "quote", "on"], name="one_rate_a_day"),
            models.CheckConstraint(name="rate_is_positive", condition=Q(rate__gt=0)),
            models.CheckConstraint(name="rate_is_between_two_currencies", condition=~Q(base=F("quote"))),
        ]

    def __str__(self) -> str:
        return f"{self.base}/{self.quote} {self.on}"
