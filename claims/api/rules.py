"""The publications of the rules, for the vendor's programs. Partners read what counts for them under `activities`."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from claims.models import Publication
from coop.lib.api import filters
from coop.lib.api.views import ApiViewSet, ListMixin, RetrieveMixin, act


class PublicationOut(serializers.Serializer[Any]):
    """One state of the whole catalog that was in force; the newest is in force now.

    `said` are sentences that tell what changed against the one before. Nobody publishes what they asked for themselves;
    what came with a file was asked for by nobody.
    """

    id = serializers.CharField()
    published_at = serializers.DateTimeField()
    published_by = serializers.CharField(source="published_by_id", allow_null=True)
    requested_by = serializers.CharField(source="requested_by_id", allow_null=True)
    note = serializers.CharField()
    said = serializers.ListField(child=serializers.CharField())
    sha256 = serializers.CharField()


class CatalogOut(serializers.Serializer[Any]):
    """The catalog of a publication, as its file has it: days are text."""

    catalog = serializers.JSONField()


class PublicationViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """The publications of the catalog, newest first. The vendor's people see them."""

    queryset = Publication.objects.all()
    serializer_class = PublicationOut
    ordering = ("-id",)
    missing = "There is no such publication."
    filters = {"published_by": filters.by_id("published_by_id"), "requested_by": filters.by_id("requested_by_id")}

    def get_queryset(self) -> QuerySet[Any]:
        return Publication.objects.visible_to(self.person).defer("catalog")

    @action(detail=True, methods=["get"])
    @act(gives=CatalogOut)
    def catalog(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The whole catalog of a publication: programs, activities, rules, reasons."""
        return Response({"catalog": self.get_object().catalog})
