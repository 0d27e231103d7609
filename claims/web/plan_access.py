"""Who comes to which page of a plan, and with what it is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db.models import Prefetch, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render

from claims import states
from claims.models import Plan, PlanActivity
from claims.permissions import WRITERS, require_plan_writer
from claims.web.plan_standing import status_name
from coop.lib.errors import NotFound
from funds.models import Fund
from partners.models import Event, Person
from partners.web.request import PersonRequest

HISTORY = 200
COPIES = 5


def whole_plans(person: Person) -> QuerySet[Plan]:
    """Plans with all that a page of one shows, in few queries."""
    found = Plan.objects.visible_to(person).with_names()
    found = found.select_related(
        "fund__enrollment", "fund__partner", "reviewer", "submitted_by", "created_by", "amends"
    )
    activities = PlanActivity.objects.select_related("activity", "follows").order_by("id")
    return found.prefetch_related(Prefetch("activities", activities), "people", "amends__activities")


def plan_for(request: PersonRequest, plan_id: int) -> Plan:
    """A plan that the reader may see. Raises NotFound."""
    plan = whole_plans(request.user).filter(id=plan_id).first()
    if plan is None:
        raise NotFound("There is no such plan.")
    for activity in plan.activities.all():
        activity.plan = plan  # so that nobody asks the database for it once more
    if request.user.partner_id == plan.partner_id:
        request.user.partner = plan.partner  # nor for this, when the frame of the page is drawn
    return plan


def may_write(person: Person, plan: Plan) -> bool:
    return person.is_active and person.role in WRITERS and person.partner_id == plan.partner_id


def own_plan(request: PersonRequest, plan_id: int) -> Plan:
    """A plan that the reader may write while it is open. Raises NotFound, NotAllowed."""
    plan = plan_for(request, plan_id)
    require_plan_writer(request.user, plan)
    return plan


def activity_of(plan: Plan, activity_id: int) -> PlanActivity:
    """Raises NotFound."""
    found = next((activity for activity in plan.activities.all() if activity.pk == activity_id), None)
    if found is None:
        raise NotFound("There is no such activity in this plan.")
    return found


def closed_for_writing(request: PersonRequest, plan: Plan) -> HttpResponse:
    """The answer where a plan is not open: its page, and what was typed, so that it is not lost."""
    if request.method != "POST":
        messages.info(request, f"Plan {plan} is {status_name(plan).lower()}, so nothing in it changes now.")
        return redirect("plan", plan.pk)
    kept = [
        {"key": name.replace("_", " ").replace("-", " ").capitalize(), "value": value}
        for name, value in request.POST.items()
        if value and name not in ("csrfmiddlewaretoken", "revision", "next")
    ]
    return render(request, "claims/plans/closed_for_writing.html", {"plan": plan, "kept": kept}, status=409)


def history_of(plan: Plan, person: Person) -> list[Event]:
    """What happened to a plan, newest first, as far as the person may read it."""
    events = Event.objects.visible_to(person).about("plan", plan.pk).select_related("actor")
    return list(events.order_by("-id")[:HISTORY])


def events_between(plan: Plan, person: Person, *, seen: int) -> list[Event]:
    """What was done to a plan since the person read its revision `seen`."""
    return history_of(plan, person)[: max(plan.revision - seen, 0)]


def reading(plan: Plan, person: Person, seen: int | None, *, activity: PlanActivity | None) -> int | None:
    """The revision that a form of one activity (or, for none, of the plan's own page) rests on.

    What others changed elsewhere in the plan since it was read is no conflict, so it counts as read.
    """
    if seen is None or seen == plan.revision:
        return seen
    since = [event for event in history_of(plan, person) if event.data.get("revision", 0) > seen]
    return plan.revision if since and all(is_elsewhere(event, activity) for event in since) else seen


def is_elsewhere(event: Event, activity: PlanActivity | None) -> bool:
    if event.verb in ("plan.activity_added", "plan.activity_changed", "plan.activity_removed"):
        return activity is None or event.data.get("activity") != str(activity.pk)
    return activity is not None and event.verb == "plan.changed"


def copyable_plans(person: Person, fund: Fund) -> Sequence[Plan]:
    """The partner's own earlier plans, newest first, whose activities a new one may begin with."""
    mine = Plan.objects.visible_to(person).filter(partner_id=fund.partner_id, activities__isnull=False)
    return list(mine.exclude(status=states.CANCELLED).order_by("-id").distinct()[:COPIES])


def colleagues(plan: Plan) -> Any:
    """The people of the partner who may write plans."""
    return Person.objects.filter(partner_id=plan.partner_id, role__in=WRITERS, is_active=True).order_by("name", "id")
