"""A new claim: from which fund, for which activity."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from claims.models import Activity, Category
from claims.operations.drafting import create_claim
from claims.permissions import WRITERS
from claims.queries.book import case_of, current_book, offered_activities
from claims.rules.book import Book
from claims.rules.facts import Proof
from claims.rules.kinds.evidence import asked_metrics, asked_proofs, inside
from claims.web.forms import AboutForm, grouped
from coop.lib.dates import show_day, show_deadline
from coop.lib.errors import Refused
from coop.lib.forms import add_refusal
from coop.lib.web import now
from funds.models import Fund
from funds.queries.funds import claimable_funds, funds_of
from funds.web.cards import is_estimate, opens
from funds.web.clocks import earned_in, months, time_left
from partners.permissions import require_role
from partners.web.request import PersonRequest


class StartForm(AboutForm):
    """The first answers of a claim; what is left empty can be given later."""

    revision = None  # type: ignore[assignment]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def claim_new(request: PersonRequest) -> HttpResponse:
    """Choose the fund, then the activity; a single fund is chosen by itself."""
    require_role(request.user, *WRITERS, to="write and send claims")
    at = now(request)
    funds = list(claimable_funds(request.user, at=at))
    able = [fund for fund in funds if fund.available_minor > 0 and not is_estimate(fund, at)]
    asked = request.GET.get("fund", "")
    chosen = next((fund for fund in able if str(fund.pk) == asked), None)
    if not able:
        return render(request, "claims/claim_new_not_possible.html", not_possible(request, funds, at))
    if chosen is None and len(able) == 1 and not asked:
        chosen = able[0]
    if chosen is None:
        unable = [fund for fund in funds if fund not in able]
        context = {"funds": [choice(fund, at) for fund in able], "unable": [why_not(fund) for fund in unable]}
        return render(request, "claims/claim_new_fund.html", {**context, "asked": asked})
    return about_new_claim(request, chosen, at, alone=len(able) == 1)


def choice(fund: Fund, at: datetime) -> dict[str, str]:
    """One fund to choose: what is left, and until when."""
    period, zone = fund.earning_period, fund.program.time_zone
    left, _ = time_left(period.claims_close_at, at=at, zone=zone)
    opened = at >= period.claims_open_at
    return {
        "url": f"{reverse('claim-new')}?fund={fund.pk}",
        "label": f"{earned_in(period)}, {fund.program}, {fund.location}",
        "hint": f"For work done {months(period.use_from, period.use_to)}.",
        "amount": fund.show(fund.available_minor),
        "due": f"claim by {show_day(period.claims_close_on)}, {left}" if opened else f"claims open on {opens(fund)}",
    }


def why_not(fund: Fund) -> str:
    name = f"{earned_in(fund.earning_period)}, {fund.program}, {fund.location}"
    if fund.available_minor < 0:
        short = fund.show(-fund.available_minor)
        return f"{name}: {short} more was taken back than was left. Later earnings of that half make up for it first."
    return f"{name}: nothing is left to claim."


def not_possible(request: PersonRequest, funds: Sequence[Fund], at: datetime) -> dict[str, Any]:
    """Why no claim can be started, and what comes instead."""
    coming = funds_of(request.user).filter(earning_period__use_open_at__gt=at).order_by("earning_period__use_open_at")
    nxt = coming.first()
    said = (
        f"What you earn now can be spent from {show_day(nxt.earning_period.use_from)}, and claimed from {opens(nxt)}."
        if nxt
        else "A fund begins with the first earnings of a half; the vendor delivers them monthly."
    )
    return {"reasons": [why_not(fund) for fund in funds], "next": said}


def about_new_claim(request: PersonRequest, fund: Fund, at: datetime, *, alone: bool) -> HttpResponse:
    """The form about the activity; what it is refused for stands at its fields."""
    period = fund.earning_period
    today = at.astimezone(ZoneInfo(fund.program.time_zone)).date()
    day = min(max(today, period.use_from), period.use_to)
    offered = offered_activities(
        fund.program.code, day, country=fund.location.country, partner=fund.partner.external_id
    )
    groups = grouped(offered, Category.objects.all(), day)
    form = StartForm(
        request.POST or None,
        groups=groups,
        use=(period.use_from, period.use_to),
        initial={"country": fund.location.country},
    )
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            values = form.changes()
            try:
                claim = create_claim(
                    fund_id=fund.pk, activity_code=values.pop("activity"), **values, by=request.user, at=at
                )
            except Refused as refusal:
                add_refusal(form, refusal)
            else:
                messages.success(
                    request, f"Claim {claim.number} is saved as a draft. Nothing is held before you send it."
                )
                return redirect("claim", claim.pk)
    book = current_book()
    context = {
        "form": form,
        "fund": fund,
        "fund_name": earned_in(period),
        "alone": alone,
        "left": fund.show(fund.available_minor),
        "deadline": show_deadline(period.claims_close_at, fund.program.time_zone),
        "groups": [(name, [offer(book, fund, activity, day) for activity in members]) for name, members in groups],
        "picked": form["activity"].value() or "",
    }
    return render(request, "claims/claim_new.html", context, status=status)


def offer(book: Book, fund: Fund, activity: Activity, day: date) -> dict[str, Any]:
    """One activity to choose, with what it will take: proofs, results and limits of the day."""
    case = case_of(fund, activity, fund.location.country, day, book)
    named: dict[str, list[Proof]] = {}
    for proof in asked_proofs(book, case):
        named.setdefault(proof.group or proof.code, []).append(proof)
    return {
        "code": activity.code,
        "name": activity.name,
        "description": activity.description,
        "example": activity.example,
        "proofs": [
            {
                "text": " or ".join(
                    proof.name if index == 0 else inside(proof.name) for index, proof in enumerate(proofs)
                ),
                "optional": not proofs[0].required,
                "example": any(proof.example for proof in proofs),
            }
            for proofs in named.values()
        ],
        "results": [metric.name for metric in asked_metrics(book, case)],
        "limit": " ".join(rule.sentence for rule in book.of_kind("limit", case)),
    }
