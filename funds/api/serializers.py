"""What programs, periods, enrollments, funds and their entries look like to a client."""

from __future__ import annotations

from datetime import date
from typing import Any

from rest_framework import serializers

from coop.lib.api.fields import Code, Day, Identifier, Money, Text, YesNo
from coop.lib.api.serializers import Input
from funds import states
from funds.queries.past import Moment


class ProgramOut(serializers.Serializer[Any]):
    """A program is named by its code everywhere; `id` is that code."""

    id = serializers.CharField(source="code")
    code = serializers.CharField()
    name = serializers.CharField()
    currency = serializers.CharField()
    time_zone = serializers.CharField()
    plan_approval = serializers.ChoiceField(list(states.PLAN_APPROVAL))
    valid_from = serializers.DateField()
    valid_to = serializers.DateField(allow_null=True)
    discontinued_on = serializers.DateField(allow_null=True)
    example = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class EarningPeriodOut(serializers.Serializer[Any]):
    """Closing instants are half-open: what comes at `claims_close_at` is late.

    `own_claims_close_on` is the last day for the reader's organisation where it got an extension of its own, else null.
    """

    id = serializers.CharField()
    program = serializers.CharField(source="program.code")
    code = serializers.CharField()
    earn_from = serializers.DateField()
    earn_to = serializers.DateField()
    use_from = serializers.DateField()
    use_to = serializers.DateField()
    settle_on = serializers.DateField()
    claims_open_on = serializers.DateField()
    claims_open_at = serializers.DateTimeField()
    claims_close_on = serializers.DateField()
    claims_close_at = serializers.DateTimeField()
    cure_close_on = serializers.DateField()
    cure_close_at = serializers.DateTimeField()
    own_claims_close_on = serializers.SerializerMethodField()
    state = serializers.SerializerMethodField()
    revision = serializers.IntegerField()
    created_at = serializers.DateTimeField()

    def get_state(self, period: Any) -> str:
        return str(period.state(self.context["at"]))

    def get_own_claims_close_on(self, period: Any) -> date | None:
        own: date | None = getattr(period, "own_close_on", None)
        return own


class Extending(Input):
    """For everybody; with `partner` for the funds of that partner alone."""

    claims_close_on = Day()
    reason = Text(limit=500)
    partner = Identifier(required=False, allow_null=True)


class EnrollmentOut(serializers.Serializer[Any]):
    id = serializers.CharField()
    partner = serializers.CharField(source="partner_id")
    location = serializers.CharField(source="location_id")
    program = serializers.CharField(source="program.code")
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(allow_null=True)
    payout_profile_complete = serializers.BooleanField(allow_null=True)
    revision = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class EnrollmentIn(Input):
    """`payout_profile_complete` null means that nobody here knows."""

    location = Identifier()
    program = Code()
    starts_on = Day()
    ends_on = Day(required=False, allow_null=True)
    payout_profile_complete = YesNo(required=False, allow_null=True)


class EnrollmentChange(Input):
    ends_on = Day(required=False, allow_null=True)
    payout_profile_complete = YesNo(required=False, allow_null=True)


class FundOut(serializers.Serializer[Any]):
    """earned + adjustments = available + reserved + in_review + approved + paid + expired + converted.

    `estimated` is the part of `available` that cannot be spent yet, because the threshold was not tested. `overdrawn` says
    that `available` is below zero: nothing can be planned or claimed until it is made good. Asked for with `as_of` or
    `known_at`, all of it is as it stood then, but for the days of the period and names, which are as they are now.

    `expires_on` is the last day to claim; `own_deadline` says that it is the partner's own, by an extension.
    """

    id = serializers.CharField()
    partner = serializers.CharField(source="partner_id")
    location = serializers.CharField(source="location_id")
    program = serializers.CharField(source="program.code")
    earning_period = serializers.CharField(source="earning_period_id")
    earning_period_code = serializers.CharField(source="earning_period.code")
    enrollment = serializers.CharField(source="enrollment_id")
    currency = serializers.CharField()
    state = serializers.SerializerMethodField()
    earned = Money("earned_minor")
    adjustments = Money("adjustments_minor")
    available = Money("available_minor")
    reserved = Money("reserved_minor")
    in_review = Money("in_review_minor")
    approved = Money("approved_minor")
    paid = Money("paid_minor")
    expired = Money("expired_minor")
    converted = Money("converted_minor")
    claimed = Money("claimed_minor")
    remaining = Money("remaining_minor")
    estimated = Money("estimated_minor")
    overdrawn = serializers.BooleanField()
    expires_on = serializers.DateField(source="claims_close_on")
    expires_at = serializers.DateTimeField(source="claims_close_at")
    cure_by = serializers.DateTimeField(source="cure_close_at")
    own_deadline = serializers.BooleanField()
    settled_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()

    def get_state(self, fund: Any) -> str:
        moment = self.context.get("moment") or Moment()
        return str(fund.earning_period.state(moment.instant(self.context["at"], fund.program.time_zone)))


class EntryOut(serializers.Serializer[Any]):
    """One movement. `effective_on` is the day it is for, `recorded_at` when it was learned; `actor` null is the system."""

    id = serializers.CharField()
    kind = serializers.ChoiceField(list(states.MOVEMENTS))
    from_bucket = serializers.CharField()
    to_bucket = serializers.CharField()
    amount = Money("amount_minor")
    currency = serializers.CharField()
    effective_on = serializers.DateField()
    recorded_at = serializers.DateTimeField()
    actor = serializers.CharField(source="actor_id", allow_null=True)
    reference_type = serializers.CharField()
    reference = serializers.CharField()
    reason_code = serializers.CharField()
    note = serializers.CharField()
    text = serializers.CharField(source="sentence")


class LinkedEntryOut(EntryOut):
    """An entry with its place in the chain of its fund: `number` counts from 1, `hash` holds all entries up to this one."""

    number = serializers.IntegerField(source="link.number")
    hash = serializers.SerializerMethodField()

    def get_hash(self, entry: Any) -> str:
        return bytes(entry.link.hash).hex()
