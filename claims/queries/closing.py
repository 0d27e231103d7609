"""What lapses with the claim deadline of a period, fund by fund: drafts, and plans with what they still reserve."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Q, Sum

from claims import states
from claims.models import Claim, Plan
from funds.models import EarningPeriod


@dataclass
class Lapsing:
    """Of one fund, or of all of a period: drafts, plans with what these reserve, and returned claims, which stay a while."""

    drafts: int = 0
    plans: int = 0
    reserved_minor: int = 0
    returned: int = 0


def lapsing(period: EarningPeriod, fund_ids: Sequence[int] | None = None) -> dict[int, Lapsing]:
    """For each fund in which something lapses; of the whole period, or of some of its funds."""
    of = Q(fund__earning_period=period) if fund_ids is None else Q(fund__in=fund_ids)
    found: dict[int, Lapsing] = defaultdict(Lapsing)
    open_claims = Claim.objects.filter(of, status__in=states.CLAIMS["lapse"]).order_by()
    draft, returned = Q(status=states.DRAFT), Q(status=states.ACTION_REQUIRED)
    for row in open_claims.values("fund_id").annotate(
        drafts=Count("id", filter=draft), returned=Count("id", filter=returned)
    ):
        found[row["fund_id"]].drafts, found[row["fund_id"]].returned = row["drafts"], row["returned"]
    plans = Plan.objects.filter(of, status__in=states.PLANS["lapse"]).order_by()
    reserved = Sum("activities__reserved_minor", filter=Q(status=states.APPROVED, activities__closed_at=None))
    for one in plans.values("fund_id").annotate(plans=Count("id", distinct=True), reserved=reserved):
        found[one["fund_id"]].plans, found[one["fund_id"]].reserved_minor = one["plans"], one["reserved"] or 0
    return found


def lapsing_in_all(period: EarningPeriod) -> dict[str, Lapsing]:
    """The same summed by currency of the funds."""
    funds = lapsing(period)
    currencies = dict(period.funds.filter(id__in=list(funds)).values_list("id", "currency"))
    sums: dict[str, Lapsing] = defaultdict(Lapsing)
    for fund_id, one in funds.items():
        total = sums[currencies[fund_id]]
        total.drafts += one.drafts
        total.plans += one.plans
        total.reserved_minor += one.reserved_minor
        total.returned += one.returned
    return sums
