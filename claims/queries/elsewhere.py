"""What limits and guidance count beside a claim, a plan's activity or an idea, and the rates for other currencies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Case as Where
from django.db.models import F, Q, QuerySet, Sum, When

from claims import states
from claims.models import Activity, Claim, Plan, PlanActivity
from claims.rules.book import Book, Case
from claims.rules.kinds.limits import over_program
from funds.models import EarningPeriod, ExchangeRate, Fund
from partners.models import Partner

RATE_DAYS = 7  # as for earnings: an older rate is none (docs/rules.md, M26)


@dataclass(frozen=True)
class Counted:
    """Minor units that others hold, were granted, or plan for an activity: of one fund, and of the program and period."""

    fund: int = 0
    program: int = 0


def is_limited(book: Book, case: Case) -> bool:
    return any(rule.kind == "limit" and not rule.params.get("unlimited") for rule in book.in_force(case))


def is_limited_by_program(book: Book, case: Case) -> bool:
    """Whether a limit counts all the partner's funds of the program and period: then all of them are locked to read it."""
    return any(over_program(rule) for rule in book.of_kind("limit", case))


def counted(
    partner: Partner,
    period: EarningPeriod,
    fund: Fund | None,
    activity: Activity,
    *,
    but_claim: Claim | None = None,
    but_plan: Plan | None = None,
    with_plans: bool = False,
) -> Counted:
    """What other claims hold or were granted for an activity and, `with_plans`, what sent and approved plans ask for."""
    claims = Claim.objects.filter(partner=partner, fund__earning_period=period, activity=activity)
    plans = PlanActivity.objects.filter(plan__partner=partner, plan__fund__earning_period=period, activity=activity)
    if but_claim is not None:
        claims = claims.exclude(pk=but_claim.pk)
    if but_plan is not None:
        plans = plans.exclude(plan__number=but_plan.number)
        # An amendment asks for the whole amount anew, with what was claimed on the version before.
        claims = claims.exclude(plan_activity__plan__number=but_plan.number)
    found = by_activity(claims, plans if with_plans else plans.none(), fund)
    return found.get(activity.pk, Counted())


def counted_for_each(
    partner: Partner, period: EarningPeriod, fund: Fund | None, *, with_plans: bool = True
) -> dict[int, Counted]:
    """The same for every activity of a partner's period, by the activity's id: two queries for all of them."""
    claims = Claim.objects.filter(partner=partner, fund__earning_period=period)
    plans = PlanActivity.objects.filter(plan__partner=partner, plan__fund__earning_period=period)
    return by_activity(claims, plans if with_plans else plans.none(), fund)


def by_activity(claims: QuerySet[Claim], plans: QuerySet[PlanActivity], fund: Fund | None) -> dict[int, Counted]:
    asked = Where(
        When(plan__status=states.SUBMITTED, then=F("requested_minor")),
        When(plan__status=states.APPROVED, then=F("reserved_minor")),
        default=0,
    )
    sums = [
        *claims.values_list("activity_id", "fund_id").annotate(minor=Sum(F("held_minor") + F("approved_minor"))),
        *plans.values_list("activity_id", "plan__fund_id").annotate(minor=Sum(asked)),
    ]
    found: dict[int, Counted] = {}
    for activity_id, fund_id, minor in sums:
        known = found.get(activity_id, Counted())
        own = minor if fund is not None and fund_id == fund.pk else 0
        found[activity_id] = Counted(known.fund + own, known.program + minor)
    return found


def rates_for(book: Book, case: Case, currency: str, day: date) -> dict[str, Decimal]:
    """Units of a currency for one unit of each other currency in which a rule of the case names an amount."""
    named = {str(rule.params["currency"]) for rule in book.in_force(case) if "currency" in rule.params} - {currency}
    found = {other: rate_of(other, currency, day) for other in sorted(named)}
    return {other: rate for other, rate in found.items() if rate is not None}


def rate_of(base: str, quote: str, day: date) -> Decimal | None:
    """What one unit of `base` is worth in `quote` by the last rate of a day or the week before it, told either way round."""
    either_way = Q(base=base, quote=quote) | Q(base=quote, quote=base)
    recent = ExchangeRate.objects.filter(either_way, on__lte=day, on__gte=day - timedelta(days=RATE_DAYS))
    told = sorted(recent, key=lambda rate: (rate.on, rate.base == base))
    if not told:
        return None
    return told[-1].rate if told[-1].base == base else 1 / told[-1].rate
