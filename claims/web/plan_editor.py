"""Writing a plan: the page of an open plan, what it says of itself, and one page for each of its activities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from claims import rules, states
from claims.models import Plan, PlanActivity
from claims.operations.plans import add_activity, change_activity, remove_activity, update_plan
from claims.queries.book import case_of, current_book
from claims.queries.catalog import solution_areas_on
from claims.queries.plan_facts import findings_of_plan
from claims.queries.plans import changes_between
from claims.rules.facts import Metric
from claims.rules.kinds.evidence import asked_metrics
from claims.web.conflict import conflict_from
from claims.web.plan_access import (
    activity_of,
    closed_for_writing,
    colleagues,
    events_between,
    history_of,
    may_write,
    own_plan,
)
from claims.web.plan_forms import ActivityForm, PickForm, PlanForm, activity_values, form_field, plan_values
from claims.web.plan_standing import effect_of, story
from claims.web.plan_starting import groups_for, likely_day, offers
from coop.lib.dates import show_day, show_deadline
from coop.lib.errors import Refused, Stale
from coop.lib.forms import add_refusal
from coop.lib.web import now
from funds.web.clocks import earned_in, span, time_left
from partners.web.request import PersonRequest

# The kinds of rules that read an answer while the work is only planned, and which of their parameters names it.
READ_BY = {"limit": ("per_person",), "head_count": ("answer",)}
READY, TO_DO, PROBLEM = ("Ready", "done"), ("To complete", "draft"), ("There is a problem", "problem")


def activity_findings(findings: Sequence[rules.Finding], activity: PlanActivity) -> list[rules.Finding]:
    """The findings of one activity."""
    before = f"activities.{activity.pk}."
    return [found for found in findings if found.field.startswith(before) or found.field == before[:-1]]


def own_findings(findings: Sequence[rules.Finding], plan: Plan) -> list[rules.Finding]:
    """The findings of the plan as a whole, which belong to none of its activities."""
    return [found for found in findings if not found.field.startswith("activities.")]


def field_of(found: rules.Finding) -> str:
    """The field of the activity's form that mends a finding."""
    return form_field(found.field.split(".", 2)[2] if found.field.count(".") >= 2 else "")


def place_of(plan: Plan, field: str) -> str:
    """The address where a field of an open plan is changed."""
    parts = field.split(".", 2)
    if parts[0] == "activities" and len(parts) > 1 and parts[1].isdigit():
        page = reverse("plan-activity", args=[plan.pk, int(parts[1])])
        return f"{page}#id_{form_field(parts[2])}" if len(parts) > 2 else page
    if parts[0] in ("title", "people"):
        return f"{reverse('plan-about', args=[plan.pk])}#id_{parts[0]}"
    return reverse("plan-activity-new", args=[plan.pk]) if parts[0] == "activities" else ""


def shown(plan: Plan, findings: Sequence[rules.Finding]) -> list[dict[str, Any]]:
    """Findings as `_components/findings.html` takes them, each with the address where it is mended."""
    return [{**asdict(found), "rule": "", "url": place_of(plan, found.field)} for found in findings]


# --- The page of an open plan -----------------------------------------------------------------------------------------


def editor(request: PersonRequest, plan: Plan) -> HttpResponse:
    """All topics of the plan with how far they are, its effect on the fund, and what comes next."""
    at = now(request)
    findings = findings_of_plan(plan, at=at)
    failed = rules.failed(findings)
    period, zone = plan.fund.earning_period, plan.fund.program.time_zone
    left, tone = time_left(period.use_close_at, at=at, zone=zone)
    effect = effect_of(plan)
    context = {
        "plan": plan,
        "may_write": may_write(request.user, plan),
        "returned": plan.status == states.RETURNED,
        "tasks": [task(plan, activity, findings) for activity in plan.activities.all()],
        "fixes": fixes(plan),
        "own": shown(plan, rules.failed(own_findings(findings, plan))),
        "number": len(failed),
        "effect": effect,
        "changes": changes_between(plan) if plan.amends_id else [],
        "about": about_rows(plan),
        "use_left": left,
        "use_tone": tone,
        "use_by": show_deadline(period.use_close_at, zone),
        "claim_by": show_deadline(period.claims_close_at, zone),
        "since": show_day(plan.turn_since.date()),
        "events": story(history_of(plan, request.user), currency=plan.currency),
    }
    return render(request, "claims/plans/editor.html", context)


def task(plan: Plan, activity: PlanActivity, findings: Sequence[rules.Finding]) -> dict[str, str]:
    """One activity as a row of the task list: what, when, how much, and how far it is."""
    failed = rules.failed(activity_findings(findings, activity))
    given = given_fields(activity)
    wrong = [found for found in failed if field_of(found) in given]
    said = READY if not failed else PROBLEM if wrong else TO_DO
    facts = ", ".join(
        filter(
            None,
            (
                activity.activity.name if activity.title != activity.activity.name else "",
                span(activity.starts_on, activity.ends_on) or "days are missing",
                plan.show(activity.requested_minor) if activity.requested_minor else "the amount is missing",
            ),
        )
    )
    fix = wrong[0].fix if wrong else failed[0].fix if failed else ""
    return {
        "label": activity.title,
        "url": reverse("plan-activity", args=[plan.pk, activity.pk]),
        "hint": f"{facts}. {fix}" if fix else facts,
        "status": said[0],
        "tone": said[1],
    }


def given_fields(activity: PlanActivity) -> set[str]:
    """The fields of the activity's form that were filled in: a finding there says that something is wrong, not missing."""
    values = {
        "activity": activity.activity_id,
        "starts_on": activity.starts_on,
        "ends_on": activity.ends_on,
        "amount": activity.requested_minor,
        "solution_area": activity.solution_area,
        "country": activity.country,
        "expected_outcome": activity.expected_outcome,
    }
    return {name for name, value in values.items() if value}


def fixes(plan: Plan) -> list[dict[str, Any]]:
    """What the channel manager asked to be mended, by activity, and whether something was changed there since."""
    if plan.status != states.RETURNED:
        return []
    decision = plan.decisions.filter(act="return").order_by("-id").first()
    there = {str(activity.pk): activity for activity in plan.activities.all()}
    return [
        {
            "where": row["title"],
            "url": reverse("plan-activity", args=[plan.pk, row["id"]]) if row["id"] in there else "",
            "message": row["reason"],
            # A change of the activity forgets what was decided of it.
            "touched": row["id"] not in there or there[row["id"]].decision != "return",
        }
        for row in (decision.rows if decision else ())
        if row["decision"] == "return"
    ]


def about_rows(plan: Plan) -> list[dict[str, str]]:
    about = reverse("plan-about", args=[plan.pk])
    named = ", ".join(person.name for person in plan.people.all())
    return [
        {"key": "Name of the plan", "value": plan.title, "change_url": f"{about}#id_title"},
        {"key": "People", "value": named or "Nobody is named", "change_url": f"{about}#id_people"},
        {
            "key": "Fund",
            "value": f"{earned_in(plan.fund.earning_period)}, {plan.fund.program}, {plan.fund.location}",
            "url": reverse("fund", args=[plan.fund_id]),
        },
    ]


# --- About the plan ---------------------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def plan_about(request: PersonRequest, plan_id: int) -> HttpResponse:
    """The plan's name and its people."""
    plan = own_plan(request, plan_id)
    if not plan.is_open:
        return closed_for_writing(request, plan)
    form = PlanForm(request.POST or None, colleagues=colleagues(plan), initial=plan_values(plan))
    conflict = None
    if request.method == "POST" and form.is_valid():
        seen = form.cleaned_data["revision"]
        try:
            update_plan(plan.pk, form.changes(), revision=seen, by=request.user, at=now(request))
        except Stale:
            plan = own_plan(request, plan_id)
            if not plan.is_open:
                return closed_for_writing(request, plan)
            form = PlanForm(on_top(request, plan), colleagues=colleagues(plan), initial=plan_values(plan))
            conflict = overtaken(request, plan, form, seen)
        except Refused as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, "Saved.")
            return redirect("plan", plan_id)
    context = {"plan": plan, "form": form, "conflict": conflict}
    return render(request, "claims/plans/about.html", context, status=answer(form, conflict))


def on_top(request: PersonRequest, plan: Plan) -> Any:
    """The input once more, now on top of the plan as it stands: saving it again is a decision, not an accident."""
    data = request.POST.copy()
    data["revision"] = str(plan.revision)
    return data


def overtaken(request: PersonRequest, plan: Plan, form: Any, seen: int) -> dict[str, Any]:
    """Who saved first, and both versions side by side."""
    events = story(events_between(plan, request.user, seen=seen), currency=plan.currency)
    return conflict_from(form, events, what="plan")


def answer(form: Any, conflict: Any) -> int:
    """The HTTP status of a page with a form: refused input is a 400, an overtaken one a 409."""
    return 409 if conflict else 400 if form.is_bound and form.errors else 200


# --- Activities -------------------------------------------------------------------------------------------------------


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
                add_refusal(form, refusal, {"activity_code": "activity", "requested_minor": "amount"})
            else:
                return redirect("plan-activity", plan.pk, added.pk)
    context = {**offers(form, plan.fund, groups, at), "form": form, "plan": plan, "fund": plan.fund, "alone": True}
    return render(request, "claims/plans/activity_new.html", context, status=status)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def plan_activity(request: PersonRequest, plan_id: int, activity_id: int) -> HttpResponse:
    """One activity: what, when, where, how much, what it is meant to bring about; the rules' advice beside it."""
    plan = own_plan(request, plan_id)
    if not plan.is_open:
        return closed_for_writing(request, plan)
    activity = activity_of(plan, activity_id)
    at = now(request)
    form = activity_form(plan, activity, request.POST or None, at)
    conflict = None
    if request.method == "POST" and form.is_valid():
        seen = form.cleaned_data["revision"]
        values = form.changes()
        values["title"] = values["title"] or activity.activity.name
        try:
            change_activity(plan.pk, activity.pk, values, revision=seen, by=request.user, at=at)
        except Stale:
            plan = own_plan(request, plan_id)
            if not plan.is_open:
                return closed_for_writing(request, plan)
            activity = activity_of(plan, activity_id)
            form = activity_form(plan, activity, on_top(request, plan), at)
            conflict = overtaken(request, plan, form, seen)
        except Refused as refusal:
            add_refusal(form, refusal, {error.field: form_field(error.field) for error in refusal.errors})
        else:
            return saved(request, plan_id, activity_id, at)
    return render(
        request,
        "claims/plans/activity.html",
        activity_page(plan, activity, form, conflict, at),
        status=answer(form, conflict),
    )


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
    if any(field_of(found) in given_fields(activity) for found in failed):
        messages.warning(request, "Saved. The rules do not allow it yet: see below.")
        return redirect("plan-activity", plan_id, activity_id)
    messages.success(request, "Saved.")
    return redirect("plan", plan_id)


def activity_page(
    plan: Plan, activity: PlanActivity, form: ActivityForm, conflict: Any, at: datetime
) -> dict[str, Any]:
    """What the page of one activity shows beside its form."""
    mine = activity_findings(findings_of_plan(plan, at=at), activity)
    given = given_fields(activity)
    advice = [found for found in mine if found.outcome != rules.FAILED or field_of(found) in given]
    period, zone = plan.fund.earning_period, plan.fund.program.time_zone
    return {
        "plan": plan,
        "activity": activity,
        "form": form,
        "conflict": conflict,
        "notes": {field_of(found): found for found in reversed(rules.failed(advice))},
        "advice": [{**asdict(found), "rule": "", "field": field_of(found)} for found in advice],
        "asked": activity.reason if activity.decision == "return" else "",
        "effect": effect_of(plan),
        "questions": [form[name] for name in form.fields if name.startswith("answer-")],
        "use_by": show_deadline(period.use_close_at, zone),
        "claim_by": show_deadline(period.claims_close_at, zone),
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
