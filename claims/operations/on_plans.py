"""Which activity of a plan a claim is made on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from claims import states
from claims.models import Claim, PlanActivity
from coop.lib.errors import Invalid
from funds.models import Fund


def planned_for(fund: Fund, plan_activity_id: int) -> PlanActivity:
    """The activity in force of a plan of a locked fund. Raises Invalid."""
    planned = PlanActivity.objects.select_related("plan", "activity").filter(id=plan_activity_id).first()
    if planned is None or planned.plan.fund_id != fund.pk:
        raise Invalid.field("plan_activity", "This fund has no plan with such an activity.", "not_found")
    if planned.plan.status != states.APPROVED or planned.closed_at is not None or not planned.approved_minor:
        raise Invalid.field(
            "plan_activity",
            f"“{planned.title}” of plan {planned.plan} is not in force. Choose an activity of an approved plan.",
            "not_in_force",
        )
    return planned


def from_plan(planned: PlanActivity, given: Mapping[str, Any]) -> dict[str, Any]:
    """What a new claim takes over of the activity it is made on, where its writer says nothing else.

    Raises Invalid where the claim is for another activity.
    """
    require_same(planned, given["activity_code"] or planned.activity.code)
    known = {
        "activity_code": planned.activity.code,
        "title": planned.title,
        "country": planned.country,
        "activity_from": planned.starts_on,
        "activity_to": planned.ends_on,
        "solution_area": planned.solution_area,
    }
    return {name: given[name] or value for name, value in known.items()}


def require_same(planned: PlanActivity, code: str) -> None:
    if code != planned.activity.code:
        raise Invalid.field(
            "activity",
            f"“{planned.title}” was approved as {planned.activity.name.lower()}. Claim it as that, or without the plan.",
            "other_activity",
        )


def move_to_plan(claim: Claim, plan_activity_id: int | None) -> None:
    """Make an open, locked claim on another activity of a plan, or on none. Raises Invalid, also while it holds money."""
    if plan_activity_id == claim.plan_activity_id:
        return
    if claim.held_minor:
        raise Invalid.field(
            "plan_activity", "This claim holds money of its plan already. Withdraw it and write it anew.", "held"
        )
    claim.plan_activity = None if plan_activity_id is None else planned_for(claim.fund, plan_activity_id)
