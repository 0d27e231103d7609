"""What the money is for: activities, claims, their lines, documents and decisions."""

from __future__ import annotations

import secrets
from datetime import date
from typing import Any

from django.db import models
from django.db.models import F, Q

from claims import states
from claims.rules import Metric, Proof
from coop.lib import money
from coop.lib.constraints import one_of
from funds.models import Fund
from partners.models import Partner, Person
from partners.permissions import within_partner

# Read aloud over the telephone without mistakes: no I, L, O, U.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_number() -> str:
    """A claim's number, e.g. CL-7K3M-9QPT: random, so that it tells nobody how many claims others have."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"CL-{letters[:4]}-{letters[4:]}"


def valid_on(rows: list[dict[str, Any]], day: date) -> list[dict[str, Any]]:
    """The rows of a catalog list whose validity range holds the day (both ends inclusive)."""
    return [
        row
        for row in rows
        if date.fromisoformat(row.get("valid_from", "0001-01-01"))
        <= day
        <= date.fromisoformat(row.get("valid_to", "9999-12-31"))
    ]


class Category(models.Model):
    """One of the three categories; its name is valid from a day on (Partner Readiness, then Partner Skilling)."""

    code = models.SlugField(max_length=40, unique=True)
    names = models.JSONField()

    class Meta:
        verbose_name_plural = "categories"

    def name_on(self, day: date) -> str:
        named = valid_on(self.names, day)
        return str(named[0]["name"]) if named else self.code


class Activity(models.Model):
    """One kind of marketing in the catalog. The JSON columns are the catalog's rows, each with its validity dates."""

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=100)
    description = models.TextField()
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    only_programs = models.JSONField(default=list)
    except_programs = models.JSONField(default=list)
    categories = models.JSONField(default=list)
    proofs = models.JSONField(default=list)
    metrics = models.JSONField(default=list)
    limits = models.JSONField(default=dict)
    example = models.BooleanField(default=False)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "activities"

    def __str__(self) -> str:
        return self.name

    def offered(self, program_code: str, day: date) -> bool:
        """Whether the program pays for this activity on the day."""
        in_time = self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)
        in_scope = (
            not self.only_programs or program_code in self.only_programs
        ) and program_code not in self.except_programs
        return in_time and in_scope

    def category_on(self, day: date) -> str:
        valid = valid_on(self.categories, day)
        return str(valid[0]["category"]) if valid else ""

    def proofs_on(self, day: date) -> list[Proof]:
        return [
            Proof(row["code"], row["name"], row.get("hint", ""), row.get("group", ""), row.get("required", True))
            for row in valid_on(self.proofs, day)
        ]

    def metrics_on(self, day: date) -> list[Metric]:
        return [Metric(row["code"], row["name"], row.get("kind", "text")) for row in valid_on(self.metrics, day)]


class ClaimQuerySet(models.QuerySet["Claim"]):
    def visible_to(self, person: Person) -> ClaimQuerySet:
        """Partners see their own; the vendor sees a claim once it was sent: a draft is the partner's own paper."""
        rows = self.filter(within_partner(person))
        if person.is_authenticated and person.is_vendor:
            rows = rows.filter(submitted_at__isnull=False)
        return rows

    def with_names(self) -> ClaimQuerySet:
        return self.select_related("partner", "activity", "fund__program", "fund__earning_period", "fund__location")


class Claim(models.Model):
    """A request to be paid back for work done: one fund, one activity, one currency, several lines.

    `held_minor` is what the ledger holds in review for it. `findings` are those of the last sending; `returned_fixes` the
    fix list of the last return. `revision` rises with every change of the claim, its lines or its documents.
    """

    number = models.CharField(max_length=12, unique=True, default=new_number)
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="claims")
    fund = models.ForeignKey(Fund, models.PROTECT, related_name="claims")
    activity = models.ForeignKey(Activity, models.PROTECT, related_name="+")
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
    """One invoice, or one piece of in-house work certified by a CSR, and what was decided on it."""

    claim = models.ForeignKey(Claim, models.CASCADE, related_name="lines")
    kind = models.CharField(max_length=10)
    supplier = models.CharField(max_length=200, blank=True)
    invoice_number = models.CharField(max_length=80, blank=True)
    invoiced_on = models.DateField(null=True, blank=True)
    description = models.CharField(max_length=500, blank=True)
    amount_minor = models.BigIntegerField()
    decision = models.CharField(max_length=12, blank=True)
    approved_minor = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=1000, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        verbose_name = "claim line"
        constraints = [
            models.CheckConstraint(name="line_kind_is_known", condition=one_of("kind", states.LINE_KINDS)),
            models.CheckConstraint(name="line_amount_is_positive", condition=Q(amount_minor__gt=0)),
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

    def __str__(self) -> str:
        return " ".join(part for part in (self.supplier, self.invoice_number) if part) or f"Line {self.pk}"


class Document(models.Model):
    """A file, or a link, that backs a claim. The bytes are kept as they came; `sha256` says which they were.

    `kind` is invoice, csr, or the code of a proof that the activity asks for.
    """

    claim = models.ForeignKey(Claim, models.CASCADE, related_name="documents")
    line = models.ForeignKey(ClaimLine, models.SET_NULL, null=True, blank=True, related_name="documents")
    kind = models.CharField(max_length=40)
    file = models.FileField(upload_to="documents/", max_length=200, blank=True)
    url = models.URLField(max_length=500, blank=True)
    filename = models.CharField(max_length=120, blank=True)
    media_type = models.CharField(max_length=60, blank=True)
    size = models.PositiveIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    note = models.CharField(max_length=500, blank=True)
    decision = models.CharField(max_length=12, blank=True)
    reason = models.CharField(max_length=1000, blank=True)
    uploaded_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="document_is_a_file_or_a_link",
                condition=(~Q(file="") & Q(url="") & ~Q(sha256="")) | (Q(file="") & ~Q(url="")),
            )
        ]

    def __str__(self) -> str:
        return self.filename or self.url
