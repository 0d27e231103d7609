"""Funds and their entries."""

from __future__ import annotations

from datetime import date, datetime

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q

from coop.lib import money
from coop.lib.constraints import one_of
from funds import states
from funds.models.programs import EarningPeriod, Enrollment, Program
from partners.models import Location, Partner, Person
from partners.permissions import within_partner


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
    # The last link of the fund's chain of entries, and how many there are (funds/models/proof.py).
    head = models.BinaryField(null=True, editable=False)
    entries_posted = models.PositiveIntegerField(db_default=0)
    settled_at = models.DateTimeField(null=True)
    # The deadlines of this fund where its partner got an extension of its own; else empty, and the period's count.
    own_close_on = models.DateField(null=True)
    own_close_at = models.DateTimeField(null=True)
    own_cure_on = models.DateField(null=True)
    own_cure_at = models.DateTimeField(null=True)
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
                name="own_deadlines_stand_together",
                condition=Q(own_close_on=None, own_close_at=None, own_cure_on=None, own_cure_at=None)
                | Q(own_close_on__isnull=False, own_cure_on__isnull=False, own_close_at__lte=F("own_cure_at")),
            ),
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
        indexes = [
            models.Index(fields=["earning_period", "id"], name="fund_by_period"),
            # Few funds have deadlines of their own, and every sweep asks for them.
            models.Index(
                fields=["earning_period", "partner"],
                name="fund_with_own_deadline",
                condition=Q(own_close_at__isnull=False),
            ),
        ]

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

    @property
    def overdrawn(self) -> bool:
        """Whether a correction took back more than was left: nothing can be spent until it is made good or written off."""
        return self.available_minor < 0

    # The deadlines that count for this fund: its own where its partner got an extension, else its period's (ADR 0031).

    @property
    def own_deadline(self) -> bool:
        return self.own_close_at is not None

    @property
    def claims_close_on(self) -> date:
        return self.own_close_on or self.earning_period.claims_close_on

    @property
    def claims_close_at(self) -> datetime:
        return self.own_close_at or self.earning_period.claims_close_at

    @property
    def cure_close_on(self) -> date:
        return self.own_cure_on or self.earning_period.cure_close_on

    @property
    def cure_close_at(self) -> datetime:
        return self.own_cure_at or self.earning_period.cure_close_at

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
                condition=~Q(kind__in=["adjustment", "write_off"]) | one_of("reason_code", states.REASON_CODES),
            ),
        ]
        indexes = [
            models.Index(fields=["fund", "id"], name="entry_by_fund"),
            # Few entries are adjustments, and every threshold test asks for them.
            models.Index(fields=["fund"], name="entry_adjustments", condition=Q(kind="adjustment")),
            # Entries lie in the order of their recording, so what came since an instant is found at next to no cost.
            BrinIndex(fields=["recorded_at", "effective_on"], name="entry_by_moment", pages_per_range=32),
        ]

    @property
    def sentence(self) -> str:
        return states.SENTENCES[(self.kind, self.to_bucket)]
