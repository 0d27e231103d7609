"""What other rules would have made of something that was decided: the same facts, looked at by two books. Pure.

A claim or plan was judged by the rules of its day and then by a person. What a person decided stays; only what the two
books say otherwise of the same facts changes it. So the rules that were in force give back exactly what happened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from claims.rules import evaluate
from claims.rules.book import Book, Case, Rule
from claims.rules.change import by_code, value_on
from claims.rules.facts import CLAIM, Facts
from claims.rules.findings import Finding, failed
from claims.rules.kinds.evidence import asked_metrics, asked_proofs, is_waived
from claims.rules.kinds.limits import at_most, basis_points, counted, people_of
from coop.lib import money

SAME, LOSES, GAINS = "same", "loses", "gains"
# What these say is how much; everything else that fails refuses the whole.
LIMITING = ("limit", "allowance", "head_count")


class Rules:
    """The rules of one catalog, with what else of it decides which rules count."""

    def __init__(self, name: str, catalog: Mapping[str, Any], book: Book) -> None:
        self.name, self.book = name, book
        self.activities = by_code(catalog.get("activities", ()))

    def case(self, case: Case) -> Case:
        """A case as this catalog has it: categories and country classes may be others."""
        rows = self.activities.get(case.activity, {}).get("categories", ())
        category = value_on(rows, case.day, lambda row: str(row["category"])) or case.category
        return replace(case, category=category, country_class=self.book.class_of(case.country, case.day))

    def in_force(self, case: Case) -> tuple[Rule, ...]:
        return self.book.in_force(self.case(case))

    def facts(self, facts: Facts) -> Facts:
        return replace(facts, case=self.case(facts.case))


@dataclass(frozen=True)
class Decided:
    """Something that was decided, and what was granted of what was asked for."""

    key: Any
    currency: str
    asked_minor: int
    approved_minor: int


@dataclass(frozen=True)
class Outcome:
    """What other rules would have made of it. `would_minor` is what would have been granted, in minor units.

    `lost` are findings that fail on the other rules and did not; `more_minor` is what could have been asked for beyond.
    `proofs` are the names of what had to be shown or reported, then and on the other rules.
    """

    decided: Decided
    verdict: str
    would_minor: int
    lost: Sequence[Finding] = ()
    more_minor: int = 0
    proofs_then: frozenset[str] = field(default_factory=frozenset)
    proofs_now: frozenset[str] = field(default_factory=frozenset)

    @property
    def lost_minor(self) -> int:
        return self.decided.approved_minor - self.would_minor

    @property
    def is_flipped(self) -> bool:
        """Whether something that was granted would have been refused."""
        return self.decided.approved_minor > 0 and self.would_minor == 0

    @property
    def more_proofs(self) -> list[str]:
        return sorted(self.proofs_now - self.proofs_then)

    @property
    def fewer_proofs(self) -> list[str]:
        return sorted(self.proofs_then - self.proofs_now)


def unchanged(decided: Decided) -> Outcome:
    """The outcome where both books judge alike."""
    return Outcome(decided, SAME, decided.approved_minor)


def simulate(decided: Decided, facts: Facts, then: Rules, now: Rules) -> Outcome:
    """What the rules `now` would have made of something that was decided by the rules `then`. `facts` are of its sending."""
    before, after = then.facts(facts), now.facts(facts)
    known = {(found.kind, found.field) for found in failed(evaluate(then.book, before))}
    lost = [found for found in failed(evaluate(now.book, after)) if (found.kind, found.field) not in known]
    would = granted(decided, after, now, lost)
    could = room(now.book, after) - max(room(then.book, before), decided.asked_minor)
    more = could if decided.approved_minor and not lost else 0
    verdict = LOSES if would < decided.approved_minor else GAINS if more > 0 else SAME
    return Outcome(decided, verdict, would, lost, max(more, 0), burden(then.book, before), burden(now.book, after))


def judge_alike(case: Case, then: Rules, now: Rules) -> bool:
    return then is now or alike(then.in_force(case), now.in_force(case))


def alike(one: Sequence[Rule], other: Sequence[Rule]) -> bool:
    """Whether two lists of rules judge alike: the words of a rule and its version decide nothing."""
    return len(one) == len(other) and all(
        a is b or (a.kind, a.slot or a.code, a.params) == (b.kind, b.slot or b.code, b.params)
        for a, b in zip(one, other, strict=True)
    )


def granted(decided: Decided, facts: Facts, rules: Rules, lost: Sequence[Finding]) -> int:
    """What would have been granted: nothing where a rule refuses, at most what new limits leave, or else the same."""
    if not lost:
        return decided.approved_minor
    if any(found.kind not in LIMITING for found in lost):
        return 0
    return min(decided.approved_minor, room(rules.book, facts))


def room(book: Book, facts: Facts) -> int:
    """The most that could be asked for: what the lines cost, each at its share, within the limits."""
    return max(min([share_of_cost(book, facts), *limits(book, facts)]), 0)


def share_of_cost(book: Book, facts: Facts) -> int:
    if facts.subject != CLAIM:
        return facts.claimed_minor
    shares = [basis_points(str(rule.params["percent"])) for rule in book.of_kind("allowance", facts.case)]
    share = min(shares, default=10_000)
    costs = (line.amount_minor if line.cost_minor is None else line.cost_minor for line in facts.lines)
    return sum(money.share(cost, share) for cost in costs)


def limits(book: Book, facts: Facts) -> list[int]:
    """What each limit leaves beside what others hold."""
    found = []
    for rule in book.of_kind("limit", facts.case):
        people = people_of(rule, facts, book)
        if rule.params.get("unlimited") or ("per_person" in rule.params and people is None):
            continue
        most = at_most(rule, facts, people)
        if most is not None:
            found.append(most - counted(rule, facts))
    return found


def burden(book: Book, facts: Facts) -> frozenset[str]:
    """What had to be shown and reported: names of proofs (of those of which one is enough, all as one) and results."""
    if facts.subject != CLAIM or is_waived(facts, book):
        return frozenset()
    groups: dict[str, list[str]] = {}
    for proof in asked_proofs(book, facts.case, facts.metrics):
        if proof.required:
            groups.setdefault(proof.group or proof.code, []).append(proof.name)
    metrics = [metric.name for metric in asked_metrics(book, facts.case, facts.metrics) if metric.required]
    return frozenset([*(" or ".join(names) for names in groups.values()), *metrics])


@dataclass(frozen=True)
class Totals:
    """The sums of a simulation, in minor units of one currency."""

    decided: int
    approved_minor: int
    would_minor: int
    lost_minor: int
    refused_minor: int
    over_limits_minor: int
    more_minor: int
    flipped: int
    losing: int
    gaining: int
    more_proofs: int
    fewer_proofs: int


def totals(outcomes: Sequence[Outcome]) -> Totals:
    losing = [outcome for outcome in outcomes if outcome.verdict == LOSES]
    refused = sum(outcome.lost_minor for outcome in losing if outcome.is_flipped)
    lost = sum(outcome.lost_minor for outcome in losing)
    return Totals(
        decided=len(outcomes),
        approved_minor=sum(outcome.decided.approved_minor for outcome in outcomes),
        would_minor=sum(outcome.would_minor for outcome in outcomes),
        lost_minor=lost,
        refused_minor=refused,
        over_limits_minor=lost - refused,
        more_minor=sum(outcome.more_minor for outcome in outcomes),
        flipped=sum(outcome.is_flipped for outcome in losing),
        losing=len(losing),
        gaining=sum(outcome.verdict == GAINS for outcome in outcomes),
        more_proofs=sum(len(outcome.more_proofs) for outcome in outcomes),
        fewer_proofs=sum(len(outcome.fewer_proofs) for outcome in outcomes),
    )
