"""The living style guide: every component of templates/_components with invented data, for people and for visual checks.

Route it in a sandbox only. Nothing here touches the database.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

CURRENCY = "USD"


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


def part(key: str, label: str, minor: int, hint: str = "") -> dict[str, Any]:
    """One part of a fund bar, with its amount as text."""
    return {"key": key, "label": label, "minor": minor, "amount": f"{minor / 100:,.2f}", "hint": hint, "url": "#fund"}


PARTS = [
    part("paid", "Paid", 184_050),
    part("approved", "Approved", 120_000, "in the run of 15 Mar 2024"),
    part("in_review", "In review", 215_000),
    part("reserved", "Reserved", 150_000, "by approved plans"),
    part("available", "Available", 311_305, "to spend by 30 Jun 2024"),
    part("expired", "Expired", 20_000),
    part("converted", "Converted", 0),
]

SAMPLE: dict[str, Any] = {
    "identity": {"name": "Ana Ruiz", "organisation": "Northwind Reseller GmbH", "program": "MCI CSP indirect reseller", "role": "Marketer"},
    "sandbox": {"now": "1 Mar 2024, 00:00:00 UTC", "url": "#clock"},
    "version": "0.1.0",
    "help_url": "#help",
    "search_url": "#search",
    "navigation": [
        {"label": "Home", "url": "#home", "current": True, "icon": "home"},
        {"label": "Funds", "url": "#funds", "icon": "fund"},
        {"label": "Claims", "url": "#claims", "icon": "claim", "count": 2},
        {"label": "Payments", "url": "#payments", "icon": "payment"},
        {"label": "Dates", "url": "#dates", "icon": "calendar"},
        {"label": "Organisation", "url": "#organisation", "icon": "partner"},
    ],
    "crumbs": [{"label": "Funds", "url": "#funds"}, {"label": "Earned Jul-Dec 2023", "url": "#fund"}],
    "actions": [{"label": "Download statement", "url": "#statement"}],
    "figures": [
        {"label": "Available", "amount": "3,113.05", "currency": CURRENCY, "hint": "Spend it by 30 Jun 2024", "url": "#a", "tone": "attention"},
        {"label": "In review", "amount": "2,150.00", "currency": CURRENCY, "hint": "1 claim with the channel manager", "url": "#b"},
        {"label": "Approved", "amount": "1,200.00", "currency": CURRENCY, "hint": "Next payment run 15 Mar 2024", "url": "#c"},
        {"label": "Earning now", "amount": "640.20", "currency": CURRENCY, "hint": "Estimate, not spendable", "tone": "estimate"},
    ],
    "parts": PARTS,
    "statuses": [
        {"text": "Draft", "tone": "draft"},
        {"text": "In review", "tone": "active"},
        {"text": "Returned to you", "tone": "attention"},
        {"text": "There is a problem", "tone": "problem"},
        {"text": "Paid", "tone": "done"},
        {"text": "Cannot start yet", "tone": "locked"},
    ],
    "needs": [
        {"label": "Fix 2 things in claim C-2024-0117", "url": "#1", "hint": "Telemarketing, spring campaign. The call log is missing.", "amount": "2,150.00", "currency": CURRENCY, "due": "by 28 Sep 2024"},
        {"label": "Finish claim C-2024-0121", "url": "#2", "hint": "Print advertising in trade weekly", "amount": "840.00", "currency": CURRENCY, "due": "by 14 Aug 2024"},
        {"label": "Complete the bank and tax profile", "url": "#3", "hint": "No claim can be sent before", "status": "Not yet started", "tone": "attention"},
    ],
    "tasks": [
        {"label": "About the activity", "url": "#1", "status": "Completed", "tone": "done"},
        {"label": "Invoices", "url": "#2", "hint": "2 invoices, 4,200.00 USD", "status": "Completed", "tone": "done"},
        {"label": "Proof of execution", "url": "#3", "hint": "Call script provided, call log missing", "status": "There is a problem", "tone": "problem"},
        {"label": "Results", "url": "#4", "status": "In progress", "tone": "active"},
        {"label": "Payment details", "url": "#5", "status": "Not yet started", "tone": "draft"},
        {"label": "Send", "hint": "Opens when the other sections are completed", "status": "Cannot start yet", "tone": "locked"},
    ],
    "steps": [
        {"label": "Upload", "state": "past"},
        {"label": "Check what would change", "state": "current"},
        {"label": "Commit", "state": ""},
        {"label": "Report", "state": ""},
    ],
    "findings": [
        {"rule": "invoice-date", "version": 3, "outcome": "failed", "text": "One invoice is dated too late", "seen": "INV-88 of 2 Sep 2024", "wanted": "Invoices are dated inside the use period or at most 45 days after: until 14 Aug 2024", "fix": "Correct the date of INV-88, or remove the invoice", "field": "invoice_date"},
        {"rule": "proof-of-execution", "version": 5, "outcome": "failed", "text": "The call log is missing", "seen": "Call script (1 file)", "wanted": "Telemarketing needs the call script and, from fiscal year 2024, a call log", "fix": "Add the call log to the proof of execution", "url": "#proof"},
        {"rule": "vendor-content", "version": 1, "outcome": "person", "text": "The script must speak about the vendor's products", "seen": "Script in German, 3 pages", "wanted": "A reviewer reads the script", "fix": ""},
        {"rule": "duplicate", "version": 2, "outcome": "warning", "text": "An invoice like this is in another claim", "seen": "INV-87 of the same supplier and amount in C-2024-0093", "wanted": "One invoice is paid back once", "fix": "Look at both and say why this one counts", "url": "#dup"},
        {"rule": "use-period", "version": 1, "outcome": "passed", "text": "The activity lies inside the use period.", "seen": "4 Mar 2024 to 22 Mar 2024"},
        {"rule": "claim-window", "version": 1, "outcome": "passed", "text": "The claim is inside its window.", "seen": ""},
        {"rule": "money", "version": 1, "outcome": "passed", "text": "The fund holds the money.", "seen": "3,113.05 USD are available"},
    ],
    "columns": [
        {"label": "Claim", "kind": "lead"},
        {"label": "Activity", "kind": ""},
        {"label": "Claimed", "kind": "amount"},
        {"label": "Approved", "kind": "number"},
        {"label": "Left to act", "kind": ""},
        {"label": "Status", "kind": "status"},
    ],
    "rows": [
        {"cells": [{"text": "C-2024-0117", "url": "#1", "sub": "Spring calls"}, {"text": "Telemarketing"}, {"amount": "2,150.00", "currency": CURRENCY}, {"text": ""}, {"text": "28 days"}, {"text": "Returned to you", "tone": "attention"}]},
        {"cells": [{"text": "C-2024-0112", "url": "#2", "sub": "Trade weekly, March"}, {"text": "Print advertising"}, {"amount": "1,200.00", "currency": CURRENCY}, {"amount": "1,200.00", "currency": CURRENCY}, {"text": ""}, {"text": "In review", "tone": "active"}]},
        {"cells": [{"text": "C-2024-0093", "url": "#3", "sub": "Security breakfast in Linz"}, {"text": "Customer seminar"}, {"amount": "12,840.50", "currency": CURRENCY}, {"amount": "11,600.00", "currency": CURRENCY}, {"text": ""}, {"text": "Paid", "tone": "done"}]},
    ],
    "total": [{"text": "Total"}, {"text": ""}, {"amount": "16,190.50", "currency": CURRENCY}, {"amount": "12,800.00", "currency": CURRENCY}, {"text": ""}, {"text": ""}],
    "entries": [
        {"day": "1 Mar 2024", "what": "Claim sent", "reference": "C-2024-0117", "in": "", "out": "2,150.00", "balance": "3,113.05"},
        {"day": "10 Jan 2024", "what": "Adjustment: wrong calculation", "reference": "A-14", "in": "12.40", "out": "", "balance": "5,263.05"},
        {"day": "2 Jan 2024", "what": "Co-op earned", "reference": "Import 7", "in": "5,250.65", "out": "", "balance": "5,250.65"},
    ],
    "card_rows": [
        {"key": "Activity", "value": "Telemarketing", "change_url": "#c"},
        {"key": "When", "value": "4 Mar 2024 to 22 Mar 2024", "change_url": "#d", "change_label": "dates"},
        {"key": "Cost", "amount": "4,200.00", "currency": CURRENCY, "change_url": "#e"},
        {"key": "Solution area", "value": "", "change_url": "#f"},
    ],
    "files": [
        {"name": "agency-nord-inv-87.pdf", "url": "#f1", "kind": "Invoice", "size": "182 KB", "added": "by Ana Ruiz on 1 Mar 2024", "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "remove_url": "#r1"},
        {"name": "call-script.pdf", "url": "#f2", "kind": "Proof of execution", "size": "1.2 MB", "remove_url": "#r2"},
    ],
    "events": [
        {"who": "Ben Okafor", "what": "returned the claim with 2 fixes", "when": "1 Mar 2024, 09:12:00 UTC", "iso": "2024-03-01T09:12:00Z", "note": "Please add the call log. The script is fine."},
        {"who": "Ben Okafor", "what": "wrote a note", "when": "1 Mar 2024, 09:02:41 UTC", "iso": "2024-03-01T09:02:41Z", "note": "Same supplier as last year's seminar claim.", "internal": True},
        {"who": "The system", "what": "ran 7 checks", "when": "28 Feb 2024, 14:03:10 UTC", "iso": "2024-02-28T14:03:10Z"},
        {"who": "Ana Ruiz", "what": "sent the claim for", "amount": "2,150.00", "currency": CURRENCY, "when": "28 Feb 2024, 14:03:09 UTC", "iso": "2024-02-28T14:03:09Z"},
    ],
    "letter_lines": [
        {"line": "Agency Nord, INV-87", "claimed": "2,400.00", "approved": "2,400.00", "outcome": "Accepted", "reason": ""},
        {"line": "Agency Nord, INV-88", "claimed": "1,600.00", "approved": "1,200.00", "outcome": "Accepted with a change", "reason": "400.00 is for travel, which telemarketing does not cover."},
    ],
    "active": [{"label": "Status: returned to you", "url": "#x"}],
}


def styleguide(request: HttpRequest) -> HttpResponse:
    """Every component on one page."""
    refused = InvoiceForm({"supplier": "Agency Nord", "amount": "4.2000", "activity": "telemarketing"})
    refused.add_error("amount", "Write the amount with two decimals, for example 4,200.00")
    refused.is_valid()
    form = InvoiceForm(prefix="blank")
    return render(request, "styleguide.html", {**SAMPLE, "blank": form, "refused": refused, "filters": FilterForm()})
