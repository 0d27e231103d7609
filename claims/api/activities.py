"""The catalog of activities, as it is on a day."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db.models import Q, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from claims.api.serializers import ActivityOut
from claims.models import Activity, Category
from claims.queries.book import current_book, offered_activities, programs_of
from claims.rules.book import Case
from coop.lib.api import filters
from coop.lib.api.views import ApiViewSet, ListMixin, RetrieveMixin, act

ON = filters.day()


class ActivityViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """What may be claimed for, with the proofs and results that it asks for on the day `on` (by default today).

    With `program` only what that program pays for on the day; with `country` what is asked for there.
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
            offered = offered_activities(program, day, country=self.asked.get("country") or "")
            rows = rows.filter(code__in=[activity.code for activity in offered])
        return rows

    @property
    def day(self) -> Any:
        return self.asked.get("on") or self.at.date()

    def get_serializer_context(self) -> dict[str, Any]:
        context = super().get_serializer_context()
        if "at" in context:
            categories = {category.code: category for category in Category.objects.all()}
            book, country = current_book(), self.asked.get("country") or ""
            case = Case(
                program=self.asked.get("program") or "",
                activity="",
                category="",
                country=country,
                country_class=book.class_of(country, self.day),
                partner=self.person.partner.external_id if self.person.partner else "",
                day=self.day,
            )
            programs = partial(programs_of, day=self.day)
            context.update({"on": self.day, "categories": categories, "book": book, "case": case, "programs": programs})
        return context

    @act(query={"on": ON})
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One activity, as it is on a day."""
        return super().retrieve(request, *args, **kwargs)
