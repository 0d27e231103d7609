"""Reads of plans: the version in force, what is left of an activity, and what an amendment changes."""

from __future__ import annotations

from datetime import date, datetime

from django.db.models import QuerySet

from claims import states
from claims.models import Plan, PlanActivity
from coop.lib.dates import show_day
from funds.queries.deadlines import closes_at, open_still
from partners.models import Person


def visible_plans(person: Person) -> QuerySet[Plan]:
    """The plans that somebody may see, with what their rows show."""
    return Plan.objects.visible_to(person).with_names().prefetch_related("activities__activity")


def in_force(number: str) -> Plan | None:
    """The approved version of a plan, if there is one now."""
    return Plan.objects.filter(number=number, status=states.APPROVED).first()


def open_amendment(plan: Plan) -> Plan | None:
    """The version of a plan that would take the place of the one in force and is not decided yet."""
    waiting = Plan.objects.filter(number=plan.number, version__gt=1)
    return waiting.filter(status__in=(*states.PLAN_OPEN, states.SUBMITTED)).first()


def left_of(activity: PlanActivity) -> int:
    """What can still be claimed of an activity out of its plan's reserve, in minor units."""
    return activity.reserved_minor


def used_of(activity: PlanActivity) -> int:
    """What claims hold of an activity in force, or were granted, out of its approved amount; in minor units."""
    return (activity.approved_minor or 0) - activity.reserved_minor


def claimable_activities(person: Person, at: datetime) -> list[PlanActivity]:
    """Activities of approved plans that somebody may claim on: money is left and the claim deadline has not passed."""
    found = PlanActivity.objects.filter(
        open_still(at, "plan__fund__"),
        plan__in=Plan.objects.visible_to(person).filter(status=states.APPROVED),
        closed_at__isnull=True,
        reserved_minor__gt=0,
    )
    names = ("activity", "plan__partner", "plan__fund__program", "plan__fund__earning_period", "plan__fund__location")
    return list(found.select_related(*names).order_by(closes_at("plan__fund__"), "starts_on", "id"))


# --- Versions ---------------------------------------------------------------------------------------------------------


def version_before(plan: Plan) -> Plan | None:
    """The version that was in force before this one: amendments that never were are passed over."""
    before = plan.amends
    while before is not None and not any(row.approved_minor for row in before.activities.all()):
        before = before.amends
    return before


def row_in(activity: PlanActivity, version: Plan) -> PlanActivity | None:
    """The same activity as it stands in an earlier version of its plan."""
    row = activity.follows
    while row is not None and row.plan_id != version.pk:
        row = row.follows
    return row


def changes_between(plan: Plan) -> list[str]:
    """What a version of a plan changes against the one that was in force before it, in words; nothing for a first version."""
    before = version_before(plan)
    if before is None:
        return []
    said = [] if plan.title == before.title else [f"Title: “{before.title}” becomes “{plan.title}”."]
    kept: set[int] = set()
    for activity in plan.activities.all():
        old = row_in(activity, before)
        if old is None:
            said.append(f"New: {activity.title}, {plan.show(activity.requested_minor)}, {show_days(activity)}.")
        else:
            kept.add(old.pk)
            said += changes_of(plan, old, activity)
    # What the partner had closed before is no part of it.
    gone = [
        row
        for row in before.activities.all()
        if row.approved_minor and row.pk not in kept and row.closed_at in (None, plan.decided_at)
    ]
    said += [f"Taken out: {activity.title}, {plan.show(activity.approved_minor or 0)}." for activity in gone]
    return said


def changes_of(plan: Plan, old: PlanActivity, new: PlanActivity) -> list[str]:
    """What changes of one activity. Amounts are compared with what was approved of it."""
    said = []
    if old.approved_minor != new.requested_minor:
        more = "more" if new.requested_minor > (old.approved_minor or 0) else "less"
        by = plan.show(abs(new.requested_minor - (old.approved_minor or 0)))
        said.append(f"{plan.show(old.approved_minor or 0)} becomes {plan.show(new.requested_minor)}, {by} {more}")
    if (old.starts_on, old.ends_on) != (new.starts_on, new.ends_on):
        said.append(f"{show_days(old)} becomes {show_days(new)}")
    for name, words in (("title", "title"), ("solution_area", "solution area"), ("country", "country")):
        if getattr(old, name) != getattr(new, name):
            said.append(f"{words}: “{getattr(old, name)}” becomes “{getattr(new, name)}”")
    if old.expected_outcome != new.expected_outcome:
        said.append("another expected outcome")
    if old.answers != new.answers:
        said.append("other answers")
    return [f"{new.title}: {'; '.join(said)}."] if said else []


def show_days(activity: PlanActivity) -> str:
    def show(day: date | None) -> str:
        return show_day(day) if day else "a day not known yet"

    return f"{show(activity.starts_on)} to {show(activity.ends_on)}"
