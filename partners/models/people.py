"""Who there is: partners, their locations, people, their keys; and what they did (events)."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from coop.lib import clock
from partners import states
from partners.accounts import NAMES, masked
from partners.permissions import visible_events, visible_partners, visible_people, within_partner


class PartnerQuerySet(models.QuerySet["Partner"]):
    def visible_to(self, person: Person) -> PartnerQuerySet:
        return self.filter(visible_partners(person))


class Partner(models.Model):
    """An organisation that sells and earns. `external_id` is the vendor's own number for it."""

    external_id = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=200)
    country = models.CharField(max_length=2)
    # Who is told when nobody acted on money that is about to be lost.
    second_contact = models.ForeignKey("Person", models.SET_NULL, null=True, related_name="+")
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()

    objects = PartnerQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(name="partner_country_is_a_code", condition=Q(country__regex=r"^[A-Z]{2}$")),
            models.CheckConstraint(name="partner_external_id_is_not_blank", condition=~Q(external_id="")),
        ]

    def __str__(self) -> str:
        return self.name


class LocationQuerySet(models.QuerySet["Location"]):
    def visible_to(self, person: Person) -> LocationQuerySet:
        return self.filter(within_partner(person))


class Location(models.Model):
    """A site of a partner; the money belongs to a location. Earnings name it by `external_id`."""

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="locations")
    external_id = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=200)
    country = models.CharField(max_length=2)
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()

    objects = LocationQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(name="location_country_is_a_code", condition=Q(country__regex=r"^[A-Z]{2}$")),
            models.UniqueConstraint(fields=["partner", "id"], name="location_is_of_its_partner"),
        ]

    def __str__(self) -> str:
        return self.name


class PersonQuerySet(models.QuerySet["Person"]):
    def visible_to(self, person: Person) -> PersonQuerySet:
        return self.filter(visible_people(person))


class PersonManager(BaseUserManager.from_queryset(PersonQuerySet)):  # type: ignore[misc]
    def get_by_natural_key(self, username: str | None) -> Person:
        person: Person = self.get(email=(username or "").lower())
        return person


class Person(AbstractBaseUser):
    """Somebody who signs in, on the partner's side or on the vendor's.

    A channel manager sees the partners of the portfolio, or every partner, those of tomorrow too, when
    `sees_every_partner` is set; and on the days of a `Delegation` the partners of whom they stand in for. All other vendor
    roles see every partner by their role.
    """

    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=200)
    role = models.CharField(max_length=20, choices=list(states.ROLES.items()))
    title = models.CharField(max_length=20, blank=True, choices=list(states.TITLES.items()))
    partner = models.ForeignKey(Partner, models.PROTECT, null=True, blank=True, related_name="people")
    portfolio = models.ManyToManyField(Partner, blank=True, related_name="channel_managers")
    sees_every_partner = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    # No mail goes out between the two, by the clock on the person's wall. Both or none.
    time_zone = models.CharField(max_length=64, default="UTC", db_default="UTC")
    quiet_from = models.TimeField(null=True)
    quiet_to = models.TimeField(null=True)
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()

    objects: ClassVar[PersonManager] = PersonManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name", "role"]

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(name="person_role_is_known", condition=Q(role__in=list(states.ROLES))),
            models.CheckConstraint(name="person_email_is_lower_case", condition=Q(email=Lower("email"))),
            models.CheckConstraint(
                name="person_of_a_partner_has_a_partner_role",
                condition=Q(role__in=states.PARTNER_ROLES, partner__isnull=False)
                | Q(role__in=states.VENDOR_ROLES, partner__isnull=True),
            ),
            models.CheckConstraint(
                name="quiet_hours_have_two_ends",
                condition=Q(quiet_from__isnull=True, quiet_to__isnull=True)
                | Q(quiet_from__isnull=False, quiet_to__isnull=False),
            ),
            models.CheckConstraint(
                name="only_channel_managers_have_portfolios",
                condition=Q(sees_every_partner=False) | Q(role=states.CHANNEL_MANAGER),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_full_name(self) -> str:
        return self.name

    @property
    def is_vendor(self) -> bool:
        return self.role in states.VENDOR_ROLES

    @property
    def role_name(self) -> str:
        return states.ROLES[self.role]

    def reach(self) -> set[int] | None:
        """The ids of the partners that a channel manager sees today, with those of people they stand in for; None for every
        partner. Read once for each request's person.
        """
        if not hasattr(self, "_reach"):
            self._reach = self._find_reach()
        return self._reach

    def _find_reach(self) -> set[int] | None:
        if self.sees_every_partner:
            return None
        found = set(self.portfolio.values_list("id", flat=True))
        for delegation in self.delegated.on(clock.today()).select_related("person").prefetch_related("partners"):
            covered = delegation.covers()
            if covered is None:
                return None
            found |= covered
        return found


class DelegationQuerySet(models.QuerySet["Delegation"]):
    def on(self, day: date) -> DelegationQuerySet:
        """Those that count on a day (UTC). Who has left covers nobody and is covered by nobody."""
        here = self.filter(person__is_active=True, to__is_active=True)
        return here.filter(starts_on__lte=day, ends_on__gte=day, ended_at__isnull=True)


class Delegation(models.Model):
    """Somebody stands in for a channel manager on these days (both inclusive, UTC): for some partners, or for all of theirs."""

    person = models.ForeignKey(Person, models.PROTECT, related_name="delegations")
    to = models.ForeignKey(Person, models.PROTECT, related_name="delegated")
    partners = models.ManyToManyField(Partner, blank=True, related_name="+")
    starts_on = models.DateField()
    ends_on = models.DateField()
    note = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    objects = DelegationQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(name="nobody_stands_in_for_themselves", condition=~Q(person=models.F("to"))),
            models.CheckConstraint(name="delegation_days_in_order", condition=Q(ends_on__gte=models.F("starts_on"))),
        ]

    def __str__(self) -> str:
        return f"{self.to} for {self.person}"

    def covers(self) -> set[int] | None:
        """The ids of the partners it is for; None for every partner. Never more than the portfolio that is covered."""
        named = {partner.pk for partner in self.partners.all()}
        if self.person.sees_every_partner:
            return named or None
        portfolio = set(self.person.portfolio.values_list("id", flat=True))
        return portfolio & named if named else portfolio


class PayoutAccountQuerySet(models.QuerySet["PayoutAccount"]):
    def visible_to(self, person: Person) -> PayoutAccountQuerySet:
        return self.filter(within_partner(person))


class PayoutAccount(models.Model):
    """Where a partner's money goes. Its admins write and read it; everybody else sees the last four characters.

    It has an IBAN, or an account number with the code of its bank: a BIC, or one of the country's clearing.
    """

    partner = models.OneToOneField(Partner, models.PROTECT, related_name="payout_account")
    holder = models.CharField(max_length=140)
    country = models.CharField(max_length=2)
    iban = models.CharField(max_length=34, blank=True)
    account = models.CharField(max_length=34, blank=True)
    bank_code_kind = models.CharField(max_length=5, blank=True)
    bank_code = models.CharField(max_length=15, blank=True)
    tax_id = models.CharField(max_length=35, blank=True)
    updated_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    updated_at = models.DateTimeField()
    revision = models.PositiveIntegerField(default=1)

    objects = PayoutAccountQuerySet.as_manager()

    class Meta:
        verbose_name = "payout account"
        constraints = [
            models.CheckConstraint(
                name="payout_account_has_one_number",
                condition=(~Q(iban="") & Q(account="")) | (Q(iban="") & ~Q(account="") & ~Q(bank_code="")),
            ),
            models.CheckConstraint(name="payout_account_country_is_a_code", condition=Q(country__regex=r"^[A-Z]{2}$")),
        ]

    def __str__(self) -> str:
        return f"Payout account of {self.partner_id}"

    @property
    def masked(self) -> str:
        return masked(self.iban or self.account)

    def payee(self) -> dict[str, str]:
        """What a payment needs to know of it, as it stands now."""
        return {name: getattr(self, name) for name in NAMES if name != "tax_id"}


class ApiKey(models.Model):
    """A key of a person, for programs. Only its SHA-256 is kept; the secret was shown once."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100, blank=True)
    prefix = models.CharField(max_length=12)
    digest = models.BinaryField(max_length=32, unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]


class EventQuerySet(models.QuerySet["Event"]):
    def visible_to(self, person: Person) -> EventQuerySet:
        return self.filter(visible_events(person))

    def about(self, subject_type: str, subject: Any) -> EventQuerySet:
        return self.filter(subject_type=subject_type, subject=str(subject))


class Event(models.Model):
    """One thing that happened: who, acting as whom, what, on what, at which instant. Append-only.

    Written in the transaction of the change itself: it is the record's timeline, the audit trail, and the outbox.
    `actor` is empty for the system's own jobs. `vendor_only` keeps what partners must not read,
    `partner_only` what is the partner's own paper, such as a claim that was not sent yet.
    """

    at = models.DateTimeField()
    actor = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False)
    acting_as = models.CharField(max_length=40, blank=True)
    verb = models.CharField(max_length=60)
    subject_type = models.CharField(max_length=40)
    subject = models.CharField(max_length=80)
    partner = models.ForeignKey(
        Partner, models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False
    )
    data = models.JSONField(default=dict)
    vendor_only = models.BooleanField(default=False)
    partner_only = models.BooleanField(default=False, db_default=False)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["subject_type", "subject", "id"], name="event_by_subject"),
            models.Index(fields=["partner", "id"], name="event_by_partner"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.subject_type} {self.subject}"
