"""The forms of a review: one for each line, one for what is said of the claim, one for each thing to mend."""

from __future__ import annotations

from typing import Any

from django import forms

from claims import states
from claims.letters import Said
from claims.models import Claim, ClaimLine
from claims.operations.verdicts import LineDecision, faults
from claims.queries import document_kinds
from claims.queries.book import metrics_asked
from coop.lib.forms import AmountField

REASON_MAX = 1_000
PLACES = {"decision": "outcome", "approved_amount": "approved", "reason": "reason"}


class LineForm(forms.Form):
    """The decision on one line. It says the same as the operation, before anything is sent."""

    outcome = forms.ChoiceField(
        label="Decision",
        choices=list(states.DECISIONS.items()),
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what becomes of this line"},
    )
    approved = AmountField(label="Approved amount", help_text="Only to accept less", required=False)
    reason = forms.CharField(
        label="Reason, visible to the partner",
        help_text="For anything but a plain acceptance",
        required=False,
        max_length=REASON_MAX,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, claim: Claim, line: ClaimLine, **kwargs: Any) -> None:
        known = {"outcome": line.decision or "approve", "reason": line.reason}
        super().__init__(*args, **{"initial": known, "prefix": f"line-{line.pk}", **kwargs})
        self.claim, self.line = claim, line
        self.fields["approved"].currency = claim.currency  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not self.errors:
            for place, _, message in faults(self.claim, self.line, self.decision()):
                self.add_error(PLACES[place], message)
        return given

    def decision(self) -> LineDecision:
        given = self.cleaned_data
        approved = given["approved"] if given["outcome"] == "approve_less" else None
        return LineDecision(self.line.pk, given["outcome"], approved, given["reason"])

    def said(self) -> Said:
        """The decision as the letter and the totals need it; what cannot be read yet counts as nothing approved."""
        given = getattr(self, "cleaned_data", {})
        outcome = given.get("outcome") or self.get_initial_for_field(self.fields["outcome"], "outcome")
        approved = {"approve": self.line.amount_minor, "approve_less": given.get("approved") or 0}.get(outcome, 0)
        return Said(
            str(self.line),
            outcome,
            self.line.amount_minor,
            min(approved, self.line.amount_minor),
            given.get("reason", ""),
        )


class NoteForm(forms.Form):
    """What is said of the claim as a whole."""

    revision = forms.IntegerField(widget=forms.HiddenInput)
    note = forms.CharField(
        label="Further words for the partner",
        help_text="They stand in the letter. There is no internal note here: whatever you write is read by the partner.",
        required=False,
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class FixForm(forms.Form):
    """One thing to mend: where, and what to do. An emptied one is dropped."""

    field = forms.ChoiceField(label="Where", required=False)
    message = forms.CharField(
        label="What to mend",
        required=False,
        max_length=REASON_MAX,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, places: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["field"].choices = places  # type: ignore[attr-defined]


class FixFormSet(forms.BaseFormSet):
    """The fix list. It refuses to be empty: a partner must know what to do."""

    def clean(self) -> None:
        if not any(form.cleaned_data.get("message", "").strip() for form in self.forms if form.is_valid()):
            raise forms.ValidationError("Say what has to be mended: at least one fix with its words.")

    def fixes(self) -> list[tuple[str, str]]:
        """Field and words of each thing to mend."""
        given = [form.cleaned_data for form in self.forms]
        return [(fix["field"], fix["message"].strip()) for fix in given if fix.get("message", "").strip()]


def places_of(claim: Claim) -> list[tuple[str, str]]:
    """Where in a claim something can be mended, by the names that rules and pages give these places."""
    return [
        ("", "The claim as a whole"),
        *((f"lines.{line.pk}", f"Line: {line}") for line in claim.lines.all()),
        ("activity_from", "The activity's first day"),
        ("activity_to", "The activity's last day"),
        *((f"documents.{code}", f"Document: {name}") for code, name in document_kinds(claim).items()),
        *((f"metrics.{m.code}", f"Result: {m.name}") for m in metrics_asked(claim)),
    ]


def known_place(field: str, places: list[tuple[str, str]]) -> str:
    """The place of a finding as the fix list knows it: `lines.7.invoiced_on` is mended on line 7."""
    names = [name for name, _ in places]
    parts = field.split(".")
    return next((name for name in (field, ".".join(parts[:2]), parts[0]) if name in names), "")


FixList = forms.formset_factory(FixForm, formset=FixFormSet, extra=1, max_num=50, absolute_max=60)
