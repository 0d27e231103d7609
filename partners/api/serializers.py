"""What partners, their locations, people and events look like to a client."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from coop.lib.api.fields import Choice, Country, Identifier, Text
from coop.lib.api.serializers import Input
from partners import states
from partners.accounts import BANK_CODES, HOLDER_MAX, TAX_ID_MAX


class PartnerOut(serializers.Serializer[Any]):
    id = serializers.CharField()
    external_id = serializers.CharField()
    name = serializers.CharField()
    country = serializers.CharField()
    revision = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class PartnerIn(Input):
    external_id = Text(limit=64)
    name = Text()
    country = Country()


class PayoutAccountOut(serializers.Serializer[Any]):
    """Partner admins read their own numbers; everybody else reads `ends_with`, and null in their places."""

    partner = serializers.CharField(source="partner_id")
    holder = serializers.CharField()
    country = serializers.CharField()
    ends_with = serializers.SerializerMethodField()
    iban = serializers.SerializerMethodField()
    account = serializers.SerializerMethodField()
    bank_code_kind = serializers.ChoiceField(["", *BANK_CODES])
    bank_code = serializers.CharField()
    tax_id = serializers.SerializerMethodField()
    updated_by = serializers.CharField(source="updated_by_id")
    updated_at = serializers.DateTimeField()
    revision = serializers.IntegerField()

    def get_ends_with(self, account: Any) -> str:
        return str(account.masked).rpartition(" ")[2]

    def get_iban(self, account: Any) -> str | None:
        return self.told(account, "iban")

    def get_account(self, account: Any) -> str | None:
        return self.told(account, "account")

    def get_tax_id(self, account: Any) -> str | None:
        return self.told(account, "tax_id")

    def told(self, account: Any, name: str) -> str | None:
        person = self.context["request"].user
        own = person.role == states.PARTNER_ADMIN and person.partner_id == account.partner_id
        return str(getattr(account, name)) if own else None


class PayoutAccountIn(Input):
    """An IBAN, or an account number with the code of its bank."""

    holder = Text(limit=HOLDER_MAX)
    country = Country()
    iban = Text(limit=60, blank=True, required=False)
    account = Text(limit=60, blank=True, required=False)
    bank_code_kind = Choice(BANK_CODES, required=False, allow_blank=True)
    bank_code = Text(limit=30, blank=True, required=False)
    tax_id = Text(limit=TAX_ID_MAX, blank=True, required=False)


class LocationOut(serializers.Serializer[Any]):
    id = serializers.CharField()
    partner = serializers.CharField(source="partner_id")
    external_id = serializers.CharField()
    name = serializers.CharField()
    country = serializers.CharField()
    revision = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class LocationIn(Input):
    partner = Identifier()
    external_id = Text(limit=64)
    name = Text()
    country = Country()


class PersonOut(serializers.Serializer[Any]):
    """`portfolio` is null for a channel manager who sees every partner, those of tomorrow too."""

    id = serializers.CharField()
    email = serializers.CharField()
    name = serializers.CharField()
    role = serializers.ChoiceField(list(states.ROLES))
    title = serializers.CharField()
    partner = serializers.CharField(source="partner_id", allow_null=True)
    portfolio = serializers.SerializerMethodField()
    is_active = serializers.BooleanField()
    revision = serializers.IntegerField()
    created_at = serializers.DateTimeField()

    def get_portfolio(self, person: Any) -> list[str] | None:
        return None if person.sees_every_partner else [str(partner.pk) for partner in person.portfolio.all()]


class PersonIn(Input):
    email = Text(limit=254)
    name = Text()
    role = Choice(states.ROLES)
    title = Choice(states.TITLES, required=False, allow_blank=True)
    partner = Identifier(required=False, allow_null=True)
    portfolio = serializers.ListField(child=Identifier(), required=False, allow_null=True, max_length=1_000)


class PersonChange(Input):
    name = Text(required=False)
    title = Choice(states.TITLES, required=False, allow_blank=True)
    portfolio = serializers.ListField(child=Identifier(), required=False, allow_null=True, max_length=1_000)


class EventOut(serializers.Serializer[Any]):
    """`actor` is null for the system's own jobs."""

    id = serializers.CharField()
    at = serializers.DateTimeField()
    actor = serializers.CharField(source="actor_id", allow_null=True)
    acting_as = serializers.CharField()
    verb = serializers.CharField()
    subject_type = serializers.CharField()
    subject = serializers.CharField()
    partner = serializers.CharField(source="partner_id", allow_null=True)
    data = serializers.JSONField()  # type: ignore[assignment]
