"""Earnings: the lines that the vendor calculated, sent in batches and listed."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from coop.lib.api import filters
from coop.lib.api.fields import AMOUNT_SCHEMA, Money
from coop.lib.api.serializers import Input
from coop.lib.api.views import ApiViewSet, ListMixin, act
from coop.lib.errors import TooLarge
from funds import states
from funds.api.delivered_lines import FIELDS, read_lines, rejection
from funds.models import Earning
from funds.operations.earnings import take_lines
from funds.queries.effects import rejected_lines
from funds.queries.past import require_past
from partners.permissions import require_role
from partners.states import FINANCE


class EarningOut(serializers.Serializer[Any]):
    """`amount` is in the line's own `currency`; `fund_amount` and its two shares are in the fund's, converted at `rate`.

    A line that came again with other content is a new `version`. One that was taken back, or that left for another fund, is
    `withdrawn` and holds nothing.
    """

    id = serializers.SerializerMethodField()
    external_id = serializers.CharField()
    version = serializers.IntegerField()
    withdrawn = serializers.BooleanField()
    partner = serializers.CharField(source="partner_id")
    location = serializers.CharField(source="location_id")
    program = serializers.CharField(source="program.code")
    earning_period = serializers.CharField(source="earning_period_id")
    earning_period_code = serializers.CharField(source="earning_period.code")
    kind = serializers.ChoiceField(list(states.EARNING_KINDS))
    earned_on = serializers.DateField()
    amount = Money("amount_minor")
    currency = serializers.CharField()
    fund_currency = serializers.CharField()
    fund_amount = Money("fund_amount_minor", "fund_currency")
    rate = serializers.DecimalField(max_digits=18, decimal_places=8, allow_null=True)
    rate_on = serializers.DateField(allow_null=True)
    rate_source = serializers.CharField()
    rebate_amount = Money("rebate_minor", "fund_currency")
    coop_amount = Money("coop_minor", "fund_currency")
    lever = serializers.CharField()
    reason_code = serializers.CharField()
    created_at = serializers.DateTimeField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # The contract's name for the delivery is a keyword of Python.
        return {**super().get_fields(), "import": serializers.CharField(source="delivery_id")}

    def get_id(self, earning: Any) -> str:
        return f"{earning.partner_id}-{earning.external_id}"


LINE_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["external_id", "location", "program", "earned_on", "amount", "currency"],
    "properties": {
        **{field: {"type": ["string", "null"], "maxLength": 200} for field in FIELDS},
        "location": {"type": "string", "description": "The location's external id."},
        "program": {"type": "string", "description": "The program's code."},
        "kind": {"type": "string", "enum": list(states.EARNING_KINDS), "default": "incentive"},
        "earned_on": {"type": "string", "format": "date"},
        "amount": AMOUNT_SCHEMA,
    },
}


@extend_schema_field({"type": "array", "minItems": 1, "maxItems": settings.EARNINGS_MAX_LINES, "items": LINE_SCHEMA})
class Lines(serializers.Field[Any, Any, Any, Any]):
    """A list of lines. What the single lines hold is judged line by line, not here."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, list) or not data:
            raise serializers.ValidationError("Send a list with at least one line.", code="required")
        if len(data) > settings.EARNINGS_MAX_LINES:
            raise TooLarge(f"{len(data):,} lines were sent; at most {settings.EARNINGS_MAX_LINES:,} are taken at once.")
        return data


class Delivery(Input):
    lines = Lines()


class Rejected(serializers.Serializer[Any]):
    index = serializers.IntegerField()
    code = serializers.CharField()
    message = serializers.CharField()
    field = serializers.CharField()


class DeliveryOut(serializers.Serializer[Any]):
    """How many lines were new, how many corrected a known one, how many were known as they are, and each that was not taken
    with its reason.
    """

    created = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    rejected = Rejected(many=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {**super().get_fields(), "import": serializers.CharField(allow_null=True)}


class EarningViewSet(ListMixin, ApiViewSet):
    """Lines of incentive, each divided into rebate and co-op."""

    queryset = Earning.objects.all()
    serializer_class = EarningOut
    write_scope = "earnings:write"
    ordering = ("partner_id", "external_id", "version")
    filters = {
        "partner": filters.by_id("partner_id"),
        "location": filters.by_id("location_id"),
        "program": filters.by_code("program__code"),
        "earning_period": filters.by_id_or_code("earning_period_id", "earning_period__code"),
        "external_id": filters.by_text("external_id"),
        "kind": filters.by_choice("kind", states.EARNING_KINDS),
        "import": filters.by_id("delivery_id"),
        "known_at": filters.instant(),
    }

    def get_queryset(self) -> QuerySet[Any]:
        """What holds: the highest version of each line, as it was known at `known_at`; of one import, all that it brought."""
        asked = getattr(self, "asked", {})
        rows = Earning.objects.visible_to(self.person).select_related("program", "earning_period")
        later = Earning.objects.filter(
            partner_id=OuterRef("partner_id"), external_id=OuterRef("external_id"), version__gt=OuterRef("version")
        )
        if known_at := asked.get("known_at"):
            require_past({"known_at": known_at}, at=self.at)
            rows, later = rows.filter(created_at__lte=known_at), later.filter(created_at__lte=known_at)
        return rows if "import" in asked else rows.filter(~Exists(later), withdrawn=False)

    @act(takes=Delivery, gives=DeliveryOut, status=201)
    def create(self, request: Request) -> Response:
        """Take up to 5,000 lines: good ones are taken, bad ones come back with their reasons. 200 when nothing changed.

        A line whose `external_id` is known with other content is a correction: the difference is posted.
        """
        require_role(self.person, FINANCE, to="send earnings")
        read = read_lines(self.take()["lines"])
        said: dict[str, Any] = {"created": 0, "changed": 0, "unchanged": 0, "import": None}
        said["rejected"] = list(read.rejected)
        if read.lines:
            delivery = take_lines(read.lines, by=self.person, at=self.at)
            said |= {"created": delivery.new, "changed": delivery.changed, "unchanged": delivery.unchanged}
            said["import"] = str(delivery.pk)
            said["rejected"] += [
                rejection(read.indexes[row["line_no"]], row["problem"], row["message"], row["field"])
                for row in rejected_lines(delivery.pk)
            ]
        said["rejected"].sort(key=lambda row: row["index"])
        return self.answer(said, status=201 if said["created"] or said["changed"] else 200)
