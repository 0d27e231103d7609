"""The forms of a decision on a plan: one for each activity, one for what is said of the whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from claims.models import Plan, PlanActivity
from claims.operations.plan_review import PlanDecision, faults
from claims.plan_letters import Said
from claims.queries.catalog import reasons_by_decision
from coop.lib.forms import AmountField

REASON_MAX = 1_000
WITH_REASON = ("approve_less", "return", "decline")
PLACES = {"decision": "outcome", "approved_amount": "approved", "reason": "reason"}
OUTCOMES = {"approve": "Approve", "approve_less": "Approve less", "return": "Return", "decline": "Decline"}


def reason_groups() -> list[tuple[str, list[tuple[str, str]]]]:
    """The reasons of the catalog under the decision that they are for; a code that is for several stands under each."""
    return [(OUTCOMES[decision], rows) for decision, rows in reasons_by_decision("plan", WITH_REASON).items()]


class ActivityDecisionForm(forms.Form):
    """The decision on one activity. It says the same as the operation, before anything is sent."""

    outcome = forms.ChoiceField(
        label="Decision",
        choices=list(OUTCOMES.items()),
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what becomes of this activity"},
    )
    approved = AmountField(label="Approved amount", help_text="Only to approve less", required=False)
    reason_code = forms.ChoiceField(
        label="Reason from the list", help_text="For anything but a plain approval", required=False
    )
    reason = forms.CharField(
        label="Reason in your words, visible to the partner",
        help_text="Left empty, the partner reads the words of the list.",
        required=False,
        max_length=REASON_MAX,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, plan: Plan, activity: PlanActivity, groups: Any, **options: Any) -> None:
        initial = {"outcome": "approve"}
        super().__init__(*args, **{"initial": initial, "prefix": f"activity-{activity.pk}", **options})
        self.plan, self.activity = plan, activity
        self.fields["approved"].currency = plan.currency  # type: ignore[attr-defined]
        self.fields["reason_code"].choices = [("", "None of these"), *groups]  # type: ignore[attr-defined]
        self.words = {code: text for _, rows in groups for code, text in rows}
        self.allowed = {name: {code for code, _ in rows} for name, rows in groups}

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not self.errors:
            given["reason"] = given["reason"].strip() or self.words.get(given["reason_code"], "")
            outcome = OUTCOMES[given["outcome"]]
            code = given["reason_code"]
            if code and given["outcome"] != "approve" and code not in self.allowed.get(outcome, ()):
                self.add_error(
                    "reason_code", f"This reason is not one for “{outcome}”. Choose one that stands below it."
                )
                given["reason_code"] = ""
            for place, _, message in faults(self.plan, self.activity, decision_of(self.activity, given), "approve"):
                self.add_error(PLACES[place], message)
        return given

    def decision(self) -> PlanDecision:
        return decision_of(self.activity, self.cleaned_data)

    def said(self) -> Said:
        """The decision as the letter and the totals need it; what cannot be read yet counts as nothing approved."""
        given = getattr(self, "cleaned_data", {})
        outcome = given.get("outcome") or "approve"
        asked = self.activity.requested_minor
        approved = {"approve": asked, "approve_less": given.get("approved") or 0}.get(outcome, 0)
        reason = "" if outcome == "approve" else given.get("reason", "")
        return Said(self.activity.title, outcome, asked, min(approved, asked), reason)


def decision_of(activity: PlanActivity, given: Mapping[str, Any]) -> PlanDecision:
    """What the operation is told of an activity; what was left in fields that do not count is not sent."""
    outcome = given["outcome"]
    if outcome == "approve":
        return PlanDecision(activity.pk, outcome)
    approved = given["approved"] if outcome == "approve_less" else None
    return PlanDecision(activity.pk, outcome, approved, given["reason"], given["reason_code"])


class NoteForm(forms.Form):
    """What is said of the plan as a whole."""

    revision = forms.IntegerField(widget=forms.HiddenInput)
    note = forms.CharField(
        label="Further words for the partner",
        help_text="They stand in the letter. There is no internal note here: whatever you write is read by the partner.",
        required=False,
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
