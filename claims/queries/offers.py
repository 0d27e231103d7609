"""What an activity asks for in a case, in plain words: what the catalog, the start of a claim and the API show of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

from claims.models import Activity
from claims.queries.book import is_offered
from claims.rules.book import Book, Case, Rule, valid
from claims.rules.facts import Metric
from claims.rules.kinds import KINDS
from claims.rules.kinds.declared import asked_details
from claims.rules.kinds.evidence import asked_metrics, either, questions_of
from funds.models import Fund, Program
from partners.states import TITLES

ALLOWANCE, LIMITS, THRESHOLD = "allowance", ("limit", "head_count"), "poe_threshold"
EVIDENCE = "money_evidence"
WHOLE = "100"  # per cent of the cost that are paid where no rule says less
# What pages say in places of their own, or what holds for every activity alike: the rest is "what else counts".
TOLD = (
    *(ALLOWANCE, *LIMITS, THRESHOLD, EVIDENCE, "activity_offered", "proof_of_execution", "proof_of_parts", "results"),
    *("declaration", "line_detail", "money_there", "payout_profile", "claim_window", "use_period"),
    *("plan_approval", "within_plan", "duplicate_evidence", "solution_area", "guidance"),
)


@dataclass(frozen=True)
class ProofAsked:
    """One proof, or several of which any one is enough. `when` says in which case only it is asked for."""

    text: str
    hints: list[str]
    when: str
    example: bool


@dataclass(frozen=True)
class Offer:
    """One activity as a program offers it in a case."""

    activity: Activity
    case: Case
    book: Book

    @property
    def code(self) -> str:
        return self.activity.code

    @property
    def category(self) -> str:
        """The name of its category on the day."""
        return self.book.categories_on(self.case.day).get(self.case.category, "")

    @property
    def rules(self) -> Sequence[Rule]:
        """Every rule that counts for it, in the order of the catalog."""
        return self.book.in_force(self.case)

    def of_kind(self, kind: str) -> list[Rule]:
        return self.book.of_kind(kind, self.case)

    @cached_property
    def proofs(self) -> list[ProofAsked]:
        """The proofs of execution, and of a campaign that it shows those of its parts."""
        metrics = {metric.code: metric.name for metric in asked_metrics(self.book, self.case)}
        found = [proof_asked(rule, metrics) for rule in self.of_kind("proof_of_execution")]
        return found + [ProofAsked(words(rule), [], "", rule.example) for rule in self.of_kind("proof_of_parts")]

    @cached_property
    def answers(self) -> list[Metric]:
        """All that is asked beside documents: questions, results and what must be confirmed."""
        return asked_metrics(self.book, self.case)

    @property
    def questions(self) -> list[Metric]:
        """Those whose answers decide which proofs are asked for."""
        deciding = {rule.params["code"] for rule in questions_of(self.case, self.book)}
        return [metric for metric in self.answers if metric.code in deciding or metric.kind == "activities"]

    @property
    def confirmations(self) -> list[Metric]:
        return [metric for metric in self.answers if metric.kind == "confirmed"]

    @property
    def results(self) -> list[Metric]:
        """What is reported once the work is done."""
        apart = {metric.code for metric in (*self.questions, *self.confirmations)}
        return [metric for metric in self.answers if metric.code not in apart]

    @cached_property
    def details(self) -> list[Metric]:
        """What is asked of each line."""
        return asked_details(self.book, self.case)

    @property
    def share(self) -> str:
        """Per cent of the cost that are paid back."""
        return next((str(rule.params["percent"]) for rule in self.of_kind(ALLOWANCE)), WHOLE)

    @property
    def share_example(self) -> bool:
        return any(rule.example for rule in self.of_kind(ALLOWANCE))

    @cached_property
    def limit_rules(self) -> list[Rule]:
        return [rule for kind in LIMITS for rule in self.of_kind(kind)]

    @property
    def limits(self) -> list[str]:
        return [words(rule) for rule in self.limit_rules]

    @property
    def evidence(self) -> str:
        """What shows the cost."""
        return " ".join(words(rule) for rule in self.of_kind(EVIDENCE))

    @property
    def threshold(self) -> str:
        """From which amount on proof is asked for; empty where it is asked for always."""
        return " ".join(words(rule) for rule in self.of_kind(THRESHOLD))

    @property
    def others(self) -> list[str]:
        """What else counts, in words."""
        return [words(rule) for rule in self.rules if rule.kind not in TOLD]


def words(rule: Rule) -> str:
    """A rule with its figures in one sentence; one that no source publishes says so."""
    return KINDS[rule.kind].words(rule) + (" (An example, not published.)" if rule.example else "")


def proof_asked(rule: Rule, answers: dict[str, str]) -> ProofAsked:
    rows = rule.params["any_of"]
    when = rule.params.get("when")
    said = f"only if “{answers.get(when['answer'], when['answer'])}” is answered {when['is']}" if when else ""
    hints = [row["hint"] for row in rows if row.get("hint")]
    return ProofAsked(either(row["name"] for row in rows), hints, said, rule.example)


@dataclass(frozen=True)
class Approval:
    """Whether a program wants a plan to be approved before money is spent (required, optional or none), and by whom."""

    kind: str
    titles: list[str]

    @property
    def by(self) -> str:
        if not self.titles:
            return "your channel manager"
        *others, last = self.titles
        return f"a {', '.join(others)} or {last}" if others else f"a {last}"

    @property
    def sentence(self) -> str:
        if self.kind == "none":
            return "No plan is needed: do the work and claim it."
        if self.kind == "required":
            return f"A plan must be approved before you spend. It is approved by {self.by}."
        return f"A plan is not needed, but an approved one sets the money aside. It is approved by {self.by}."


def approval_of(program: Program, day: date) -> Approval:
    """Who approves plans of a program on a day."""
    titles = [TITLES[row["title"]] for row in program.approvers if valid(row, day)]
    return Approval(program.plan_approval, titles)


def case_of_fund(fund: Fund, book: Book, day: date) -> Case:
    """The case of a fund in its location's country, without an activity."""
    country = fund.location.country
    return Case(fund.program.code, "", "", country, book.class_of(country, day), fund.partner.external_id, day)


def offers_of(book: Book, activities: Iterable[Activity], case: Case) -> list[Offer]:
    """Those of the activities that are paid for in a case, which names no activity yet."""
    found = (offer_of(book, activity, case) for activity in activities)
    return [offer for offer in found if is_offered(offer.activity, offer.case, book)]


def offer_of(book: Book, activity: Activity, case: Case) -> Offer:
    """What an activity asks for in a case that names no activity, or another one."""
    return Offer(activity, replace(case, activity=activity.code, category=activity.category_on(case.day)), book)


# --- What is new ------------------------------------------------------------------------------------------------------


def a_year_before(day: date) -> date:
    """The same day a year before; of a leap day, 28 February."""
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


def changed_since_last_year(offer: Offer) -> bool:
    """Whether anything that the activity asks for, pays or is called differs from what it was a year before."""
    case, day = offer.case, a_year_before(offer.case.day)
    then = replace(case, day=day, country_class=offer.book.class_of(case.country, day))
    before = offer_of(offer.book, offer.activity, then)
    if not is_offered(offer.activity, before.case, offer.book):
        return True
    return (before.category, said(before)) != (offer.category, said(offer))


def said(offer: Offer) -> frozenset[tuple[str, str]]:
    """All that is said of an activity; a new version that says the same changes nothing."""
    return frozenset((rule.kind, words(rule)) for rule in offer.rules)
