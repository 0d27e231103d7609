"""The daily heads of the ledger, for whoever keeps them elsewhere."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from coop.lib.api import filters
from coop.lib.api.views import ApiViewSet, ListMixin
from funds.models import LedgerHead


class LedgerHeadOut(serializers.Serializer[Any]):
    """One hash over all that was recorded until `at`. Keep it outside: with it any later change can be shown.

    `funds` and `entries` count all that is anchored so far; `previous` is the hash of the head before, null for the first.
    """

    id = serializers.CharField()
    day = serializers.DateField()
    at = serializers.DateTimeField()
    funds = serializers.IntegerField()
    entries = serializers.IntegerField()
    previous = serializers.SerializerMethodField()
    hash = serializers.SerializerMethodField()
    mailed_at = serializers.DateTimeField(allow_null=True)

    def get_previous(self, head: LedgerHead) -> str | None:
        return bytes(head.previous).hex() if head.previous else None

    def get_hash(self, head: LedgerHead) -> str:
        return bytes(head.hash).hex()


class LedgerHeadViewSet(ListMixin, ApiViewSet):
    """The ledger's head of each day on which money moved, newest first. Finance, program admins and auditors see them."""

    queryset = LedgerHead.objects.all()
    serializer_class = LedgerHeadOut
    ordering = ("-id",)
    filters = {"day": filters.by_day("day")}

    def get_queryset(self) -> QuerySet[Any]:
        return LedgerHead.objects.visible_to(self.person)
