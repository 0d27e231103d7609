"""Rules that limit what is paid: at most so much, for so many people, and which share of the cost."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from claims.rules.book import Book, Rule
from claims.rules.facts import CLAIM, IDEA, PLAN, Facts
from claims.rules.findings import FAILED, PERSON, WARNING, Finding
from claims.rules.kinds.kind import EVERYTHING, Kind
from coop.lib import money

MOST_PEOPLE = 10_000  # nobody takes more along; a longer number is a slip of the pen
OVER = ("fund", "program")

ASKED = {CLAIM: "claimed", PLAN: "asked for", IDEA: "asked for"}
ELSEWHERE = {
    CLAIM: "held or granted for other claims",
    PLAN: "held, granted or planned elsewhere",
    IDEA: "held, granted or planned elsewhere",
}
LESS = {CLAIM: "Lower the lines by {} in all.", PLAN: "Ask for {} less.", IDEA: "Plan with {} less."}


def basis_points(percent: str) -> int:
    return int(Decimal(percent) * 100)


def said(percent: str) -> str:
    return f"{percent} %"


def over_program(rule: Rule) -> bool:
    """Whether a limit counts all the partner's funds of the program and period, and not the one fund."""
    return rule.params.get("over") == "program"


def limit(rule: Rule, facts: Facts, book: Book) -> Iterable[Finding]:
    """R10: no more is asked for than the activity's limit leaves beside what others hold or were granted for it."""
    asked = facts.claimed_minor
    people = people_of(rule, facts, book)
    if asked <= 0 or ("per_person" in rule.params and people is None):
        return  # R6 asks for the amount, R5 and R11 for the people
    if rule.params.get("unlimited"):
        yield rule.finding(True, seen=seen_of(facts, asked, 0), wanted="any amount")
        return
    most = at_most(rule, facts, people)
    if most is None or (not facts.fund_known and "percent" in rule.params and asked > most):
        yield cannot_tell(rule, facts, asked)
        return
    others = counted(rule, facts)
    left = max(most - others, 0)
    yield rule.finding(
        asked <= left,
        seen=seen_of(facts, asked, others),
        wanted=wanted_of(rule, facts, most, people),
        fix=LESS[facts.subject].format(facts.show(asked - left))
        if left
        else "Nothing more is paid for this activity here. Use the money for another one.",
        at_field="lines",
    )


def counted(rule: Rule, facts: Facts) -> int:
    """What counts beside this: nothing where people are counted, since that is a limit of each single claim."""
    if "per_person" in rule.params:
        return 0
    return facts.used_in_program_minor if over_program(rule) else facts.used_in_fund_minor


def at_most(rule: Rule, facts: Facts, people: int | None = None) -> int | None:
    """What a limit comes to in minor units, the greater of its two where it has two; None where no rate is known."""
    found = []
    if "percent" in rule.params:
        found.append(money.share(max(facts.earned_minor, 0), basis_points(rule.params["percent"])))
    if "amount" in rule.params:
        amount = facts.in_fund_currency(rule.params["amount"], rule.params["currency"])
        if amount is None:
            return None
        found.append(amount * (people if "per_person" in rule.params and people is not None else 1))
    return max(found)


def people_of(rule: Rule, facts: Facts, book: Book) -> int | None:
    """How many people an amount a person counts for; of an idea, as many as may go."""
    code = rule.params.get("per_person")
    if code is None:
        return None
    number = facts.answer(code)
    if number.isascii() and number.isdigit():
        return min(int(number), MOST_PEOPLE)
    if facts.subject != IDEA:
        return None
    counts = book.of_kind("head_count", facts.case)
    return min((int(other.params["at_most"]) for other in counts if other.params["answer"] == code), default=None)


def seen_of(facts: Facts, asked: int, others: int) -> str:
    beside = f", {facts.show(others)} {ELSEWHERE[facts.subject]}" if others else ""
    return f"{facts.show(asked)} {ASKED[facts.subject]}{beside}"


def wanted_of(rule: Rule, facts: Facts, most: int, people: int | None) -> str:
    wanted = f"at most {facts.show(most)}"
    if people is not None:
        return f"{wanted} for {people} {'person' if people == 1 else 'people'}"
    if "percent" in rule.params:
        of = f"{said(rule.params['percent'])} of the {facts.show(max(facts.earned_minor, 0))} earned"
        return f"{wanted}, the greater of {of} and {fixed(rule)}" if "amount" in rule.params else f"{wanted}, {of}"
    return f"{wanted} in all{' your funds of the program and period' if over_program(rule) else ''}"


def cannot_tell(rule: Rule, facts: Facts, asked: int) -> Finding:
    if not facts.fund_known:
        return rule.finding(
            False,
            seen=seen_of(facts, asked, 0),
            wanted=words_of_limit(rule),
            fix="Ask again once the fund is known: a percentage is of what it earned.",
            at_field="lines",
            unless=WARNING,
        )
    return rule.finding(
        False,
        seen=f"{seen_of(facts, asked, 0)}; no rate from {rule.params['currency']} to {facts.currency} is known",
        wanted=f"at most {fixed(rule)}",
        fix="A reviewer compares the two amounts.",
        at_field="lines",
        unless=PERSON,
    )


def fixed(rule: Rule) -> str:
    """The amount of a rule for people, in its own currency."""
    currency = rule.params["currency"]
    return money.display(money.to_minor(rule.params["amount"], currency), currency)


def words_of_limit(rule: Rule) -> str:
    params = rule.params
    if params.get("unlimited"):
        return "There is no limit."
    share = f"{said(params['percent'])} of the co-op that the fund earned" if "percent" in params else ""
    if "per_person" in params:
        return f"At most {fixed(rule)} a person in one claim."
    amount = fixed(rule) if "amount" in params else ""
    both = f"{share} or {amount}, whichever is greater" if share and amount else share or amount
    where = "all the partner's funds of a program and period" if over_program(rule) else "one fund"
    return f"At most {both}, over all claims of {where} for the activity."


def head_count(rule: Rule, facts: Facts, book: Book) -> Iterable[Finding]:
    """R11: no more people are paid for than the limit allows; a plan must say how many."""
    number = facts.answer(rule.params["answer"])
    most = int(rule.params["at_most"])
    said_so = number.isascii() and number.isdigit()
    if not said_so and facts.subject == CLAIM:
        return  # R5 asks for it
    yield rule.finding(
        said_so and int(number[:9]) <= most and len(number) < 10,
        seen=f"{number[:9]} people" if said_so else "not said how many people",
        wanted=f"at most {most} people",
        fix=f"Ask only for what {most} people cost, and correct the number." if said_so else "Say how many people go.",
        at_field=f"metrics.{rule.params['answer']}",
        unless=WARNING if facts.subject == IDEA else FAILED,
    )


def words_of_head_count(rule: Rule) -> str:
    return f"At most {rule.params['at_most']} people in one claim."


def allowance(rule: Rule, facts: Facts, book: Book) -> Iterable[Finding]:
    """R12: of the actual cost of each line its share is paid, rounded half-even."""
    percent = str(rule.params["percent"])
    if facts.subject != CLAIM:
        if facts.claimed_minor > 0 and basis_points(percent) < 10_000:
            asked = facts.show(facts.claimed_minor)
            yield rule.finding(True, seen=f"{asked} asked for", wanted=f"at most {said(percent)} of what it costs")
        return
    for line in facts.lines:
        cost = line.amount_minor if line.cost_minor is None else line.cost_minor
        most = money.share(cost, basis_points(percent))
        yield rule.finding(
            line.amount_minor <= most,
            seen=f"{facts.show(line.amount_minor)} of {facts.show(cost)}",
            wanted=f"at most {facts.show(most)}, {said(percent)} of what it cost",
            fix=f"Claim {facts.show(most)} of it, or enter what it cost if that was more.",
            at_field=f"lines.{line.id}.amount",
        )


def words_of_allowance(rule: Rule) -> str:
    return f"{said(rule.params['percent'])} of the actual cost is paid."


KINDS = {
    "limit": Kind(
        limit,
        words_of_limit,
        EVERYTHING,
        {
            "amount": "amount",
            "currency": "currency",
            "percent": "percent",
            "over": "over",
            "per_person": "code",
            "unlimited": "flag",
        },
        frozenset({"amount", "currency", "percent", "over", "per_person", "unlimited"}),
    ),
    "head_count": Kind(head_count, words_of_head_count, EVERYTHING, {"answer": "code", "at_most": "positive"}),
    "allowance": Kind(allowance, words_of_allowance, EVERYTHING, {"percent": "percent"}),
}
