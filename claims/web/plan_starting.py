"""A new plan: from which fund, its name and first activity; or a copy of an earlier one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from claims.models import Category, Plan
from claims.operations.plans import add_activity, create_plan
from claims.permissions import WRITERS
from claims.queries.book import case_of, current_book, offered_activities
from claims.queries.offers import Offer, approval_of
from claims.web.forms import countries, grouped
from claims.web.plan_access import copyable_plans, plan_for
from claims.web.plan_forms import PLACES, NewPlanForm
from coop.lib.dates import show_day, show_deadline
from coop.lib.errors import NotFound, Refused
from coop.lib.forms import add_refusal
from coop.lib.web import now, whole_number
from funds.models import Fund
from funds.queries.funds import funds_of
from funds.web.cards import is_estimate
from funds.web.clocks import earned_in, months, time_left
from partners.permissions import require_role
from partners.web.request import PersonRequest

# What an address may bring along from the catalog or the planner: it fills the form, and saves nothing.
PREFILL = ("activity", "amount", "starts_on", "ends_on", "title")
CARRIED = ("country", "solution_area")  # not asked for here; the activity's own page shows and changes them


def prefill(request: PersonRequest) -> dict[str, str]:
    return {name: request.GET[name][:200] for name in (*PREFILL, *CARRIED) if request.GET.get(name)}


def carried(request: PersonRequest, day: date) -> dict[str, str]:
    """The country and the solution area that an idea named, as far as there are such."""
    known = {"country": dict(countries()), "solution_area": current_book().areas_on(day)}
    return {name: request.GET[name] for name in CARRIED if request.GET.get(name) in known[name]}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def plan_new(request: PersonRequest) -> HttpResponse:
    """Choose the fund, then name the plan and its first activity; a single fund is chosen by itself."""
    require_role(request.user, *WRITERS, to="write and send plans")
    at = now(request)
    funds = list(funds_of(request.user).filter(earning_period__use_close_at__gt=at))
    able = [fund for fund in funds if not fund.overdrawn]
    asked = request.GET.get("fund", "")
    chosen = next((fund for fund in able if str(fund.pk) == asked), None)
    if chosen is None and len(able) == 1 and not asked:
        chosen = able[0]
    if chosen is not None:
        return name_plan(request, chosen, at, alone=len(able) == 1)
    context = {
        "asked": asked,
        "funds": [choice(fund, at, prefill(request)) for fund in able],
        "unable": [below_zero(fund) for fund in funds if fund.overdrawn],
    }
    return render(request, "claims/plans/new_fund.html", context)


def choice(fund: Fund, at: datetime, known: Mapping[str, str]) -> dict[str, str]:
    """One fund to choose: what is there, and when the work may happen."""
    period, zone = fund.earning_period, fund.program.time_zone
    if is_estimate(fund, at):
        due = f"an estimate until {show_day(period.settle_on)}"
    else:
        due = f"claim by {show_day(fund.claims_close_on)}"
    left, _ = time_left(period.use_close_at, at=at, zone=zone)
    begun = f"ends {left}" if at >= period.use_open_at else f"begins on {show_day(period.use_from)}"
    return {
        "url": f"{reverse('plan-new')}?{urlencode({'fund': fund.pk, **known})}",
        "label": f"{earned_in(period)}, {fund.program}, {fund.location}",
        "hint": f"For work done {months(period.use_from, period.use_to)}, which {begun}.",
        "amount": fund.show(fund.available_minor),
        "due": due,
    }


def below_zero(fund: Fund) -> str:
    name = f"{earned_in(fund.earning_period)}, {fund.program}, {fund.location}"
    short = fund.show(-fund.available_minor)
    return f"{name}: {short} more was taken back than was left. Later earnings of that half make up for it first."


def likely_day(fund: Fund, at: datetime) -> date:
    """The day whose catalog is shown: today, or the nearest day on which the fund pays for work."""
    period = fund.earning_period
    today = at.astimezone(ZoneInfo(fund.program.time_zone)).date()
    return min(max(today, period.use_from), period.use_to)


def name_plan(request: PersonRequest, fund: Fund, at: datetime, *, alone: bool) -> HttpResponse:
    """The plan's name and its first activity; what it is refused for stands at its fields."""
    form, groups = new_form(request, fund, at)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                plan = begin(request, fund, form, at)
            except Refused as refusal:
                add_refusal(form, refusal, PLACES)
            else:
                messages.success(
                    request, f"Plan {plan.number} is saved as a draft. Nothing is reserved before it is approved."
                )
                return redirect("plan", plan.pk)
    context = {
        **offers(form, fund, groups, at),
        "form": form,
        "fund": fund,
        "alone": alone,
        "earlier": copyable_plans(request.user, fund),
        "choose_url": f"{reverse('plan-new')}?{urlencode(prefill(request))}"
        if prefill(request)
        else reverse("plan-new"),
    }
    return render(request, "claims/plans/new.html", context, status=status)


def new_form(request: PersonRequest, fund: Fund, at: datetime) -> tuple[NewPlanForm, Any]:
    """The form with the activities that the fund's program pays for, filled from the address."""
    groups = groups_for(fund, likely_day(fund, at))
    return NewPlanForm(request.POST or None, groups=groups, plan_fund=fund, initial=prefill(request)), groups


def groups_for(fund: Fund, day: date) -> Any:
    offered = offered_activities(
        fund.program.code, day, country=fund.location.country, partner=fund.partner.external_id
    )
    return grouped(offered, Category.objects.all(), day)


def offers(form: Any, fund: Fund, groups: Any, at: datetime) -> dict[str, Any]:
    """What the choice of an activity shows: the fund's money and dates, and what each activity will take."""
    period, day, book = fund.earning_period, likely_day(fund, at), current_book()
    return {
        "fund_name": earned_in(period),
        "left": fund.show(fund.available_minor),
        "estimate": is_estimate(fund, at),
        "use": months(period.use_from, period.use_to),
        "deadline": show_deadline(fund.claims_close_at, fund.program.time_zone),
        "approval": approval_of(fund.program, day).sentence,
        "groups": [
            (
                name,
                [Offer(one, case_of(fund, one, fund.location.country, day, book), book) for one in members],
            )
            for name, members in groups
        ],
        "picked": form["activity"].value() or "",
    }


def begin(request: PersonRequest, fund: Fund, form: NewPlanForm, at: datetime) -> Plan:
    """The plan and its first activity, both or none."""
    with transaction.atomic():
        plan = create_plan(fund_id=fund.pk, title=form.cleaned_data["title"], by=request.user, at=at)
        values = {**form.activity_values(), **carried(request, form.cleaned_data["starts_on"] or likely_day(fund, at))}
        add_activity(plan.pk, **values, revision=plan.revision, by=request.user, at=at)
    return plan


@login_required
@require_POST
def plan_copy(request: PersonRequest) -> HttpResponse:
    """Begin a plan with the activities of an earlier one. Its days belong to another half, so they are asked for anew."""
    require_role(request.user, *WRITERS, to="write and send plans")
    asked, into = (whole_number(request.POST.get(name, "")) or 0 for name in ("plan", "fund"))
    earlier = plan_for(request, asked)
    fund = funds_of(request.user).filter(id=into).first()
    if fund is None:
        raise NotFound("There is no such fund.")
    at = now(request)
    same_half = earlier.fund.earning_period_id == fund.earning_period_id
    people = [person.pk for person in earlier.people.all()]
    with transaction.atomic():
        plan = create_plan(fund_id=fund.pk, title=earlier.title, people=people, by=request.user, at=at)
        for activity in earlier.activities.all():
            add_activity(
                plan.pk,
                activity_code=activity.activity.code,
                title=activity.title,
                solution_area=activity.solution_area,
                country=activity.country,
                starts_on=activity.starts_on if same_half else None,
                ends_on=activity.ends_on if same_half else None,
                requested_minor=activity.requested_minor if fund.currency == earlier.currency else 0,
                expected_outcome=activity.expected_outcome,
                answers=activity.answers,
                revision=None,
                by=request.user,
                at=at,
            )
    messages.success(request, f"Plan {plan.number} begins with what {earlier} says. Give its activities their days.")
    return redirect("plan", plan.pk)
