"""The page on which a plan is decided: plan, checks, and what it does to the fund. Sent by claims/web/plan_decide.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from claims import states
from claims.due import due_day
from claims.letters import RETURN
from claims.models import Plan, PlanActivity
from claims.operations.plans import missing_minor
from claims.permissions import require_plan_reviewer
from claims.plan_letters import verdict_of
from claims.queries.plan_deciders import deciders_of, titles_for
from claims.queries.plan_facts import findings_of_plan
from claims.queries.plan_history import by_activity, plans_with
from claims.queries.plans import changes_between
from claims.queries.precedents import precedents_for_activity
from claims.rules.findings import Finding
from claims.web.plan_access import history_of, plan_for
from claims.web.plan_after import activity_rows as decided_rows
from claims.web.plan_after import decision_of, letter_of, newer_than
from claims.web.plan_editor import activity_findings, own_findings
from claims.web.plan_pages import activity_rows, solution_areas
from claims.web.plan_review_forms import ActivityDecisionForm, NoteForm, reason_groups
from claims.web.plan_standing import TONES, had_before, joined, requested, story
from coop.lib.dates import show_day, show_deadline, show_instant
from coop.lib.errors import NotAllowed, SelfDecision
from coop.lib.web import now
from funds.web.clocks import earned_in
from partners.models import Person
from partners.permissions import require_role
from partners.states import AUDITOR, CHANNEL_MANAGER, FINANCE, PROGRAM_ADMIN, TITLES
from partners.web.request import PersonRequest

LOOKERS = (CHANNEL_MANAGER, FINANCE, PROGRAM_ADMIN, AUDITOR)
Answer = tuple[list[ActivityDecisionForm], NoteForm]


def find_plan(request: PersonRequest, plan_id: int) -> Plan:
    """The plan with all that a reviewer looks at; every role of the vendor may look. Raises NotAllowed, NotFound."""
    require_role(request.user, *LOOKERS, to="review plans")
    return plan_for(request, plan_id)


def why_not(request: PersonRequest, plan: Plan, at: datetime) -> tuple[str, Person | None]:
    """Why the reader may not decide the plan, in words, or nothing; and for whom the reader stands in."""
    try:
        return "", require_plan_reviewer(request.user, plan, at)
    except (NotAllowed, SelfDecision) as refusal:
        return refusal.message, None


def who_may(plan: Plan, at: datetime) -> str:
    """Who decides the plan, in a sentence."""
    named = [
        f"{one.said}, {TITLES[one.person.title]}" if one.person.title else one.said
        for one in deciders_of(plan, at.date())
    ]
    if named:
        return f"It is decided by {joined(named)}."
    titles = [TITLES[title] for title in titles_for(plan, at.date())]
    wanted = f" with the title {joined(titles)}" if titles else ""
    return f"Nobody may decide it yet: a channel manager{wanted} is needed whose portfolio holds the partner."


def answer_of(request: PersonRequest, plan: Plan) -> Answer:
    """The forms of a decision, filled from what was sent; without it, approving all."""
    sent = request.POST if any(name.startswith("activity-") for name in request.POST) else None
    groups = reason_groups()
    forms = [
        ActivityDecisionForm(sent, plan=plan, activity=activity, groups=groups) for activity in plan.activities.all()
    ]
    note = NoteForm(request.POST if "revision" in request.POST else None, initial={"revision": plan.revision})
    return forms, note


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def plan_review(request: PersonRequest, plan_id: int) -> HttpResponse:
    """A plan with its checks and what it does to the fund. A POST adds up what was entered so far."""
    plan = find_plan(request, plan_id)
    at = now(request)
    refused, covered = why_not(request, plan, at)
    if plan.status != states.SUBMITTED or refused:
        return record(request, plan, refused=refused if plan.status == states.SUBMITTED else "")
    forms, note = answer_of(request, plan)
    if request.method == "POST":
        for form in forms:
            form.is_valid()  # reads what can be read; errors are for the check, not for adding up
        if request.htmx:  # type: ignore[attr-defined]
            return render(request, "claims/plan_review/_total.html", totals(plan, forms))
    return show(request, plan, forms, note, with_errors=False, covered=covered)


def show(
    request: PersonRequest,
    plan: Plan,
    forms: list[ActivityDecisionForm],
    note: NoteForm,
    *,
    status: int = 200,
    conflict: str = "",
    with_errors: bool = True,
    covered: Person | None = None,
) -> HttpResponse:
    at = now(request)
    findings = findings_of_plan(plan, at=at)
    zone = plan.fund.program.time_zone
    period = plan.fund.earning_period
    areas = solution_areas()
    context = {
        "plan": plan,
        "form": note,
        "forms": [*forms, note] if with_errors else [],
        "with_errors": with_errors,
        "rows": [decision_row(plan, form, findings, areas, request.user) for form in forms],
        "lede": lede(plan),
        "facts": facts(plan),
        "own": [asdict(found) for found in own_findings(findings, plan)],
        "changes": changes_between(plan) if plan.version > 1 else [],
        "history": plans_with(plan, request.user),
        "shares": [
            {"name": one.name, "held": plan.show(one.held_minor), "asked": plan.show(one.asked_minor)}
            for one in by_activity(plan, plan.fund)
        ],
        "events": story(history_of(plan, request.user), currency=plan.currency),
        "conflict": conflict,
        "covered": covered,
        "due": due(plan, at),
        "use_by": show_deadline(period.use_close_at, zone),
        "claim_by": show_deadline(plan.fund.claims_close_at, zone),
        "crumbs": crumbs(request),
        **totals(plan, forms),
    }
    return render(request, "claims/plan_review/review.html", context, status=status)


def crumbs(request: PersonRequest) -> list[dict[str, str]]:
    if request.user.role == CHANNEL_MANAGER:
        return [{"label": "Worklist", "url": reverse("worklist")}]
    return [{"label": "Plans", "url": reverse("plans")}]


def decision_row(
    plan: Plan, form: ActivityDecisionForm, findings: Sequence[Finding], areas: Mapping[str, str], reader: Person
) -> dict[str, Any]:
    """One activity with what is planned, what the rules say of it, how like ones were decided, and its form."""
    activity: PlanActivity = form.activity
    return {
        "form": form,
        "activity": activity,
        "requested": plan.show(activity.requested_minor),
        "facts": [row for row in activity_rows(plan, activity, areas) if row["key"] != "Asked for"],
        "findings": [asdict(found) for found in activity_findings(findings, activity)],
        "precedents": precedents_for_activity(activity, reader),
    }


def record(
    request: PersonRequest, plan: Plan, *, refused: str = "", written: Sequence[str] = (), status: int = 200
) -> HttpResponse:
    """A plan to look at: one that waits for no decision, or one that the reader may not decide.

    What the reader had written for a decision that came too late is given back.
    """
    at = now(request)
    decision = decision_of(plan)
    waiting = plan.status == states.SUBMITTED
    context = {
        "plan": plan,
        "tone": TONES[plan.status],
        "lede": lede(plan),
        "refused": refused,
        "who_may": who_may(plan, at) if waiting else "",
        "waiting": waiting,
        "letter": letter_of(plan, decision) if decision else None,
        "decision": decision,
        "too_late": status != 200,
        "written": written,
        "facts": facts(plan),
        "rows": decided_rows(request, plan, at, collect=False),
        "newer": newer_than(plan),
        "changes": changes_between(plan) if plan.version > 1 else [],
        "findings": decision.findings if decision else plan.findings,
        "history": plans_with(plan, request.user),
        "events": story(history_of(plan, request.user), currency=plan.currency),
        "since": show_instant(plan.turn_since),
        "crumbs": crumbs(request),
    }
    return render(request, "claims/plan_review/record.html", context, status=status)


def lede(plan: Plan) -> str:
    activities = list(plan.activities.all())
    what = f"{len(activities)} activities" if len(activities) > 1 else "one activity"
    return f"{plan.partner.name} asks for {plan.show(requested(activities))} for {what}."


def facts(plan: Plan) -> list[dict[str, Any]]:
    period = plan.fund.earning_period
    people = ", ".join(person.name for person in plan.people.all())
    sent = ""
    if plan.submitted_at:
        again = f", sending {plan.sendings}" if plan.sendings > 1 else ""
        sent = f"{show_instant(plan.submitted_at)} by {plan.submitted_by}{again}"
    return [
        {"key": "Partner", "value": f"{plan.partner.name}, {plan.fund.location.name}"},
        *([{"key": "People", "value": people}] if people else []),
        {
            "key": "Fund",
            "value": f"{earned_in(period)} ({period}), {plan.fund.program.name}, to be used "
            f"{show_day(period.use_from)} to {show_day(period.use_to)}",
            "url": reverse("fund", args=[plan.fund_id]),
        },
        {"key": "Sent", "value": sent},
    ]


def due(plan: Plan, at: datetime) -> dict[str, str]:
    """When the decision is due, how long that is, and the tone to say it in."""
    if plan.review_due_at is None:
        return {}
    day = due_day(plan.review_due_at, plan.fund.program.time_zone)
    days = (day - at.date()).days
    left = (
        "overdue" if at >= plan.review_due_at else "today" if days <= 0 else f"in {days} day{'' if days == 1 else 's'}"
    )
    tone = "problem" if left == "overdue" else "attention" if left == "today" else ""
    return {"day": show_day(day), "left": left, "tone": tone}


def totals(plan: Plan, forms: Sequence[ActivityDecisionForm]) -> dict[str, Any]:
    """What the decisions entered so far come to, and what they do to the fund."""
    said = [form.said() for form in forms]
    verdict = verdict_of([one.decision for one in said])
    approved = 0 if verdict == RETURN else sum(one.approved_minor for one in said)
    asked = sum(one.requested_minor for one in said)
    fund = plan.fund
    amounts = {form.activity.pk: one.approved_minor for form, one in zip(forms, said, strict=True)}
    moves = approved - had_before(plan) if verdict == "approve" else 0
    missing = missing_minor(plan, amounts) if verdict == "approve" else 0
    return {
        "plan": plan,
        "verdict": verdict,
        "approved": plan.show(approved),
        "asked": plan.show(asked),
        "difference": plan.show(asked - approved) if asked != approved else "",
        "returned": sum(one.decision == RETURN for one in said),
        "missing": plan.show(missing) if missing else "",
        "effect": [
            {
                "label": label,
                "now": fund.show(getattr(fund, f"{bucket}_minor")),
                "after": fund.show(getattr(fund, f"{bucket}_minor") + change),
                "changed": bool(change),
            }
            for bucket, label, change in (("available", "Available", -moves), ("reserved", "Reserved", moves))
        ],
    }
