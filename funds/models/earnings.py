"""Deliveries of earnings: imports, their staged lines, and the earnings that were taken."""

from __future__ import annotations

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
    field = models.CharField(max_length=200, blank=True, db_default="")
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
