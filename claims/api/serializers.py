"""What claims, lines and documents look like to a client."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from claims import states
from claims.operations.disputes import ACTS as DISPUTE_ACTS
from claims.queries import findings_of
from coop.lib.api.fields import Amount, Choice, Code, Country, Day, Identifier, Money, Results, Text
from coop.lib.api.serializers import Finding, Input


class LineOut(serializers.Serializer[Any]):
    id = serializers.CharField()
    kind = serializers.ChoiceField(list(states.LINE_KINDS))
    supplier = serializers.CharField()
    invoice_number = serializers.CharField()
    invoiced_on = serializers.DateField(allow_null=True)
    description = serializers.CharField()
    cost = Money("cost_minor", "claim.currency", allow_null=True)
    amount = Money("amount_minor", "claim.currency")
    details = serializers.SerializerMethodField()
    currency = serializers.CharField(source="claim.currency")
    decision = serializers.CharField()
    approved_amount = Money("approved_minor", "claim.currency", allow_null=True)
    reason_code = serializers.CharField()
    reason = serializers.CharField()
    created_at = serializers.DateTimeField()

    @extend_schema_field({"type": "object", "additionalProperties": {"type": "string"}})
    def get_details(self, line: Any) -> dict[str, str]:
        return {code: value for code, value in line.details.items() if code != "csr"}


class LineIn(Input):
    kind = Choice(states.LINE_KINDS)
    supplier = Text(blank=True, required=False)
    invoice_number = Text(limit=80, blank=True, required=False)
    invoiced_on = Day(required=False, allow_null=True)
    description = Text(limit=500, blank=True, required=False)
    cost = Amount(required=False, allow_null=True)
    amount = Amount()
    details = Results(required=False)


class DocumentOut(serializers.Serializer[Any]):
    """A file (`filename`, `media_type`, `size`, `sha256`; its bytes at `content/`) or a link (`url`).

    `preview` says whether the file was drawn; its `pages`, as PNG, are at `preview/?page=1`. `deleted_at`: the bytes were
    kept as long as they had to be, and are gone.
    """

    id = serializers.CharField()
    kind = serializers.CharField()
    line = serializers.CharField(source="line_id", allow_null=True)
    filename = serializers.CharField()
    media_type = serializers.CharField()
    size = serializers.IntegerField()
    sha256 = serializers.CharField()
    url = serializers.CharField()
    note = serializers.CharField()
    dated_on = serializers.DateField(allow_null=True)
    reused_from = serializers.CharField(source="reused_from_id", allow_null=True)
    preview = serializers.ChoiceField(list(states.PREVIEWS), source="stored.preview", default="none")
    pages = serializers.IntegerField(source="stored.pages", default=0)
    deleted_at = serializers.DateTimeField(source="stored.deleted_at", default=None, allow_null=True)
    signed_at = serializers.DateTimeField(allow_null=True)
    decision = serializers.CharField()
    reason_code = serializers.CharField()
    reason = serializers.CharField()
    created_at = serializers.DateTimeField()


class DocumentIn(Input):
    """A `file`, the `url` of a page, or the id of a document of an earlier claim (`reused_from`)."""

    file = serializers.FileField(required=False, allow_empty_file=True)
    url = Text(limit=500, blank=True, required=False)
    kind = Text(limit=40)
    line = Identifier(required=False, allow_null=True)
    note = Text(limit=500, blank=True, required=False)
    dated_on = Day(required=False, allow_null=True)
    reused_from = Identifier(required=False, allow_null=True)


class FixOut(serializers.Serializer[Any]):
    field = serializers.CharField()
    message = serializers.CharField()


class ClaimOut(serializers.Serializer[Any]):
    """`findings` are advice while the claim is open, and what was found at its sending after that."""

    id = serializers.CharField()
    number = serializers.CharField()
    partner = serializers.CharField(source="partner_id")
    fund = serializers.CharField(source="fund_id")
    activity = serializers.CharField(source="activity.code")
    plan_activity = serializers.CharField(source="plan_activity_id", allow_null=True)
    title = serializers.CharField()
    solution_area = serializers.CharField()
    activity_from = serializers.DateField(allow_null=True)
    activity_to = serializers.DateField(allow_null=True)
    country = serializers.CharField()
    currency = serializers.CharField()
    status = serializers.ChoiceField(list(states.STATUSES))
    whose_turn = serializers.CharField()
    claimed_amount = Money("claimed_minor")
    from_plan_amount = Money("from_plan_minor")
    approved_amount = Money("approved_minor")
    paid_amount = Money("paid_minor")
    lines = LineOut(many=True)
    documents = DocumentOut(many=True)
    metrics = serializers.DictField(child=serializers.CharField())
    findings = serializers.SerializerMethodField()
    fixes = FixOut(many=True, source="returned_fixes")
    decision_note = serializers.CharField()
    submitted_at = serializers.DateTimeField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    paid_at = serializers.DateTimeField(allow_null=True)
    submit_by = serializers.DateTimeField(source="fund.claims_close_at")
    cure_by = serializers.DateTimeField(source="fund.cure_close_at")
    review_due_by = serializers.DateTimeField(source="review_due_at", allow_null=True)
    dispute = serializers.CharField()
    disputed_at = serializers.DateTimeField(allow_null=True)
    revision = serializers.IntegerField()
    created_at = serializers.DateTimeField()

    @extend_schema_field(Finding(many=True))
    def get_findings(self, claim: Any) -> Any:
        if not claim.is_open:
            return claim.findings
        return [found.as_dict() for found in findings_of(claim, at=self.context["at"])]


class ClaimIn(Input):
    """A draft may be incomplete; what is left out is taken from the fund, and from the activity or the plan where they know it.

    It names an `activity` of the catalog, or the `plan_activity` that it is made on.
    """

    fund = Identifier()
    activity = Code(required=False)
    plan_activity = Identifier(required=False, allow_null=True)
    title = Text(blank=True, required=False)
    country = Country(required=False)
    activity_from = Day(required=False, allow_null=True)
    activity_to = Day(required=False, allow_null=True)
    solution_area = Text(limit=40, blank=True, required=False)
    metrics = Results(required=False)


class ClaimChange(Input):
    activity = Code(required=False)
    plan_activity = Identifier(required=False, allow_null=True)
    title = Text(required=False)
    country = Country(required=False)
    activity_from = Day(required=False, allow_null=True)
    activity_to = Day(required=False, allow_null=True)
    solution_area = Text(limit=40, blank=True, required=False)
    metrics = Results(required=False)


class DecisionIn(Input):
    """What is decided on one line; `approved_amount` with approve_less only, a reason with all but approve.

    The reason is one of the catalog's (`reason_code`), words of one's own (`reason`), or both.
    """

    id = Identifier()
    decision = Choice(states.DECISIONS)
    approved_amount = Amount(required=False, allow_null=True)
    reason_code = Text(limit=40, blank=True, required=False)
    reason = Text(limit=1_000, blank=True, one_line=False, required=False)


class DocumentDecisionIn(Input):
    """What is decided on one document; a reason with all but accept."""

    id = Identifier()
    decision = Choice(states.DOCUMENT_DECISIONS)
    reason_code = Text(limit=40, blank=True, required=False)
    reason = Text(limit=1_000, blank=True, one_line=False, required=False)


MAX_DECISIONS = 1_000  # more lines than a claim has


class Approval(Input):
    """Lines that are not named are accepted as they are."""

    decisions = DecisionIn(many=True, required=False, max_length=MAX_DECISIONS)  # type: ignore[call-arg]
    documents = DocumentDecisionIn(many=True, required=False, max_length=MAX_DECISIONS)  # type: ignore[call-arg]
    note = Text(limit=2_000, blank=True, one_line=False, required=False)


class FixIn(Input):
    field = Text(limit=100, blank=True, required=False)
    message = Text(limit=1_000, one_line=False)


class Returning(Input):
    """What has to be mended: `fixes`, lines and documents decided as return, or one `reason` for the whole claim."""

    fixes = FixIn(many=True, required=False, max_length=MAX_DECISIONS)  # type: ignore[call-arg]
    decisions = DecisionIn(many=True, required=False, max_length=MAX_DECISIONS)  # type: ignore[call-arg]
    documents = DocumentDecisionIn(many=True, required=False, max_length=MAX_DECISIONS)  # type: ignore[call-arg]
    reason = Text(limit=1_000, blank=True, one_line=False, required=False)
    note = Text(limit=2_000, blank=True, one_line=False, required=False)


class Rejection(Input):
    reason = Text(limit=1_000, blank=True, one_line=False)
    documents = DocumentDecisionIn(many=True, required=False, max_length=MAX_DECISIONS)  # type: ignore[call-arg]


class Disputing(Input):
    reason = Text(limit=2_000, blank=True, one_line=False)


class DisputeDecision(Input):
    """What becomes of a dispute. `decisions` and `documents` count for grant and return, `fixes` for return.

    Lines that are not named are accepted where it is granted.
    """

    outcome = Choice(DISPUTE_ACTS)
    decisions = DecisionIn(many=True, required=False, max_length=MAX_DECISIONS)  # type: ignore[call-arg]
    documents = DocumentDecisionIn(many=True, required=False, max_length=MAX_DECISIONS)  # type: ignore[call-arg]
    fixes = FixIn(many=True, required=False, max_length=MAX_DECISIONS)  # type: ignore[call-arg]
    reason_code = Text(limit=40, blank=True, required=False)
    reason = Text(limit=1_000, blank=True, one_line=False, required=False)
