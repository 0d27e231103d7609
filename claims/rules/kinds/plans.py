"""Rules about plans and about what plans and claims are for; and evidence that was seen before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from claims.rules.book import Book, Rule
from claims.rules.facts import CLAIM, IDEA, PLAN, Facts, PlanFacts
from claims.rules.findings import WARNING, Finding
from claims.rules.kinds.kind import EVERYTHING, Kind, sentence
from coop.lib.dates import show_day

SEEN_BEFORE = {
    "file": "the same file was given before",
    "picture": "the same picture was given before",
    "invoice": "an invoice of the same supplier with the same number was given before",
    "amount": "an invoice of the same supplier over the same amount, of nearly the same day, was given before",
}


def plan_approval(rule: Rule, facts: Facts, book: Book) -> Iterable[Finding]:
    """R15: where the program asks for it, the work was approved in a plan before it began."""
    if facts.plan_approval != "required":
        return
    if facts.subject == CLAIM:
        yield approved_before(rule, facts)
        return
    today = facts.at.astimezone(ZoneInfo(facts.zone)).date()
    first = facts.activity_from
    yield rule.finding(
        facts.subject == PLAN and (first is None or first >= today),
        seen=f"first day {show_day(first)}" if first else "no first day yet",
        wanted="an approved plan before the first day",
        fix="Send a plan, and begin after it was approved."
        if facts.subject == IDEA
        else "Give a later first day: what begins before the approval is not paid.",
        at_field="plan_activity",
        unless=WARNING,
    )


def approved_before(rule: Rule, facts: Facts) -> Finding:
    plan, first = facts.plan, facts.activity_from
    ok = False
    if plan is None:
        seen, fix = "no plan", "Choose the activity of your plan that this claim is for; it must be approved."
    elif plan.activity != facts.case.activity:
        seen = f"plan {plan.number}, which is approved for another activity"
        fix = "Choose the activity of your plan that this claim is for."
    elif plan.approved_on is None:
        seen, fix = f"plan {plan.number}, not approved", "Choose an activity of a plan that is approved."
    else:
        ok = first is None or plan.approved_on <= first
        seen = f"plan {plan.number}, approved on {show_day(plan.approved_on)}"
        fix = "Work that began before the approval is not paid. Correct the first day if it was mistyped."
    wanted = "the approved activity of a plan" + (f", approved by {show_day(first)}" if first else "")
    return rule.finding(ok, seen=seen, wanted=wanted, fix=fix, at_field="plan_activity")


def within_plan(rule: Rule, facts: Facts, book: Book) -> Iterable[Finding]:
    """R16: a claim on a plan asks for no more than the plan has left, for work on its days; otherwise a reviewer is told."""
    plan = facts.plan
    if plan is None:
        return
    yield rule.finding(
        facts.claimed_minor <= plan.left_minor,
        seen=f"{facts.show(facts.claimed_minor)} claimed",
        wanted=f"at most {facts.show(plan.left_minor)}, which plan {plan.number} has left",
        fix="The rest is taken from what the fund has available. Amend the plan if the work became dearer.",
        at_field="lines",
        unless=WARNING,
    )
    if None in (plan.starts_on, plan.ends_on, facts.activity_from, facts.activity_to):
        return
    yield rule.finding(
        first_of(plan) <= first_of(facts) and last_of(facts) <= last_of(plan),
        seen=span(first_of(facts), last_of(facts)),
        wanted=f"{span(first_of(plan), last_of(plan))}, as planned",
        fix="Correct the days if they were mistyped; otherwise the reviewer sees that they differ.",
        at_field="activity_from",
        unless=WARNING,
    )


def first_of(subject: PlanFacts | Facts) -> date:
    return (subject.starts_on if isinstance(subject, PlanFacts) else subject.activity_from) or date.min


def last_of(subject: PlanFacts | Facts) -> date:
    return (subject.ends_on if isinstance(subject, PlanFacts) else subject.activity_to) or date.max


def span(first: date, last: date) -> str:
    return f"{show_day(first)} to {show_day(last)}"


def solution_area(rule: Rule, facts: Facts, book: Book) -> Iterable[Finding]:
    """R17: a plan and a claim name the solution area that they are for, one of those of the day."""
    areas = book.areas_on(facts.case.day)
    if not areas:
        return
    yield rule.finding(
        facts.solution_area in areas or facts.solution_area in areas.values(),
        seen=areas.get(facts.solution_area) or facts.solution_area or "none named",
        wanted=", ".join(areas.values()),
        fix="Choose the solution area that the work is for.",
        at_field="solution_area",
        unless=WARNING,
    )


def guidance(rule: Rule, facts: Facts, book: Book) -> Iterable[Finding]:
    """R18: advice on how to spread the money; it never refuses anything."""
    by_area = rule.params["by"] == "solution_area"
    own = facts.solution_area if by_area else facts.case.category
    spent: Mapping[str, int] = facts.by_area if by_area else facts.by_category
    shares = {code: Decimal(share) for code, share in rule.params["shares"].items()}
    total = sum(spent.values())
    if own not in shares or total <= 0:
        return
    names = book.areas_on(facts.case.day) if by_area else book.categories_on(facts.case.day)
    is_now = {code: Decimal(spent.get(code, 0)) * 100 / total for code in shares}
    below = [names.get(code, code) for code in shares if is_now[code] < shares[code]]
    yield rule.finding(
        is_now[own] <= shares[own] + Decimal(rule.params.get("tolerance", "0")),
        seen=", ".join(f"{names.get(code, code)} {is_now[code]:.0f} %" for code in shares),
        wanted=", ".join(f"{names.get(code, code)} {share.normalize():f} %" for code, share in shares.items()),
        fix=f"Plan more for {', '.join(below)}. This is advice: it stops nothing.",
        at_field="solution_area" if by_area else "activity",
        unless=WARNING,
    )


def words_of_guidance(rule: Rule) -> str:
    said = ", ".join(f"{code} {share} %" for code, share in rule.params["shares"].items())
    return f"Advised shares by {str(rule.params['by']).replace('_', ' ')}: {said}."


def duplicate_evidence(rule: Rule, facts: Facts, book: Book) -> Iterable[Finding]:
    """R19: evidence that was given before is pointed out; it may still be right."""
    if not facts.duplicates:
        yield rule.finding(True, seen="nothing that was given before", wanted="evidence that was not given before")
    for found in facts.duplicates:
        where = f", in {found.other}" if found.other else ", in another claim"
        yield rule.finding(
            False,
            seen=SEEN_BEFORE[found.kind] + where,
            wanted="evidence that was not given before",
            fix="Take it away if it came in by mistake; otherwise say why it belongs here too.",
            at_field=found.field,
            unless=WARNING,
        )


KINDS = {
    "plan_approval": Kind(plan_approval, sentence, EVERYTHING),
    "within_plan": Kind(within_plan, sentence),
    "solution_area": Kind(solution_area, sentence, frozenset({CLAIM, PLAN})),
    "guidance": Kind(
        guidance,
        words_of_guidance,
        frozenset({CLAIM, PLAN}),
        {"by": "guided", "shares": "shares", "tolerance": "percent"},
        frozenset({"tolerance"}),
    ),
    "duplicate_evidence": Kind(duplicate_evidence, sentence),
}
