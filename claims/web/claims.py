"""The list of claims: those that need the reader, or all."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from claims import states
from claims.models import Claim
from claims.permissions import WRITERS
from claims.queries.partner import numbers, page_of_claims, waiting_for
from claims.web.standing import TONES, status_name
from coop.lib.web import asked_number, now
from funds.web.clocks import time_left
from partners.web.request import PersonRequest

NEEDS, ALL = "needs-you", "all"
SHOWN_WAITING = 200


@login_required
@require_safe
def claims(request: PersonRequest) -> HttpResponse:
    """Claims, newest first; for the partner's people those that need them first, the most urgent on top."""
    at = now(request)
    vendor = request.user.is_vendor
    show = ALL if vendor or request.GET.get("show") == ALL else NEEDS
    waiting, known = numbers(request.user, at=at)
    before, older = asked_number(request, "before"), None
    if show == NEEDS:
        found = list(waiting_for(request.user, at=at)[:SHOWN_WAITING])
    else:
        page = page_of_claims(request.user, before=before)
        found, older = list(page.claims), page.older
    tabs = [
        {"label": "Needs you", "count": waiting, "url": f"?show={NEEDS}", "current": show == NEEDS},
        {"label": "All claims", "count": known, "url": f"?show={ALL}", "current": show == ALL},
    ]
    context = {
        "rows": [row(claim, at, vendor=vendor) for claim in found],
        "columns": columns(vendor=vendor),
        "tabs": [] if vendor else tabs,
        "known": known,
        "waiting": waiting,
        "show": show,
        "older_url": f"?show={ALL}&before={older}" if older else "",
        "newest_url": f"?show={ALL}" if before else "",
        "may_write": request.user.role in WRITERS,
    }
    return render(request, "claims/claims.html", context)


def columns(*, vendor: bool) -> list[dict[str, str]]:
    """What the list says of a claim."""
    labels = [
        ("Claim", "lead"),
        ("Status", "status"),
        ("Claimed", "amount"),
        ("Approved", "number"),
        ("Paid", "number"),
        ("Partner" if vendor else "Left to act", ""),
    ]
    return [{"label": label, "kind": kind} for label, kind in labels]


def row(claim: Claim, at: datetime, *, vendor: bool) -> dict[str, Any]:
    page = reverse("review" if vendor else "claim", args=[claim.pk])
    last = claim.partner.name if vendor else left_to_act(claim, at)
    return {
        "cells": [
            {"text": claim.title, "url": page, "sub": f"{claim.number}, {claim.activity}"},
            {"text": status_name(claim) if not vendor else claim.status_name, "tone": TONES[claim.status]},
            {"amount": claim.show(claim.claimed_minor) if claim.claimed_minor else ""},
            {"amount": claim.show(claim.approved_minor) if claim.approved_minor else ""},
            {"amount": claim.show(claim.paid_minor) if claim.paid_minor else ""},
            {"text": last},
        ]
    }


def left_to_act(claim: Claim, at: datetime) -> str:
    """How long the partner still has to send or to mend it."""
    if claim.status not in states.OPEN:
        return ""
    said, _ = time_left(claim.deadline, at=at, zone=claim.fund.program.time_zone)  # type: ignore[attr-defined]
    verb = "mend" if claim.status == states.ACTION_REQUIRED else "send"
    if said == "passed":
        return "deadline passed"
    if said.startswith("in "):
        return f"{said.removeprefix('in ')} to {verb}"
    return f"{verb} it by {said}" if said == "tomorrow" else f"{verb} it {said}"
