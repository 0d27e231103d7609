"""What stands beside a plan in review: how the partner's earlier plans went, and where the fund's money goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, F, Q, Sum

from claims import states
from claims.models import Claim, Plan, PlanActivity
from funds.models import Fund
from partners.models import Person

GRANTED = (states.APPROVED, states.CLOSED)
LOOKED_AT = 200


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
    """The history with a plan's partner, as far as its newest plans tell, without this plan and its other versions."""
    mine = Plan.objects.visible_to(person).filter(partner_id=plan.partner_id).exclude(number=plan.number)
    others = list(mine.annotate(requested=Sum("activities__requested_minor")).order_by("-id")[:LOOKED_AT])
    granted = [other for other in others if other.status in GRANTED]
    declined = sum(other.status == states.DECLINED for other in others)
    good = Q(status__in=[states.APPROVED, states.PAID])
    claims = (
        Claim.objects.visible_to(person)
        .filter(partner_id=plan.partner_id)
        .aggregate(
            claims_decided=Count("id", filter=good | Q(status=states.REJECTED)),
            claims_at_once=Count("id", filter=good & Q(sendings=1)),
        )
    )
    at_once = sum(other.sendings == 1 for other in granted)
    return PlanHistory(others[:shown], len(granted) + declined, at_once, declined, **claims)


@dataclass(frozen=True)
class Share:
    """What is reserved and claimed of a fund for one activity, in minor units; `asked_minor` is what this plan adds."""

    name: str
    held_minor: int
    asked_minor: int


def by_activity(plan: Plan, fund: Fund) -> list[Share]:
    """Where the money of a fund goes, the largest first: reserves and claims of others, and what this plan asks for."""
    rows = PlanActivity.objects.filter(plan__fund=fund, plan__status=states.APPROVED).exclude(plan__number=plan.number)
    planned = rows.order_by().values_list("activity__name").annotate(minor=Sum("reserved_minor"))
    claims = Claim.objects.filter(fund=fund).order_by().values_list("activity__name")
    claimed = claims.annotate(minor=Sum(F("held_minor") + F("approved_minor")))
    held, asked = Counter[str](), Counter[str]()
    for name, minor in planned.union(claimed, all=True):
        held[name] += minor
    for activity in plan.activities.all():
        asked[activity.activity.name] += activity.requested_minor
    found = [Share(name, held[name], asked[name]) for name in {*held, *asked} if held[name] or asked[name]]
    return sorted(found, key=lambda share: (-(share.held_minor + share.asked_minor), share.name))
