"""Reconciliations: a report of the vendor's, held against our books."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from coop.lib.api import filters
from coop.lib.api.fields import Choice, Instant, Money
from coop.lib.api.parsers import FormParser
from coop.lib.api.serializers import Input
from coop.lib.api.views import ApiViewSet, ListMixin, RetrieveMixin, act
from coop.lib.errors import NotAllowed
from funds import states
from funds.models import ReconciledLine, Reconciliation
from funds.operations.reconciliation import MAX_BYTES, reconcile

# What a key must hold to compare a report of this kind.
SCOPES = {"earned": "earnings:write", "paid": "payments:write"}
COUNTS = ("matched", *states.RECONCILED_OUTCOMES)


class Total(serializers.Serializer[Any]):
    """Ours less theirs is the difference."""

    currency = serializers.CharField()
    theirs = serializers.CharField()
    ours = serializers.CharField()
    difference = serializers.CharField()


class Scope(serializers.Serializer[Any]):
    """Days of one program, in one of its earning periods; a list of payments may name neither and covers all."""

    program = serializers.CharField()
    earning_period = serializers.CharField()
    first = serializers.DateField()
    last = serializers.DateField()


class ReconciliationOut(serializers.Serializer[Any]):
    """What is ours alone was looked for in `scope`: the programs and days that the report covers."""

    id = serializers.CharField()
    kind = serializers.ChoiceField(list(states.RECONCILIATION_KINDS))
    filename = serializers.CharField()
    sha256 = serializers.CharField()
    known_at = serializers.DateTimeField()
    scope = Scope(many=True)
    counts = serializers.SerializerMethodField()
    totals = Total(many=True)
    created_by = serializers.CharField(source="created_by_id")
    created_at = serializers.DateTimeField()

    @extend_schema_field(
        {"type": "object", "properties": {name: {"type": "integer"} for name in COUNTS}, "required": list(COUNTS)}
    )
    def get_counts(self, made: Any) -> dict[str, int]:
        return {name: getattr(made, name) for name in COUNTS}


class ReconciledLineOut(serializers.Serializer[Any]):
    """One line that does not match. `line` is its number in the report, null for what only we have."""

    id = serializers.CharField()
    line = serializers.IntegerField(source="line_no", allow_null=True)
    outcome = serializers.ChoiceField(list(states.RECONCILED_OUTCOMES))
    key = serializers.CharField()
    currency = serializers.CharField()
    theirs = Money("theirs_minor", allow_null=True)
    ours = Money("ours_minor", allow_null=True)
    message = serializers.CharField()
    record_type = serializers.CharField()
    record = serializers.CharField()


class ReportIn(Input):
    """`known_at` asks our books as they were known at that instant; without it, as they are now."""

    kind = Choice(list(states.RECONCILIATION_KINDS))
    file = serializers.FileField(allow_empty_file=True, max_length=None, use_url=False)
    known_at = Instant(required=False)


class ReconciliationViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """Reports of the vendor's compared with our books; nothing is changed. Only finance, program admins and auditors see
    them.
    """

    queryset = Reconciliation.objects.all()
    serializer_class = ReconciliationOut
    missing = "There is no such reconciliation."
    ordering = ("-id",)
    max_upload = MAX_BYTES
    parser_classes = [FormParser]
    filters = {"kind": filters.by_choice("kind", states.RECONCILIATION_KINDS)}

    def get_queryset(self) -> QuerySet[Any]:
        return Reconciliation.objects.visible_to(self.person)

    def require_scope(self, method: str) -> None:
        """A report needs the scope of its kind, which is known once the form is read: at the door either will do."""
        held = [scope for scope in SCOPES.values() if scope in getattr(self.request.auth, "scopes", ())]
        self.write_scope = held[0] if held else SCOPES["earned"]
        super().require_scope(method)

    @act(takes=ReportIn, status=201)
    def create(self, request: Request) -> Response:
        """Compare a report of what was earned (scope earnings:write) or paid (payments:write) with our books."""
        taken = self.take()
        wanted = SCOPES[taken["kind"]]
        if wanted not in getattr(request.auth, "scopes", ()):
            raise NotAllowed(f"This key does not have the scope {wanted}. Use one that has it.")
        file = taken["file"]
        made = reconcile(
            kind=taken["kind"],
            filename=file.name or "",
            file=file,
            known_at=taken.get("known_at"),
            by=self.person,
            at=self.at,
        )
        return self.answer(made)


class ReconciledLineViewSet(ListMixin, ApiViewSet):
    """The lines of one comparison that do not match."""

    queryset = ReconciledLine.objects.all()
    serializer_class = ReconciledLineOut
    filters = {"outcome": filters.by_choice("outcome", states.RECONCILED_OUTCOMES)}

    def get_queryset(self) -> QuerySet[Any]:
        made = self.require_visible(
            Reconciliation.objects.visible_to(self.person),
            int(self.kwargs["reconciliation_id"]),
            ReconciliationViewSet.missing,
        )
        return ReconciledLine.objects.filter(reconciliation=made)
