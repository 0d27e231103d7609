"""Funds and the entries that tell their story."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from coop.lib.api import filters
from coop.lib.api.views import ApiViewSet, ListMixin, RetrieveMixin
from funds import states
from funds.api import serializers as shapes
from funds.models import Entry, Fund

NO_FUND = "There is no such fund."


class FundViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """The money of a location in a program for one earning period."""

    queryset = Fund.objects.all()
    serializer_class = shapes.FundOut
    missing = NO_FUND
    filters = {
        "partner": filters.by_id("partner_id"),
        "location": filters.by_id("location_id"),
        "program": filters.by_code("program__code"),
        "earning_period": filters.by_id_or_code("earning_period_id", "earning_period__code"),
        "overdrawn": filters.by_yes_or_no(Q(available_minor__lt=0)),
    }

    def get_queryset(self) -> QuerySet[Any]:
        return Fund.objects.visible_to(self.person).select_related("program", "earning_period")


class EntryViewSet(ListMixin, ApiViewSet):
    """The movements of one fund, in the order in which they were recorded."""

    queryset = Entry.objects.all()
    serializer_class = shapes.EntryOut
    filters = {"kind": filters.by_choice("kind", states.MOVEMENTS)}

    def get_queryset(self) -> QuerySet[Any]:
        fund = self.require_visible(Fund.objects.visible_to(self.person), self.kwargs["fund_id"], NO_FUND)
        return Entry.objects.visible_to(self.person).filter(fund=fund)
