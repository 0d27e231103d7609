"""Adjustments: asked for, previewed as a dry run, and approved or declined by a second person."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from coop.lib.api import filters
from coop.lib.api.fields import IDENTIFIER, Amount, Choice, Day, Identifier, Money, Text
from coop.lib.api.filters import Filter
from coop.lib.api.serializers import Input
from coop.lib.api.views import ApiViewSet, ListMixin, RetrieveMixin, act, verb
from funds import states
from funds.api.serializers import EntryOut
from funds.models import Adjustment, Fund
from funds.operations import adjustments as operations


class AdjustmentOut(serializers.Serializer[Any]):
    """`amount` is signed for a correction; the other purposes say themselves where the money goes."""

    id = serializers.CharField()
    partner = serializers.CharField(source="partner_id")
    fund = serializers.CharField(source="fund_id")
    to_fund = serializers.CharField(source="to_fund_id", allow_null=True)
    purpose = serializers.ChoiceField(list(states.ADJUSTMENT_PURPOSES))
    amount = Money("amount_minor", "fund.currency")
    currency = serializers.CharField()
    reason_code = serializers.ChoiceField(list(states.REASON_CODES))
    effective_on = serializers.DateField()
    note = serializers.CharField()
    status = serializers.ChoiceField(list(states.ADJUSTMENT_STATUSES))
    second_person_needed = serializers.BooleanField()
    requested_by = serializers.CharField(source="requested_by_id")
    requested_at = serializers.DateTimeField()
    approved_by = serializers.CharField(source="approved_by_id", allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    decline_reason = serializers.CharField()
    revision = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class EntryOfAdjustment(EntryOut):
    fund = serializers.CharField(source="fund_id")


class AdjustmentWithEntries(AdjustmentOut):
    """`entries` are those that it posted, with what the threshold test did after it. As a dry run: those that it would post,
    also where a second person has to approve it first."""

    entries = EntryOfAdjustment(many=True)


class AdjustmentIn(Input):
    fund = Identifier()
    purpose = Choice(states.ADJUSTMENT_PURPOSES, required=False)
    amount = Amount()
    reason_code = Choice(states.REASON_CODES)
    effective_on = Day()
    note = Text(limit=1_000, blank=True, required=False, one_line=False)
    to_fund = Identifier(required=False, allow_null=True)


class Declining(Input):
    reason = Text(limit=1_000, one_line=False)


def of_fund(fund_id: int) -> Q:
    """A rollover is of both its funds."""
    return Q(fund_id=fund_id) | Q(to_fund_id=fund_id)


class AdjustmentViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """Corrections of funds by finance. Partners see those that were posted."""

    queryset = Adjustment.objects.all()
    serializer_class = AdjustmentOut
    write_scope = "payments:write"
    missing = operations.NO_ADJUSTMENT
    ordering = ("-id",)
    filters = {
        "fund": Filter(filters.read_id, of_fund, {"type": "string"}),
        "partner": filters.by_id("partner_id"),
        "status": filters.by_choice("status", states.ADJUSTMENT_STATUSES),
        "purpose": filters.by_choice("purpose", states.ADJUSTMENT_PURPOSES),
        "reason_code": filters.by_choice("reason_code", states.REASON_CODES),
    }

    def get_queryset(self) -> QuerySet[Any]:
        return Adjustment.objects.visible_to(self.person).select_related("fund")

    @act(gives=AdjustmentWithEntries)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One of those that you may see, with its entries."""
        return self.answer_with_entries(self.get_object())

    @act(takes=AdjustmentIn, gives=AdjustmentWithEntries, status=201)
    def create(self, request: Request) -> Response:
        """Ask for an adjustment. Above the program's amount it waits for a second person; a dry run shows its entries."""
        taken = self.take(currency=self.currency_of_fund())
        adjustment = operations.request_adjustment(
            taken.pop("fund"),
            amount_minor=taken.pop("amount"),
            to_fund_id=taken.pop("to_fund", None),
            **taken,
            by=self.person,
            at=self.at,
        )
        if self.dry_run and adjustment.status == "requested":
            tried = operations.preview_approval(adjustment.pk, by=self.person, at=self.at)
            return self.answer_with_entries(adjustment, tried.entries)
        return self.answer_with_entries(adjustment)

    @verb("approve", gives=AdjustmentWithEntries)
    def approve(self, request: Request, pk: str) -> Response:
        """Approve an adjustment that somebody else asked for: it is posted."""
        self.take()
        done = operations.approve_adjustment(int(pk), revision=self.revision, by=self.person, at=self.at)
        return self.answer_with_entries(done)

    @verb("decline", takes=Declining, gives=AdjustmentWithEntries)
    def decline(self, request: Request, pk: str) -> Response:
        """Decline an adjustment that waits, or take your own back."""
        reason = self.take()["reason"]
        done = operations.decline_adjustment(int(pk), reason=reason, revision=self.revision, by=self.person, at=self.at)
        return self.answer_with_entries(done)

    def currency_of_fund(self) -> str:
        """In which currency the amount is read; of a fund that is not seen it does not matter, as it is refused anyhow."""
        said = self.request.data.get("fund") if isinstance(self.request.data, dict) else None
        known = isinstance(said, str) and IDENTIFIER.fullmatch(said)
        fund = Fund.objects.visible_to(self.person).filter(id=int(str(said))).first() if known else None
        return fund.currency if fund else "USD"

    def answer_with_entries(self, adjustment: Adjustment, entries: Any = None) -> Response:
        adjustment.entries = operations.entries_of(adjustment) if entries is None else entries  # type: ignore[attr-defined]
        return self.answer(adjustment)
