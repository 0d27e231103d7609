"""A plan after it was sent: where it stands, what was decided and why, what to collect, what was claimed on it."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from claims import states
from claims.models import Claim, Decision, Plan, PlanActivity
from claims.plan_letters import PlanLetter, Said, compose
from claims.queries.book import case_of, current_book
from claims.queries.offers import Offer
from claims.queries.plan_deciders import deciders_of
from claims.queries.plans import changes_between, in_force, open_amendment
from claims.rules.book import Book
from claims.web.plan_access import history_of, may_write
from claims.web.plan_standing import standing_of, story
from claims.web.standing import TONES as CLAIM_TONES
from coop.lib.dates import show_deadline
from coop.lib.web import now
from funds.web.cards import opens
from funds.web.clocks import earned_in, span, time_left
from partners.web.request import PersonRequest

DECIDED = {states.APPROVED: "approve", states.RETURNED: "return", states.DECLINED: "decline"}
OUTCOME_TONES = {"approve": "done", "approve_less": "attention", "decline": "problem", "return": "attention"}
OUTCOMES = {"approve": "Approved", "approve_less": "Approved in part", "decline": "Declined", "return": "To mend"}


def after_sending(request: PersonRequest, plan: Plan) -> HttpResponse:
    at = now(request)
    newer = newer_than(plan)
    plan.newer = newer  # type: ignore[attr-defined]
    waiting = plan.status == states.SUBMITTED
    deciders = [one.said for one in deciders_of(plan, at.date())] if waiting else []
    rows = activity_rows(request, plan, at)
    starts = [row["start_url"] for row in rows if row["start_url"]]
    mine = may_write(request.user, plan)
    decision = decision_of(plan)
    context = {
        "plan": plan,
        "standing": standing_of(plan, deciders=deciders, at=at),
        "letter": letter_of(plan, decision) if decision else None,
        "declined": plan.status == states.DECLINED,
        "rows": rows,
        "start_url": starts[0] if len(starts) == 1 and mine else "",
        "may_write": mine,
        "changes": changes_between(plan) if plan.amends_id else [],
        "newer": newer,
        "verbs": verbs(plan) if mine and newer is None else [],
        "failed": [one for one in (decision.findings if decision else []) if one["outcome"] == "failed"],
        "events": story(history_of(plan, request.user), currency=plan.currency),
        "fund_name": f"{earned_in(plan.fund.earning_period)}, {plan.fund.program}, {plan.fund.location}",
        "new_url": f"{reverse('plan-new')}?fund={plan.fund_id}",
        "catalog_url": f"{reverse('catalog')}?program={plan.fund.program.code}",
    }
    return render(request, "claims/plans/after.html", context)


def newer_than(plan: Plan) -> Plan | None:
    """The version that takes this one's place, or would."""
    if plan.status == states.APPROVED:
        return open_amendment(plan)
    if plan.status == states.CLOSED:
        current = in_force(plan.number)
        return current if current and current.pk != plan.pk else None
    return None


def verbs(plan: Plan) -> list[dict[str, str]]:
    """What the partner may still do with the plan, beside claiming on it."""
    found = []
    if plan.status == states.SUBMITTED:
        found.append({"label": "Take the plan back", "url": reverse("plan-withdraw", args=[plan.pk])})
    if plan.status == states.APPROVED:
        found.append({"label": "Amend this plan", "url": reverse("plan-amend", args=[plan.pk])})
        found.append({"label": "Cancel this plan", "url": reverse("plan-cancel", args=[plan.pk])})
    return found


# --- The decision -----------------------------------------------------------------------------------------------------


def decision_of(plan: Plan) -> Decision | None:
    """The last decision on the plan, with its names."""
    if plan.decided_at is None and plan.status not in DECIDED:
        return None
    return plan.decisions.select_related("decided_by", "acting_for").order_by("-id").first()


def letter_of(plan: Plan, decision: Decision) -> PlanLetter:
    """The letter of a decision as it was sent, from what was kept of it."""
    said = [
        Said(row["title"], row["decision"], int(row["requested"]), int(row["approved"]), row["reason"])
        for row in decision.rows
    ]
    return compose(
        plan,
        decision.act,
        said,
        note=decision.note,
        decider=decision.decided_by.name,
        acting_for=decision.acting_for.name if decision.acting_for else "",
        at=decision.decided_at,
    )


# --- Activities -------------------------------------------------------------------------------------------------------


def activity_rows(request: PersonRequest, plan: Plan, at: datetime, *, collect: bool = True) -> list[dict[str, Any]]:
    """Each activity with its decision, what is left of it, its claims, and what to `collect` for them."""
    activities = list(plan.activities.all())
    claims: dict[int, list[Claim]] = defaultdict(list)
    if plan.decided_at:  # nothing is claimed on what was never approved
        for claim in Claim.objects.visible_to(request.user).filter(plan_activity__in=activities).order_by("id"):
            claims[claim.plan_activity_id or 0].append(claim)
    book = current_book() if collect else None
    return [activity_row(plan, activity, claims[activity.pk], book, at) for activity in activities]


def activity_row(
    plan: Plan, activity: PlanActivity, claims: list[Claim], book: Book | None, at: datetime
) -> dict[str, Any]:
    granted = activity.decision in ("approve", "approve_less") and plan.status in (states.APPROVED, states.CLOSED)
    start, said = start_of(plan, activity, at) if granted else ("", "")
    return {
        "id": activity.pk,
        "name": activity.title,
        "kind": ", ".join(filter(None, (activity.activity.name, span(activity.starts_on, activity.ends_on)))),
        "outcome": OUTCOMES.get(activity.decision, "") if plan.status in DECIDED or granted else "",
        "tone": OUTCOME_TONES.get(activity.decision, ""),
        "requested": plan.show(activity.requested_minor),
        "approved": plan.show(activity.approved_minor) if granted and activity.approved_minor is not None else "",
        "left": plan.show(activity.reserved_minor) if granted else "",
        "reason": activity.reason,
        "expected": activity.expected_outcome,
        "claims": [claim_row(claim) for claim in claims],
        "collect": to_collect(plan, activity, book) if book and activity.decision != "decline" else [],
        "start_url": start,
        "start_said": said,
    }


def claim_row(claim: Claim) -> dict[str, str]:
    return {
        "label": claim.title,
        "url": reverse("claim", args=[claim.pk]),
        "hint": claim.number,
        "amount": claim.show(claim.claimed_minor),
        "status": claim.status_name,
        "tone": CLAIM_TONES[claim.status],
    }


def start_of(plan: Plan, activity: PlanActivity, at: datetime) -> tuple[str, str]:
    """The address that starts a claim on the activity and what to know of its dates; no address while it cannot be."""
    period, zone = plan.fund.earning_period, plan.fund.program.time_zone
    if plan.status != states.APPROVED or activity.closed_at is not None or not activity.reserved_minor:
        return "", "Everything that was approved is claimed or given back." if activity.closed_at else ""
    if at >= plan.fund.claims_close_at:
        return "", f"Claims were taken until {show_deadline(plan.fund.claims_close_at, zone)}."
    if at < period.use_open_at:
        return "", f"A claim can be sent from {opens(plan.fund)}."
    left, _ = time_left(plan.fund.claims_close_at, at=at, zone=zone)
    until = f"Claim it by {show_deadline(plan.fund.claims_close_at, zone)}, {left}."
    if at < period.claims_open_at:
        until = f"A claim can be written now and sent from {opens(plan.fund)}. {until}"
    return f"{reverse('claim-new')}?fund={plan.fund_id}&plan_activity={activity.pk}", until


def to_collect(plan: Plan, activity: PlanActivity, book: Book) -> list[dict[str, Any]]:
    """The proofs that a claim on the activity will be asked for, by the rules of its first day."""
    day = activity.starts_on or plan.fund.earning_period.use_from
    case = case_of(plan.fund, activity.activity, activity.country, day, book)
    return [
        {"text": one.text, "hint": " ".join(one.hints), "when": one.when, "example": one.example}
        for one in Offer(activity.activity, case, book).proofs
    ]
