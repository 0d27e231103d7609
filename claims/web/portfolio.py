"""The portfolio of a channel manager, and the page of one partner in it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from claims.models import Claim
from claims.queries.plan_lists import narrowed, with_sums
from claims.queries.portfolio import Standing, portfolio_of
from claims.web.plan_standing import TONES as PLAN_TONES
from claims.web.standing import TONES
from coop.lib.dates import show_day, show_deadline
from coop.lib.errors import NotFound
from coop.lib.web import now
from funds.downloads import csv_download
from funds.queries.deadlines import closes_at
from funds.queries.funds import funds_of
from funds.web.cards import is_estimate
from funds.web.clocks import earned_in, time_left
from partners.models import Person
from partners.permissions import require_role
from partners.queries import covering
from partners.states import AUDITOR, CHANNEL_MANAGER, FINANCE, PROGRAM_ADMIN
from partners.web.request import PersonRequest

LOOKERS = (CHANNEL_MANAGER, FINANCE, PROGRAM_ADMIN, AUDITOR)
PAGE, SHOWN = 50, 10
COLUMNS = [
    {"label": "Partner", "kind": "lead"},
    {"label": "At risk", "kind": "amount"},
    {"label": "Expires first", "kind": ""},
    {"label": "Plans to decide", "kind": "number"},
    {"label": "Plans in force", "kind": "number"},
    {"label": "Claims open", "kind": "number"},
    {"label": "Right first time", "kind": "number"},
]
FUND_COLUMNS = [
    {"label": "Fund", "kind": "lead"},
    {"label": "Available", "kind": "amount"},
    {"label": "Reserved", "kind": "number"},
    {"label": "In review", "kind": "number"},
    {"label": "Paid", "kind": "number"},
    {"label": "Claims close", "kind": ""},
]
RECORD_COLUMNS = [
    {"label": "What", "kind": "lead"},
    {"label": "Status", "kind": "status"},
    {"label": "Amount", "kind": "amount"},
    {"label": "Since", "kind": ""},
]


@login_required
@require_safe
def portfolio(request: PersonRequest) -> HttpResponseBase:
    """The partners, those who lose most soonest on top; as a table to download with `format=csv`."""
    require_role(request.user, *LOOKERS, to="look at the portfolio")
    at = now(request)
    found = portfolio_of(request.user, at)
    if request.GET.get("format") == "csv":
        return csv_download(csv_rows(found), "portfolio.csv")
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    context = {
        "columns": COLUMNS,
        "rows": [row(one, at) for one in page],
        "page": page,
        "total": len(found),
        "losing": sum(bool(one.losses) for one in found),
        "away": [
            f"{one.to} stands in for you until {show_day(one.ends_on)}." for one in covering(request.user.pk, at.date())
        ],
        "decides": request.user.role == CHANNEL_MANAGER,
        "newer_url": f"?page={page.previous_page_number()}" if page.has_previous() else "",
        "older_url": f"?page={page.next_page_number()}" if page.has_next() else "",
    }
    return render(request, "claims/portfolio/portfolio.html", context)


def csv_rows(found: Any) -> Any:
    yield [
        "partner",
        "name",
        "at_risk",
        "expires_first",
        "plans_to_decide",
        "plans_in_force",
        "claims_open",
        "claims_decided",
        "right_first_time",
    ]
    for one in found:
        first = one.losses[0].close_at.isoformat() if one.losses else ""
        counts = (one.plans_waiting, one.plans_in_force, one.claims_open, one.decided, one.right_at_once)
        yield [one.partner.external_id, one.partner.name, one.at_risk, first, *counts]


def row(one: Standing, at: datetime) -> dict[str, Any]:
    first = one.losses[0] if one.losses else None
    left = time_left(first.close_at, at=at, zone=first.zone)[0] if first else ""
    return {
        "cells": [
            {
                "text": one.partner.name,
                "url": reverse("portfolio-partner", args=[one.partner.pk]),
                "sub": f"{one.partner.external_id}, {one.partner.country}",
            },
            {"text": one.at_risk} if "," in one.at_risk and len(one.losses) > 1 else {"amount": one.at_risk},
            {"text": f"{first.amount} {left}", "sub": show_deadline(first.close_at, first.zone)} if first else {},
            {"text": str(one.plans_waiting or "")},
            {"text": str(one.plans_in_force or "")},
            {"text": str(one.claims_open or "")},
            {"text": one.right_text},
        ]
    }


@login_required
@require_safe
def portfolio_partner(request: PersonRequest, partner_id: int) -> HttpResponse:
    """One partner: what it may lose, its balances, plans, claims and people."""
    require_role(request.user, *LOOKERS, to="look at the portfolio")
    at = now(request)
    one = next(iter(portfolio_of(request.user, at, only=partner_id)), None)
    if one is None:
        raise NotFound("There is no such partner.")
    funds = funds_of(request.user).filter(partner_id=partner_id).order_by(closes_at().desc(), "id")
    plans = with_sums(narrowed(request.user).filter(partner_id=partner_id)).order_by("-turn_since", "-id")
    claims = Claim.objects.visible_to(request.user).filter(partner_id=partner_id).select_related("activity")
    context = {
        "one": one,
        "losses": [
            f"{loss.amount} on {show_deadline(loss.close_at, loss.zone)}, {time_left(loss.close_at, at=at, zone=loss.zone)[0]}"
            for loss in one.losses
        ],
        "fund_columns": FUND_COLUMNS,
        "record_columns": RECORD_COLUMNS,
        "funds": [fund_row(fund, at) for fund in funds[:SHOWN]],
        "plans": [
            record_row(
                plan.title,
                str(plan),
                reverse("plan-review", args=[plan.pk]),
                plan.status_name,
                PLAN_TONES[plan.status],
                plan.show(plan.requested),  # type: ignore[attr-defined]
                plan.turn_since,
            )
            for plan in plans[:SHOWN]
        ],
        "claims": [
            record_row(
                claim.title,
                f"{claim.number}, {claim.activity}",
                reverse("review", args=[claim.pk]),
                claim.status_name,
                TONES[claim.status],
                claim.show(claim.claimed_minor),
                claim.turn_since,
            )
            for claim in claims.order_by("-turn_since", "-id")[:SHOWN]
        ],
        "people": Person.objects.visible_to(request.user).filter(partner_id=partner_id, is_active=True),
    }
    return render(request, "claims/portfolio/partner.html", context)


def fund_row(fund: Any, at: datetime) -> dict[str, Any]:
    period, zone = fund.earning_period, fund.program.time_zone
    return {
        "cells": [
            {
                "text": earned_in(period),
                "url": reverse("fund", args=[fund.pk]),
                "sub": f"{fund.program}, {fund.location}" + (", an estimate" if is_estimate(fund, at) else ""),
            },
            {"amount": fund.show(fund.available_minor)},
            {"amount": fund.show(fund.reserved_minor) if fund.reserved_minor else ""},
            {"amount": fund.show(fund.in_review_minor) if fund.in_review_minor else ""},
            {"amount": fund.show(fund.paid_minor) if fund.paid_minor else ""},
            {"text": show_deadline(fund.claims_close_at, zone)},
        ]
    }


def record_row(title: str, sub: str, url: str, status: str, tone: str, amount: str, since: datetime) -> dict[str, Any]:
    return {
        "cells": [
            {"text": title, "url": url, "sub": sub},
            {"text": status, "tone": tone},
            {"amount": amount},
            {"text": show_day(since.date())},
        ]
    }
