"""The list of funds: for a partner with bars, for the vendor's people as one table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from coop.lib.dates import show_day
from coop.lib.web import now
from funds import states
from funds.models import Fund, FundQuerySet
from funds.queries.deadlines import closes_at
from funds.queries.funds import funds_of
from funds.queries.past import balances_as_of
from funds.web.cards import fund_card, is_estimate
from funds.web.clocks import earned_in
from funds.web.moments import Asked, asked_moment
from partners.web.request import PersonRequest

PAGE = 50


@login_required
@require_safe
def funds(request: PersonRequest) -> HttpResponse:
    """All funds: for a partner those that count now as bars, the closed ones as a table; for the vendor one table."""
    asked = asked_moment(request)
    if request.user.is_vendor:
        return funds_of_partners(request, asked)
    at = asked.moment.instant(now(request), asked.zone)
    found = as_asked(known_then(funds_of(request.user), asked), asked)
    places = len({fund.location_id for fund in found}) > 1 or len({fund.program_id for fund in found}) > 1
    cards: dict[str, list[dict[str, Any]]] = {"open": [], "earning": []}
    closed = []
    for fund in found:
        settled_away = fund.converted_minor and not (fund.remaining_minor or fund.claimed_minor)
        if is_estimate(fund, at):
            cards["earning"].append(fund_card(fund, at=at, with_place=places, kept=asked.kept))
        elif at < fund.claims_close_at and not settled_away:
            cards["open"].append(fund_card(fund, at=at, with_place=places, kept=asked.kept))
        else:
            closed.append(fund)
    closed.sort(key=lambda fund: (fund.claims_close_at, fund.pk), reverse=True)
    return render(
        request,
        "funds/funds.html",
        {
            "cards": cards,
            "closed": [closed_row(fund, asked) for fund in closed],
            "columns": CLOSED_COLUMNS,
            "nothing": not found,
            **moment_context(asked, reverse("funds"), nothing=not found),
        },
        status=400 if asked.form.errors else 200,
    )


def known_then(found: FundQuerySet, asked: Asked) -> FundQuerySet:
    """Without the funds that did not exist yet."""
    known_at = asked.moment.known_at
    return found.filter(created_at__lte=known_at) if known_at else found


def as_asked(found: Iterable[Fund], asked: Asked) -> list[Fund]:
    """The funds with their balances as of the moment that was asked for."""
    return balances_as_of(found, as_of=asked.moment.as_of, known_at=asked.moment.known_at)


def moment_context(asked: Asked, here: str, *, nothing: bool) -> dict[str, Any]:
    """What `funds/_moment.html` needs on a list."""
    return {
        "asked": asked,
        "here": here,
        "changes_url": reverse("fund-all-changes"),
        "too_early": "None of these funds existed by then." if asked and nothing else "",
    }


CLOSED_COLUMNS = [
    {"label": "Fund", "kind": "lead"},
    {"label": "Earned", "kind": "amount"},
    {"label": "Paid", "kind": "number"},
    {"label": "Still underway", "kind": "number"},
    {"label": "Converted", "kind": "number"},
    {"label": "Expired", "kind": "number"},
]


def closed_row(fund: Fund, asked: Asked) -> dict[str, Any]:
    underway = fund.in_review_minor + fund.approved_minor + fund.remaining_minor
    page = reverse("fund", args=[fund.pk])
    return {
        "cells": [
            {
                "text": earned_in(fund.earning_period),
                "url": asked.url(page),
                "sub": f"{fund.program}, {fund.location}",
            },
            {
                "amount": fund.show(fund.earned_minor + fund.adjustments_minor),
                "url": asked.url(page, "#entries", bucket=states.EARNED),
            },
            behind(fund, fund.paid_minor, asked, states.PAID),
            behind(fund, underway, asked),
            behind(fund, fund.converted_minor, asked, states.CONVERTED),
            behind(fund, fund.expired_minor, asked, states.EXPIRED),
        ]
    }


def behind(fund: Fund, minor: int, asked: Asked, bucket: str = "") -> dict[str, str]:
    """A figure of a table as a link to the entries behind it; nothing where it is zero."""
    page = reverse("fund", args=[fund.pk])
    return {"amount": fund.show(minor), "url": asked.url(page, "#entries", bucket=bucket)} if minor else {"amount": ""}


PARTNER_COLUMNS = [
    {"label": "Partner and fund", "kind": "lead"},
    {"label": "Available", "kind": "amount"},
    {"label": "In review", "kind": "number"},
    {"label": "Approved", "kind": "number"},
    {"label": "Paid", "kind": "number"},
    {"label": "Claim by", "kind": ""},
]


def funds_of_partners(request: PersonRequest, asked: Asked) -> HttpResponse:
    """For the vendor's people: the funds of every partner they see, those that close last first; or those below zero."""
    overdrawn = funds_of(request.user).filter(available_minor__lt=0)
    only_overdrawn = request.GET.get("show") == "overdrawn"
    found = (
        overdrawn.order_by("available_minor", "id")
        if only_overdrawn
        else known_then(funds_of(request.user), asked).order_by(closes_at().desc(), "partner__name", "id")
    )
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    rows = [
        {
            "cells": [
                {
                    "text": fund.partner.name,
                    "url": asked.url(reverse("fund", args=[fund.pk])),
                    "sub": f"{earned_in(fund.earning_period)}, {fund.program}, {fund.location}",
                },
                {
                    "amount": fund.show(fund.available_minor),
                    "url": asked.url(reverse("fund", args=[fund.pk]), "#entries", bucket=states.AVAILABLE),
                },
                behind(fund, fund.in_review_minor, asked, states.IN_REVIEW),
                behind(fund, fund.approved_minor, asked, states.APPROVED),
                behind(fund, fund.paid_minor, asked, states.PAID),
                {"text": show_day(fund.claims_close_on)},
            ]
        }
        for fund in (page if only_overdrawn else as_asked(page, asked))
    ]
    context = {
        "rows": rows,
        "columns": PARTNER_COLUMNS,
        "page": page,
        "total": page.paginator.count,
        "only_overdrawn": only_overdrawn,
        "overdrawn": overdrawn.count(),
        "kept": f"{urlencode({'show': 'overdrawn'} if only_overdrawn else asked.kept)}&",
        **moment_context(asked, reverse("funds"), nothing=not rows),
    }
    return render(request, "funds/funds_of_partners.html", context, status=400 if asked.form.errors else 200)
