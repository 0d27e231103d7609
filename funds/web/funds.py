"""The list of funds: for a partner with bars, for the vendor's people as one table."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from coop.lib.dates import show_day
from coop.lib.web import now
from funds.models import Fund
from funds.queries.funds import funds_of
from funds.web.cards import fund_card, is_estimate
from funds.web.clocks import earned_in
from partners.web.request import PersonRequest

PAGE = 50


@login_required
@require_safe
def funds(request: PersonRequest) -> HttpResponse:
    """All funds: for a partner those that count now as bars, the closed ones as a table; for the vendor one table."""
    at = now(request)
    if request.user.is_vendor:
        return funds_of_partners(request)
    found = list(funds_of(request.user))
    places = len({fund.location_id for fund in found}) > 1 or len({fund.program_id for fund in found}) > 1
    cards: dict[str, list[dict[str, Any]]] = {"open": [], "earning": []}
    closed = []
    for fund in found:
        settled_away = fund.converted_minor and not (fund.remaining_minor or fund.claimed_minor)
        if is_estimate(fund, at):
            cards["earning"].append(fund_card(fund, at=at, with_place=places))
        elif at < fund.earning_period.claims_close_at and not settled_away:
            cards["open"].append(fund_card(fund, at=at, with_place=places))
        else:
            closed.append(fund)
    closed.sort(key=lambda fund: (fund.earning_period.claims_close_at, fund.pk), reverse=True)
    return render(
        request,
        "funds/funds.html",
        {
            "cards": cards,
            "closed": [closed_row(fund) for fund in closed],
            "columns": CLOSED_COLUMNS,
            "nothing": not found,
        },
    )


CLOSED_COLUMNS = [
    {"label": "Fund", "kind": "lead"},
    {"label": "Earned", "kind": "amount"},
    {"label": "Paid", "kind": "number"},
    {"label": "Still underway", "kind": "number"},
    {"label": "Converted", "kind": "number"},
    {"label": "Expired", "kind": "number"},
]


def closed_row(fund: Fund) -> dict[str, Any]:
    underway = fund.in_review_minor + fund.approved_minor + fund.remaining_minor
    return {
        "cells": [
            {
                "text": earned_in(fund.earning_period),
                "url": reverse("fund", args=[fund.pk]),
                "sub": f"{fund.program}, {fund.location}",
            },
            {"amount": fund.show(fund.earned_minor + fund.adjustments_minor)},
            *(
                {"amount": fund.show(minor) if minor else ""}
                for minor in (fund.paid_minor, underway, fund.converted_minor, fund.expired_minor)
            ),
        ]
    }


PARTNER_COLUMNS = [
    {"label": "Partner and fund", "kind": "lead"},
    {"label": "Available", "kind": "amount"},
    {"label": "In review", "kind": "number"},
    {"label": "Approved", "kind": "number"},
    {"label": "Paid", "kind": "number"},
    {"label": "Claim by", "kind": ""},
]


def funds_of_partners(request: PersonRequest) -> HttpResponse:
    """For the vendor's people: the funds of every partner they see, those that close last first; or those below zero."""
    overdrawn = funds_of(request.user).filter(available_minor__lt=0)
    only_overdrawn = request.GET.get("show") == "overdrawn"
    found = (
        overdrawn.order_by("available_minor", "id")
        if only_overdrawn
        else funds_of(request.user).order_by("-earning_period__claims_close_at", "partner__name", "id")
    )
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    rows = [
        {
            "cells": [
                {
                    "text": fund.partner.name,
                    "url": reverse("fund", args=[fund.pk]),
                    "sub": f"{earned_in(fund.earning_period)}, {fund.program}, {fund.location}",
                },
                {"amount": fund.show(fund.available_minor)},
                *(
                    {"amount": fund.show(minor) if minor else ""}
                    for minor in (fund.in_review_minor, fund.approved_minor, fund.paid_minor)
                ),
                {"text": show_day(fund.earning_period.claims_close_on)},
            ]
        }
        for fund in page
    ]
    context = {
        "rows": rows,
        "columns": PARTNER_COLUMNS,
        "page": page,
        "total": page.paginator.count,
        "only_overdrawn": only_overdrawn,
        "overdrawn": overdrawn.count(),
        "kept": "show=overdrawn&" if only_overdrawn else "",
    }
    return render(request, "funds/funds_of_partners.html", context)
