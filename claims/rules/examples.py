"""The examples that stand beside a rule, and whether they come out as they say. Pure.

An example is a row: the `outcome` that the rule's findings have at worst ("none" where it says nothing), if need be what is
`seen`, and `facts`: how its case differs from one that is complete and passes. An example of a limit:

    { outcome = "failed", facts = { claimed = "1000.00", earned = "3999.96" }, seen = "1,000.00 USD claimed" }
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from claims.rules.book import Book, Case, Rule, day_of
from claims.rules.facts import CLAIM, DocumentFacts, DuplicateFacts, Facts, LineFacts, PlanFacts
from claims.rules.findings import OUTCOMES, Finding, worst
from claims.rules.kinds import KINDS
from claims.rules.kinds.declared import asked_details
from claims.rules.kinds.evidence import asked_metrics, asked_proofs
from coop.lib import money

NONE = "none"
USUAL_DAY = date(2024, 3, 1)
FIELDS = ("outcome", "facts", "seen")
PROFILE = {"complete": True, "not complete": False, "not known": None}
ANSWERS = {"count": "1", "money": "120.00", "text": "Good", "yes_no": "no", "confirmed": "yes"}

# What the facts of an example may say, by what it is read as.
CASE = ("program", "activity", "category", "country", "country_class", "partner")
DAYS = {"first_day": "activity_from", "last_day": "activity_to", "use_from": "use_from", "use_to": "use_to"}
AMOUNTS = {
    "earned": "earned_minor",
    "available": "available_minor",
    "held": "held_minor",
    "used_in_fund": "used_in_fund_minor",
    "used_in_program": "used_in_program_minor",
}
PLAIN = {
    "offered": "activity_valid",
    "settled": "settled",
    "returned": "returned",
    "fund_known": "fund_known",
    "plan_approval": "plan_approval",
    "solution_area": "solution_area",
}
OF_THE_LINE = ("claimed", "cost", "description", "details", "invoiced_on", "line_kind")
OTHERS = (
    "subject",
    "day",
    "sent_on",
    "currency",
    "rates",
    "answers",
    "without",
    "dated",
    "payout_profile",
    "plan",
    "by_area",
    "by_category",
    "duplicates",
)
KNOWN = frozenset((*CASE, *DAYS, *AMOUNTS, *PLAIN, *OF_THE_LINE, *OTHERS))


def check_example(book: Book, rule: Rule, example: Mapping[str, Any]) -> str:
    """What is wrong with one example of a rule, in a sentence; empty if it comes out as it says."""
    said = example.get("facts", {})
    strange = [name for name in example if name not in FIELDS]
    strange += [f"facts.{name}" for name in said if name not in KNOWN] if isinstance(said, Mapping) else ["facts"]
    if strange:
        return f"An example has no {', '.join(strange)}. Its facts may say {', '.join(sorted(KNOWN))}."
    wanted = example.get("outcome")
    if wanted not in (*OUTCOMES, NONE):
        return f"An example says its outcome: {', '.join((*OUTCOMES, NONE))}."
    try:
        facts = facts_of_example(book, rule, said)
        found = run(book, rule, facts)
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        return f"The facts of an example cannot be read: {type(error).__name__}: {error}."
    if found is None:
        others = [other.code for other in book.in_force(facts.case) if same_question(rule, other)]
        return f"The rule does not count for its own example; {', '.join(others) or 'no rule'} does."
    outcome = worst(found) if found else NONE
    if outcome != wanted:
        told = "; ".join(f"{one.outcome}: {one.seen}, wanted {one.wanted}" for one in found)
        return f"An example should come out as “{wanted}” and comes out as “{outcome}”{f' ({told})' if told else ''}."
    if "seen" in example and example["seen"] not in [one.seen for one in found if one.outcome == outcome]:
        return f"An example should say “{example['seen']}” and says “{'; '.join(one.seen for one in found)}”."
    return ""


def same_question(rule: Rule, other: Rule) -> bool:
    return (rule.slot or rule.code) == (other.slot or other.code)


def run(book: Book, rule: Rule, facts: Facts) -> list[Finding] | None:
    """What the rule says of the facts; None if another rule counts for them."""
    if rule not in book.in_force(facts.case):
        return None
    return list(KINDS[rule.kind].look(rule, facts, book)) if facts.subject in KINDS[rule.kind].subjects else []


# --- A complete case that passes ----------------------------------------------------------------------------------------


def case_of_rule(book: Book, rule: Rule, said: Mapping[str, Any]) -> Case:
    """A case that the rule is for: the first codes of its scope, on a usual day if it holds then."""
    day = day_of(said.get("day", said.get("first_day")), USUAL_DAY if rule.holds_on(USUAL_DAY) else rule.valid_from)
    first = {dimension: min(codes) for dimension, codes in rule.scope.items()}
    in_class = first.get("country_classes", "")
    members = (member for member in members_on(book, day) if not in_class or member[1] == in_class)
    country = said.get("country") or first.get("countries") or next((code for code, _ in members), "US")
    return Case(
        program=said.get("program") or first.get("programs", "mci-csp-reseller"),
        activity=said.get("activity") or first.get("activities", "telemarketing"),
        category=said.get("category") or first.get("categories", ""),
        country=country if in_class or "country" in said or "countries" in first else "US",
        country_class=said.get("country_class") or in_class or book.class_of(country, day),
        partner=said.get("partner") or first.get("partners", ""),
        day=day,
    )


def members_on(book: Book, day: date) -> list[tuple[str, str]]:
    """Countries with their class on a day."""
    codes = sorted({member["country"] for known in book.country_classes for member in known.members})
    return [(code, book.class_of(code, day)) for code in codes]


def complete(book: Book, case: Case, subject: str = CLAIM) -> Facts:
    """The facts of a claim, plan or idea of 1,000.00 USD that has everything and passes every rule."""
    half = 1 if case.day.month < 7 else 7
    use_from = date(case.day.year, half, 1)
    use_to = date(case.day.year, 6, 30) if half == 1 else date(case.day.year, 12, 31)
    metrics = {
        metric.code: ", ".join(metric.choices) if metric.kind == "activities" else ANSWERS[metric.kind]
        for metric in asked_metrics(book, case)
    }
    details = {
        metric.code: case.day.isoformat() if metric.kind == "day" else "AZ-900" for metric in asked_details(book, case)
    }
    line = LineFacts("1", "invoice", "Fabrikam", "INV-1", case.day, 100_000, details=details)
    proofs = [DocumentFacts(proof.code, None, case.day - timedelta(1)) for proof in asked_proofs(book, case)]
    is_claim = subject == CLAIM
    return Facts(
        at=instant(use_from + timedelta(63 if is_claim else 0)),
        zone="UTC",
        currency="USD",
        case=case,
        subject=subject,
        use_from=use_from,
        use_to=use_to,
        claims_open_at=instant(use_from + timedelta(45), 0),
        claims_close_at=instant(use_to + timedelta(46), 0),
        cure_close_at=instant(use_to + timedelta(91), 0),
        returned=False,
        sent_in_time=False,
        activity_name=case.activity,
        activity_from=case.day,
        activity_to=case.day,
        activity_valid=True,
        held_minor=0,
        available_minor=1_000_000,
        earned_minor=1_000_000,
        settled=True,
        settle_on=use_from + timedelta(29),
        payout_profile_complete=True,
        lines=(line,) if is_claim else (),
        documents=(DocumentFacts("invoice", "1"), *proofs) if is_claim else (),
        metrics=metrics,
        asked_minor=None if is_claim else 100_000,
        plan_approval="required" if is_claim else "optional",
        plan=PlanFacts("P-1", "The plan", case.activity, use_from, use_from, use_to, 100_000) if is_claim else None,
        solution_area=next(iter(book.areas_on(case.day)), ""),
    )


def instant(day: date, hour: int = 9) -> datetime:
    return datetime.combine(day, time(hour), UTC)


# --- How an example differs from it -------------------------------------------------------------------------------------


def facts_of_example(book: Book, rule: Rule, said: Mapping[str, Any]) -> Facts:
    """The facts of an example. Raises what reading raises where they cannot be read."""
    facts = complete(book, case_of_rule(book, rule, said), said.get("subject", CLAIM))
    currency = said.get("currency", facts.currency)
    change: dict[str, Any] = {"currency": currency, "metrics": {**facts.metrics, **said.get("answers", {})}}
    change |= {name: day_of(said[key], date.min) if said[key] else None for key, name in DAYS.items() if key in said}
    change |= {name: money.to_minor(said[key], currency) for key, name in AMOUNTS.items() if key in said}
    change |= {name: said[key] for key, name in PLAIN.items() if key in said}
    change |= {key: spent(said[key], currency) for key in ("by_area", "by_category") if key in said}
    if "sent_on" in said:
        change["at"] = instant(day_of(said["sent_on"], date.min))
    if "rates" in said:
        change["rates"] = {code: Decimal(rate) for code, rate in said["rates"].items()}
    if "payout_profile" in said:
        change["payout_profile_complete"] = PROFILE[said["payout_profile"]]
    if "duplicates" in said:
        change["duplicates"] = [
            DuplicateFacts(row["kind"], row["field"], row.get("other", "")) for row in said["duplicates"]
        ]
    if "plan" in said:
        change["plan"] = planned(facts, said["plan"], currency)
    facts = replace(facts, **change)
    return replace(facts, **asked(facts, said), documents=documents(facts, said))


def spent(amounts: Mapping[str, str], currency: str) -> dict[str, int]:
    return {code: money.to_minor(amount, currency) for code, amount in amounts.items()}


def planned(facts: Facts, row: Any, currency: str) -> PlanFacts | None:
    """The plan of an example: none, or the complete one with what differs."""
    if row == NONE or facts.plan is None:
        return None
    change: dict[str, Any] = {"activity": row["activity"]} if "activity" in row else {}
    for name in ("approved_on", "starts_on", "ends_on"):
        if name in row:
            change[name] = day_of(row[name], date.min) if row[name] else None
    if "left" in row:
        change["left_minor"] = money.to_minor(row["left"], currency)
    return replace(facts.plan, **change)


def asked(facts: Facts, said: Mapping[str, Any]) -> dict[str, Any]:
    """What is claimed or asked for: no line at all where nothing is."""
    amount = money.to_minor(said["claimed"], facts.currency) if "claimed" in said else 100_000
    if facts.subject != CLAIM:
        return {"asked_minor": amount}
    line = replace(
        facts.lines[0],
        amount_minor=amount,
        cost_minor=money.to_minor(said["cost"], facts.currency) if "cost" in said else None,
        description=said.get("description", ""),
        details={**facts.lines[0].details, **said.get("details", {})},
        kind=said.get("line_kind", "invoice"),
    )
    if "invoiced_on" in said:
        line = replace(line, invoiced_on=day_of(said["invoiced_on"], date.min) if said["invoiced_on"] else None)
    return {"lines": (line,) if amount else ()}


def documents(facts: Facts, said: Mapping[str, Any]) -> Sequence[DocumentFacts]:
    """The documents of an example: all, `without` some, some `dated` otherwise; evidence of money is of the line's kind."""
    missing, dated = said.get("without", ()), said.get("dated", {})
    kept = [document for document in facts.documents if document.kind not in missing]
    kept = [replace(one, kind=said.get("line_kind", "invoice")) if one.kind == "invoice" else one for one in kept]
    return [
        replace(one, dated_on=day_of(dated[one.kind], date.min) if dated[one.kind] else None)
        if one.kind in dated
        else one
        for one in kept
    ]
