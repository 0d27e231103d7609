"""The decisions on one claim: what was decided, by whom, on which findings of which rules. Read-only, for both sides."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from claims import states
from claims.api.evidence import OfClaim
from claims.models import Decision
from coop.lib import money
from coop.lib.api.fields import Money
from coop.lib.api.serializers import Finding


class DecidedLine(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()
    decision = serializers.CharField()
    amount = serializers.CharField()
    approved_amount = serializers.CharField(allow_null=True)
    reason_code = serializers.CharField()
    reason = serializers.CharField()


class DecidedDocument(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.CharField()
    sha256 = serializers.CharField()
    decision = serializers.CharField()
    reason_code = serializers.CharField()
    reason = serializers.CharField()


class DecisionOut(serializers.Serializer[Any]):
    """`publication` is the state of the rules that made the `findings`; `acting_for` whom the decider stood in for."""

    id = serializers.CharField()
    act = serializers.ChoiceField(list(states.ACTS))
    decided_by = serializers.CharField(source="decided_by.name")
    acting_for = serializers.CharField(source="acting_for.name", allow_null=True, default=None)
    decided_at = serializers.DateTimeField()
    publication = serializers.CharField(source="publication_id")
    asked_amount = Money("asked_minor")
    approved_amount = Money("approved_minor")
    currency = serializers.CharField()
    note = serializers.CharField()
    lines = serializers.SerializerMethodField()
    documents = DecidedDocument(many=True)
    findings = Finding(many=True)

    @extend_schema_field(DecidedLine(many=True))
    def get_lines(self, decision: Any) -> Any:
        def amount(minor: int | None) -> str | None:
            return None if minor is None else money.to_text(minor, decision.currency)

        return [
            {
                "id": row["id"],
                "name": row["name"],
                "decision": row["decision"],
                "amount": amount(row["amount"]),
                "approved_amount": amount(row["approved"]),
                "reason_code": row["reason_code"],
                "reason": row["reason"],
            }
            for row in decision.rows
        ]


class DecisionViewSet(OfClaim):
    """What was decided on the claim so far, the newest first."""

    queryset = Decision.objects.all()
    serializer_class = DecisionOut
    missing = "There is no such decision."
    ordering = ("-id",)

    def get_queryset(self) -> Any:
        found = Decision.objects.filter(claim_id=self.claim().pk)
        return found.select_related("decided_by", "acting_for", "claim")
