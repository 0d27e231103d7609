"""Locking a claim for whoever may change it, and keeping what was changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Sum

from claims.models import Claim, Plan
from claims.operations.turns import last_act, require_fresh
from claims.permissions import invited_to, require_worker
from coop.lib.errors import NotFound, WrongStatus
from funds.ledger import lock_fund
from partners import events
from partners.models import Person
from partners.states import AGENCY


def lock_claim(claim_id: int, *, by: Person, task: str = "") -> Claim:
    """The claim, locked, with its fund's row locked before it: fund, plan, claim, everywhere.

    With a `task` also for a guest who was asked to do it. Raises NotFound, also for a claim that the person may not know of.
    """
    known = invited_to(by, task) if task and by.role == AGENCY else Claim.objects.visible_to(by)
    fund_id = known.filter(id=claim_id).values_list("fund_id", flat=True).first()
    if fund_id is None:
        raise NotFound("There is no such claim.")
    return lock_with_fund(claim_id, fund_id)


def lock_with_fund(claim_id: int, fund_id: int) -> Claim:
    """The claim with its fund and the plan that it is made on, locked in the order that everybody keeps."""
    fund = lock_fund(fund_id)
    plans = Plan.objects.filter(activities__claims=claim_id)
    list(plans.select_for_update(of=("self",), no_key=True).values_list("id"))
    claim = (
        Claim.objects.select_related("activity", "partner", "plan_activity__plan")
        .select_for_update(of=("self",), no_key=True)
        .get(id=claim_id)
    )
    claim.fund = fund
    return claim


def lock_open_claim(claim_id: int, *, by: Person, revision: int | None, task: str = "") -> Claim:
    """A claim that the person may write in now: all of it, or the one task that a guest was asked to do.

    Raises NotFound, NotAllowed, Stale, WrongStatus.
    """
    claim = lock_claim(claim_id, by=by, task=task)
    require_worker(by, claim, task)
    require_fresh(claim, revision, by=by)
    if not claim.is_open:
        raise WrongStatus(
            f"Claim {claim.number} is {claim.status_name.lower()}, so nothing in it changes now. "
            f"It can be changed if it is returned to you, or withdrawn and written anew. {last_act(claim, by=by)}".strip()
        )
    return claim


def touched(claim: Claim, verb: str, *, by: Person, at: datetime, **data: Any) -> None:
    """Save a change of the claim's content: amount, revision, event."""
    claim.claimed_minor = claim.lines.aggregate(sum=Sum("amount_minor"))["sum"] or 0
    claim.revision += 1
    claim.save()
    data = {"number": claim.number, "revision": claim.revision, **data}
    events.record(verb, claim, by=by, at=at, partner_only=not claim.sendings, **data)
