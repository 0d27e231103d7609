"""What stands beside a plan in review: how the partner's earlier plans went, and where the fund's money goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, F, Q, Sum

from claims import states
from claims.models import Activity, Claim, Plan, PlanActivity
from funds.models import Fund
from partners.models import Person

GRANTED = (states.APPROVED, states.CLOSED)


@dataclass(frozen=True)
class PlanHistory:
    """The partner's other plans that the reader may see, newest first, and how plans and claims went."""

    plans: Sequence[Plan]
    decided: int
    at_once: int
    declined: int
    claims_decided: int
    claims_at_once: int


def plans_with(plan: Plan, person: Person, *, shown: int = 5) -> PlanHistory:
    """The history with a plan's partner, without this plan and its other versions."""
    others = Plan.objects.visible_to(person).filter(partner_id=plan.partner_id).exclude(number=plan.number)
    granted = Q(status__in=GRANTED)
    counts = others.aggregate(
        decided=Count("id", filter=granted | Q(status=states.DECLINED)),
        at_once=Count("id", filter=granted & Q(sendings=1)),
        declined=Count("id", filter=Q(status=states.DECLINED)),
    )
    good = Q(status__in=[states.APPROVED, states.PAID])
    claims = (
        Claim.objects.visible_to(person)
        .filter(partner_id=plan.partner_id)
        .aggregate(
            claims_decided=Count("id", filter=good | Q(status=states.REJECTED)),
            claims_at_once=Count("id", filter=good & Q(sendings=1)),
        )
    )
    asked = Sum("activities__requested_minor")
    return PlanHistory(list(others.annotate(requested=asked).order_by("-id")[:shown]), **counts, **claims)


@dataclass(frozen=True)
class Share:
    """What is reserved and claimed of a fund for one activity, in minor units; `asked_minor` is what this plan adds."""

    name: str
    held_minor: int
    asked_minor: int


def by_activity(plan: Plan, fund: Fund) -> list[Share]:
    """Where the money of a fund goes, the largest first: reserves and claims of others, and what this plan asks for."""
    rows = PlanActivity.objects.filter(plan__fund=fund, plan__status=states.APPROVED).exclude(plan__number=plan.number)
    held = Counter(dict(rows.order_by().values_list("activity_id").annotate(Sum("reserved_minor"))))
    claims = Claim.objects.filter(fund=fund).order_by().values_list("activity_id")
    held.update(dict(claims.annotate(Sum(F("held_minor") + F("approved_minor")))))
    asked: Counter[int] = Counter()
    for activity in plan.activities.all():
        asked[activity.activity_id] += activity.requested_minor
    names = dict(Activity.objects.filter(id__in={*held, *asked}).values_list("id", "name"))
    found = [Share(name, held[code], asked[code]) for code, name in names.items() if held[code] or asked[code]]
    return sorted(found, key=lambda share: -(share.held_minor + share.asked_minor))
