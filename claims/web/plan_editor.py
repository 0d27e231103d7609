"""Writing a plan: the page of an open plan, and what it says of itself. Its activities: claims/web/plan_activity.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from claims import rules, states
from claims.models import Plan, PlanActivity
from claims.operations.plans import update_plan
from claims.queries.guidance import guidance_of
from claims.queries.plan_facts import findings_of_plan
from claims.queries.plans import changes_between
from claims.web.autosave import saved_as_written
from claims.web.conflict import conflict_from
from claims.web.plan_access import (
    closed_for_writing,
    colleagues,
    events_between,
    history_of,
    may_write,
    own_plan,
    reading,
)
from claims.web.plan_forms import PlanForm, form_field, plan_values
from claims.web.plan_standing import effect_of, story
from coop.lib import kept
from coop.lib.dates import show_day, show_deadline
from coop.lib.errors import Refused, Stale
from coop.lib.forms import add_refusal
from coop.lib.web import now
from funds.web.clocks import earned_in, span, time_left
from partners.web.request import PersonRequest

READY, TO_DO, PROBLEM = ("Ready", "done"), ("To complete", "draft"), ("There is a problem", "problem")


def activity_findings(findings: Sequence[rules.Finding], activity: PlanActivity) -> list[rules.Finding]:
    """The findings of one activity."""
    before = f"activities.{activity.pk}."
    return [found for found in findings if found.field.startswith(before) or found.field == before[:-1]]


def own_findings(findings: Sequence[rules.Finding], plan: Plan) -> list[rules.Finding]:
    """The findings of the plan as a whole, which belong to none of its activities."""
    return [found for found in findings if not found.field.startswith("activities.")]


def plan_field(field: str) -> str:
    """The field of the activity's form that mends what a finding names, such as `activities.7.starts_on`."""
    return form_field(field.split(".", 2)[2] if field.count(".") >= 2 else "")


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
    """Findings as `_components/findings.html` takes them, each with its activity and the address where it is mended."""
    titles = {str(activity.pk): activity.title for activity in plan.activities.all()}
    return [
        {**asdict(found), "rule": "", "subject": subject_of(found, titles), "url": place_of(plan, found.field)}
        for found in findings
    ]


def subject_of(found: rules.Finding, titles: Mapping[str, str]) -> str:
    """The title of the activity that a finding is about, if it is about one."""
    parts = found.field.split(".", 2)
    return titles.get(parts[1], "") if parts[0] == "activities" and len(parts) > 1 else ""


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
        "claim_by": show_deadline(plan.fund.claims_close_at, zone),
        "since": show_day(plan.turn_since.date()),
        "events": story(history_of(plan, request.user), currency=plan.currency),
        "guidance": guidance_of(plan.fund, at),
    }
    return render(request, "claims/plans/editor.html", context)


def task(plan: Plan, activity: PlanActivity, findings: Sequence[rules.Finding]) -> dict[str, str]:
    """One activity as a row of the task list: what, when, how much, and how far it is."""
    failed = rules.failed(activity_findings(findings, activity))
    given = given_fields(activity)
    wrong = [found for found in failed if plan_field(found.field) in given]
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


@kept.keeps_words
@require_http_methods(["GET", "HEAD", "POST"])
def plan_about(request: PersonRequest, plan_id: int) -> HttpResponse:
    """The plan's name and its people."""
    plan = own_plan(request, plan_id)
    if not plan.is_open:
        return closed_for_writing(request, plan)
    team = list(colleagues(plan))
    empty = partial(PlanForm, None, colleagues=team, initial=plan_values(plan))
    form = PlanForm(kept.written(request, empty), colleagues=team, initial=plan_values(plan))
    conflict = None
    if kept.is_autosave(request):
        return saved_as_written(request, plan, form, lambda seen: save_about(request, plan, form.changes(), seen))
    if request.method == "POST" and form.is_valid():
        seen = form.cleaned_data["revision"]
        try:
            save_about(request, plan, form.changes(), seen)
        except Stale:
            plan = own_plan(request, plan_id)
            if not plan.is_open:
                return closed_for_writing(request, plan)
            form = PlanForm(on_top(request, plan), colleagues=team, initial=plan_values(plan))
            conflict = overtaken(request, plan, form, seen)
        except Refused as refusal:
            add_refusal(form, refusal)
        else:
            kept.forget(request)
            messages.success(request, "Saved.")
            return redirect("plan", plan_id)
    context = {"plan": plan, "form": form, "conflict": conflict, "kept": kept_words(request)}
    return render(request, "claims/plans/about.html", context, status=answer(form, conflict))


def save_about(request: PersonRequest, plan: Plan, values: dict[str, Any], seen: int | None) -> Plan:
    """Save what could be read. Raises Stale where somebody changed the same."""
    seen = reading(plan, request.user, seen, activity=None)
    return update_plan(plan.pk, values, revision=seen, by=request.user, at=now(request))


def kept_words(request: PersonRequest) -> Any:
    """What was written here before and could not be saved, for a page that is opened anew."""
    return kept.kept(request) if request.method != "POST" else None


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
