"""What activities look like to a client: what they ask for, what is paid, what changed, and what an idea is answered."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from claims.queries.book import programs_of
from claims.queries.offers import Offer, approval_of, offer_of, words
from claims.rules.book import Rule
from claims.rules.facts import Metric
from claims.rules.kinds.evidence import asked_proofs
from coop.lib.api.fields import Amount, Code, Country, Day, Identifier
from coop.lib.api.serializers import Finding, Input


class Condition(serializers.Serializer[Any]):
    """The proof is asked for only where the question `answer` is answered with `is`."""

    answer = serializers.CharField()

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "is": serializers.CharField()}


class ProofOut(serializers.Serializer[Any]):
    """Of proofs with the same `group` any one is enough; an empty group stands alone."""

    code = serializers.CharField()
    name = serializers.CharField()
    hint = serializers.CharField()
    group = serializers.CharField()
    required = serializers.BooleanField()  # type: ignore[assignment]
    when = Condition(allow_null=True)
    example = serializers.BooleanField()


class MetricOut(serializers.Serializer[Any]):
    """Something to answer: `kind` says what an answer looks like, `choices` what it may name where it names activities."""

    code = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.CharField()
    hint = serializers.CharField()
    required = serializers.BooleanField()  # type: ignore[assignment]
    choices = serializers.ListField(child=serializers.CharField())
    example = serializers.BooleanField()


class Limits(serializers.Serializer[Any]):
    """The limits in words, and each rule with its parameters."""

    text = serializers.CharField()
    rules = serializers.ListField(child=serializers.DictField())


class Threshold(serializers.Serializer[Any]):
    """A claim below the amount needs only the evidence of money."""

    amount = serializers.CharField()
    currency = serializers.CharField()
    text = serializers.CharField()
    example = serializers.BooleanField()


class ApprovalOut(serializers.Serializer[Any]):
    """Whether plans need approval, and the titles that may give it; no title: any channel manager of the partner."""

    kind = serializers.ChoiceField(["required", "optional", "none"])
    titles = serializers.ListField(child=serializers.CharField())
    text = serializers.CharField()


class RuleOut(serializers.Serializer[Any]):
    rule = serializers.CharField()
    version = serializers.IntegerField()
    kind = serializers.CharField()
    text = serializers.CharField()
    valid_from = serializers.DateField()
    valid_to = serializers.DateField(allow_null=True)
    basis = serializers.CharField()
    example = serializers.BooleanField()


class ActivityOut(serializers.Serializer[Any]):
    """An activity with what it asks for in the case of the question. Its `id` is its code.

    `metrics` are all that is answered; `questions` those of them that decide which proofs are asked for. What depends on
    the program (`approval`) is null where none was asked about.
    """

    id = serializers.CharField(source="code")
    code = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    category = serializers.SerializerMethodField()
    category_name = serializers.SerializerMethodField()
    programs = serializers.SerializerMethodField()
    valid_from = serializers.DateField()
    valid_to = serializers.DateField(allow_null=True)
    proofs = serializers.SerializerMethodField()
    metrics = serializers.SerializerMethodField()
    questions = serializers.SerializerMethodField()
    line_details = serializers.SerializerMethodField()
    limits = serializers.SerializerMethodField()
    share = serializers.SerializerMethodField()
    poe_threshold = serializers.SerializerMethodField()
    approval = serializers.SerializerMethodField()
    rules = serializers.SerializerMethodField()
    example = serializers.BooleanField()

    def offer(self, activity: Any) -> Offer:
        """The activity in the case that the client asks about; made once for each."""
        known: dict[str, Offer] = self.context["offers"]
        if activity.code not in known:
            known[activity.code] = offer_of(self.context["book"], activity, self.context["case"])
        return known[activity.code]

    def get_category(self, activity: Any) -> str:
        return self.offer(activity).case.category

    def get_category_name(self, activity: Any) -> str:
        return self.offer(activity).category

    @extend_schema_field({"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}})
    def get_programs(self, activity: Any) -> dict[str, list[str]]:
        return programs_of(activity, self.context["case"].day, self.context["book"])

    @extend_schema_field(ProofOut(many=True))
    def get_proofs(self, activity: Any) -> Any:
        offer = self.offer(activity)
        conditions = {
            row["code"]: rule.params.get("when")
            for rule in offer.of_kind("proof_of_execution")
            for row in rule.params["any_of"]
        }
        return [{**asdict(proof), "when": conditions.get(proof.code)} for proof in asked_proofs(offer.book, offer.case)]

    @extend_schema_field(MetricOut(many=True))
    def get_metrics(self, activity: Any) -> Any:
        return metrics(self.offer(activity).answers)

    @extend_schema_field(MetricOut(many=True))
    def get_questions(self, activity: Any) -> Any:
        return metrics(self.offer(activity).questions)

    @extend_schema_field(MetricOut(many=True))
    def get_line_details(self, activity: Any) -> Any:
        return metrics(self.offer(activity).details)

    @extend_schema_field(Limits)
    def get_limits(self, activity: Any) -> dict[str, Any]:
        rules = self.offer(activity).limit_rules
        return {
            "text": " ".join(words(rule) for rule in rules),
            "rules": [{**rule.params, **named(rule)} for rule in rules],
        }

    def get_share(self, activity: Any) -> str:
        """Per cent of the cost that is paid back."""
        return self.offer(activity).share

    @extend_schema_field(Threshold(allow_null=True))
    def get_poe_threshold(self, activity: Any) -> dict[str, Any] | None:
        rules = self.offer(activity).of_kind("poe_threshold")
        return next(({**rule.params, "text": words(rule), "example": rule.example} for rule in rules), None)

    @extend_schema_field(ApprovalOut(allow_null=True))
    def get_approval(self, activity: Any) -> dict[str, Any] | None:
        program = self.context["program"]
        if program is None:
            return None
        approval = approval_of(program, self.context["case"].day)
        return {"kind": approval.kind, "titles": approval.titles, "text": approval.sentence}

    @extend_schema_field(RuleOut(many=True))
    def get_rules(self, activity: Any) -> list[dict[str, Any]]:
        return [
            {
                **named(rule),
                "kind": rule.kind,
                "text": words(rule),
                "valid_from": rule.valid_from,
                "valid_to": rule.valid_to,
                "basis": rule.basis,
            }
            for rule in self.offer(activity).rules
        ]


def metrics(found: list[Metric]) -> list[dict[str, Any]]:
    return [asdict(metric) for metric in found]


def named(rule: Rule) -> dict[str, Any]:
    return {"rule": rule.code, "version": rule.version, "example": rule.example}


# --- Checking an idea -------------------------------------------------------------------------------------------------


class IdeaIn(Input):
    """An idea. Without an `activity` every one that the program offers is answered for; `ends_on` is the first day if it
    is left out, `country` and `partner` are the client's own, and the money is that of the partner's fund, if it has one.
    """

    program = Code()
    activity = Code(required=False, allow_null=True)
    country = Country(required=False)
    amount = Amount()
    starts_on = Day()
    ends_on = Day(required=False, allow_null=True)
    partner = Identifier(required=False, allow_null=True)


class CheckedActivity(serializers.Serializer[Any]):
    activity = serializers.CharField()
    name = serializers.CharField()
    passes = serializers.BooleanField()
    findings = Finding(many=True)


class IdeaOut(serializers.Serializer[Any]):
    """What the rules say. `findings` are those of the activity asked about, empty where none was; `fund` is the one whose
    money was looked at, null where the partner has none that pays on the day.
    """

    program = serializers.CharField()
    fund = serializers.CharField(allow_null=True)
    country = serializers.CharField()
    amount = serializers.CharField()
    currency = serializers.CharField()
    starts_on = serializers.DateField()
    ends_on = serializers.DateField()
    findings = Finding(many=True)
    activities = CheckedActivity(many=True)


# --- What changed -----------------------------------------------------------------------------------------------------


class RuleChangeOut(serializers.Serializer[Any]):
    """One change: `before` and `after` are the words of the rule on both days, `on` the first day of the later ones."""

    what = serializers.CharField(source="change.what")
    section = serializers.CharField(source="change.section")
    code = serializers.CharField(source="change.code")
    sentence = serializers.CharField(source="change.sentence")
    on = serializers.DateField(source="change.on", allow_null=True)
    before = serializers.CharField(source="change.before")
    after = serializers.CharField(source="change.after")
    version = serializers.IntegerField(source="change.rule.version", default=None, allow_null=True)
    example = serializers.BooleanField()
    programs = serializers.SerializerMethodField()

    def get_programs(self, told: Any) -> list[str]:
        return [program.code for program in told.programs]


class RuleChangesOut(serializers.Serializer[Any]):
    """What counts on the later day and did not on the earlier one, for the programs and the country."""

    programs = serializers.ListField(child=serializers.CharField())
    country = serializers.CharField()
    changes = RuleChangeOut(many=True)
