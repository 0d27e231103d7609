"""The catalog of activities, as it is on a day."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from claims.api.serializers import ActivityOut
from claims.models import Activity, Category, valid_on
from coop.lib.api import filters
from coop.lib.api.views import ApiViewSet, ListMixin, RetrieveMixin, act

ON = filters.day()


class ActivityViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """What may be claimed for, with the proofs and results that it asks for on the day `on` (by default today).

    With `program` only what that program pays for on the day. What an activity asks for does not depend on the country
    yet; the filter is taken so that clients can say it from the start.
    """

    queryset = Activity.objects.all()
    serializer_class = ActivityOut
    lookup_field = "code"
    lookup_value_regex = "[a-z0-9-]{1,40}"
    ordering = ("code",)
    missing = "There is no such activity."
    filters = {"program": filters.code(), "on": ON, "country": filters.country()}

    def get_queryset(self) -> QuerySet[Any]:
        rows = Activity.objects.all()
        if self.action != "list":
            return rows
        day = self.day
        rows = rows.filter(Q(valid_to__isnull=True) | Q(valid_to__gte=day), valid_from__lte=day)
        program = self.asked.get("program")
        if program:
            rows = rows.exclude(except_programs__contains=[program])
            rows = rows.filter(Q(only_programs=[]) | Q(only_programs__contains=[program]))
        return rows

    @property
    def day(self) -> Any:
        return self.asked.get("on") or self.at.date()

    def get_serializer_context(self) -> dict[str, Any]:
        context = super().get_serializer_context()
        if "at" in context:
            categories = {category.code: category for category in Category.objects.all()}
            context.update({"on": self.day, "categories": categories, "valid_on": valid_on})
        return context

    @act(query={"on": ON})
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One activity, as it is on a day."""
        return super().retrieve(request, *args, **kwargs)
