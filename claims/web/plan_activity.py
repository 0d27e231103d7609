"""One activity of a plan: adding it, its page with the rules' advice beside each field, taking it out."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from claims import rules
from claims.models import Plan, PlanActivity
from claims.operations.plans import add_activity, change_activity, remove_activity
from claims.queries.book import case_of, current_book
from claims.queries.catalog import solution_areas_on
from claims.queries.plan_facts import findings_of_plan
from claims.rules.facts import Metric
from claims.rules.kinds.evidence import asked_metrics
from claims.web.autosave import saved_as_written
from claims.web.marks import mark
from claims.web.plan_access import activity_of, closed_for_writing, own_plan, reading
from claims.web.plan_editor import (
    activity_findings,
    answer,
    given_fields,
    kept_words,
    on_top,
    overtaken,
    plan_field,
)
from claims.web.plan_forms import PLACES, ActivityForm, PickForm, activity_values
from claims.web.plan_standing import effect_of
from claims.web.plan_starting import groups_for, likely_day, offers
from coop.lib import kept
from coop.lib.dates import show_deadline
from coop.lib.errors import Refused, Stale
from coop.lib.forms import add_refusal
from coop.lib.web import now
from partners.web.request import PersonRequest

# The kinds of rules that read an answer while the work is only planned, and which of their parameters names it.
READ_BY = {"limit": ("per_person",), "head_count": ("answer",)}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def plan_activity_new(request: PersonRequest, plan_id: int) -> HttpResponse:
    """Add one more activity: which, and what is known of it."""
    plan = own_plan(request, plan_id)
    if not plan.is_open:
        return closed_for_writing(request, plan)
    at = now(request)
    groups = groups_for(plan.fund, likely_day(plan.fund, at))
    form = PickForm(request.POST or None, groups=groups, plan_fund=plan.fund, initial={"revision": plan.revision})
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                # Added beside what others do, so it rests on no reading of the plan.
                added = add_activity(plan.pk, **form.activity_values(), revision=None, by=request.user, at=at)
            except Refused as refusal:
                add_refusal(form, refusal, PLACES)
            else:
                return redirect("plan-activity", plan.pk, added.pk)
    context = {**offers(form, plan.fund, groups, at), "form": form, "plan": plan, "fund": plan.fund, "alone": True}
    return render(request, "claims/plans/activity_new.html", context, status=status)


@kept.keeps_words
@require_http_methods(["GET", "HEAD", "POST"])
def plan_activity(request: PersonRequest, plan_id: int, activity_id: int) -> HttpResponse:
    """One activity: what, when, where, how much, what it is meant to bring about; the rules' advice beside it."""
    plan = own_plan(request, plan_id)
    if not plan.is_open:
        return closed_for_writing(request, plan)
    activity = activity_of(plan, activity_id)
    at = now(request)
    empty = partial(activity_form, plan, activity, None, at)
    form = activity_form(plan, activity, kept.written(request, empty), at)
    conflict = None
    if kept.is_autosave(request):
        save = partial(save_activity, request, activity, form)
        return saved_as_written(request, plan, form, save, PLACES)
    if request.method == "POST" and form.is_valid():
        seen = form.cleaned_data["revision"]
        try:
            save_activity(request, activity, form, seen)
        except Stale:
            plan = own_plan(request, plan_id)
            if not plan.is_open:
                return closed_for_writing(request, plan)
            activity = activity_of(plan, activity_id)
            form = activity_form(plan, activity, on_top(request, plan), at)
            conflict = overtaken(request, plan, form, seen)
        except Refused as refusal:
            add_refusal(form, refusal, PLACES)
        else:
            kept.forget(request)
            return saved(request, plan_id, activity_id, at)
    return render(
        request,
        "claims/plans/activity.html",
        activity_page(request, plan, activity, form, conflict, at),
        status=answer(form, conflict),
    )


def save_activity(request: PersonRequest, activity: PlanActivity, form: ActivityForm, seen: int | None) -> PlanActivity:
    """Save what could be read. Raises Stale where somebody changed the same activity, and other refusals."""
    plan, values = activity.plan, form.changes()
    if "title" in values:
        values["title"] = values["title"] or activity.activity.name
    seen = reading(plan, request.user, seen, activity=activity)
    return change_activity(plan.pk, activity.pk, values, revision=seen, by=request.user, at=now(request))


def activity_form(plan: Plan, activity: PlanActivity, data: Any, at: datetime) -> ActivityForm:
    day = activity.starts_on or likely_day(plan.fund, at)
    groups = groups_for(plan.fund, day)
    if activity.activity not in [one for _, members in groups for one in members]:
        groups = [*groups, ("No longer offered", [activity.activity])]
    return ActivityForm(
        data,
        groups=groups,
        plan_fund=plan.fund,
        areas=solution_areas_on(day),
        questions=questions_for(plan, activity),
        initial=activity_values(plan, activity),
    )


def questions_for(plan: Plan, activity: PlanActivity) -> list[Metric]:
    """The questions of an activity whose answers a rule wants before the work, such as how many people travel."""
    book = current_book()
    day = activity.starts_on or plan.fund.earning_period.use_from
    case = case_of(plan.fund, activity.activity, activity.country, day, book)
    wanted = {rule.params.get(name) for rule in book.in_force(case) for name in READ_BY.get(rule.kind, ())}
    return [metric for metric in asked_metrics(book, case) if metric.code in wanted]


def saved(request: PersonRequest, plan_id: int, activity_id: int, at: datetime) -> HttpResponse:
    """On to the plan; back to the page where the rules find that something given cannot be."""
    plan = own_plan(request, plan_id)
    activity = activity_of(plan, activity_id)
    failed = rules.failed(activity_findings(findings_of_plan(plan, at=at), activity))
    if any(plan_field(found.field) in given_fields(activity) for found in failed):
        messages.warning(request, "Saved. The rules do not allow it yet: see below.")
        return redirect("plan-activity", plan_id, activity_id)
    messages.success(request, "Saved.")
    return redirect("plan", plan_id)


def activity_page(
    request: PersonRequest, plan: Plan, activity: PlanActivity, form: ActivityForm, conflict: Any, at: datetime
) -> dict[str, Any]:
    """What the page of one activity shows beside its form."""
    mine = activity_findings(findings_of_plan(plan, at=at), activity)
    left = mark(form, mine, plan_field)
    passed = [found for found in mine if found.outcome in (rules.PASSED, rules.PERSON)]
    period, zone = plan.fund.earning_period, plan.fund.program.time_zone
    return {
        "plan": plan,
        "activity": activity,
        "form": form,
        "conflict": conflict,
        "kept": kept_words(request),
        "advice": [{**asdict(found), "rule": ""} for found in (*left, *passed)],
        "asked": activity.reason if activity.decision == "return" else "",
        "effect": effect_of(plan),
        "questions": [form[name] for name in form.fields if name.startswith("answer-")],
        "use_by": show_deadline(period.use_close_at, zone),
        "claim_by": show_deadline(plan.fund.claims_close_at, zone),
    }


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def plan_activity_remove(request: PersonRequest, plan_id: int, activity_id: int) -> HttpResponse:
    """Ask, then take an activity out of the plan."""
    plan = own_plan(request, plan_id)
    if not plan.is_open:
        return closed_for_writing(request, plan)
    activity = activity_of(plan, activity_id)
    if request.method == "POST":
        remove_activity(plan.pk, activity.pk, revision=None, by=request.user, at=now(request))
        messages.success(request, f"{activity.title} is taken out of the plan.")
        return redirect("plan", plan.pk)
    return render(request, "claims/plans/activity_remove.html", {"plan": plan, "activity": activity})
