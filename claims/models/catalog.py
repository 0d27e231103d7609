"""The catalog: categories, activities, the publications that hold every rule, and drafts of the next one."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import models
from django.db.models import Q

from claims import states
from claims.rules.book import valid
from coop.lib.constraints import one_of
from partners.models import Person


def valid_on(rows: list[dict[str, Any]], day: date) -> list[dict[str, Any]]:
    """The rows of a catalog list whose validity range holds the day (both ends inclusive)."""
    return [row for row in rows if valid(row, day)]


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
    """One kind of marketing in the catalog. What is asked of it are rules; `categories` are rows with validity dates."""

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=100)
    description = models.TextField()
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    categories = models.JSONField(default=list)
    example = models.BooleanField(default=False)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "activities"

    def __str__(self) -> str:
        return self.name

    def holds_on(self, day: date) -> bool:
        """Whether the activity is in the catalog on the day; which programs pay for it is a rule."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def category_on(self, day: date) -> str:
        found = valid_on(self.categories, day)
        return str(found[0]["category"]) if found else ""


class PublicationQuerySet(models.QuerySet["Publication"]):
    def visible_to(self, person: Person) -> PublicationQuerySet:
        """The vendor's people see them; partners see what counts for them, and not how it is kept."""
        return self.all() if person.is_authenticated and person.is_active and person.is_vendor else self.none()


class Publication(models.Model):
    """One state of the whole catalog, as its file says it. Append-only: what was decided names the publication it rests on.

    `said` are sentences that tell what changed against the one before.
    """

    catalog = models.JSONField()
    sha256 = models.CharField(max_length=64)
    said = models.JSONField(default=list)
    note = models.CharField(max_length=500, blank=True)
    requested_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    published_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField()

    objects = PublicationQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="nobody_publishes_what_they_asked_for",
                condition=Q(requested_by__isnull=True)
                | Q(published_by__isnull=False) & ~Q(requested_by=models.F("published_by")),
            ),
        ]

    def __str__(self) -> str:
        return f"Publication {self.pk}"


class RuleDraft(models.Model):
    """A change of the catalog that is being written: the whole catalog as it would be, and where it began."""

    title = models.CharField(max_length=200)
    base = models.ForeignKey(Publication, models.PROTECT, related_name="+")
    catalog = models.JSONField()
    status = models.CharField(max_length=12, default="draft")
    created_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    requested_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    requested_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=1000, blank=True)
    publication = models.OneToOneField(Publication, models.PROTECT, null=True, related_name="draft")
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="rule_draft_status_is_known", condition=one_of("status", states.DRAFT_STATUSES)
            ),
            models.CheckConstraint(
                name="published_draft_has_its_publication",
                condition=Q(status="published", publication__isnull=False)
                | ~Q(status="published") & Q(publication__isnull=True),
            ),
            models.CheckConstraint(
                name="rule_draft_is_decided_by_a_second_person",
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=models.F("requested_by")),
            ),
        ]

    def __str__(self) -> str:
        return self.title
