"""What a claim holds of its fund: out of the reserve of the plan that it is made on first, then out of what is available.

The claim, its plan and their fund are locked by the caller (`claims.operations.opening`). What comes back goes the other way
round: first what came out of available, then what came out of the plan, whose money is spent first.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import partial

from claims import states
from claims.models import Claim, PlanActivity
from claims.operations.plans import close_if_used_up
from coop.lib import clock
from funds.operations import holds
from funds.queries.deadlines import is_closed
from funds.states import RESERVED
from partners.models import Person


def planned_of(claim: Claim, at: datetime) -> PlanActivity | None:
    """The activity whose reserve the claim may draw on now; None without a plan in force, or after the claim deadline."""
    planned = claim.plan_activity
    if planned is None or planned.closed_at is not None or planned.plan.status != states.APPROVED:
        return None
    return None if is_closed(claim.fund, at) else planned


def hold_more(claim: Claim, amount_minor: int, *, key: str, by: Person, at: datetime) -> None:
    """Hold an amount for a claim. Where both give, what the plan does not cover has the key `<key>:rest`.

    Raises as `holds.hold`.
    """
    planned = planned_of(claim, at)
    part = min(amount_minor, planned.reserved_minor) if planned else 0
    if planned and part:
        holds.hold(claim.fund, part, reference=claim.reference, key=key, from_reserved=True, by=by, at=at)
        planned.reserved_minor -= part
        planned.save()
    if amount_minor > part:
        rest = f"{key}:rest" if part else key
        holds.hold(claim.fund, amount_minor - part, reference=claim.reference, key=rest, by=by, at=at)
    claim.held_minor += amount_minor
    claim.from_plan_minor += part


def hold_again(claim: Claim, amount_minor: int, *, key: str, by: Person, at: datetime) -> None:
    """Hold what a declined claim gave up, for its dispute: as before until the claim deadline, out of what expired after it.

    Raises as `holds.restore`.
    """
    at = max(at, clock.now())
    if not is_closed(claim.fund, at):
        hold_more(claim, amount_minor, key=key, by=by, at=at)
        return
    holds.restore(claim.fund, amount_minor, reference=claim.reference, key=key, by=by, at=at)
    claim.held_minor += amount_minor


def release_hold(
    claim: Claim,
    act: str,
    *,
    by: Person | None,
    at: datetime,
    amount_minor: int | None = None,
    effective_on: date | None = None,
) -> None:
    """Release what a claim holds, or `amount_minor` of it. `act` names the business act in the key.

    `effective_on` is the day that it is for where that is not the day of `at`.

    What came out of the plan goes back to its reserve while the plan is in force, and else where everything goes.
    """
    amount = claim.held_minor if amount_minor is None else amount_minor
    at = max(at, clock.now())
    to_plan = max(claim.from_plan_minor - (claim.held_minor - amount), 0)
    planned = planned_of(claim, at)
    key = f"claim:{claim.pk}:{act}:{claim.sendings}"
    give_back = partial(holds.release, claim.fund, reference=claim.reference, effective_on=effective_on, by=by, at=at)
    if planned is None or not to_plan:
        if amount:
            give_back(amount, key=key)
    else:
        if amount > to_plan:
            give_back(amount - to_plan, key=key)
        went = give_back(to_plan, key=f"{key}:plan", to_reserved=True)
        if went == RESERVED:
            planned.reserved_minor += to_plan
            planned.save()
    claim.held_minor -= amount
    claim.from_plan_minor -= to_plan


def settle_with_plan(claim: Claim, *, by: Person, at: datetime) -> None:
    """After a decision was saved: a plan of which nothing is left to claim is closed."""
    planned = planned_of(claim, at)
    if planned:
        planned.plan.fund = claim.fund
        close_if_used_up(planned.plan, by=by, at=at)
