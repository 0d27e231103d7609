"""The forms of a review: one for each line and document, one for what is said of the claim, one for each thing to mend."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms

from claims import states
from claims.letters import DECLINE, Said, SaidOfDocument
from claims.models import Claim, ClaimLine, Document
from claims.operations.verdicts import (
    REASON_MAX,
    DocumentDecision,
    LineDecision,
    document_faults,
    faults,
    fix_of,
    place_of,
)
from claims.queries import document_kinds
from claims.queries.book import metrics_asked
from claims.queries.catalog import reasons_for
from coop.lib.forms import AmountField

PLACES = {"decision": "outcome", "approved_amount": "approved", "reason": "reason", "reason_code": "reason_code"}
BY_THE_READER = "Written below"


Choices = list[tuple[str, str]]


def reason_choices(subject: str, *decisions: str) -> Choices:
    """The reasons of the list that fit one of the decisions, each once."""
    found = {code: text for decision in decisions for code, text in reasons_for(subject, decision)}
    return [("", BY_THE_READER), *found.items()]


class LineForm(forms.Form):
    """The decision on one line. It says the same as the operation, before anything is sent."""

    outcome = forms.ChoiceField(
        label="Decision",
        choices=list(states.DECISIONS.items()),
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what becomes of this line"},
    )
    approved = AmountField(label="Approved amount", help_text="Only to accept less", required=False)
    reason_code = forms.ChoiceField(label="From the list of reasons", required=False)
    reason = forms.CharField(
        label="Reason, visible to the partner",
        help_text="For anything but a plain acceptance; it may follow on one from the list",
        required=False,
        max_length=REASON_MAX,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(
        self, *args: Any, claim: Claim, line: ClaimLine, reasons: Choices, fresh: bool = False, **kwargs: Any
    ) -> None:
        """`reasons` are those of the list; `fresh`: begin with a plain acceptance, whatever was decided before."""
        known = {"outcome": "approve"} if fresh else {"outcome": line.decision or "approve", "reason": line.reason}
        super().__init__(*args, **{"initial": known, "prefix": f"line-{line.pk}", **kwargs})
        self.claim, self.line = claim, line
        self.fields["approved"].currency = claim.currency  # type: ignore[attr-defined]
        self.fields["reason_code"].choices = reasons  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not self.errors:
            for place, _, message in faults(self.claim, self.line, self.decision()):
                self.add_error(PLACES[place], message)
        return given

    def decision(self) -> LineDecision:
        given = self.cleaned_data
        approved = given["approved"] if given["outcome"] == "approve_less" else None
        return LineDecision(self.line.pk, given["outcome"], approved, given["reason"], given["reason_code"])

    def said(self) -> Said:
        """The decision as the letter and the totals need it; what cannot be read yet counts as nothing approved."""
        given = getattr(self, "cleaned_data", {})
        outcome = given.get("outcome") or self.get_initial_for_field(self.fields["outcome"], "outcome")
        approved = {"approve": self.line.amount_minor, "approve_less": given.get("approved") or 0}.get(outcome, 0)
        words = LineDecision(self.line.pk, outcome, None, given.get("reason", ""), given.get("reason_code", "")).words
        return Said(str(self.line), outcome, self.line.amount_minor, min(approved, self.line.amount_minor), words)


class DocumentForm(forms.Form):
    """The decision on one document. It stands beside the evidence, and is sent with the decision on the lines."""

    outcome = forms.ChoiceField(label="This document", choices=list(states.DOCUMENT_DECISIONS.items()), required=False)
    reason_code = forms.ChoiceField(label="From the list of reasons", required=False)
    reason = forms.CharField(
        label="Why, visible to the partner",
        required=False,
        max_length=REASON_MAX,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, document: Document, reasons: Choices, **kwargs: Any) -> None:
        known = {"outcome": document.decision or "accept", "reason": document.reason}
        super().__init__(*args, **{"initial": known, "prefix": f"doc-{document.pk}", **kwargs})
        self.document = document
        self.fields["reason_code"].choices = reasons  # type: ignore[attr-defined]
        for field in self.fields.values():
            field.widget.attrs["form"] = "decision"

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        decision = self.decision() if not self.errors else None
        for place, _, message in document_faults(decision) if decision else ():
            self.add_error(PLACES[place], message)
        return given

    def decision(self) -> DocumentDecision | None:
        """What is said of the document; None where the form did not come."""
        given = self.cleaned_data
        if not given.get("outcome"):
            return None
        return DocumentDecision(self.document.pk, given["outcome"], given["reason"], given["reason_code"])

    @property
    def is_open(self) -> bool:
        """Whether the words beside it are shown at once."""
        return bool(self.is_bound and self.errors) or self["outcome"].value() not in ("accept", None, "")


def decisions_on(documents: Iterable[DocumentForm]) -> list[DocumentDecision]:
    found = (form.decision() for form in documents if form.is_bound)
    return [decision for decision in found if decision]


def declined(documents: Iterable[DocumentForm]) -> list[SaidOfDocument]:
    """The documents that the letter names: those that are declined now, or were before and nothing else is said of them."""
    found = []
    for form in documents:
        said = form.decision() if form.is_bound else None
        words = said.words if said else form.document.reason
        if (said.decision if said else form.document.decision) == DECLINE:
            found.append(SaidOfDocument(str(form.document), words))
    return found


class NoteForm(forms.Form):
    """What is said of the claim as a whole."""

    revision = forms.IntegerField(widget=forms.HiddenInput)
    note = forms.CharField(
        label="Further words, visible to the partner",
        help_text="They stand in the letter. For colleagues only, write an internal note instead.",
        required=False,
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class InternalForm(forms.Form):
    """A note that no partner reads."""

    text = forms.CharField(
        label="Internal note, not visible to the partner",
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Write the note first"},
    )


class FixForm(forms.Form):
    """One thing to mend: where, and what to do. An emptied one is dropped.

    `source` is the line or document whose decision it says, e.g. "line-7".
    """

    source = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)
    field = forms.ChoiceField(label="Where", required=False)
    message = forms.CharField(
        label="What to mend",
        required=False,
        max_length=REASON_MAX + 200,
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

    def fixes(self) -> list[tuple[str, str, str]]:
        """Field, words and source of each thing to mend."""
        given = [form.cleaned_data for form in self.forms]
        return [
            (fix["field"], fix["message"].strip(), fix.get("source", ""))
            for fix in given
            if fix.get("message", "").strip()
        ]


def first_fixes(
    claim: Claim, findings: Iterable[Any], lines: Iterable[LineForm], documents: Iterable[DocumentForm]
) -> list[dict[str, str]]:
    """What a fix list begins with: the failed checks, those for a person, and the lines and documents marked Return."""
    places = places_of(claim)
    found = [
        {"field": known_place(finding.field, places), "message": finding.fix}
        for outcome in ("failed", "person")
        for finding in findings
        if finding.outcome == outcome and finding.fix
    ]
    for form in lines:
        if form.is_bound and form.cleaned_data.get("outcome") == "return":
            words, name = form.said().reason, f"lines.{form.line.pk}"
            found.append({"field": name, "message": words, "source": f"line-{form.line.pk}"})
    for decision in decisions_on(documents):
        if decision.decision == "return":
            document = next(form.document for form in documents if form.document.pk == decision.document_id)
            fix = fix_of(document, decision.words)
            known = known_place(place_of(document), places)
            found.append({"field": known, "message": fix.message, "source": f"doc-{document.pk}"})
    return found


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
