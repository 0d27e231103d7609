"""Extensions: later claim deadlines, asked for by partners, granted or declined by program admins."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from coop.lib.api import filters
from coop.lib.api.fields import Day, Identifier, Text
from coop.lib.api.serializers import Input
from coop.lib.api.views import ApiViewSet, ListMixin, RetrieveMixin, act, verb
from funds import states
from funds.models import Extension
from funds.operations.extensions import NO_EXTENSION, ask_extension, decline_extension, grant_extension
from funds.operations.periods import LONGEST_REASON


class ExtensionOut(serializers.Serializer[Any]):
    """`partner` is null where the whole period was extended. `claims_close_on` is the new last day, from which the cure
    deadline follows by as many days."""

    id = serializers.CharField()
    earning_period = serializers.CharField(source="earning_period_id")
    program = serializers.CharField(source="earning_period.program.code")
    partner = serializers.CharField(source="partner_id", allow_null=True)
    status = serializers.ChoiceField(list(states.EXTENSIONS))
    asked_by = serializers.CharField(source="asked_by_id", allow_null=True)
    asked_at = serializers.DateTimeField(allow_null=True)
    until = serializers.DateField(source="asked_until", allow_null=True)
    because = serializers.CharField(source="asked_because")
    decided_by = serializers.CharField(source="decided_by_id", allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()
    claims_close_on_before = serializers.DateField(allow_null=True)
    claims_close_on = serializers.DateField(allow_null=True)
    revision = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class Asking(Input):
    earning_period = Identifier()
    until = Day()
    because = Text(limit=LONGEST_REASON, one_line=False)


class Granting(Input):
    """The day may be another one than was asked for."""

    claims_close_on = Day()
    reason = Text(limit=LONGEST_REASON, one_line=False)


class Refusing(Input):
    reason = Text(limit=LONGEST_REASON, one_line=False)


class ExtensionViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """Requests for a later claim deadline and what became of them. Partners see their own, and those of whole periods."""

    queryset = Extension.objects.all()
    serializer_class = ExtensionOut
    missing = NO_EXTENSION
    ordering = ("-id",)
    filters = {
        "earning_period": filters.by_id("earning_period_id"),
        "partner": filters.by_id("partner_id"),
        "program": filters.by_code("earning_period__program__code"),
        "status": filters.by_choice("status", tuple(states.EXTENSIONS)),
    }

    @property
    def write_scope(self) -> str:  # type: ignore[override]
        """Who writes claims asks for time to write them."""
        return "claims:write" if self.action == "create" else "programs:write"

    def get_queryset(self) -> QuerySet[Any]:
        return Extension.objects.visible_to(self.person).select_related("earning_period__program")

    @act(takes=Asking, status=201)
    def create(self, request: Request) -> Response:
        """Ask for a later claim deadline for your organisation's funds of a period."""
        taken = self.take()
        return self.answer(ask_extension(taken.pop("earning_period"), **taken, by=self.person, at=self.at))

    @verb("grant", takes=Granting)
    def grant(self, request: Request, pk: str) -> Response:
        """Move the partner's claim deadline to a later day, and its cure deadline by as many days."""
        self.get_object()
        taken = self.take()
        return self.answer(grant_extension(int(pk), **taken, revision=self.revision, by=self.person, at=self.at))

    @verb("decline", takes=Refusing)
    def decline(self, request: Request, pk: str) -> Response:
        """Leave the deadline as it is."""
        self.get_object()
        taken = self.take()
        return self.answer(decline_extension(int(pk), **taken, revision=self.revision, by=self.person, at=self.at))
