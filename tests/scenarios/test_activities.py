"""The twenty activities: of each a claim that is sent, and one that fails for each proof, result, day and limit it has.

What is missing, and the words in which that is said, stands in `tests/scenarios/activities.py`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from claims import rules
from claims.models import Activity, Claim
from claims.operations.documents import add_document, remove_document
from claims.operations.sending import submit_claim
from claims.queries import facts_of
from claims.queries.book import current_book
from claims.rules.book import Book
from claims.rules.facts import Facts
from coop.lib import clock
from coop.lib.errors import RuleFailed
from tests import factories as make
from tests.scenarios.activities import EVERYWHERE, MISSES, Miss, Without

# What differs from activity to activity; each rule of these kinds must be missed once.
ASKED = {
    "proof_of_execution",
    "proof_of_parts",
    "approval_before",
    "results",
    "declaration",
    "line_detail",
    "limit",
    "head_count",
}
ONLY_SURFACE = {"tv-radio"}


@pytest.fixture(autouse=True)
def files_in_a_folder_of_this_test(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def ready(activity: str) -> Claim:
    """A complete draft of 1,000.00 from a fund that earned 10,003.55; where the program asks for it on an approved plan."""
    program = "surface-adr" if activity in ONLY_SURFACE else make.RESELLER
    make.set_clock(make.EARNING)
    fund = make.make_fund(enrollment=make.make_enrollment(program=program), now=make.IN_USE)
    more = {}
    if activity in ONLY_SURFACE:
        days = {"starts_on": date(2024, 3, 1), "ends_on": date(2024, 3, 2)}
        plan = make.make_approved_plan(fund, "1000.00", activity=activity, **days)
        more = {"plan_activity_id": plan.activities.get().pk}
    make.set_clock(make.CLAIMING)
    return make.make_claim(fund, "1000.00", activity=activity, solution_area="modern-work", **more)


def named(facts: Facts) -> Facts:
    """The same facts, with the names that the words of this test use for the line and its invoice."""
    (line,) = facts.lines
    line = replace(line, id="1", supplier="Fabrikam", number="INV-1")
    return replace(facts, lines=[line], documents=[replace(one, line=one.line and "1") for one in facts.documents])


def words(found: rules.Finding) -> tuple[str, ...]:
    return found.outcome, found.rule, found.field, found.text, found.seen, found.fix


def wanted(miss: Miss) -> tuple[str, ...]:
    return miss.outcome, miss.rule, miss.field, miss.text, miss.seen, miss.fix


def amiss(book: Book, facts: Facts) -> list[tuple[str, ...]]:
    """What fails, or goes to a person because nobody said it."""
    return [words(found) for found in rules.evaluate(book, facts) if found.outcome in {"failed", "person"}]


@pytest.mark.django_db
@pytest.mark.parametrize("code", MISSES)
def test_a_claim_passes_and_fails_for_each_thing_that_its_activity_asks_for(code: str) -> None:
    claim = ready(code)
    at, book = clock.now(), current_book()
    facts = named(facts_of(claim, at))
    assert [found for found in rules.evaluate(book, facts) if found.outcome != "passed"] == []

    for miss in MISSES[code]:
        assert amiss(book, miss.change(facts)) == [wanted(miss)]
    for miss in EVERYWHERE:
        assert wanted(miss) in amiss(book, miss.change(facts))
    asked = {rule.code for rule in book.in_force(facts.case) if rule.kind in ASKED}
    assert asked <= {miss.rule for miss in MISSES[code]}

    refused_then_sent(claim, next(miss for miss in MISSES[code] if isinstance(miss.change, Without)))


def refused_then_sent(claim: Claim, miss: Miss) -> None:
    """Sent without a document that it needs the claim is refused, in the same words; with it again it is taken."""
    who = {"by": claim.created_by, "at": clock.now()}
    assert isinstance(miss.change, Without)
    taken = list(claim.documents.filter(kind__in=miss.change.kinds))
    for document in taken:
        remove_document(claim.id, document.pk, **who)
    with pytest.raises(RuleFailed) as refusal:
        submit_claim(claim.id, **who)
    failed = [found for found in refusal.value.findings if found["outcome"] == "failed"]
    assert [(found["rule"], found["text"]) for found in failed] == [(miss.rule, miss.text)]
    for document in taken:
        data = make.PNG + b" %d" % make.number()
        values = {"kind": document.kind, "line_id": document.line_id, "dated_on": document.dated_on}
        add_document(claim.id, filename="proof.png", data=data, **values, **who)
    assert submit_claim(claim.id, **who).status == "submitted"


@pytest.mark.django_db
def test_the_twenty_activities_of_the_catalog_are_all_here() -> None:
    make.load_catalog()
    assert set(Activity.objects.values_list("code", flat=True)) == set(MISSES)
    assert len(MISSES) == 20
