"""The facts of a plan's activities and of ideas, and what the rules say of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from claims import rules, states
from claims.models import Activity, Plan, PlanActivity
from claims.queries.book import case_of, current_book
from claims.queries.elsewhere import Counted, counted, is_limited, rates_for
from claims.queries.fund_facts import period_facts, spread
from claims.queries.plans import in_force, row_in
from claims.rules.book import Book, Case
from claims.rules.facts import IDEA, PLAN, Facts
from claims.rules.findings import Finding
from funds.models import EarningPeriod, Fund, Program
from partners.models import Partner

UNDECIDED = (states.DRAFT, states.RETURNED, states.SUBMITTED)


@dataclass(frozen=True)
class Taken:
    """What the activities of a plan come to together, in minor units: what each has in the version in force (by its id), and
    what activities that are taken out give back. A plan that was decided takes nothing more.
    """

    rows: Sequence[PlanActivity]
    kept: Mapping[int, int]
    given_back: int

    def beside(self, planned: PlanActivity) -> int:
        """What the others take of what is available: those before it all, those after it no more than they give back."""
        if planned.plan.status not in UNDECIDED:
            return 0
        more = [(row.pk, row.requested_minor - self.kept[row.pk]) for row in self.rows if row.pk != planned.pk]
        return sum(minor for pk, minor in more if pk < planned.pk or minor < 0) - self.given_back


def taken_by(plan: Plan) -> Taken:
    """An amendment takes over what the version in force has for an activity, claimed or not."""
    rows = list(plan.activities.select_related("activity", "follows").order_by("id"))
    version = in_force(plan.number) if plan.version > 1 else None
    if version is None or version.pk == plan.pk:
        return Taken(rows, {row.pk: 0 for row in rows}, 0)
    has = {row.pk: row.approved_minor or 0 for row in version.activities.filter(closed_at__isnull=True)}
    before = {row.pk: old.pk for row in rows if (old := row_in(row, version))}
    given_back = sum(minor for pk, minor in has.items() if pk not in before.values())
    return Taken(rows, {row.pk: has.get(before.get(row.pk, 0), 0) for row in rows}, given_back)


def facts_of_activity(planned: PlanActivity, taken: Taken, at: datetime, fund: Fund, book: Book) -> Facts:
    """The facts of one activity of a plan; what is beside it in the plan is spoken for already."""
    plan, period = planned.plan, fund.earning_period
    day = planned.starts_on or period.use_from
    case = case_of(fund, planned.activity, planned.country, day, book)
    before = [other for other in taken.rows if other.pk < planned.pk]
    new = plan.status in UNDECIDED
    facts = Facts(
        **period_facts(fund.program, period, fund, at),
        case=case,
        subject=PLAN,
        currency=plan.currency,
        returned=plan.sendings > 0,
        sent_in_time=plan.submitted_at is not None,
        activity_name=planned.activity.name,
        activity_from=planned.starts_on,
        activity_to=planned.ends_on,
        activity_valid=planned.activity.holds_on(day),
        held_minor=planned.reserved_minor + taken.kept[planned.pk],
        payout_profile_complete=None,
        asked_minor=planned.requested_minor,
        metrics=planned.answers,
        solution_area=planned.solution_area,
        rates=rates_for(book, case, fund.currency, min(day, at.date())),
    )
    facts = replace(facts, available_minor=facts.available_minor - taken.beside(planned))
    if is_limited(book, case):
        others = counted(fund.partner, period, fund, planned.activity, but_plan=plan, with_plans=True)
        same = sum(other.requested_minor for other in before if other.activity_id == planned.activity_id)
        facts = replace(facts, used_in_fund_minor=others.fund + same, used_in_program_minor=others.program + same)
    return replace(facts, **spread(book, case, fund, planned.solution_area, planned.requested_minor if new else 0))


def findings_of_plan(plan: Plan, at: datetime, fund: Fund | None = None) -> list[Finding]:
    """What the rules say of each activity of a plan, each finding at the activity's own field.

    Pass `fund` where it is locked and fresher than the plan's.
    """
    book, taken, fund = current_book(), taken_by(plan), fund or plan.fund
    return [
        replace(found, field=f"activities.{planned.pk}.{found.field}" if found.field else f"activities.{planned.pk}")
        for planned in taken.rows
        for found in rules.evaluate(book, facts_of_activity(of_plan(planned, plan), taken, at, fund, book))
    ]


def of_plan(planned: PlanActivity, plan: Plan) -> PlanActivity:
    """The activity with its plan at hand, so that nothing is read twice."""
    planned.plan = plan
    return planned


# --- Ideas ------------------------------------------------------------------------------------------------------------


def facts_of_idea(
    fund: Fund | None,
    program: Program,
    activity: Activity,
    country: str,
    amount_minor: int,
    currency: str,
    starts_on: date,
    ends_on: date,
    partner: Partner | None,
    at: datetime,
    book: Book | None = None,
    others: Mapping[int, Counted] | None = None,
) -> Facts:
    """The facts of an idea: what somebody would like to spend, on what, where and when, before there is a plan or a claim.

    Whoever asks about several ideas of a fund passes what counts beside each activity (`counted_for_each`).
    """
    book = book or current_book()
    period = fund.earning_period if fund else period_of(program, starts_on)
    case = Case(
        program=program.code,
        activity=activity.code,
        category=activity.category_on(starts_on),
        country=country,
        country_class=book.class_of(country, starts_on),
        partner=partner.external_id if partner else "",
        day=starts_on,
    )
    facts = Facts(
        **period_facts(program, period, fund, at),
        case=case,
        subject=IDEA,
        currency=currency,
        returned=False,
        sent_in_time=False,
        activity_name=activity.name,
        activity_from=starts_on,
        activity_to=ends_on,
        activity_valid=activity.holds_on(starts_on),
        held_minor=0,
        payout_profile_complete=None,
        asked_minor=amount_minor,
        rates=rates_for(book, case, currency, min(starts_on, at.date())),
    )
    if partner and is_limited(book, case):
        if others is None:
            used = counted(partner, period, fund, activity, with_plans=True)
        else:
            used = others.get(activity.pk, Counted())
        facts = replace(facts, used_in_fund_minor=used.fund, used_in_program_minor=used.program)
    return facts


def period_of(program: Program, day: date) -> EarningPeriod:
    """The period in whose use a day lies, or else the nearest one: its dates then say why not."""
    periods = list(program.periods.order_by("use_from"))
    return min(periods, key=lambda period: max((period.use_from - day).days, (day - period.use_to).days, 0))


def findings_of_idea(
    fund: Fund | None,
    program: Program,
    activity: Activity,
    country: str,
    amount_minor: int,
    currency: str,
    starts_on: date,
    ends_on: date,
    partner: Partner | None,
    at: datetime,
) -> list[Finding]:
    """What the rules say of an idea."""
    book = current_book()
    facts = facts_of_idea(
        fund, program, activity, country, amount_minor, currency, starts_on, ends_on, partner, at, book
    )
    return rules.evaluate(book, facts)
