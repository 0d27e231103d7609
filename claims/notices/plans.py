"""Plans: what waits for approval, what was decided with the reason of each activity, what lapsed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from claims import plan_letters, states
from claims.models import Plan
from claims.notices.words import about_plan, nobody, reviewers, split, workers_on_plan
from claims.queries.plan_deciders import titles_for
from coop.lib.dates import show_deadline
from coop.lib.money import display
from funds.notices.words import sentences
from partners.audience import Audience
from partners.models import Event
from partners.telling import ToldOf


def plans_of(group: Sequence[Event]) -> dict[str, Plan]:
    found = Plan.objects.with_names().filter(id__in=[event.subject for event in group])
    return {str(plan.pk): plan for plan in found.prefetch_related("activities", "people")}


def asked_for(plan: Plan) -> int:
    return sum(row.requested_minor for row in plan.activities.all())


def submitted(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    """Waits for a channel manager with one of the program's titles. What was decided since is not told any more."""
    plans = plans_of(group)
    for event in group:
        plan = plans[event.subject]
        if plan.status != states.SUBMITTED or plan.sendings != event.data.get("sending", 1):
            continue
        zone = plan.fund.program.time_zone
        until = show_deadline(plan.review_due_at, zone) if plan.review_due_at else "soon"
        number = len(plan.activities.all())
        text = (
            f"{plan.partner.name} sent plan {plan}: {number} activit{'y' if number == 1 else 'ies'}, "
            f"{plan.show(asked_for(plan))} of {plan.fund.program.name}, {plan.fund.earning_period}. Decide it until {until}: "
            "the partner waits with the work until then."
        )
        titles = titles_for(plan, who.at.astimezone(ZoneInfo(zone)).date())
        telling = about_plan(
            event,
            plan,
            "needs_you",
            f"Decide the plan “{plan.title}” of {plan.partner.name}",
            text,
            page="plan-review",
            amount_minor=asked_for(plan),
            deadline_at=plan.review_due_at,
        )
        yield event, reviewers(who, plan.partner_id, titles, but=[plan.submitted_by_id]), telling


def overdue(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    """Channel managers are told that it is due; who could make them decide are program admins."""
    plans = plans_of(group)
    for event in group:
        plan = plans[event.subject]
        if plan.status != states.SUBMITTED or plan.review_due_at is None:
            continue
        zone = plan.fund.program.time_zone
        titles = titles_for(plan, who.at.astimezone(ZoneInfo(zone)).date())
        mine, others = split(who, reviewers(who, plan.partner_id, titles, but=[plan.submitted_by_id]), None)
        text = (
            f"The decision on plan {plan} ({plan.partner.name}, {plan.show(asked_for(plan))}) was due by "
            f"{show_deadline(plan.review_due_at, zone)}. The partner waits with the work. Decide it now."
        )
        title = f"The decision on the plan “{plan.title}” is overdue"
        at_stake: dict[str, Any] = {
            "page": "plan-review",
            "amount_minor": asked_for(plan),
            "deadline_at": plan.review_due_at,
        }
        yield event, mine, about_plan(event, plan, "deadline", title, text, **at_stake)
        yield event, others, about_plan(event, plan, "nobody_acted", title, nobody(text, mine), **at_stake)


def returned(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    plans = plans_of(group)
    for event in group:
        plan = plans[event.subject]
        title, words = plan_letters.returned_text(plan, asked_for(plan), 0)
        until = show_deadline(plan.fund.claims_close_at, plan.fund.program.time_zone)
        text = "\n".join(
            [
                sentences(words, f"What is not claimed until {until} expires."),
                *reasons(plan, "return"),
                *([plan.decision_note] if plan.decision_note else []),
            ]
        )
        telling = about_plan(
            event,
            plan,
            "needs_you",
            f"{title}: “{plan.title}”",
            text,
            amount_minor=asked_for(plan),
            deadline_at=plan.fund.claims_close_at,
        )
        yield event, workers_on_plan(who, plan), telling


def approved(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    plans = plans_of(group)
    for event in group:
        plan = plans[event.subject]
        given = sum(row.approved_minor or 0 for row in plan.activities.all())
        title, words = plan_letters.approved_text(plan, asked_for(plan), given)
        note = [plan.decision_note] if plan.decision_note else []
        text = "\n".join([words, *reasons(plan, "approve_less", "decline"), *note])
        telling = about_plan(
            event,
            plan,
            "decision",
            f"{title}: “{plan.title}”",
            text,
            amount_minor=given,
            deadline_at=plan.fund.claims_close_at,
        )
        yield event, workers_on_plan(who, plan), telling


def declined(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    plans = plans_of(group)
    for event in group:
        plan = plans[event.subject]
        title, words = plan_letters.declined_text(plan, asked_for(plan), 0)
        note = [plan.decision_note] if plan.decision_note else []
        text = "\n".join([words, *reasons(plan, "decline"), *note])
        telling = about_plan(event, plan, "decision", f"{title}: “{plan.title}”", text, amount_minor=asked_for(plan))
        yield event, workers_on_plan(who, plan), telling


def lapsed(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    plans = plans_of(group)
    for event in group:
        plan, data = plans[event.subject], event.data
        until = show_deadline(datetime.fromisoformat(data["deadline"]), plan.fund.program.time_zone)
        released = int(data.get("released", 0))
        amount = display(released, plan.currency)
        what = f"{amount} were still reserved for it and expired." if released else "Nothing was reserved for it."
        text = f"Money of {plan.fund.earning_period} could be claimed until {until}, so plan {plan} is over. {what}"
        telling = about_plan(
            event,
            plan,
            "expired",
            f"The plan “{plan.title}” lapsed at the claim deadline",
            text,
            amount_minor=released or None,
        )
        yield event, workers_on_plan(who, plan), telling


def reasons(plan: Plan, *decisions: str) -> list[str]:
    """The reason of each activity that was decided so, one line each."""
    return [f"- {row.title}: {row.reason}" for row in plan.activities.all() if row.decision in decisions and row.reason]
