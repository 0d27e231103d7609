"""What was decided in a range of days, with its facts as they were, for the simulator. A fixed number of queries."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import Any

from django.db.models import Prefetch

from claims import states
from claims.models import Claim, Plan, PlanActivity, Publication
from claims.queries import document_facts, facts_of_planned, line_facts
from claims.queries.book import activity_day, book_of, case_of
from claims.queries.catalog import catalog_of, rule_draft
from claims.queries.elsewhere import is_limited, rates_for
from claims.queries.fund_facts import period_facts
from claims.rules.book import Book, Case, read_book
from claims.rules.facts import PLAN, Facts
from claims.rules.simulation import Decided, Outcome, Rules, judge_alike, simulate, unchanged
from coop.lib.dates import start_of_day
from coop.lib.errors import NotFound
from funds.models import Entry, Fund
from funds.states import EARNED, SIDES
from partners.models import Person

MOST = 5_000  # claims, and as many activities of plans: more is asked for in shorter ranges
DECIDED = (states.APPROVED, states.PAID, states.REJECTED, states.DISPUTED)
EARNING = [kind for kind, side in SIDES.items() if side == EARNED]


@dataclass(frozen=True)
class Simulation:
    """What a simulation gives: outcomes of claims and of activities of plans, and whether there was more than it read."""

    outcomes: list[Outcome]
    cut: bool


def chosen_rules(choice: str, person: Person) -> Rules:
    """The rules of "publication-3" or "draft-5". Raises NotFound."""
    kind, _, number = choice.partition("-")
    if number.isascii() and number.isdigit() and len(number) < 10:
        if kind == "draft":
            draft = rule_draft(int(number), person)
            return Rules(f"draft “{draft.title}”", draft.catalog, read_book(draft.catalog))
        found = Publication.objects.filter(id=int(number)).values_list("id", "sha256").first()
        if kind == "publication" and found:
            return rules_of(*found)
    raise NotFound("There are no such rules.")


def rules_of(publication: int, sha256: str) -> Rules:
    return Rules(f"publication {publication}", catalog_of(publication, sha256), book_of(publication, sha256))


class InForce:
    """Which rules were in force at an instant."""

    def __init__(self) -> None:
        found = Publication.objects.order_by("id").values_list("id", "sha256", "published_at")
        self.known = list(found)
        # A sandbox's clock may have been set back: what came out later by number is the newer one all the same.
        latest = [at for _, _, at in self.known]
        self.instants = list(accumulate(reversed(latest), min))[::-1]
        self.read: dict[int, Rules] = {}

    def at(self, at: datetime) -> Rules:
        """The newest publication of that instant; before the first one, the first."""
        number, sha256, _ = self.known[max(bisect_right(self.instants, at) - 1, 0)]
        if number not in self.read:
            self.read[number] = rules_of(number, sha256)
        return self.read[number]


def run(
    choice: str, first: date, last: date, programs: Sequence[str], person: Person, *, most: int = MOST
) -> Simulation:
    """Try rules on all that was decided from the first to the last day (UTC) and that the person sees. Writes nothing."""
    then = InForce()
    now = chosen_rules(choice, person)
    # The same publication is the same object, so that nothing is computed that cannot differ.
    now = next((known for known in map(then.at, then.instants) if known.book is now.book), now)
    span = (start_of_day(first, "UTC"), start_of_day(last + timedelta(days=1), "UTC"))
    claims = decided_claims(person, span, programs, most + 1)
    planned = decided_activities(person, span, programs, most + 1)
    facts = FactsThen(claims, planned, now)
    outcomes = [facts.claim(claim, then.at(sent_at(claim)), now) for claim in claims[:most]]
    outcomes += [facts.activity(row, then.at(sent_at(row.plan)), now) for row in planned[:most]]
    return Simulation(outcomes, cut=len(claims) > most or len(planned) > most)


def decided_claims(person: Person, span: tuple[datetime, datetime], programs: Sequence[str], most: int) -> list[Claim]:
    found = (
        Claim.objects.visible_to(person)
        .filter(decided_at__gte=span[0], decided_at__lt=span[1], status__in=DECIDED, submitted_at__isnull=False)
        .select_related(
            "partner",
            "activity",
            "fund__partner",
            "fund__program",
            "fund__earning_period",
            "fund__enrollment",
            "plan_activity__activity",
            "plan_activity__plan",
            "plan_activity__follows__plan",
        )
        .prefetch_related("lines", "documents")
        .order_by("id")
    )
    return list((found.filter(fund__program__code__in=programs) if programs else found)[:most])


def decided_activities(
    person: Person, span: tuple[datetime, datetime], programs: Sequence[str], most: int
) -> list[PlanActivity]:
    plans = (
        Plan.objects.visible_to(person)
        .filter(decided_at__gte=span[0], decided_at__lt=span[1], submitted_at__isnull=False)
        .select_related("partner", "fund__partner", "fund__program", "fund__earning_period")
    )
    if programs:
        plans = plans.filter(fund__program__code__in=programs)
    found = PlanActivity.objects.filter(plan__in=plans).exclude(decision__in=["", "return"])
    return list(found.select_related("activity").prefetch_related(Prefetch("plan", plans)).order_by("id")[:most])


def sent_at(sent: Claim | Plan) -> datetime:
    """When it was sent last: only what was sent is simulated."""
    assert sent.submitted_at is not None  # noqa: S101 - see the filters above
    return sent.submitted_at


class FactsThen:
    """The facts of what was decided, as they were when it was sent; what several share is read once for all."""

    def __init__(self, claims: Sequence[Claim], planned: Sequence[PlanActivity], now: Rules) -> None:
        self.now = now
        funds = {claim.fund_id for claim in claims} | {row.plan.fund_id for row in planned}
        partners = {claim.partner_id for claim in claims}
        self.beside = claims_beside(partners)
        self.earned = earnings_of(funds)
        self.rates: dict[tuple[int, Case, str, date], Mapping[str, Decimal]] = {}

    def claim(self, claim: Claim, then: Rules, now: Rules) -> Outcome:
        """What other rules would have made of a claim. Its facts are put together only where the rules differ for it."""
        decided = Decided(claim, claim.currency, claim.claimed_minor, claim.approved_minor)
        case = case_of(claim.fund, claim.activity, claim.country, activity_day(claim), then.book)
        if judge_alike(case, then, now):
            return unchanged(decided)
        return simulate(decided, self.of_claim(claim, case, then), then, now)

    def activity(self, row: PlanActivity, then: Rules, now: Rules) -> Outcome:
        """What other rules would have made of an activity of a plan."""
        decided = Decided(row, row.plan.currency, row.requested_minor, row.approved_minor or 0)
        day = row.starts_on or row.plan.fund.earning_period.use_from
        case = case_of(row.plan.fund, row.activity, row.country, day, then.book)
        if judge_alike(case, then, now):
            return unchanged(decided)
        return simulate(decided, self.of_activity(row, case, then), then, now)

    def of_claim(self, claim: Claim, case: Case, then: Rules) -> Facts:
        """A claim as it was sent."""
        at, fund, planned = sent_at(claim), claim.fund, claim.plan_activity
        limited = is_limited(then.book, case) or is_limited(self.now.book, self.now.case(case))
        used = self.used(claim, at) if limited else (0, 0)
        return Facts(
            **self.common(fund, at, claim.claimed_minor),
            case=case,
            currency=claim.currency,
            returned=claim.sendings > 1,
            sent_in_time=claim.first_submitted_at is not None and claim.first_submitted_at < fund.claims_close_at,
            activity_name=claim.activity.name,
            activity_from=claim.activity_from,
            activity_to=claim.activity_to,
            activity_valid=claim.activity.holds_on(case.day),
            payout_profile_complete=fund.enrollment.payout_profile_complete,
            lines=[line_facts(line) for line in claim.lines.all()],
            documents=[document_facts(document) for document in claim.documents.all()],
            metrics=claim.metrics,
            solution_area=claim.solution_area,
            used_in_fund_minor=used[0],
            used_in_program_minor=used[1],
            rates=self.rates_of(then.book, case, claim.currency, at),
            plan=facts_of_planned(claim, planned, at) if planned else None,
        )

    def of_activity(self, row: PlanActivity, case: Case, then: Rules) -> Facts:
        """An activity of a plan as it was sent."""
        plan, fund, at = row.plan, row.plan.fund, sent_at(row.plan)
        return Facts(
            **self.common(fund, at, row.requested_minor),
            case=case,
            subject=PLAN,
            currency=plan.currency,
            returned=plan.sendings > 1,
            sent_in_time=True,
            activity_name=row.activity.name,
            activity_from=row.starts_on,
            activity_to=row.ends_on,
            activity_valid=row.activity.holds_on(case.day),
            payout_profile_complete=None,
            asked_minor=row.requested_minor,
            metrics=row.answers,
            solution_area=row.solution_area,
            rates=self.rates_of(then.book, case, plan.currency, at),
        )

    def common(self, fund: Fund, at: datetime, held_minor: int) -> dict[str, Any]:
        """What follows from the fund. What was sent was held: the money was there."""
        found = period_facts(fund.program, fund.earning_period, fund, at)
        return found | {
            "available_minor": 0,
            "held_minor": held_minor,
            "settled": True,
            "earned_minor": sum(minor for recorded, minor in self.earned.get(fund.pk, ()) if recorded <= at),
        }

    def used(self, claim: Claim, at: datetime) -> tuple[int, int]:
        """What other claims held or had been granted for the activity at that instant: in the fund, and in the period."""
        key = (claim.partner_id, claim.fund.earning_period_id, claim.activity_id)
        others = [other for other in self.beside.get(key, ()) if other.id != claim.pk]
        return (
            sum(other.minor_at(at) for other in others if other.fund == claim.fund_id),
            sum(other.minor_at(at) for other in others),
        )

    def rates_of(self, book: Book, case: Case, currency: str, at: datetime) -> Mapping[str, Decimal]:
        """The rates of that time for the currencies that the rules then or now name."""
        both = (*book.in_force(case), *self.now.in_force(case))
        if {rule.params["currency"] for rule in both if "currency" in rule.params} <= {currency}:
            return {}
        day = min(case.day, at.date())
        key = (id(book), case, currency, day)
        if key not in self.rates:
            here = self.now.case(case)
            self.rates[key] = rates_for(book, case, currency, day) | rates_for(self.now.book, here, currency, day)
        return self.rates[key]


@dataclass(frozen=True)
class Beside:
    """What another claim held, and from when to when."""

    id: int
    fund: int
    sent_at: datetime
    ended_at: datetime | None
    claimed_minor: int
    approved_minor: int

    def minor_at(self, at: datetime) -> int:
        if self.sent_at >= at:
            return 0
        return self.claimed_minor if self.ended_at is None or self.ended_at > at else self.approved_minor


def claims_beside(partners: Iterable[int]) -> dict[tuple[int, int, int], list[Beside]]:
    """All sent claims of some partners, by partner, period and activity."""
    fields = (
        "partner_id",
        "fund__earning_period_id",
        "activity_id",
        "id",
        "fund_id",
        "first_submitted_at",
        "decided_at",
        "turn_since",
        "status",
        "claimed_minor",
        "approved_minor",
    )
    found: dict[tuple[int, int, int], list[Beside]] = defaultdict(list)
    sent = Claim.objects.filter(partner__in=set(partners), first_submitted_at__isnull=False)
    for partner, period, activity, pk, fund, at, decided, turn, status, claimed, approved in sent.values_list(*fields):
        ended = decided or (turn if status not in states.HOLDING else None)
        found[partner, period, activity].append(Beside(pk, fund, at, ended, claimed, approved))
    return found


def earnings_of(funds: Iterable[int]) -> dict[int, list[tuple[datetime, int]]]:
    """What each fund earned, by the instant at which it was recorded."""
    found: dict[int, list[tuple[datetime, int]]] = defaultdict(list)
    entries = Entry.objects.filter(fund__in=set(funds), kind__in=EARNING)
    for fund, recorded, to, minor in entries.values_list("fund_id", "recorded_at", "to_bucket", "amount_minor"):
        found[fund].append((recorded, minor if to == "available" else -minor))
    return found
