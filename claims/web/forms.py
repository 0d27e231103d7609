"""The forms of a claim. They read what people wrote; the operations say whether it may be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from babel import Locale
from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.html import format_html
from django.utils.safestring import SafeString

from claims.files.types import ACCEPT
from claims.models import Activity, Category, Claim, ClaimLine
from claims.operations.documents import ACCEPTED, clean_name, media_type
from claims.operations.evidence import Upload
from claims.rules.facts import Metric, Proof
from claims.web.answers import answer_field, text_of_answer
from coop.lib import money
from coop.lib.dates import show_day
from coop.lib.errors import Refused
from coop.lib.forms import AmountField, DayField

MEGABYTES = settings.DOCUMENT_MAX_BYTES // (1024 * 1024)
FILE_HINT = f"{ACCEPTED}, up to {MEGABYTES} MB"
# Codes of Unicode's list that ISO 3166 does not give to a country: groups of countries, parts of one, and codes for tests.
NO_COUNTRIES = frozenset("AC CP CQ DG EA EU EZ IC QO TA UN XA XB ZZ".split())
LATER = "You can add it later; it is needed before you send."


def country_name(code: str) -> str:
    return str(Locale("en").territories.get(code, code))


@cache
def countries() -> list[tuple[str, str]]:
    """Country codes with their English names, by name."""
    named = Locale("en").territories.items()
    found = [(code, name) for code, name in named if len(code) == 2 and code.isalpha() and code not in NO_COUNTRIES]
    return sorted(found, key=lambda pair: pair[1])


Groups = list[tuple[str, list[Activity]]]


class EvidenceField(forms.FileField):
    """A file that may be left out; what is too big or of no known type is refused with the other fields, not after them."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, **options)
        self.error_messages["empty"] = "The file is empty. Choose the file once more."
        self.widget.attrs["accept"] = ACCEPT

    def clean(self, data: Any, initial: Any = None) -> Any:
        found = super().clean(data, initial)
        if isinstance(found, UploadedFile) and (found.size or 0) > settings.DOCUMENT_MAX_BYTES:
            raise forms.ValidationError(
                f"The file has {(found.size or 0) / 1024 / 1024:.1f} MB; at most {MEGABYTES} MB are taken. "
                "Make it smaller or split it.",
                "too_large",
            )
        if isinstance(found, UploadedFile):
            try:
                media_type(clean_name(found.name or ""), found.read())
            except Refused as refusal:
                raise forms.ValidationError(refusal.message, refusal.code) from refusal
            found.seek(0)
        return found


def upload_of(file: Any) -> Upload | None:
    return Upload(file.name or "", file.read()) if file else None


class ClaimForm(forms.Form):
    """A form that changes a claim; `revision` says which reading it was made on."""

    revision = forms.IntegerField(required=False, widget=forms.HiddenInput)


# --- About the activity -----------------------------------------------------------------------------------------------


def grouped(activities: Sequence[Activity], categories: Iterable[Category], day: date) -> Groups:
    """Activities under the name that their category has on the day, in the order of the categories."""
    found = []
    for category in categories:
        members = [activity for activity in activities if activity.category_on(day) == category.code]
        if members:
            found.append((category.name_on(day), members))
    rest = [activity for activity in activities if not activity.category_on(day)]
    return found + ([("Other", rest)] if rest else [])


class AboutForm(ClaimForm):
    """What was done, when and where. A draft may leave days open."""

    activity = forms.ChoiceField(
        label="Activity",
        error_messages={
            "required": "Choose the activity that you claim for",
            "invalid_choice": "This program does not pay for that activity on these dates. Choose one from the list.",
        },
    )
    activity_from = DayField(label="First day", required=False)
    activity_to = DayField(label="Last day", required=False)
    solution_area = forms.ChoiceField(label="Solution area", required=False, help_text="What the work was mainly about")
    country = forms.ChoiceField(
        label="Country",
        help_text="Where the activity reached its audience",
        choices=countries,
        error_messages={"invalid_choice": "Choose a country from the list"},
    )
    title = forms.CharField(
        label="Your name for it",
        help_text="So that you and the reviewer find it again, for example “Spring calls in Austria”",
        max_length=200,
        required=False,
    )

    def __init__(
        self,
        *args: Any,
        groups: Groups,
        use: tuple[date, date],
        areas: Sequence[tuple[str, str]] = (),
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.fields["solution_area"].choices = [("", "Not said yet"), *areas]  # type: ignore[attr-defined]
        if not areas:
            del self.fields["solution_area"]
        self.fields["activity"].choices = [  # type: ignore[attr-defined]
            (name, [(activity.code, activity.name) for activity in activities]) for name, activities in groups
        ]
        self.fields["activity_from"].help_text = f"The fund pays for work from {show_day(use[0])}"
        self.fields["activity_to"].help_text = f"until {show_day(use[1])}"

    def changes(self) -> dict[str, Any]:
        """The values that could be read, as operations take them."""
        names = ("activity", "activity_from", "activity_to", "solution_area", "country", "title")
        return {name: self.cleaned_data[name] for name in names if name in self.cleaned_data}


def about_values(claim: Claim) -> dict[str, Any]:
    return {
        "revision": claim.revision,
        "activity": claim.activity.code,
        "activity_from": claim.activity_from,
        "activity_to": claim.activity_to,
        "solution_area": claim.solution_area,
        "country": claim.country,
        "title": claim.title,
    }


# --- Lines ------------------------------------------------------------------------------------------------------------


LINE_NAMES = ("supplier", "invoice_number", "invoiced_on", "description")


class InvoiceForm(ClaimForm):
    """One invoice of somebody else."""

    supplier = forms.CharField(
        label="Supplier",
        help_text="As it stands on the invoice",
        max_length=200,
        error_messages={"required": "Enter the supplier's name"},
    )
    invoice_number = forms.CharField(
        label="Invoice number",
        max_length=80,
        error_messages={"required": "Enter the invoice's number, as it stands on it"},
    )
    invoiced_on = DayField(label="Invoice date", required=False)
    cost = AmountField(label="What it cost", required=False)
    amount = AmountField(
        label="Amount to claim",
        help_text="What you paid, without tax that you get back, for example 4,200.00",
        error_messages={"required": "Enter the amount"},
    )
    description = forms.CharField(label="What it was for", max_length=500, required=False)
    file = EvidenceField(label="Invoice file", help_text=f"{FILE_HINT}. {LATER}")
    details: Sequence[Metric] = ()

    def __init__(self, *args: Any, currency: str, share: Decimal, details: Sequence[Metric], **options: Any) -> None:
        super().__init__(*args, **options)
        self.share = share
        self.details = details
        self.fields["amount"].currency = self.fields["cost"].currency = currency  # type: ignore[attr-defined]
        if share < 100 or self.initial.get("cost"):
            self.fields["cost"].help_text = "The whole amount, without tax that you get back, for example 4,200.00"
            self.fields["amount"].required = False
            self.fields["amount"].help_text = f"Leave it empty to claim the {share.normalize():f} % of it that is paid"
        else:
            del self.fields["cost"]
        for metric in details:
            self.fields[f"detail_{metric.code}"] = answer_field(metric, {}, short=True)

    def clean(self) -> dict[str, Any]:
        """What is claimed of a cost, where that is not said, is what the allowance pays of it."""
        data = super().clean() or {}
        if "cost" not in self.fields or {"cost", "amount"} & set(self.errors):
            return data
        if data.get("cost") and not data.get("amount"):
            data["amount"] = money.share(data["cost"], int(self.share * 100))
        if not data.get("amount"):
            self.add_error("cost", "Enter what it cost")
        return data

    def values(self) -> dict[str, Any]:
        """What could be read of the line, as operations take it."""
        given = self.cleaned_data
        found = {name: given[name] for name in LINE_NAMES if name in given}
        if given.get("amount"):
            found["amount_minor"] = given["amount"]
        if "cost" in given:
            found["cost_minor"] = given["cost"]
        details = {
            m.code: text_of_answer(m, given[f"detail_{m.code}"]) for m in self.details if f"detail_{m.code}" in given
        }
        return {**found, **({"details": details} if details else {})}


class StatementForm(InvoiceForm):
    """In-house work, certified by a statement and report (CSR) instead of an invoice."""

    invoice_number = None  # type: ignore[assignment]
    invoiced_on = None  # type: ignore[assignment]
    supplier = forms.CharField(
        label="Who did the work", help_text="The team or the people", max_length=200, required=False
    )
    amount = AmountField(
        label="Amount to claim",
        help_text="The cost of the work itself, for example 1,850.00",
        error_messages={"required": "Enter what the work cost"},
    )
    description = forms.CharField(
        label="What was done", max_length=500, error_messages={"required": "Say what was done, in a few words"}
    )
    file = EvidenceField(label="Certification statement and report (CSR)", help_text=f"Signed. {FILE_HINT}. {LATER}")
    field_order = ["revision", "description", "supplier", "cost", "amount", "file"]


LINE_FORMS: dict[str, type[InvoiceForm]] = {"invoice": InvoiceForm, "csr": StatementForm}


def line_values(claim: Claim, line: ClaimLine) -> dict[str, Any]:
    return {
        "revision": claim.revision,
        "supplier": line.supplier,
        "invoice_number": line.invoice_number,
        "invoiced_on": line.invoiced_on,
        "cost": figure(claim, line.cost_minor),
        "amount": figure(claim, line.amount_minor),
        "description": line.description,
        **{f"detail_{code}": value for code, value in line.details.items()},
    }


def figure(claim: Claim, minor: int | None) -> str:
    """An amount as people write it in a field."""
    return "" if minor is None else money.display(minor, claim.currency).rpartition(" ")[0]


# --- Proof and results ------------------------------------------------------------------------------------------------


def about(label: str, joint: str, proof: Proof) -> SafeString:
    """A short label below the proof's heading; who does not see the heading hears which proof it is of."""
    return format_html('{}<span class="visually-hidden"> {} {}</span>', label, joint, proof.name)


class ProofForm(ClaimForm):
    """All proofs of an activity at once: a file or an address for each, with a note."""

    def __init__(
        self,
        *args: Any,
        proofs: Sequence[Proof],
        given: Iterable[str],
        dated: Mapping[str, date | None],
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.proofs = proofs
        self.dated = dated
        for proof in proofs:
            self.fields[f"file_{proof.code}"] = EvidenceField(label=about("File", "for", proof), help_text=FILE_HINT)
            self.fields[f"url_{proof.code}"] = forms.CharField(
                label=about("Or the address of a page", "for", proof), max_length=500, required=False
            )
            self.fields[f"note_{proof.code}"] = forms.CharField(
                label=about("Note for the reviewer", "on", proof), max_length=500, required=False
            )
            if proof.code in dated:
                self.fields[f"dated_{proof.code}"] = DayField(
                    label=about("Day of the approval", "for", proof),
                    help_text="The day that stands on it. It lies before the first day of the activity.",
                    required=False,
                    initial=dated[proof.code],
                )
            if proof.code in given:
                self.fields[f"replace_{proof.code}"] = forms.BooleanField(
                    label="It takes the place of what is there", required=False, initial=True
                )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for proof in self.proofs:
            has_note, code = data.get(f"note_{proof.code}"), proof.code
            nothing = not (data.get(f"file_{code}") or data.get(f"url_{code}"))
            if has_note and nothing and f"file_{code}" not in self.errors:
                self.add_error(f"file_{code}", "Choose a file, or give an address, to go with your note.")
        return data

    def given(self) -> list[str]:
        """The codes of the proofs for which a file or an address was given."""
        data = self.cleaned_data
        return [p.code for p in self.proofs if data.get(f"file_{p.code}") or data.get(f"url_{p.code}")]

    def days(self) -> dict[str, date | None]:
        """The days that were changed, by proof."""
        given = self.cleaned_data
        return {
            c: given[f"dated_{c}"] for c in self.dated if f"dated_{c}" in given and given[f"dated_{c}"] != self.dated[c]
        }


class ResultsForm(ClaimForm):
    """The results that the activity asks for; any may be left open in a draft."""

    def __init__(self, *args: Any, metrics: Sequence[Metric], names: Mapping[str, str], **options: Any) -> None:
        super().__init__(*args, **options)
        self.metrics = metrics
        for metric in metrics:
            self.fields[metric.code] = answer_field(metric, names)

    def values(self) -> dict[str, str]:
        """The answers that could be read, as operations take them."""
        given = self.cleaned_data
        return {m.code: text_of_answer(m, given[m.code]) for m in self.metrics if m.code in given}


# --- Sending ----------------------------------------------------------------------------------------------------------


class SendForm(ClaimForm):
    declared = forms.BooleanField(
        label="I confirm that the work was done as described, and that the figures and the documents are true",
        error_messages={"required": "Confirm that the claim is true before you send it"},
    )
