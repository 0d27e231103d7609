"""How like cases were decided before: lines of claims, and activities of plans, of the same activity and about the amount."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from django.db.models import Q

from claims import states
from claims.models import Claim, ClaimLine, Plan, PlanActivity
from coop.lib import money
from partners.models import Person

SHOWN = 5
# About the amount: from half of it to twice as much.
TIMES = 2


@dataclass(frozen=True)
class Precedent:
    """One line or plan activity that was decided, with what was said of it. The reader may see its claim or plan."""

    kind: str  # claim or plan
    record_id: int
    number: str
    partner: str
    name: str
    amount: str
    approved: str
    outcome: str
    reason: str
    decided_on: date | None


def precedents_of(claim: Claim, person: Person) -> list[Precedent]:
    """Lines like those of a claim that were decided in the reader's own portfolio, the newest first.

    What was approved plainly is told less often than what was not: a reason teaches more than its absence.
    """
    amounts = [line.amount_minor for line in claim.lines.all()]
    if not amounts:
        return []
    near = near_to(amounts, "amount_minor")
    decided = [states.APPROVED, states.PAID, states.REJECTED, states.DISPUTED]
    visible = Claim.objects.visible_to(person).filter(
        status__in=decided, activity=claim.activity, currency=claim.currency
    )
    found = ClaimLine.objects.filter(near, claim__in=visible).exclude(claim=claim).exclude(decision="")
    rows = found.select_related("claim__partner").order_by("-claim__decided_at", "-id")[: SHOWN * 4]
    return [of_line(line) for line in told(rows)]


def precedents_for_activity(activity: PlanActivity, person: Person) -> list[Precedent]:
    """Plan activities like one that waits, decided in the reader's own portfolio, the newest first."""
    near = near_to([activity.requested_minor], "requested_minor")
    visible = Plan.objects.visible_to(person).filter(decided_at__isnull=False, currency=activity.plan.currency)
    found = PlanActivity.objects.filter(near, activity=activity.activity, plan__in=visible)
    found = found.exclude(plan__number=activity.plan.number).exclude(decision="")
    rows = found.select_related("plan__partner").order_by("-plan__decided_at", "-id")[: SHOWN * 4]
    return [of_activity(row) for row in told(rows)]


def near_to(amounts: Sequence[int], field: str) -> Q:
    """Rows whose amount is about one of these."""
    wanted = Q()
    for amount in sorted(set(amounts))[:10]:
        wanted |= Q(**{f"{field}__gte": amount // TIMES, f"{field}__lte": amount * TIMES})
    return wanted


Row = TypeVar("Row", ClaimLine, PlanActivity)


def told(rows: Iterable[Row]) -> list[Row]:
    """A few of the rows: those with a reason first, each kind in its order."""
    return sorted(rows, key=lambda row: row.decision == "approve")[:SHOWN]


def of_line(line: ClaimLine) -> Precedent:
    claim = line.claim
    return Precedent(
        kind="claim",
        record_id=claim.pk,
        number=claim.number,
        partner=claim.partner.name,
        name=str(line),
        amount=claim.show(line.amount_minor),
        approved=claim.show(line.approved_minor or 0),
        outcome=states.DECISIONS[line.decision],
        reason=line.reason,
        decided_on=claim.decided_at.date() if claim.decided_at else None,
    )


def of_activity(row: PlanActivity) -> Precedent:
    plan = row.plan
    return Precedent(
        kind="plan",
        record_id=plan.pk,
        number=str(plan),
        partner=plan.partner.name,
        name=row.title,
        amount=money.display(row.requested_minor, plan.currency),
        approved=money.display(row.approved_minor or 0, plan.currency),
        outcome=states.DECISIONS[row.decision],
        reason=row.reason,
        decided_on=plan.decided_at.date() if plan.decided_at else None,
    )
