"""The examples beside the shipped rules come out as they say, and one that does not is told why."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from claims.rules.book import Book, Rule, read_book
from claims.rules.examples import check_example
from funds.operations.catalog import plain

CATALOG = tomllib.loads((Path(__file__).resolve().parents[2] / "catalog.toml").read_text(encoding="utf-8"))
BOOK = read_book(CATALOG)
# What these find never fails, or they say only one thing.
NEVER_FAIL = {"poe_threshold", "within_plan", "solution_area", "guidance", "duplicate_evidence"}
ONE_OUTCOME = {
    "activity_offered.tv-radio",
    "activity_offered.employee-purchase.surface",
    "limit.product-seeding.surface",
}


def rule(code: str, book: Book = BOOK) -> Rule:
    return next(rule for rule in book.rules if rule.code == code)


@pytest.mark.parametrize("kept", [False, True], ids=["as written", "as kept"])
def test_every_example_comes_out_as_it_says(kept: bool) -> None:
    book = read_book(plain(CATALOG)) if kept else BOOK
    wrong = [(rule.code, check_example(book, rule, example)) for rule in book.rules for example in rule.examples]
    assert len(wrong) > 200
    assert [(code, fault) for code, fault in wrong if fault] == []


@pytest.mark.parametrize("code", [rule.code for rule in BOOK.rules])
def test_every_rule_has_an_example_that_passes_and_one_that_does_not(code: str) -> None:
    outcomes = {example["outcome"] for example in rule(code).examples}
    if code not in ONE_OUTCOME:
        assert "passed" in outcomes
        assert rule(code).kind in NEVER_FAIL or {"failed", rule(code).params.get("unsaid")} & outcomes
    assert outcomes


@pytest.mark.parametrize(
    ("example", "fault"),
    [
        (
            {"outcome": "passed", "facts": {"claimed": "2500.90", "earned": "10003.55"}},
            "comes out as “failed” (failed: ",
        ),
        ({"outcome": "failed", "facts": {}}, "should come out as “failed” and comes out as “passed”"),
        ({"outcome": "maybe"}, "An example says its outcome: passed, warning, person, failed, none."),
        ({"outcome": "passed", "facts": {"amount": "1.00"}}, "An example has no facts.amount."),
        ({"outcome": "passed", "because": "x"}, "An example has no because."),
        ({"outcome": "passed", "facts": {"claimed": "1,00"}}, "cannot be read: AmountError"),
        ({"outcome": "passed", "facts": {"claimed": 12}}, "cannot be read: AmountError"),
        ({"outcome": "passed", "facts": {"day": "soon"}}, "cannot be read: ValueError"),
        ({"outcome": "passed", "facts": {"program": "surface-adr"}}, "limit.spiff.surface does."),
        ({"outcome": "passed", "facts": {"day": "2019-06-30"}}, "no rule does."),
        ({"outcome": "passed", "seen": "nothing"}, "should say “nothing” and says “1,000.00 USD claimed”"),
    ],
)
def test_an_example_that_does_not_fit_is_told_why(example: dict[str, Any], fault: str) -> None:
    assert fault in check_example(BOOK, rule("limit.spiff"), example)
