"""Adjustments: what waits for a second person, what was decided, and one of them with its entries."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from coop.lib.dates import show_day, show_instant
from coop.lib.errors import NotFound, Refused
from coop.lib.web import asked_number, now
from funds import states
from funds.models import Adjustment, Entry, Fund
from funds.models.adjustments import READERS
from funds.operations import adjustments as operations
from funds.operations.adjusting import LONGEST_NOTE
from funds.queries.adjustments import decided_adjustments, second_people, waiting_adjustments
from funds.web.cards import LABELS
from funds.web.clocks import earned_in
from funds.web.imports import revision_of
from partners.models import Event, Person
from partners.permissions import require_role
from partners.states import FINANCE
from partners.web.request import PersonRequest

PAGE = 25
STATUSES = {
    "requested": ("Waits for a second person", "attention"),
    "posted": ("Posted", "done"),
    "declined": ("Declined", "locked"),
}
COLUMNS = [
    {"label": "What", "kind": "lead"},
    {"label": "Status", "kind": "status"},
    {"label": "Reason", "kind": ""},
    {"label": "By", "kind": ""},
    {"label": "Amount", "kind": "amount"},
]


# --- The list ---------------------------------------------------------------------------------------------------------


@login_required
@require_safe
def adjustments(request: PersonRequest) -> HttpResponse:
    """What waits for a second person first, then what was posted or declined, newest first."""
    require_role(request.user, *READERS, to="see adjustments")
    before = asked_number(request, "before")
    rows = decided_adjustments(request.user, before=before, size=PAGE + 1)
    here = reverse("adjustments")
    context = {
        "waiting": [] if before else [task(adjustment, request) for adjustment in waiting_adjustments(request.user)],
        "rows": [row(adjustment) for adjustment in rows[:PAGE]],
        "columns": COLUMNS,
        "acts": request.user.role == FINANCE,
        "older_url": f"{here}?before={rows[PAGE - 1].pk}" if len(rows) > PAGE else "",
        "newer_url": here if before else "",
    }
    return render(request, "funds/adjustments.html", context)


def task(adjustment: Adjustment, request: PersonRequest) -> dict[str, str]:
    mine = adjustment.requested_by_id == request.user.pk
    asked = f"asked for by {adjustment.requested_by.name} on {show_day(adjustment.requested_at.date())}"
    return {
        "label": what(adjustment),
        "url": reverse("adjustment", args=[adjustment.pk]),
        "hint": f"{name_of(adjustment.fund)}; {states.REASON_CODES[adjustment.reason_code]}, {asked}",
        "status": "You asked for it" if mine else "Waits for a second person",
        "tone": "active" if mine else "attention",
    }


def row(adjustment: Adjustment) -> dict[str, Any]:
    text, tone = STATUSES[adjustment.status]
    people = [adjustment.requested_by.name, *([adjustment.approved_by.name] if adjustment.approved_by else [])]
    return {
        "cells": [
            {
                "text": told(adjustment),
                "url": reverse("adjustment", args=[adjustment.pk]),
                "sub": name_of(adjustment.fund),
            },
            {"text": text, "tone": tone},
            {"text": states.REASON_CODES[adjustment.reason_code]},
            {"text": f"{' and '.join(people)}, {show_day(adjustment.requested_at.date())}"},
            {"amount": adjustment.fund.show(adjustment.amount_minor)},
        ]
    }


def what(adjustment: Adjustment) -> str:
    """What an adjustment does, as an instruction: it names buttons and titles."""
    amount = adjustment.fund.show(abs(adjustment.amount_minor))
    if adjustment.purpose == "rollover" and adjustment.to_fund:
        return f"Move {amount} to {adjustment.to_fund.earning_period}"
    if adjustment.purpose == "to_rebate":
        return f"Pay out {amount} as rebate"
    if adjustment.purpose == "write_off":
        return f"Write off {amount}"
    return f"Add {amount}" if adjustment.amount_minor > 0 else f"Take {amount}"


def told(adjustment: Adjustment) -> str:
    """What an adjustment did, once it is posted; until then what it would do."""
    if adjustment.status != "posted":
        return what(adjustment)
    amount = adjustment.fund.show(abs(adjustment.amount_minor))
    if adjustment.purpose == "rollover" and adjustment.to_fund:
        return f"{amount} moved to {adjustment.to_fund.earning_period}"
    if adjustment.purpose == "to_rebate":
        return f"{amount} paid out as rebate"
    if adjustment.purpose == "write_off":
        return f"{amount} written off"
    return f"{amount} {'added' if adjustment.amount_minor > 0 else 'taken'}"


def name_of(fund: Fund) -> str:
    return f"{fund.partner}, {fund.location}, {lower_first(earned_in(fund.earning_period))}, {fund.program}"


def shown(preview: operations.Preview) -> dict[str, Any]:
    """A preview as the page shows it: entries, and of each fund what changes."""
    names = {after.pk: earned_in(after.earning_period) for _, after in preview.funds}
    return {
        "entries": [entry_row(entry, names) for entry in preview.entries],
        "funds": [
            {"name": f"{earned_in(after.earning_period)}, {after.program}", "rows": changes(before, after)}
            for before, after in preview.funds
        ],
        "overdrawn": [after.show(-after.available_minor) for _, after in preview.funds if after.overdrawn],
    }


def entry_row(entry: Entry, names: dict[int, str]) -> dict[str, str]:
    return {
        "what": entry.sentence,
        "way": f"{entry.from_bucket} to {entry.to_bucket}".replace("_", " "),
        "fund": names.get(entry.fund_id, ""),
        "url": reverse("fund", args=[entry.fund_id]),
        "day": show_day(entry.effective_on),
        "reason": states.REASON_CODES.get(entry.reason_code, ""),
        "amount": Fund(currency=entry.currency).show(entry.amount_minor),
    }


FIGURES = {"earned": "Earned", "adjustments": "Adjustments", **LABELS}


def changes(before: Fund, after: Fund) -> list[dict[str, Any]]:
    """The figures of a fund that change, each before and after."""
    found = []
    for name, label in FIGURES.items():
        was, becomes = getattr(before, f"{name}_minor"), getattr(after, f"{name}_minor")
        if was != becomes or name == states.AVAILABLE:
            found.append({"label": label, "before": before.show(was), "after": after.show(becomes)})
    return found


# --- One of them ------------------------------------------------------------------------------------------------------


class DeclineForm(forms.Form):
    """Why an adjustment is declined."""

    reason = forms.CharField(
        label="Why not",
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Whoever asked for it reads this",
        error_messages={"required": "Say why it is declined"},
    )


@login_required
@require_safe
def adjustment(request: PersonRequest, adjustment_id: int) -> HttpResponse:
    """One adjustment: what it does and why, its entries, and what the second person may do."""
    return page_of(request, adjustment_id, DeclineForm())


def page_of(request: PersonRequest, adjustment_id: int, form: DeclineForm) -> HttpResponse:
    found = Adjustment.objects.visible_to(request.user).with_names().filter(id=adjustment_id).first()
    if found is None:
        raise NotFound(operations.NO_ADJUSTMENT)
    text, tone = STATUSES[found.status]
    waits, acts = found.status == "requested", request.user.role == FINANCE
    mine = found.requested_by_id == request.user.pk
    context = {
        "adjustment": found,
        "title": told(found),
        "name": name_of(found.fund),
        "status_text": text,
        "status_tone": tone,
        "facts": facts(found, of_vendor=request.user.is_vendor),
        "preview": {"entries": posted_rows(found)} if found.status == "posted" else None,
        "waits": waits,
        "acts": acts,
        "mine": mine,
        "declined_by": declined_by(request.user, found) if found.status == "declined" else None,
        "others": second_people(request.user) if waits and acts and mine else [],
        "crumbs": crumbs() if request.user.role in READERS else crumbs_of(found.fund),
    }
    if waits and acts:
        try:
            context["preview"] = shown(operations.preview_approval(found.pk, by=request.user, at=now(request)))
        except Refused as refusal:
            context["not_now"] = refusal.message if not refusal.errors else refusal.errors[0].message
    context["may_approve"] = waits and acts and not mine and "not_now" not in context
    context["approve_label"] = f"Approve: {lower_first(what(found))}"
    context["form"] = form
    return render(request, "funds/adjustment.html", context, status=400 if form.errors else 200)


def declined_by(person: Person, found: Adjustment) -> Person | None:
    """Who declined it, or took the own request back."""
    told = Event.objects.visible_to(person).about("adjustment", found.pk).filter(verb="adjustment.declined")
    event = told.select_related("actor").first()
    return event.actor if event else None


def posted_rows(found: Adjustment) -> list[dict[str, str]]:
    names = {fund.pk: earned_in(fund.earning_period) for fund in (found.fund, found.to_fund) if fund}
    return [entry_row(entry, names) for entry in operations.entries_of(found)]


def facts(found: Adjustment, *, of_vendor: bool = True) -> list[dict[str, str]]:
    """What an adjustment says of itself."""
    fund = found.fund
    rows = [
        {"key": "Fund", "value": name_of(fund), "url": reverse("fund", args=[fund.pk])},
        {"key": "What", "value": states.ADJUSTMENT_PURPOSES[found.purpose]},
        {"key": "Amount", "amount": fund.show(found.amount_minor)},
    ]
    if found.to_fund:
        rows.append(
            {
                "key": "Into the fund",
                "value": f"{earned_in(found.to_fund.earning_period)}, {fund.program}",
                "url": reverse("fund", args=[found.to_fund.pk]),
            }
        )
    rows += [
        {"key": "Reason", "value": states.REASON_CODES[found.reason_code]},
        {"key": "Effective on", "value": show_day(found.effective_on)},
        {"key": "Note", "value": found.note or "None"},
    ]
    if of_vendor and found.pk and found.decided_at:
        decided = "Declined" if found.status == "declined" else "Posted"
        rows.append({"key": decided, "value": show_instant(found.decided_at)})
    if found.decline_reason:
        rows.append({"key": "Why it was declined", "value": found.decline_reason})
    return rows


def lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def crumbs_of(fund: Fund) -> list[dict[str, str]]:
    """The way back for somebody who came from an entry of the fund."""
    return [
        {"label": "Funds", "url": reverse("funds")},
        {"label": earned_in(fund.earning_period), "url": reverse("fund", args=[fund.pk])},
    ]


def crumbs() -> list[dict[str, str]]:
    return [{"label": "Adjustments", "url": reverse("adjustments")}]


@login_required
@require_POST
def adjustment_approve(request: PersonRequest, adjustment_id: int) -> HttpResponse:
    done = operations.approve_adjustment(adjustment_id, revision=revision_of(request), by=request.user, at=now(request))
    messages.success(request, f"{done} is posted: {lower_first(what(done))}.")
    return redirect("adjustment", done.pk)


@login_required
@require_POST
def adjustment_decline(request: PersonRequest, adjustment_id: int) -> HttpResponse:
    form = DeclineForm(request.POST)
    if not form.is_valid():
        return page_of(request, adjustment_id, form)
    done = operations.decline_adjustment(
        adjustment_id,
        reason=form.cleaned_data["reason"],
        revision=revision_of(request),
        by=request.user,
        at=now(request),
    )
    messages.success(request, f"{done} is declined. Nothing was posted.")
    return redirect("adjustment", done.pk)
