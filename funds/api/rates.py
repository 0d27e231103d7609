"""Exchange rates: what a currency was worth on a day, and who says so."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from coop.lib.api import filters
from coop.lib.api.fields import read_day
from coop.lib.api.parsers import FormParser
from coop.lib.api.serializers import Input
from coop.lib.api.views import ApiViewSet, ListMixin, act
from funds.files.rates import MAX_BYTES
from funds.models import ExchangeRate
from funds.operations.rates import load_rates


class RateOut(serializers.Serializer[Any]):
    """One unit of `base` was worth `rate` units of `quote` on that day."""

    id = serializers.CharField()
    base = serializers.CharField()
    quote = serializers.CharField()
    on = serializers.DateField()
    rate = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment] # no field of this name is left on the class
    loaded_by = serializers.CharField(source="loaded_by_id", allow_null=True)
    loaded_at = serializers.DateTimeField()


class Loaded(serializers.Serializer[Any]):
    new = serializers.IntegerField()
    unchanged = serializers.IntegerField()


class RateFile(Input):
    file = serializers.FileField(allow_empty_file=True, max_length=None, use_url=False)


class RateViewSet(ListMixin, ApiViewSet):
    """Exchange rates, by which earnings in another currency are converted. Only finance, program admins and auditors see
    them.
    """

    queryset = ExchangeRate.objects.all()
    serializer_class = RateOut
    write_scope = "earnings:write"
    ordering = ("-id",)
    max_upload = MAX_BYTES
    parser_classes = [FormParser]
    filters = {
        "base": filters.by_text("base"),
        "quote": filters.by_text("quote"),
        "on": filters.Filter(read_day, lambda day: Q(on=day), {"type": "string", "format": "date"}),
    }

    def get_queryset(self) -> QuerySet[Any]:
        return ExchangeRate.objects.visible_to(self.person)

    @act(takes=RateFile, gives=Loaded, status=201)
    def create(self, request: Request) -> Response:
        """Load a CSV file of rates (base, quote, on, rate, source), all or none."""
        return self.answer(load_rates(file=self.take()["file"], by=self.person, at=self.at))
