"""What makes tampering visible: the chain of each fund's entries, and the daily heads over all funds. Append-only.

Written by the database (the trigger of funds/0002) and by the daily job; see docs/ledger.md, "Proof".
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from partners.models import Person
from partners.states import AUDITOR, FINANCE, PROGRAM_ADMIN

READERS = (FINANCE, PROGRAM_ADMIN, AUDITOR)


class Link(models.Model):
    """The hash of one entry together with all entries of its fund before it: SHA-256 of the link before and its text.

    `number` counts the fund's entries from 1 without gaps. The text of an entry is made by the SQL function
    `funds_entry_text`.
    """

    pk = models.CompositePrimaryKey("fund_id", "number")
    fund_id = models.BigIntegerField()
    number = models.IntegerField()
    entry_id = models.BigIntegerField()
    hash = models.BinaryField()


class LedgerHeadQuerySet(models.QuerySet["LedgerHead"]):
    def visible_to(self, person: Person) -> LedgerHeadQuerySet:
        """Heads tell how much the whole ledger moved: the vendor's finance, program admins and auditors see them."""
        return self if person.is_authenticated and person.is_active and person.role in READERS else self.none()


class LedgerHead(models.Model):
    """One hash over all funds after a day: SHA-256 of the head before it and of every fund's link that moved since.

    `hash` is the chain over `previous`, the head's own figures and the day's anchors in order of their funds (SQL function
    `funds_head_text`). `funds` and `entries` count all that is anchored so far. Whoever keeps the hash elsewhere can prove
    later that nothing recorded until `at` was changed.
    """

    day = models.DateField(unique=True)
    at = models.DateTimeField()
    funds = models.PositiveIntegerField()
    entries = models.PositiveBigIntegerField()
    previous = models.BinaryField(null=True)
    hash = models.BinaryField()
    mailed_at = models.DateTimeField(null=True)

    objects = LedgerHeadQuerySet.as_manager()

    class Meta:
        ordering = ["-day"]
        constraints = [models.CheckConstraint(name="head_counts_entries", condition=Q(entries__gte=0))]


class Anchor(models.Model):
    """The last link of one fund on the day of a head, for funds that moved since the head before."""

    pk = models.CompositePrimaryKey("fund_id", "day")
    fund_id = models.BigIntegerField()
    day = models.DateField()
    number = models.IntegerField()
    hash = models.BinaryField()
