"""The facts of a plan's activities and of ideas, and what the rules say of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

from claims import rules, states
from claims.models import Activity, Plan, PlanActivity
from claims.queries.book import case_of, current_book
from claims.queries.elsewhere import Counted, counted, is_limited, rates_for
from claims.queries.fund_facts import period_facts, spread
from claims.queries.plans import row_in_force
from claims.rules.book import Book, Case
from claims.rules.facts import IDEA, PLAN, Facts
from claims.rules.findings import Finding
from funds.models import EarningPeriod, Fund, Program
from partners.models import Partner

UNDECIDED = (states.DRAFT, states.RETURNED, states.SUBMITTED)


def facts_of_activity(planned: PlanActivity, at: datetime, fund: Fund | None = None, book: Book | None = None) -> Facts:
    """The facts of one activity of a plan. What the activities before it ask for is spoken for already.

    Pass `fund` where it is locked and fresher than the plan's.
    """
    plan = planned.plan
    fund = fund or plan.fund
    period = fund.earning_period
    book = book or current_book()
    day = planned.starts_on or period.use_from
    case = case_of(fund, planned.activity, planned.country, day, book)
    before = [other for other in plan.activities.all() if other.pk < planned.pk]
    new = plan.status in UNDECIDED
    spoken_for = sum(other.requested_minor - kept_of(other) for other in before) if new else 0
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
        held_minor=planned.reserved_minor + kept_of(planned),
        payout_profile_complete=None,
        asked_minor=planned.requested_minor,
        metrics=planned.answers,
        solution_area=planned.solution_area,
        rates=rates_for(book, case, fund.currency, min(day, at.date())),
    )
    facts = replace(facts, available_minor=facts.available_minor - spoken_for)
    if is_limited(book, case):
        others = counted(fund.partner, period, fund, planned.activity, but_plan=plan, with_plans=True)
        same = sum(other.requested_minor for other in before if other.activity_id == planned.activity_id)
        facts = replace(facts, used_in_fund_minor=others.fund + same, used_in_program_minor=others.program + same)
    return replace(facts, **spread(book, case, fund, planned.solution_area, planned.requested_minor if new else 0))


def kept_of(planned: PlanActivity) -> int:
    """What the version in force has for an activity, claimed or not: an amendment takes it over."""
    old = row_in_force(planned)
    return (old.approved_minor or 0) if old and old.closed_at is None else 0


def findings_of_plan(plan: Plan, at: datetime, fund: Fund | None = None) -> list[Finding]:
    """What the rules say of each activity of a plan, each finding at the activity's own field."""
    book = current_book()
    return [
        replace(found, field=f"activities.{planned.pk}.{found.field}" if found.field else f"activities.{planned.pk}")
        for planned in plan.activities.select_related("activity", "follows").order_by("id")
        for found in rules.evaluate(book, facts_of_activity(of_plan(planned, plan), at=at, fund=fund, book=book))
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
