"""What plans look like to a client."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from claims import states
from claims.models import Plan
from claims.queries.plan_facts import findings_of_plan
from claims.queries.plans import changes_between
from coop.lib import money
from coop.lib.api.fields import AMOUNT_SCHEMA, Amount, Choice, Code, Country, Day, Identifier, Money, Results, Text
from coop.lib.api.serializers import Finding, Input

MAX_PEOPLE = 100
MAX_ACTIVITIES = 100


class PlannedOut(serializers.Serializer[Any]):
    """One activity. `reserved_amount` is what is still reserved for it, `claimed_amount` what claims hold or were granted."""

    id = serializers.CharField()
    activity = serializers.CharField(source="activity.code")
    title = serializers.CharField()
    solution_area = serializers.CharField()
    country = serializers.CharField()
    starts_on = serializers.DateField(allow_null=True)
    ends_on = serializers.DateField(allow_null=True)
    requested_amount = Money("requested_minor", "plan.currency")
    approved_amount = Money("approved_minor", "plan.currency", allow_null=True)
    reserved_amount = Money("reserved_minor", "plan.currency")
    claimed_amount = serializers.SerializerMethodField()
    expected_outcome = serializers.CharField()
    answers = serializers.DictField(child=serializers.CharField())
    decision = serializers.CharField()
    reason_code = serializers.CharField()
    reason = serializers.CharField()
    follows = serializers.CharField(source="follows_id", allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)

    @extend_schema_field(AMOUNT_SCHEMA)
    def get_claimed_amount(self, planned: Any) -> str:
        return money.to_text(claimed_minor(planned), planned.plan.currency)


def claimed_minor(planned: Any) -> int:
    return sum(claim.held_minor + claim.approved_minor for claim in planned.claims.all())


class PlanOut(serializers.Serializer[Any]):
    """`findings` are advice while the plan is open, and what was found at its sending after that. All versions of a plan share
    its `number`; `changes` says in words what an amendment changes.
    """

    id = serializers.CharField()
    number = serializers.CharField()
    version = serializers.IntegerField()
    amends = serializers.CharField(source="amends_id", allow_null=True)
    partner = serializers.CharField(source="partner_id")
    fund = serializers.CharField(source="fund_id")
    title = serializers.CharField()
    people = serializers.SerializerMethodField()
    currency = serializers.CharField()
    status = serializers.ChoiceField(list(states.PLAN_STATUSES))
    whose_turn = serializers.CharField()
    activities = PlannedOut(many=True)
    requested_amount = serializers.SerializerMethodField()
    approved_amount = serializers.SerializerMethodField()
    reserved_amount = serializers.SerializerMethodField()
    claimed_amount = serializers.SerializerMethodField()
    findings = serializers.SerializerMethodField()
    changes = serializers.SerializerMethodField()
    decision_note = serializers.CharField()
    submitted_at = serializers.DateTimeField(allow_null=True)
    review_due_at = serializers.DateTimeField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    claim_by = serializers.DateTimeField(source="fund.claims_close_at")
    revision = serializers.IntegerField()
    created_at = serializers.DateTimeField()

    @extend_schema_field({"type": "array", "items": {"type": "string"}})
    def get_people(self, plan: Plan) -> list[str]:
        return [str(person.pk) for person in plan.people.all()]

    @extend_schema_field(AMOUNT_SCHEMA)
    def get_requested_amount(self, plan: Plan) -> str:
        return self.total(plan, [planned.requested_minor for planned in plan.activities.all()])

    @extend_schema_field(AMOUNT_SCHEMA)
    def get_approved_amount(self, plan: Plan) -> str:
        return self.total(plan, [planned.approved_minor or 0 for planned in plan.activities.all()])

    @extend_schema_field(AMOUNT_SCHEMA)
    def get_reserved_amount(self, plan: Plan) -> str:
        return self.total(plan, [planned.reserved_minor for planned in plan.activities.all()])

    @extend_schema_field(AMOUNT_SCHEMA)
    def get_claimed_amount(self, plan: Plan) -> str:
        return self.total(plan, [claimed_minor(planned) for planned in plan.activities.all()])

    def total(self, plan: Plan, minors: list[int]) -> str:
        return money.to_text(sum(minors), plan.currency)

    @extend_schema_field(Finding(many=True))
    def get_findings(self, plan: Plan) -> Any:
        if not plan.is_open:
            return plan.findings
        return [found.as_dict() for found in findings_of_plan(plan, at=self.context["at"])]

    @extend_schema_field({"type": "array", "items": {"type": "string"}})
    def get_changes(self, plan: Plan) -> list[str]:
        return changes_between(plan) if plan.version > 1 else []


class PlannedIn(Input):
    """One activity. With an `id` it changes that one; what it does not say stays as it is."""

    id = Identifier(required=False)
    activity = Code(required=False)
    title = Text(blank=True, required=False)
    solution_area = Text(limit=40, blank=True, required=False)
    country = Country(required=False)
    starts_on = Day(required=False, allow_null=True)
    ends_on = Day(required=False, allow_null=True)
    requested_amount = Amount(required=False)
    expected_outcome = Text(limit=1_000, blank=True, one_line=False, required=False)
    answers = Results(required=False)


class PlanIn(Input):
    """A draft may be incomplete."""

    fund = Identifier()
    title = Text(blank=True, required=False)
    people = serializers.ListField(child=Identifier(), required=False, max_length=MAX_PEOPLE)
    activities = PlannedIn(many=True, required=False, max_length=MAX_ACTIVITIES)  # type: ignore[call-arg]


class PlanChange(Input):
    """`activities` is the whole list: those with an `id` are changed, those without are added, those not named are removed."""

    title = Text(required=False)
    people = serializers.ListField(child=Identifier(), required=False, max_length=MAX_PEOPLE)
    activities = PlannedIn(many=True, required=False, max_length=MAX_ACTIVITIES)  # type: ignore[call-arg]


class PlanDecisionIn(Input):
    """What is decided of one activity; `approved_amount` with approve_less only, a reason with all but approve."""

    id = Identifier()
    decision = Choice(states.DECISIONS)
    approved_amount = Amount(required=False, allow_null=True)
    reason_code = Text(limit=40, blank=True, required=False)
    reason = Text(limit=1_000, blank=True, one_line=False, required=False)


class PlanDeciding(Input):
    """Approving: activities that are not named are approved as asked. Returning and declining: the note says why."""

    decisions = PlanDecisionIn(many=True, required=False, max_length=MAX_ACTIVITIES)  # type: ignore[call-arg]
    note = Text(limit=2_000, blank=True, one_line=False, required=False)


class Cancelling(Input):
    reason = Text(limit=1_000, blank=True, one_line=False, required=False)
