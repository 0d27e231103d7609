"""Deciding a plan: each activity on its own, approve, approve less, return or decline. Approval reserves the money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from claims import states
from claims.models import Claim, Plan, PlanActivity
from claims.operations.deciding import keep_decision
from claims.operations.plan_drafts import lock_plan, touched
from claims.operations.plans import below_use, money_refusal, release_rows, require_approvable, require_window
from claims.operations.turns import next_status, require_fresh
from claims.operations.verdicts import in_words, reason_faults
from claims.permissions import require_plan_reviewer
from claims.queries.plan_facts import findings_of_plan
from claims.queries.plans import in_force, row_in, used_of
from coop.lib import clock
from coop.lib.errors import FieldError, Invalid
from funds.operations import holds
from partners.models import Person
from partners.queries import said_for

OUTCOMES = {"approve": "plan.approved", "return": "plan.returned", "decline": "plan.declined"}


@dataclass(frozen=True)
class PlanDecision:
    """What is said of one activity. `approved_minor` counts for approve_less only; all but approve need a reason.

    The reason is one of the catalog's (`reason_code`), or words of the reviewer's own (`reason`), or both.
    """

    activity_id: int
    decision: str
    approved_minor: int | None = None
    reason: str = ""
    reason_code: str = ""

    @property
    def words(self) -> str:
        return in_words("plan", self.decision, self.reason_code, self.reason)


@transaction.atomic
def approve_plan(
    plan_id: int,
    *,
    decisions: Sequence[PlanDecision] = (),
    note: str = "",
    revision: int | None = None,
    by: Person,
    at: datetime,
) -> Plan:
    """Decide a plan, activity by activity; those that are not named are approved as asked. What is approved is reserved.

    One activity that is to be returned returns the plan, and all that are declined decline it: nothing is reserved then.
    An amendment takes the place of the version in force. Raises NotFound, NotAllowed, SelfDecision, WindowNotOpen,
    WindowClosed, Stale, WrongStatus, Invalid with all that does not fit, InsufficientFunds with the shortfall.
    """
    return _decide(plan_id, "approve", decisions, note, revision=revision, by=by, at=at)


@transaction.atomic
def return_plan(
    plan_id: int,
    *,
    decisions: Sequence[PlanDecision] = (),
    note: str = "",
    revision: int | None = None,
    by: Person,
    at: datetime,
) -> Plan:
    """Give a plan back to be mended; activities or the note say what. Raises as `approve_plan`."""
    return _decide(plan_id, "return", decisions, note, revision=revision, by=by, at=at)


@transaction.atomic
def decline_plan(
    plan_id: int,
    *,
    decisions: Sequence[PlanDecision] = (),
    note: str = "",
    revision: int | None = None,
    by: Person,
    at: datetime,
) -> Plan:
    """Decline a whole plan; the note is the reason of activities that are not named. Raises as `approve_plan`."""
    return _decide(plan_id, "decline", decisions, note, revision=revision, by=by, at=at)


def _decide(
    plan_id: int,
    verb: str,
    decisions: Sequence[PlanDecision],
    note: str,
    *,
    revision: int | None,
    by: Person,
    at: datetime,
) -> Plan:
    plan = lock_plan(plan_id, by=by)
    at = max(at, clock.now())
    covered = require_plan_reviewer(by, plan, at)
    require_fresh(plan, revision, by=by)
    next_status(plan, verb, by=by)
    rows = decided_rows(plan, verb, decisions, note.strip())
    outcome = outcome_of(verb, rows)
    status = next_status(plan, outcome, by=by)
    if outcome != "decline":
        require_window(plan, at)
    findings = findings_of_plan(plan, at=at, fund=plan.fund)
    reserved = put_in_force(plan, rows, by=by, at=at) if outcome == "approve" else {}
    write_rows(rows, outcome)

    plan.status, plan.reviewer, plan.decided_at, plan.turn_since = status, by, at, at
    plan.decision_note = note.strip()
    asked = sum(row.requested_minor for row in rows)
    approved = sum(row.approved_minor or 0 for row in rows)
    keep_decision(
        plan,
        outcome,
        findings=findings,
        rows=[as_said(row, reserved.get(row.pk, 0)) for row in rows],
        note=plan.decision_note,
        asked_minor=asked,
        approved_minor=approved,
        acting_for=covered,
        by=by,
        at=at,
    )
    said: dict[str, Any] = {"requested": str(asked), "approved": str(approved), "currency": plan.currency}
    if covered:
        said["acting_for"] = str(covered.pk)
    touched(plan, OUTCOMES[outcome], by=by, at=at, acting_as=said_for(covered), note=plan.decision_note, **said)
    return plan


def as_said(row: PlanActivity, reserved_minor: int) -> dict[str, Any]:
    """What a decision record keeps of an activity; amounts in minor units, as text. `reserved` is what the ledger moved."""
    return {
        "id": str(row.pk),
        "activity": row.activity.code,
        "title": row.title,
        "decision": row.decision,
        "requested": str(row.requested_minor),
        "approved": str(row.approved_minor or 0),
        "reserved": str(reserved_minor),
        "reason_code": row.reason_code,
        "reason": row.reason,
    }


def outcome_of(verb: str, rows: Sequence[PlanActivity]) -> str:
    """What the decisions come to for the whole plan."""
    said = {row.decision for row in rows}
    if verb == "return" or "return" in said:
        return "return"
    return "decline" if said == {"decline"} else "approve"


# --- What was said of each activity -----------------------------------------------------------------------------------


def decided_rows(plan: Plan, verb: str, decisions: Sequence[PlanDecision], note: str) -> list[PlanActivity]:
    """The plan's activities with what was decided of each, not saved yet. Raises Invalid with all that does not fit."""
    rows = {row.pk: row for row in plan.activities.select_related("activity")}
    errors: list[FieldError] = []
    seen: set[int] = set()
    for index, said in enumerate(decisions):
        place, row = f"decisions.{index}", rows.get(said.activity_id)
        if row is None:
            message = f"Plan {plan} has no activity {said.activity_id}."
            errors.append(FieldError(f"{place}.id", "not_found", message))
            continue
        if row.pk in seen:
            errors.append(FieldError(f"{place}.id", "duplicate", f"“{row.title}” is decided twice. Decide it once."))
        seen.add(row.pk)
        errors += [FieldError(f"{place}.{field}", code, text) for field, code, text in faults(plan, row, said, verb)]
        row.decision, row.reason, row.reason_code = said.decision, said.words, said.reason_code
        row.approved_minor = {"approve": row.requested_minor, "approve_less": said.approved_minor}.get(said.decision, 0)
    others = [row for row in rows.values() if row.pk not in seen]
    errors += whole_faults(verb, decisions, others, note)
    if errors:
        raise Invalid(errors=errors)
    for row in others:
        row.decision = {"approve": "approve", "decline": "decline"}.get(verb, "")
        row.approved_minor = row.requested_minor if verb == "approve" else 0
        row.reason, row.reason_code = (note[:1000] if verb == "decline" else ""), ""
    return list(rows.values())


def whole_faults(
    verb: str, decisions: Sequence[PlanDecision], others: Sequence[PlanActivity], note: str
) -> list[FieldError]:
    """What is missing for the plan as a whole."""
    if verb == "return" and not note and not any(said.decision == "return" for said in decisions):
        message = "Say what has to be mended: in the note, or as the reason of an activity that is returned."
        return [FieldError("note", "required", message)]
    if verb == "decline" and others and not note:
        return [FieldError("note", "required", "Say why the plan is declined: the partner reads it.")]
    return []


def faults(plan: Plan, row: PlanActivity, said: PlanDecision, verb: str) -> list[tuple[str, str, str]]:
    """What is wrong with one decision, as (field, code, sentence)."""
    if said.decision not in states.DECISIONS:
        message = f"“{said.decision}” is not a decision. Use {', '.join(states.DECISIONS)}."
        return [("decision", "invalid", message)]
    wrong = []
    if verb == "decline" and said.decision != "decline":
        message = "Declining a plan declines all of it. Approve the plan, and decline in that what you decline."
        wrong.append(("decision", "invalid", message))
    wrong += reason_faults("plan", said.decision, said.reason_code, said.reason, plain="approve")
    return wrong + amount_faults(plan, row, said)


def amount_faults(plan: Plan, row: PlanActivity, said: PlanDecision) -> list[tuple[str, str, str]]:
    amount = said.approved_minor
    if said.decision == "approve_less":
        if amount is None or not 0 < amount < row.requested_minor:
            asked = plan.show(row.requested_minor)
            message = f"Enter an amount above zero and below the {asked} that were asked for."
            return [("approved_amount", "invalid", message)]
    elif amount not in (None, row.requested_minor if said.decision == "approve" else 0):
        message = "An amount is given with approve_less only. Say approve_less to approve a part of it."
        return [("approved_amount", "invalid", message)]
    return []


def write_rows(rows: Sequence[PlanActivity], outcome: str) -> None:
    """Save what was decided; amounts count only where the plan is approved or declined as a whole."""
    for row in rows:
        if outcome == "return":
            row.approved_minor = None
        row.save()


# --- Money ------------------------------------------------------------------------------------------------------------


def put_in_force(plan: Plan, rows: Sequence[PlanActivity], *, by: Person, at: datetime) -> dict[int, int]:
    """Reserve what is approved; an amendment takes over what its version before has, and only the difference moves.

    Returns by activity what was reserved, less than nothing where something was given back. Raises WindowNotOpen,
    WindowClosed, Invalid (less than claims hold), InsufficientFunds.
    """
    require_approvable(plan, by=by)
    amounts = {row.pk: row.approved_minor or 0 for row in rows}
    if wrong := below_use(plan, amounts):
        raise Invalid(errors=wrong)
    holds.require_spendable(plan.fund, at=at)
    if refusal := money_refusal(plan, amounts, by=by):
        raise refusal
    before = in_force(plan.number) if plan.version > 1 else None
    moved: dict[int, int] = {}
    old_rows: dict[int, PlanActivity] = {}
    for row in rows:
        old = row_in(row, before) if before else None
        if old is not None:
            old_rows[row.pk] = old
        row.reserved_minor = (row.approved_minor or 0) - (used_of(old) if old else 0)
        moved[row.pk] = row.reserved_minor - (old.reserved_minor if old else 0)
    if before is not None:
        retire(before, plan, old_rows, by=by, at=at)
    # What comes back first: the rest may need it.
    for pk, minor in sorted(moved.items(), key=lambda pair: (pair[1] > 0, pair[0])):
        key = f"plan:{plan.pk}:reserved:{pk}"
        if minor > 0:
            holds.reserve(plan.fund, minor, reference=plan.reference, key=key, by=by, at=at)
        elif minor < 0:
            holds.release_reserve(plan.fund, -minor, reference=plan.reference, key=key, by=by, at=at)
    return moved


def retire(before: Plan, plan: Plan, old_rows: dict[int, PlanActivity], *, by: Person, at: datetime) -> None:
    """Close the version that an approved amendment replaces. Its claims, and what it has for them, go to the new one."""
    for pk, old in old_rows.items():
        Claim.objects.filter(plan_activity=old).update(plan_activity=pk)
        old.reserved_minor, old.closed_at = 0, at
        old.save()
    before.fund = plan.fund
    taken_out = before.activities.filter(closed_at__isnull=True)
    release_rows(before, list(taken_out), "replaced", by=by, at=at)
    before.status, before.turn_since = states.PLANS["close"][before.status], at
    touched(before, "plan.replaced", by=by, at=at, by_version=plan.version)
