"""A new claim: from which fund, for which activity."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from claims.models import Activity, Category, Claim, PlanActivity
from claims.operations.drafting import create_claim
from claims.permissions import WRITERS
from claims.queries.book import current_book
from claims.queries.offers import WHOLE, Offer, approval_of, case_of_fund, offers_of
from claims.queries.plans import claimable_activities, left_of
from claims.web.catalog import plan_new_url
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
    """Choose the fund, or an approved activity of a plan, then say what was done; a single fund is chosen by itself."""
    require_role(request.user, *WRITERS, to="write and send claims")
    at = now(request)
    planned = claimable_activities(request.user, at)
    on = next((one for one in planned if str(one.pk) == request.GET.get("plan_activity", "")), None)
    if on is not None:
        return about_new_claim(request, on.plan.fund, at, alone=False, planned=planned, on=on)
    funds = list(claimable_funds(request.user, at=at))
    able = [fund for fund in funds if fund.available_minor > 0 and not is_estimate(fund, at)]
    asked = request.GET.get("fund", "")
    chosen = next((fund for fund in able if str(fund.pk) == asked), None)
    if not able and not planned:
        return render(request, "claims/claim_new_not_possible.html", not_possible(request, funds, at))
    if chosen is None and len(able) == 1 and not asked:
        chosen = able[0]
    if chosen is None:
        unable = [fund for fund in funds if fund not in able]
        context = {
            "funds": [choice(fund, at, request.GET.get("activity", "")) for fund in able],
            "unable": [why_not(fund) for fund in unable],
            "planned": [on_plan(one) for one in planned],
        }
        return render(request, "claims/claim_new_fund.html", {**context, "asked": asked})
    return about_new_claim(request, chosen, at, alone=len(able) == 1, planned=planned)


def choice(fund: Fund, at: datetime, activity: str) -> dict[str, str]:
    """One fund to choose: what is left, and until when. An activity that was chosen before is carried on."""
    query = {"fund": fund.pk, **({"activity": activity[:40]} if activity else {})}
    period, zone = fund.earning_period, fund.program.time_zone
    left, _ = time_left(fund.claims_close_at, at=at, zone=zone)
    opened = at >= period.claims_open_at
    return {
        "url": f"{reverse('claim-new')}?{urlencode(query)}",
        "label": f"{earned_in(period)}, {fund.program}, {fund.location}",
        "hint": f"For work done {months(period.use_from, period.use_to)}.",
        "amount": fund.show(fund.available_minor),
        "due": f"claim by {show_day(fund.claims_close_on)}, {left}" if opened else f"claims open on {opens(fund)}",
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


def on_plan(one: PlanActivity) -> dict[str, str]:
    """An approved activity of a plan to claim on: what it has left, and until when."""
    fund = one.plan.fund
    return {
        "url": f"{reverse('claim-new')}?plan_activity={one.pk}",
        "label": one.title,
        "hint": f"{one.activity.name}, plan {one.plan.number}",
        "amount": fund.show(left_of(one)),
        "due": f"claim by {show_day(fund.claims_close_on)}",
    }


def about_new_claim(
    request: PersonRequest,
    fund: Fund,
    at: datetime,
    *,
    alone: bool,
    planned: Sequence[PlanActivity],
    on: PlanActivity | None = None,
) -> HttpResponse:
    """The form about the activity, filled from the plan's where there is one; what it is refused for stands at its fields."""
    period = fund.earning_period
    today = at.astimezone(ZoneInfo(fund.program.time_zone)).date()
    day = min(max((on.starts_on if on else None) or today, period.use_from), period.use_to)
    book = current_book()
    offers = offers_of(book, Activity.objects.all(), case_of_fund(fund, book, day))
    if on is not None:
        offers = [offer for offer in offers if offer.code == on.activity.code] or offers
    groups = grouped([offer.activity for offer in offers], Category.objects.all(), day)
    form = StartForm(
        request.POST or None,
        groups=groups,
        use=(period.use_from, period.use_to),
        areas=list(book.areas_on(day).items()),
        initial=first_values(request, fund, on),
    )
    status = 200
    if request.method == "POST":
        status = 400
        claim = begun(request, form, fund, on, at)
        if claim is not None:
            messages.success(request, f"Claim {claim.number} is saved as a draft. Nothing is held before you send it.")
            return redirect("claim", claim.pk)
    mine = [one for one in planned if one.plan.fund_id == fund.pk]
    by_code = {offer.code: offer for offer in offers}
    approval = approval_of(fund.program, day)
    context = {
        "form": form,
        "fund": fund,
        "fund_name": earned_in(period),
        "alone": alone,
        "left": fund.show(fund.available_minor),
        "deadline": show_deadline(fund.claims_close_at, fund.program.time_zone),
        "groups": [(name, [needs(by_code[activity.code]) for activity in members]) for name, members in groups],
        "picked": form["activity"].value() or "",
        "on": on,
        "on_text": f"{on.title}, plan {on.plan.number}: {fund.show(left_of(on))} is set aside for it." if on else "",
        "planned": [] if on else [on_plan(one) for one in mine],
        "needs_plan": approval if approval.kind == "required" and on is None else None,
        "plan_url": plan_new_url(fund),
    }
    return render(request, "claims/claim_new.html", context, status=status)


def first_values(request: PersonRequest, fund: Fund, on: PlanActivity | None) -> dict[str, Any]:
    """What the form holds at first: the plan's activity, or what the address brings."""
    if on is None:
        return {"country": fund.location.country, "activity": request.GET.get("activity", "")[:40]}
    return {
        "activity": on.activity.code,
        "activity_from": on.starts_on,
        "activity_to": on.ends_on,
        "country": on.country,
        "title": on.title,
        "solution_area": on.solution_area,
    }


def begun(request: PersonRequest, form: StartForm, fund: Fund, on: PlanActivity | None, at: datetime) -> Claim | None:
    """The new draft; None where the form or the operation refuses it, which then stands in the form."""
    if not form.is_valid():
        return None
    values = form.changes()
    try:
        return create_claim(
            fund_id=fund.pk,
            activity_code=values.pop("activity"),
            plan_activity_id=on.pk if on else None,
            **values,
            by=request.user,
            at=at,
        )
    except Refused as refusal:
        add_refusal(form, refusal)
        return None


def needs(offer: Offer) -> dict[str, Any]:
    """One activity to choose, with what it will take: proofs, questions, results, share and limits of the day."""
    return {
        "code": offer.code,
        "name": offer.activity.name,
        "description": offer.activity.description,
        "example": offer.activity.example,
        "share": "" if offer.share == WHOLE else f"{offer.share} % of the cost is paid.",
        "limits": offer.limits,
        "threshold": offer.threshold,
        "proofs": offer.proofs,
        "questions": [question.name for question in offer.questions],
        "results": [result.name for result in offer.results if result.required],
        "details": [detail.name for detail in offer.details],
    }
