"""The living style guide: every component of templates/_components, for people and for visual checks.

Route it in a sandbox only. Its invented data stands in styleguide.toml; nothing here touches the database.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

SAMPLE: dict[str, Any] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


class InvoiceForm(forms.Form):
    """One control of each kind; the style guide shows it once empty and once refused."""

    supplier = forms.CharField(label="Supplier", help_text="As it stands on the invoice")
    amount = forms.CharField(label="Net amount", help_text="Without tax, for example 4,200.00")
    invoice_date = forms.DateField(
        label="Invoice date",
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"required": "Enter the date of the invoice"},
    )
    activity = forms.ChoiceField(
        label="Activity",
        choices=[("", "Choose one"), ("telemarketing", "Telemarketing")],
        error_messages={"required": "Choose the activity"},
    )
    document = forms.FileField(
        label="Invoice file",
        help_text="PDF, PNG or JPEG, up to 20 MB",
        error_messages={"required": "Choose the file of the invoice"},
    )
    note = forms.CharField(label="Note for the reviewer", widget=forms.Textarea(attrs={"rows": 3}), required=False)
    evidence = forms.ChoiceField(
        label="What proves the cost?",
        help_text="An invoice of a third party, or your own statement for in-house work",
        choices=[("invoice", "An invoice"), ("csr", "A statement for in-house work")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what proves the cost"},
    )
    declared = forms.BooleanField(
        label="I confirm that the work was done and that the figures are true",
        error_messages={"required": "Confirm that the work was done and that the figures are true"},
    )


class FilterForm(forms.Form):
    """The filters of a list."""

    status = forms.ChoiceField(label="Status", choices=[("", "Any"), ("returned", "Returned to you")], required=False)
    fund = forms.ChoiceField(label="Fund", choices=[("", "All funds"), ("1", "Earned Jul-Dec 2023")], required=False)


def styleguide(request: HttpRequest) -> HttpResponse:
    """Every component on one page."""
    refused = InvoiceForm({"supplier": "Agency Nord", "amount": "4.2000", "activity": "telemarketing"})
    refused.add_error("amount", "Write the amount with two decimals, for example 4,200.00")
    refused.is_valid()
    forms_shown = {"blank": InvoiceForm(prefix="blank"), "refused": refused, "filters": FilterForm()}
    return render(request, "styleguide.html", {**SAMPLE, **forms_shown})
