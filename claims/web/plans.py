"""The list of plans: what was asked for, granted and claimed, and whose turn it is."""

from __future__ import annotations

from itertools import chain
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from claims import states
from claims.models import Plan, PlanQuerySet
from claims.permissions import WRITERS
from claims.queries.plan_lists import all_of, narrowed, page_of_plans
from claims.web.plan_forms import FilterForm
from claims.web.plan_standing import TONES, status_name
from coop.lib import money
from coop.lib.dates import show_day
from coop.lib.web import asked_number, asked_text
from funds.downloads import csv_download
from funds.web.clocks import span
from partners.web.request import PersonRequest

FILTERS = ("status", "turn", "q")
TURNS = {"partner": "The partner", "channel_manager": "The channel manager", "nobody": ""}
HEADINGS = (
    "number",
    "version",
    "name",
    "partner",
    "fund",
    "activities",
    "first_day",
    "last_day",
    "currency",
    "requested",
    "approved",
    "claimed",
    "status",
    "whose_turn",
    "since",
)


def chosen(request: PersonRequest) -> tuple[FilterForm, dict[str, str], PlanQuerySet]:
    """The filters of the address and the plans that fit them; a filter that cannot be read counts as none."""
    form = FilterForm({name: asked_text(request, name).strip()[:80] for name in FILTERS})
    form.is_valid()
    kept = {name: value for name in FILTERS if (value := form.cleaned_data.get(name, ""))}
    found = narrowed(request.user, status=kept.get("status", ""), turn=kept.get("turn", ""), text=kept.get("q", ""))
    return form, kept, found


@login_required
@require_safe
def plans(request: PersonRequest) -> HttpResponse:
    """Plans, newest first, narrowed by what the address says."""
    form, kept, found = chosen(request)
    before = asked_number(request, "before")
    page = page_of_plans(found, before=before)
    here, vendor = reverse("plans"), request.user.is_vendor
    context = {
        "rows": [row(plan, vendor=vendor) for plan in page.plans],
        "columns": columns(vendor=vendor),
        "total": page.total,
        "filter_form": form,
        "active": active(form, kept, here),
        "clear_url": here,
        "older_url": f"{here}?{urlencode({**kept, 'before': page.older})}" if page.older else "",
        "newest_url": f"{here}?{urlencode(kept)}" if before else "",
        "export_url": f"{reverse('plan-export')}?{urlencode(kept)}",
        "may_write": request.user.role in WRITERS,
        "vendor": vendor,
    }
    return render(request, "claims/plans/plans.html", context)


def active(form: FilterForm, kept: dict[str, str], here: str) -> list[dict[str, str]]:
    """The filters that count, each with the address that takes it away."""
    names = {"status": dict(form.fields["status"].choices), "turn": dict(form.fields["turn"].choices)}  # type: ignore[attr-defined]
    return [
        {
            "label": str(names.get(name, {}).get(value, f"“{value}”")),
            "url": f"{here}?{urlencode({other: text for other, text in kept.items() if other != name})}",
        }
        for name, value in kept.items()
    ]


def columns(*, vendor: bool) -> list[dict[str, str]]:
    labels = [
        ("Plan", "lead"),
        ("Status", "status"),
        ("Asked for", "amount"),
        ("Approved", "number"),
        ("Claimed", "number"),
        ("Partner" if vendor else "When", ""),
        ("Whose turn", ""),
    ]
    return [{"label": label, "kind": kind} for label, kind in labels]


def row(plan: Plan, *, vendor: bool) -> dict[str, Any]:
    named = list(dict.fromkeys(activity.activity.name for activity in plan.activities.all()))
    when = span(*days(plan))
    turn = turn_text(plan, vendor=vendor)
    since = f"since {show_day(plan.turn_since.date())}" if turn else ""
    return {
        "cells": [
            {
                "text": plan.title,
                "url": reverse("plan-review" if vendor else "plan", args=[plan.pk]),
                "sub": ", ".join([str(plan), *named]),
            },
            {"text": plan.status_name if vendor else status_name(plan), "tone": TONES[plan.status]},
            {"amount": shown(plan, "requested")},
            {"amount": shown(plan, "granted")},
            {"amount": shown(plan, "claimed")},
            {"text": plan.partner.name, "sub": when} if vendor else {"text": when},
            {"text": turn, "sub": since},
        ]
    }


def shown(plan: Plan, name: str) -> str:
    minor: int = getattr(plan, name)
    return plan.show(minor) if minor else ""


def turn_text(plan: Plan, *, vendor: bool) -> str:
    if plan.whose_turn == "partner" and not vendor:
        return "Yours"
    return TURNS[plan.whose_turn]


def days(plan: Plan) -> tuple[Any, Any]:
    """The first and the last day of its activities, as far as they are known."""
    first = [activity.starts_on for activity in plan.activities.all() if activity.starts_on]
    last = [activity.ends_on for activity in plan.activities.all() if activity.ends_on]
    return min(first, default=None), max(last, default=None)


@login_required
@require_safe
def plan_export(request: PersonRequest) -> HttpResponseBase:
    """All plans that fit the filters, as a table to download."""
    _, _, found = chosen(request)
    return csv_download(chain([HEADINGS], map(line, all_of(found))), "plans.csv")


def line(plan: Plan) -> list[str]:
    first, last = days(plan)
    amounts = (money.to_text(getattr(plan, name), plan.currency) for name in ("requested", "granted", "claimed"))
    return [
        plan.number,
        str(plan.version),
        plan.title,
        plan.partner.name,
        str(plan.fund),
        "; ".join(activity.activity.code for activity in plan.activities.all()),
        first.isoformat() if first else "",
        last.isoformat() if last else "",
        plan.currency,
        *amounts,
        states.PLAN_STATUSES[plan.status][0],
        plan.whose_turn,
        plan.turn_since.isoformat(),
    ]
