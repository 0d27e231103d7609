"""Partners, locations, people, and what happened."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from coop.lib.api import filters
from coop.lib.api.views import ApiViewSet, ListMixin, RetrieveMixin, act, verb
from coop.lib.errors import NotFound
from partners import operations, states
from partners.api import serializers as shapes
from partners.models import Event, Location, Partner, PayoutAccount, Person


class PartnerViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """Partner organisations."""

    queryset = Partner.objects.all()
    serializer_class = shapes.PartnerOut
    write_scope = "people:write"
    missing = "There is no such partner."
    filters = {"external_id": filters.by_text("external_id"), "country": filters.by_text("country")}

    def get_queryset(self) -> QuerySet[Any]:
        return Partner.objects.visible_to(self.person)

    @act(takes=shapes.PartnerIn, status=201)
    def create(self, request: Request) -> Response:
        """Add a partner."""
        return self.answer(operations.create_partner(**self.take(), by=self.person, at=self.at))

    @action(detail=True, methods=["get"], url_path="payout-account", url_name="payout-account")
    @act(gives=shapes.PayoutAccountOut)
    def payout_account(self, request: Request, pk: str) -> Response:
        """Where the partner's money goes; its numbers are for its own admins."""
        partner = self.get_object()
        known = PayoutAccount.objects.visible_to(self.person).filter(partner=partner).first()
        if known is None:
            raise NotFound("This partner has no payout account yet.")
        return self.answer(known)

    @payout_account.mapping.put
    @act(takes=shapes.PayoutAccountIn, gives=shapes.PayoutAccountOut)
    def set_payout_account(self, request: Request, pk: str) -> Response:
        """Say where the partner's money goes; replaces what was there. For the partner's own admins."""
        account = operations.set_payout_account(
            int(pk), self.take(), revision=self.revision, by=self.person, at=self.at
        )
        return self.answer(account)


class LocationViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """The sites of partners."""

    queryset = Location.objects.all()
    serializer_class = shapes.LocationOut
    write_scope = "people:write"
    missing = "There is no such location."
    filters = {
        "partner": filters.by_id("partner_id"),
        "external_id": filters.by_text("external_id"),
        "country": filters.by_text("country"),
    }

    def get_queryset(self) -> QuerySet[Any]:
        return Location.objects.visible_to(self.person)

    @act(takes=shapes.LocationIn, status=201)
    def create(self, request: Request) -> Response:
        """Add a location."""
        taken = self.take()
        location = operations.create_location(partner_id=taken.pop("partner"), **taken, by=self.person, at=self.at)
        return self.answer(location)


class PersonViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """Who may sign in. A person without a password sets one by the reset mail."""

    queryset = Person.objects.all()
    serializer_class = shapes.PersonOut
    write_scope = "people:write"
    missing = "There is no such person."
    filters = {
        "partner": filters.by_id("partner_id"),
        "role": filters.by_choice("role", states.ROLES),
        "email": filters.by_text("email"),
    }

    def get_queryset(self) -> QuerySet[Any]:
        return Person.objects.visible_to(self.person).prefetch_related("portfolio")

    @act(takes=shapes.PersonIn, status=201)
    def create(self, request: Request) -> Response:
        """Add a person."""
        taken = self.take()
        person = operations.create_person(partner_id=taken.pop("partner", None), **taken, by=self.person, at=self.at)
        return self.answer_fresh(person)

    @act(takes=shapes.PersonChange)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a person's name, title or portfolio."""
        self.get_object()
        changes = self.take(partial=True)
        person = operations.update_person(int(pk), changes, revision=self.revision, by=self.person, at=self.at)
        return self.answer_fresh(person)

    @verb("deactivate")
    def deactivate(self, request: Request, pk: str) -> Response:
        """Take away a person's access at once."""
        self.take()
        person = operations.deactivate_person(int(pk), revision=self.revision, by=self.person, at=self.at)
        return self.answer_fresh(person)


class EventViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """What happened, oldest first. Append-only."""

    queryset = Event.objects.all()
    serializer_class = shapes.EventOut
    missing = "There is no such event."
    filters = {
        "subject": filters.by_text("subject"),
        "subject_type": filters.by_text("subject_type"),
        "partner": filters.by_id("partner_id"),
        "verb": filters.by_text("verb"),
        "since": filters.since("at"),
    }

    def get_queryset(self) -> QuerySet[Any]:
        return Event.objects.visible_to(self.person)
