"""Writing a plan with all its activities at once, as programs do: one transaction, all faults together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from claims.models import Plan
from claims.operations.plan_drafts import (
    ACTIVITY_FIELDS,
    add_activity,
    change_activity,
    create_plan,
    lock_open_plan,
    remove_activity,
    update_plan,
)
from coop.lib.errors import FieldError, Invalid, require_fields
from partners.models import Person


@transaction.atomic
def write_new_plan(
    *,
    fund_id: int,
    title: str = "",
    people: Iterable[int] = (),
    activities: Sequence[Mapping[str, Any]] = (),
    by: Person,
    at: datetime,
) -> Plan:
    """Begin a plan with activities, each with the names of ACTIVITY_FIELDS. Raises as `create_plan` and `add_activity`."""
    plan = create_plan(fund_id=fund_id, title=title, people=people, by=by, at=at)
    write_activities(plan.pk, activities, set(), by=by, at=at)
    return plan


@transaction.atomic
def rewrite_plan(
    plan_id: int, changes: Mapping[str, Any], *, revision: int | None = None, by: Person, at: datetime
) -> Plan:
    """Change an open plan. `activities` is its whole list: with an `id` one is changed, without it is added, and what is not
    named is removed. Raises NotFound, NotAllowed, Stale, WrongStatus, Invalid with the faults of all activities.
    """
    plan = lock_open_plan(plan_id, by=by, revision=revision)
    rest = {name: value for name, value in changes.items() if name != "activities"}
    if rest or "activities" not in changes:
        plan = update_plan(plan_id, rest, by=by, at=at)
    if "activities" in changes:
        known = set(plan.activities.values_list("id", flat=True))
        write_activities(plan_id, changes["activities"], known, by=by, at=at)
    return plan


def write_activities(
    plan_id: int, rows: Sequence[Mapping[str, Any]], known: set[int], *, by: Person, at: datetime
) -> None:
    """Make the activities of a plan be these. Raises Invalid with all faults, each at its place in the list."""
    errors: list[FieldError] = []
    named: set[int] = set()
    for index, row in enumerate(rows):
        place, values = f"activities.{index}", dict(row)
        row_id = values.pop("id", None)
        try:
            with transaction.atomic():  # so that the faults of the others are found too
                if row_id is None:
                    add_row(plan_id, values, by=by, at=at)
                elif row_id in named or row_id not in known:
                    raise Invalid.field("id", f"This plan has no activity {row_id}, or it is named twice.", "not_found")
                else:
                    change_activity(plan_id, row_id, values, by=by, at=at)
        except Invalid as refusal:
            errors += [FieldError(f"{place}.{e.field}", e.code, e.message) for e in refusal.errors]
        named.add(row_id)
    if errors:
        raise Invalid(errors=errors)
    for gone in sorted(known - named):
        remove_activity(plan_id, gone, by=by, at=at)


def add_row(plan_id: int, values: dict[str, Any], *, by: Person, at: datetime) -> None:
    require_fields(values, ACTIVITY_FIELDS, "An activity of a plan")
    code = values.pop("activity", None)
    if not code:
        raise Invalid.field("activity", "Say which activity of the catalog it is.", "required")
    add_activity(plan_id, activity_code=code, **values, by=by, at=at)
