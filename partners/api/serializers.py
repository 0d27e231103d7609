"""What partners, their locations, people and events look like to a client."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from coop.lib.api.fields import Choice, Country, Identifier, Text
from coop.lib.api.serializers import Input
from partners import states


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
