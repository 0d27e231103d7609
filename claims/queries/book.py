"""The rules in force, and what they ask for in a case."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache

from claims.models import Activity, Claim, Publication
from claims.rules.book import Book, Case, read_book
from claims.rules.facts import Metric, Proof
from claims.rules.kinds.declared import asked_details
from claims.rules.kinds.evidence import asked_metrics, asked_proofs
from coop.lib.db import rows
from coop.lib.errors import WrongStatus
from funds.models import Fund


def current_publication() -> tuple[int, str]:
    """The number and the hash of the publication whose rules are in force. Raises WrongStatus while there is none."""
    newest = rows("SELECT id, sha256 FROM claims_publication ORDER BY id DESC LIMIT 1")
    if not newest:
        raise WrongStatus("No rules are published yet. Somebody who runs this installation loads the catalog first.")
    return newest[0]


def current_book() -> Book:
    """The rules in force. Raises WrongStatus while no catalog was loaded."""
    return book_of(*current_publication())


@lru_cache(maxsize=8)
def book_of(publication: int, sha256: str) -> Book:
    """The rules of one publication. Its hash is only there to keep them apart in memory."""
    return read_book(Publication.objects.get(id=publication).catalog)


def case_of(fund: Fund, activity: Activity, country: str, day: date, book: Book | None = None) -> Case:
    """What decides which rules count. `day` is the activity's first day, or the first day of use until it is known."""
    book = book or current_book()
    return Case(
        program=fund.program.code,
        activity=activity.code,
        category=activity.category_on(day),
        country=country,
        country_class=book.class_of(country, day),
        partner=fund.partner.external_id,
        day=day,
    )


def activity_day(claim: Claim) -> date:
    """The day whose rules count: the activity's first day, or until it is known the first day of use."""
    return claim.activity_from or claim.fund.earning_period.use_from


def book_for(claim: Claim) -> Book:
    """The rules in force when this claim was read: asked for once, so that all that is said of it rests on the same."""
    if not hasattr(claim, "rule_book"):
        share_book([claim], current_book())
    book: Book = claim.rule_book  # type: ignore[attr-defined]
    return book


def share_book(claims: Iterable[Claim], book: Book) -> None:
    """Let many claims be judged by the same rules without asking for each."""
    for claim in claims:
        claim.rule_book = book  # type: ignore[attr-defined]


def case_of_claim(claim: Claim, fund: Fund | None = None) -> Case:
    return case_of(fund or claim.fund, claim.activity, claim.country, activity_day(claim), book_for(claim))


def proofs_asked(claim: Claim) -> list[Proof]:
    """Every proof that the claim's activity asks for on its date, as far as its answers do not rule it out."""
    return asked_proofs(book_for(claim), case_of_claim(claim), claim.metrics)


def proofs_possible(claim: Claim) -> list[Proof]:
    """Every proof that the claim's activity may ask for on its date, whatever is answered."""
    return asked_proofs(book_for(claim), case_of_claim(claim))


def metrics_asked(claim: Claim) -> list[Metric]:
    """Everything that the claim's activity may ask to be reported, answered or confirmed on its date."""
    return asked_metrics(book_for(claim), case_of_claim(claim), claim.metrics)


def line_details_asked(claim: Claim) -> list[Metric]:
    """What the claim's activity asks to be written beside each line; answers are kept in the line's details."""
    return asked_details(book_for(claim), case_of_claim(claim))


def dated_proofs(claim: Claim) -> set[str]:
    """The codes of the proofs that must bear a day: the document says which."""
    rules = book_for(claim).of_kind("approval_before", case_of_claim(claim))
    return {str(rule.params["proof"]) for rule in rules}


def answers_planned(book: Book, case: Case) -> list[Metric]:
    """What a plan must say of an activity beyond dates and amount: the answers by which limits count."""
    counted = {rule.params["answer"] for rule in book.of_kind("head_count", case)}
    counted |= {rule.params["per_person"] for rule in book.of_kind("limit", case) if "per_person" in rule.params}
    return [metric for metric in asked_metrics(book, case) if metric.code in counted]


def is_offered(activity: Activity, case: Case, book: Book) -> bool:
    """Whether the program pays for the activity on the case's day."""
    return activity.holds_on(case.day) and all(
        rule.params["offered"] for rule in book.of_kind("activity_offered", case)
    )


def programs_of(activity: Activity, day: date, book: Book | None = None) -> dict[str, list[str]]:
    """Which programs pay for an activity on a day: `only` these, or all `except` these."""
    rules = [
        rule
        for rule in (book or current_book()).rules
        if rule.kind == "activity_offered" and rule.holds_on(day) and activity.code in rule.scope.get("activities", ())
    ]
    named = {
        offered: sorted(c for r in rules if r.params["offered"] is offered for c in r.scope.get("programs", ()))
        for offered in (True, False)
    }
    closed = any(not rule.params["offered"] and "programs" not in rule.scope for rule in rules)
    return {"only": named[True] if closed else [], "except": [] if closed else named[False]}


def offered_activities(program: str, day: date, *, country: str = "", partner: str = "") -> Sequence[Activity]:
    """The activities that a program pays for on a day."""
    book = current_book()
    country_class = book.class_of(country, day)
    return [
        activity
        for activity in Activity.objects.all()
        if is_offered(
            activity,
            Case(program, activity.code, activity.category_on(day), country, country_class, partner, day),
            book,
        )
    ]
