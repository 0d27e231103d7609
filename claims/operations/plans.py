"""The life of a plan beside its review: sent, withdrawn, cancelled, amended, closed, lapsed. Written in `plan_drafts`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from claims import states
from claims.due import review_due
from claims.models import Claim, Plan, PlanActivity
from claims.operations.counting import lock_funds_that_count, require_counted
from claims.operations.plan_drafts import (
    activity_of,
    add_activity,
    change_activity,
    create_plan,
    lock_plan,
    lock_with_fund,
    remove_activity,
    touched,
    update_plan,
)
from claims.operations.turns import last_act, next_status, require_fresh, taken_last
from claims.permissions import require_plan_writer
from claims.queries.plan_facts import findings_of_plan
from claims.queries.plans import in_force, open_amendment, row_in, used_of
from claims.rules.findings import Finding, failed
from coop.lib import clock
from coop.lib.dates import show_deadline, show_instant
from coop.lib.errors import FieldError, InsufficientFunds, Invalid, RuleFailed, WindowClosed, WrongStatus
from funds.ledger import take_fund
from funds.operations import holds
from funds.queries.deadlines import closed, is_closed
from partners.models import Person

__all__ = [
    "add_activity",
    "amend_plan",
    "cancel_plan",
    "change_activity",
    "close_activity",
    "close_if_used_up",
    "create_plan",
    "due_to_lapse",
    "lapse_plan",
    "remove_activity",
    "submit_plan",
    "update_plan",
    "withdraw_plan",
]


@transaction.atomic
def submit_plan(plan_id: int, *, revision: int | None = None, by: Person, at: datetime) -> Plan:
    """Send a plan to be approved. Nothing is reserved yet, but the money must be there.

    The clock is read once more after the lock, and the window is tested before the status, as for a claim. Raises NotFound,
    NotAllowed, WindowClosed, Stale, WrongStatus, Invalid (incomplete), InsufficientFunds, RuleFailed with all findings.
    """
    locked = lock_funds_that_count(Plan.objects.with_names().filter(id=plan_id).first())
    plan = lock_plan(plan_id, by=by)
    require_plan_writer(by, plan)
    at = max(at, clock.now())
    require_window(plan, at)
    require_fresh(plan, revision, by=by)
    plan.status = next_status(plan, "submit", by=by)
    require_approvable(plan, by=by)
    require_counted(plan, locked)
    faults = [*incomplete(plan), *below_use(plan)]
    findings = findings_of_plan(plan, at=at, fund=plan.fund)
    require_rules(plan, findings, faults, by=by)

    plan.activities.update(decision="", approved_minor=None, reason="", reason_code="")
    plan.findings = [found.as_dict() for found in findings]
    plan.sendings += 1
    plan.submitted_at = plan.turn_since = at
    plan.submitted_by, plan.reviewer = by, None
    plan.review_due_at = review_due(at, plan.fund.program)
    asked = sum(row.requested_minor for row in plan.activities.all())
    said: dict[str, Any] = {"requested": str(asked), "currency": plan.currency, "sending": plan.sendings}
    touched(plan, "plan.submitted", by=by, at=at, **said)
    return plan


def require_window(plan: Plan, at: datetime) -> None:
    """Refuse what can only be done while money of the fund can still be claimed. Raises WindowClosed."""
    fund, zone = plan.fund, plan.fund.program.time_zone
    if is_closed(fund, at):
        raise WindowClosed(
            f"It is {show_instant(at, zone)}. Money of {fund.earning_period} could be claimed until "
            f"{show_deadline(fund.claims_close_at, zone)}, so nothing more is planned with it."
        )


def require_approvable(plan: Plan, *, by: Person) -> None:
    """Refuse a plan that nobody would decide. Raises WrongStatus."""
    program = plan.fund.program
    if program.plan_approval == "none":
        raise WrongStatus(f"{program} needs no plan to be approved: do the work and claim it. This draft stays yours.")
    if plan.version > 1 and in_force(plan.number) is None:
        raise WrongStatus(
            f"Version {plan.version} would change a plan that is not in force any more. Begin a new plan. "
            + last_act(plan.amends or plan, by=by)
        )


def incomplete(plan: Plan) -> list[FieldError]:
    """What a plan still lacks to be sent, beside what the rules say."""
    rows = list(plan.activities.all())
    wrong = [] if rows else [FieldError("activities", "required", "Add at least one activity.")]
    for row in rows:
        place = f"activities.{row.pk}"
        if row.requested_minor <= 0:
            wrong.append(FieldError(f"{place}.requested_amount", "required", f"Say what “{row.title}” will cost."))
        wrong += [
            FieldError(f"{place}.{name}", "required", f"Give the {words} day of “{row.title}”.")
            for name, words in (("starts_on", "first"), ("ends_on", "last"))
            if getattr(row, name) is None
        ]
    return wrong


def below_use(plan: Plan, amounts: dict[int, int] | None = None) -> list[FieldError]:
    """Where an amendment asks for less (or `amounts` by activity approve less) than claims hold or were granted already."""
    before = in_force(plan.number) if plan.version > 1 else None
    if before is None:
        return []
    wrong, kept = [], set()
    for row in plan.activities.all():
        old = row_in(row, before)
        if old is None:
            continue
        kept.add(old.pk)
        amount = row.requested_minor if amounts is None else amounts.get(row.pk, 0)
        if amount < used_of(old):
            message = f"Claims hold or were granted {plan.show(used_of(old))} of “{row.title}”: not less than that."
            field = "requested_amount" if amounts is None else "approved_amount"
            wrong.append(FieldError(f"activities.{row.pk}.{field}", "below_claims", message))
    for old in before.activities.filter(closed_at__isnull=True, approved_minor__gt=0).exclude(pk__in=kept):
        if used_of(old):
            message = (
                f"Claims hold or were granted {plan.show(used_of(old))} of “{old.title}”, so it stays in the plan."
            )
            wrong.append(FieldError("activities", "below_claims", message))
    return wrong


def missing_minor(plan: Plan, amounts: dict[int, int]) -> int:
    """By how much the fund is too small to approve these amounts (by activity); what the version in force has counts."""
    before = in_force(plan.number) if plan.version > 1 else None
    has = 0
    if before is not None:
        has = sum(row.approved_minor or 0 for row in before.activities.filter(closed_at__isnull=True))
    return max(sum(amounts.values()) - has - max(plan.fund.available_minor, 0), 0)


def require_rules(plan: Plan, findings: Sequence[Finding], faults: Sequence[FieldError], *, by: Person) -> None:
    """Refuse a plan that is incomplete, breaks rules, or asks for more than is there; all of it at once.

    Raises Invalid, RuleFailed, InsufficientFunds (only money is missing).
    """
    wrong, found = failed(findings), [finding.as_dict() for finding in findings]
    others = [finding for finding in wrong if finding.kind != "money_there"]
    if others or (wrong and faults):
        what = "One thing has" if len(wrong) + len(faults) == 1 else f"{len(wrong) + len(faults)} things have"
        fixes = [fault.message for fault in faults] + [finding.fix for finding in wrong]
        raise RuleFailed(
            f"{what} to be mended before this plan can be sent: {' '.join(fixes)}", errors=faults, findings=found
        )
    if faults:
        raise Invalid(errors=faults, findings=found)
    refusal = money_refusal(plan, by=by)
    if refusal is None and wrong:
        refusal = InsufficientFunds(f"{wrong[0].text} Seen: {wrong[0].seen}. {wrong[0].fix}")
    if refusal is not None:
        refusal.findings = found
        raise refusal


def money_refusal(plan: Plan, amounts: dict[int, int] | None = None, *, by: Person) -> InsufficientFunds | None:
    """The refusal where the fund does not hold what a plan asks for (or the `amounts` by activity), with the shortfall."""
    if amounts is None:
        amounts = {row.pk: row.requested_minor for row in plan.activities.all()}
    missing = missing_minor(plan, amounts)
    if plan.fund.overdrawn:
        return InsufficientFunds(holds.overdrawn_text(plan.fund))
    if not missing:
        return None
    total = plan.show(sum(amounts.values()))
    there = plan.show(sum(amounts.values()) - missing)
    said = f"The plan comes to {total}, but this fund has {there} for it: {plan.show(missing)} is missing."
    return InsufficientFunds(f"{said} {taken_last(plan.fund, by=by)}".strip())


@transaction.atomic
def withdraw_plan(plan_id: int, *, revision: int | None = None, by: Person, at: datetime) -> Plan:
    """Take a plan back before it is decided: it is a draft again. Raises NotFound, NotAllowed, Stale, WrongStatus."""
    plan = lock_plan(plan_id, by=by)
    require_plan_writer(by, plan)
    require_fresh(plan, revision, by=by)
    plan.status = next_status(plan, "withdraw", by=by)
    plan.turn_since, plan.review_due_at = at, None
    touched(plan, "plan.withdrawn", by=by, at=at)
    return plan


# --- Money that comes back --------------------------------------------------------------------------------------------


def release_rows(plan: Plan, rows: Sequence[PlanActivity], act: str, *, by: Person | None, at: datetime) -> int:
    """Close activities of a locked plan and give back what is still reserved for them; returns how much that was."""
    released = 0
    for row in rows:
        if row.reserved_minor:
            key = f"plan:{plan.pk}:{act}:{row.pk}"
            holds.release_reserve(plan.fund, row.reserved_minor, reference=plan.reference, key=key, by=by, at=at)
        released += row.reserved_minor
        row.reserved_minor, row.closed_at = 0, at
        row.save()
    return released


def open_rows(plan: Plan) -> list[PlanActivity]:
    return list(plan.activities.filter(closed_at__isnull=True))


@transaction.atomic
def cancel_plan(plan_id: int, *, reason: str = "", revision: int | None = None, by: Person, at: datetime) -> Plan:
    """Give a plan up. What is reserved and not claimed goes back; claims that were sent keep what they hold.

    An amendment that was not sent goes with the version in force; the other way round that one stays. Raises NotFound,
    NotAllowed, Stale, WrongStatus (also while an amendment waits for approval).
    """
    plan = lock_plan(plan_id, by=by)
    require_plan_writer(by, plan)
    require_fresh(plan, revision, by=by)
    was_in_force = plan.status == states.APPROVED
    plan.status = next_status(plan, "cancel", by=by)
    if was_in_force and (amendment := open_amendment(plan)):
        if amendment.status == states.SUBMITTED:
            refusal = f"Version {amendment.version} of this plan waits for approval. Withdraw that first."
            raise WrongStatus(f"{refusal} {last_act(amendment, by=by)}".strip())
        amendment.status, amendment.turn_since = next_status(amendment, "cancel", by=by), at
        touched(amendment, "plan.cancelled", by=by, at=at)
    released = release_rows(plan, open_rows(plan), "cancelled", by=by, at=at) if was_in_force else 0
    plan.turn_since = at
    said = {"reason": reason.strip()[:1000], "released": str(released), "currency": plan.currency}
    touched(plan, "plan.cancelled", by=by, at=at, **said)
    return plan


@transaction.atomic
def close_activity(plan_id: int, activity_id: int, *, revision: int | None = None, by: Person, at: datetime) -> Plan:
    """Say that no more will be claimed on an activity in force: what is still reserved for it goes back.

    Raises NotFound, NotAllowed, Stale, WrongStatus (also while an amendment asks for the activity again).
    """
    plan = lock_plan(plan_id, by=by)
    require_plan_writer(by, plan)
    require_fresh(plan, revision, by=by)
    row = activity_of(plan, activity_id)
    if plan.status != states.APPROVED or row.closed_at is not None or not row.approved_minor:
        refusal = f"“{row.title}” is not in force in plan {plan}, so there is nothing to close."
        raise WrongStatus(f"{refusal} {last_act(plan, by=by)}".strip())
    if (amendment := open_amendment(plan)) and any(row_in(asked, plan) == row for asked in amendment.activities.all()):
        refusal = (
            f"Version {amendment.version} of this plan asks for “{row.title}” again. Ask for less of it there instead,"
        )
        raise WrongStatus(f"{refusal} or give that version up first. {last_act(amendment, by=by)}".strip())
    released = release_rows(plan, [row], "closed", by=by, at=at)
    told = {"activity": str(row.pk), "released": str(released), "currency": plan.currency}
    touched(plan, "plan.activity_closed", by=by, at=at, **told)
    close_if_used_up(plan, by=by, at=at)
    return plan


def close_if_used_up(plan: Plan, *, by: Person | None, at: datetime) -> None:
    """Close a locked plan in force of which nothing is left to claim, or to come back from a claim that is not decided.

    It stays in force while an amendment is open.
    """
    if plan.status != states.APPROVED or open_amendment(plan):
        return
    rows = open_rows(plan)
    if any(row.reserved_minor for row in rows):
        return
    if Claim.objects.filter(plan_activity__in=rows, from_plan_minor__gt=0).exists():
        return
    plan.activities.filter(closed_at__isnull=True).update(closed_at=at)
    plan.status, plan.turn_since = states.PLANS["close"][plan.status], at
    touched(plan, "plan.closed", by=by, at=at)


# --- Amending ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def amend_plan(plan_id: int, *, revision: int | None = None, by: Person, at: datetime) -> Plan:
    """Begin the next version of an approved plan, as a draft. The approved one stays in force until that one is approved.

    Raises NotFound, NotAllowed, WindowClosed, Stale, WrongStatus.
    """
    plan = lock_plan(plan_id, by=by)
    require_plan_writer(by, plan)
    at = max(at, clock.now())
    require_window(plan, at)
    require_fresh(plan, revision, by=by)
    if plan.status != states.APPROVED:
        said = f"Plan {plan} is {plan.status_name.lower()}; only a plan that is approved is amended."
        raise WrongStatus(f"{said} {last_act(plan, by=by)}".strip())
    if amendment := open_amendment(plan):
        said = (
            f"Version {amendment.version} of this plan is {amendment.status_name.lower()} already. Go on with that one."
        )
        raise WrongStatus(f"{said} {last_act(amendment, by=by)}".strip())
    newest = Plan.objects.filter(number=plan.number).order_by("-version")[0]
    amendment = Plan.objects.create(
        number=plan.number,
        version=newest.version + 1,
        amends=newest,
        partner_id=plan.partner_id,
        fund=plan.fund,
        title=plan.title,
        currency=plan.currency,
        turn_since=at,
        created_by=by,
        created_at=at,
    )
    amendment.people.set(plan.people.all())
    for row in plan.activities.filter(closed_at__isnull=True, approved_minor__gt=0):
        copy_row(row, amendment, at=at)
    touched(amendment, "plan.amended", by=by, at=at)
    return amendment


def copy_row(row: PlanActivity, amendment: Plan, *, at: datetime) -> None:
    last = row
    while following := PlanActivity.objects.filter(follows=last).first():
        last = following  # in an amendment that never came into force
    PlanActivity.objects.create(
        plan=amendment,
        follows=last,
        activity_id=row.activity_id,
        title=row.title,
        solution_area=row.solution_area,
        country=row.country,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        requested_minor=row.approved_minor or 0,
        expected_outcome=row.expected_outcome,
        answers=row.answers,
        created_at=at,
    )


# --- What was not done in time ----------------------------------------------------------------------------------------


def due_to_lapse(at: datetime) -> list[int]:
    """Ids of plans that are not over although the claim deadline of their fund has passed."""
    due = Plan.objects.filter(closed(at, "fund__"), status__in=states.PLANS["lapse"])
    return list(due.order_by("id").values_list("id", flat=True))


@transaction.atomic
def lapse_plan(plan_id: int, *, at: datetime) -> bool:
    """Let a plan lapse at the claim deadline; what it still reserves expires. False if it is not due any more.

    A plan of which everything was claimed by then is closed instead. False too if somebody is at its fund: the next look
    finds it.
    """
    fund_id = Plan.objects.values_list("fund_id", flat=True).get(id=plan_id)
    if not take_fund(fund_id):
        return False
    plan = lock_with_fund(plan_id, fund_id)
    if plan.status not in states.PLANS["lapse"] or not is_closed(plan.fund, at):
        return False
    deadline = plan.fund.claims_close_at
    rows = open_rows(plan) if plan.status == states.APPROVED else []
    used_up = bool(rows) and not any(row.reserved_minor for row in rows)
    released = release_rows(plan, rows, "lapsed", by=None, at=at)
    plan.status = states.PLANS["close" if used_up else "lapse"][plan.status]
    plan.turn_since = at
    said = {"deadline": deadline.isoformat(), "released": str(released), "currency": plan.currency}
    touched(plan, "plan.closed" if used_up else "plan.lapsed", by=None, at=at, **said)
    return True
