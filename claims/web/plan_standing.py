"""Where a plan stands, in words: the sentence, whose turn it is, since when, and what comes next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from claims import states
from claims.due import due_day
from claims.models import Plan, PlanActivity
from claims.queries.plans import version_before
from coop.lib import money
from coop.lib.dates import show_day, show_deadline, show_instant
from partners.models import Event

TONES = {
    states.DRAFT: "draft",
    states.SUBMITTED: "active",
    states.RETURNED: "attention",
    states.APPROVED: "done",
    states.DECLINED: "problem",
    states.CANCELLED: "done",
    states.LAPSED: "problem",
    states.CLOSED: "done",
}
NAMES = {states.RETURNED: "Returned to you"}
MANAGERS = "channel_manager"


@dataclass(frozen=True)
class Standing:
    """`who` has the turn `since` a day; `next_step` is what comes and by when."""

    status: str
    tone: str
    sentence: str
    who: str
    since: str
    next_step: str


def status_name(plan: Plan) -> str:
    return NAMES.get(plan.status, plan.status_name)


def requested(activities: Iterable[PlanActivity]) -> int:
    return sum(activity.requested_minor for activity in activities)


def approved(activities: Iterable[PlanActivity]) -> int:
    return sum(activity.approved_minor or 0 for activity in activities)


def joined(names: Sequence[str], last: str = "or") -> str:
    """Names as one reads them: Mara, Pedro or Greta."""
    *before, end = names
    return f"{', '.join(before)} {last} {end}" if before else end


def turn_of(plan: Plan, deciders: Sequence[str]) -> str:
    """Who has it. `deciders` are the names of those who may decide it, each with who covers for them."""
    if plan.whose_turn == "partner":
        return "Your turn"
    if plan.whose_turn != MANAGERS:
        return "Nobody needs to do anything"
    if not deciders or len(deciders) > 3:
        return "With the channel managers"
    return f"With {joined(deciders)}"


def standing_of(plan: Plan, *, deciders: Sequence[str] = (), at: datetime) -> Standing:
    """The standing of a plan at an instant, for the partner."""
    sentence, next_step = said_of(plan, at)
    return Standing(
        status=status_name(plan),
        tone=TONES[plan.status],
        sentence=sentence,
        who=turn_of(plan, deciders),
        since=show_day(plan.turn_since.date()) if plan.whose_turn != "nobody" else "",
        next_step=next_step,
    )


def said_of(plan: Plan, at: datetime) -> tuple[str, str]:
    """The sentence at the top, and what comes next."""
    activities = list(plan.activities.all())
    asked, given = plan.show(requested(activities)), plan.show(approved(activities))
    zone = plan.fund.program.time_zone
    if plan.status == states.SUBMITTED:
        due = (
            f"A decision usually comes by {show_day(due_day(plan.review_due_at, zone))}." if plan.review_due_at else ""
        )
        return f"Your plan for {asked} was sent and waits for approval.", due
    if plan.status == states.RETURNED:
        return f"Your plan for {asked} was returned to be mended.", "Mend what was asked for and send it again."
    if plan.status == states.APPROVED:
        part = given if given == asked else f"{given} of the {asked} you asked for"
        until = show_deadline(plan.fund.claims_close_at, zone)
        return f"{part} is approved and reserved for you.", f"Claim it until {until}."
    if plan.status == states.DECLINED:
        return f"Your plan for {asked} was declined. Nothing is reserved for it.", ""
    if plan.status == states.CANCELLED:
        return "You cancelled this plan. What was still reserved for it went back to the fund.", ""
    if plan.status == states.LAPSED:
        return f"The claim deadline passed, {show_deadline(plan.fund.claims_close_at, zone)}, so this plan lapsed.", ""
    if plan.status == states.CLOSED and getattr(plan, "newer", None):
        return "A newer version of this plan took its place.", ""
    return states.PLAN_STATUSES[plan.status][2], ""


@dataclass(frozen=True)
class Effect:
    """What a plan does to its fund, as texts; `over` is the exact shortfall where it asks for more than there is."""

    asked: str
    there: str
    left: str
    over: str
    from_before: str


def had_before(plan: Plan) -> int:
    """What the version in force that this one would replace was granted, and which it takes over."""
    current = version_before(plan)
    if current is None or current.status != states.APPROVED:
        return 0
    return sum(row.approved_minor or 0 for row in current.activities.all() if row.closed_at is None)


def effect_of(plan: Plan) -> Effect:
    """What a plan that is not decided asks of its fund, and what would be left. What the version in force has counts for it."""
    fund = plan.fund
    before = had_before(plan)
    asked = requested(plan.activities.all())
    there = max(fund.available_minor, 0) + before
    return Effect(
        asked=plan.show(asked),
        there=plan.show(there),
        left=plan.show(max(there - asked, 0)),
        over=plan.show(asked - there) if asked > there else "",
        from_before=plan.show(before) if before else "",
    )


# --- The story --------------------------------------------------------------------------------------------------------

SENTENCES = {
    "plan.created": "started the plan",
    "plan.changed": "changed what the plan says",
    "plan.activity_added": "added an activity",
    "plan.activity_changed": "changed an activity",
    "plan.activity_removed": "took an activity out",
    "plan.activity_closed": "closed an activity",
    "plan.submitted": "sent the plan for approval,",
    "plan.withdrawn": "took the plan back",
    "plan.returned": "returned the plan",
    "plan.approved": "approved",
    "plan.declined": "declined the plan",
    "plan.cancelled": "cancelled the plan",
    "plan.replaced": "put a newer version in its place",
    "plan.amended": "began a new version",
    "plan.review_overdue": "noted that the decision is overdue",
    "plan.lapsed": "closed the plan, because the claim deadline had passed",
    "plan.closed": "closed the plan",
}
EDITS = ("plan.changed", "plan.activity_added", "plan.activity_changed", "plan.activity_removed")
AMOUNT_IN = {"plan.submitted": "requested", "plan.approved": "approved", "plan.cancelled": "released"}


def story(events: Iterable[Event], *, currency: str) -> list[dict[str, Any]]:
    """Events, newest first, as `_components/timeline.html` takes them; a stretch of edits by one person is told as one."""
    found = []
    for (_, edits), group in groupby(events, key=lambda event: (event.actor_id, event.verb in EDITS or event.pk)):
        same = list(group)
        said = told(same[0], currency)
        found.append({**said, "what": f"worked on the plan ({len(same)} changes)"} if len(same) > 1 and edits else said)
    return found


def told(event: Event, currency: str) -> dict[str, Any]:
    found = {
        "who": event.actor.name if event.actor else "The system",
        "what": SENTENCES.get(event.verb, event.verb.partition(".")[2].replace("_", " ")),
        "when": show_instant(event.at),
        "iso": event.at.isoformat(),
        "note": event.data.get("note") or event.data.get("reason") or "",
    }
    amount = int(event.data.get(AMOUNT_IN.get(event.verb, ""), 0))
    if amount:
        found["amount"] = money.display(amount, event.data.get("currency", currency))
    return found
