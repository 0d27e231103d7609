"""The difference of two catalogs, and of one on two days, in sentences."""

from __future__ import annotations

import copy
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claims.rules.book import read_book
from claims.rules.change import differing, value_on
from claims.rules.changes import changes_between, what_changed
from claims.rules.drafts import change_from, merged, restored
from tests.catalog.broken import Catalog, another, row, rule
from tests.catalog.test_faults import SHIPPED

JUNE, JULY = date(2027, 6, 30), date(2027, 7, 1)


def said(change: Any) -> list[str]:
    new = copy.deepcopy(SHIPPED)
    change(new)
    return [found.sentence for found in changes_between(SHIPPED, new)]


def next_version(c: Catalog, code: str, **changes: Any) -> None:
    another(c, code, version=2, valid_from=JULY, **changes)
    rule(c, code, valid_to=JUNE)


def threshold(c: Catalog) -> None:
    rows = row(c, "programs", "hosting")["thresholds"]
    rows[-1]["valid_to"] = JUNE
    rows.append({"valid_from": JULY, "amount": "2000.00"})


def reach(c: Catalog) -> None:
    names = row(c, "categories", "demand-generation")["names"]
    names[-1]["valid_to"] = JUNE
    names.append({"name": "Reach", "valid_from": JULY})


FUND = "over all claims of one fund for the activity”"
SPIFF, EARNED = "for Internal incentives (SPIFF)", f"of the co-op that the fund earned, {FUND}"
SMALL, ONE = "“A claim below 25.00 USD needs only the evidence of money”", "countries of Class A"
ADR = "Surface authorized device reseller"
CHANGES: list[tuple[Any, list[str]]] = [
    (lambda c: None, []),
    (
        lambda c: next_version(c, "limit.spiff", params={"percent": "30"}),
        [f"Changed from 1 Jul 2027 on {SPIFF}: “At most 30 % {EARNED} instead of “At most 25 % {EARNED}."],
    ),
    (
        lambda c: next_version(c, "poe_threshold.class-a", country_classes=["class-a", "class-b"]),
        [
            f"Changed from 1 Jul 2027 on in countries of Class A and Class B: {SMALL} instead of {SMALL}, which held in {ONE}."
        ],
    ),
    (
        lambda c: rule(c, "limit.spiff", valid_to=JUNE),
        [f"Ends on 30 Jun 2027 {SPIFF}: “At most 25 % {EARNED}."],
    ),
    (
        lambda c: another(c, "limit.syndicated-content", code="limit.seminar", activities=["seminar"], valid_from=JULY),
        [f"New from 1 Jul 2027 on for Customer seminars and boot camps is “At most 18,750.00 USD, {FUND}."],
    ),
    (
        lambda c: c["rules"].remove(row(c, "rules", "limit.syndicated-content")),
        [f"Taken out: “At most 18,750.00 USD, {FUND} for Syndicated content."],
    ),
    (threshold, ["Program Hosting: from 1 Jul 2027 on a fund qualifies with 2,000.00 USD instead of 1,500.00 USD."]),
    (
        lambda c: row(c, "programs", "surface-adr")["approvers"][1].update(valid_to=JUNE),
        [f"Program {ADR}: from 1 Jul 2027 on a Partner Development Manager may no more approve plans."],
    ),
    (
        lambda c: row(c, "activities", "spiff").update(valid_to=JUNE),
        ["Activity Internal incentives (SPIFF) ends on 30 Jun 2027."],
    ),
    (reach, ["From 1 Jul 2027 on the category Demand Generation is called Reach."]),
    (lambda c: c["reasons"].pop(), ["Taken out of the catalog: Reason “Another reason, as written beside it.”."]),
    (
        lambda c: c["solution_areas"].append({"code": "data", "name": "Data", "valid_from": JULY}),
        ["New: Solution area Data from 1 Jul 2027 on."],
    ),
    (
        lambda c: c["amounts"]["minimum_payment"].update(USD="250.00"),
        ["For every program that names none of its own, the smallest payment is 250.00 USD instead of 200.00 USD."],
    ),
    (
        lambda c: c["calendars"]["half-year"].update(days_to_claim=60),
        ["Calendar half-year: the days to claim is 60 instead of 45."],
    ),
    (lambda c: c.update(fiscal_years=[2020, 2028]), ["Earning periods are made for the fiscal years 2020 to 2028."]),
]


@pytest.mark.parametrize(("change", "sentences"), CHANGES)
def test_a_change_is_told_in_a_sentence(change: Any, sentences: list[str]) -> None:
    assert said(change) == sentences


def test_on_two_days_each_rule_is_told_once_and_only_where_it_counts() -> None:
    catalog = copy.deepcopy(SHIPPED)
    next_version(catalog, "invoice_date", params={"days_after_use": 30})
    next_version(catalog, "limit.spiff.surface", params={"percent": "50"})
    book = read_book(catalog)

    def told(program: str) -> list[str]:
        return [change.sentence for change in what_changed(catalog, book, JUNE, JULY, program=program)]

    invoices = "Changed: “An invoice is dated inside the use period or at most 30 days after it” instead of “"
    assert [sentence.startswith(invoices) for sentence in told("hosting")] == [True]
    assert len(told("surface-adr")) == 2
    assert what_changed(catalog, book, JUNE, JULY, program="surface-adr", activities=["seminar"])[1:] == []


ROWS = st.lists(
    st.builds(
        lambda first, days, value: {
            "valid_from": first,
            "value": value,
            **({"valid_to": first + timedelta(days)} if days is not None else {}),
        },
        st.dates(date(2024, 1, 1), date(2024, 2, 10)),
        st.none() | st.integers(0, 20),
        st.sampled_from("abc"),
    ),
    max_size=4,
)


@given(ROWS, ROWS)
def test_two_lists_differ_on_exactly_the_days_that_are_told(old: list[Any], new: list[Any]) -> None:
    found = differing(old, new, lambda row: row["value"])
    for offset in range(80):
        day = date(2023, 12, 30) + timedelta(offset)
        before, after = (value_on(rows, day, lambda row: row["value"]) for rows in (old, new))
        told = [(span.before, span.after) for span in found if span.first <= day <= span.last]
        assert told == ([] if before == after else [(before, after)])


def kept() -> Catalog:
    """The shipped rules with days as text, as a draft has them."""
    rows = [
        {name: value.isoformat() if isinstance(value, date) else value for name, value in found.items()}
        for found in SHIPPED["rules"]
    ]
    return {"rules": rows, "reasons": SHIPPED["reasons"]}


def test_two_drafts_are_put_together_rule_by_rule_and_both_changing_one_is_told() -> None:
    base = kept()
    spiff, seminar = row(base, "rules", "limit.spiff"), row(base, "rules", "limit.syndicated-content")
    mine = change_from(base, {**spiff, "params": {"percent": "30"}}, JULY, published=base)
    theirs = change_from(base, {**seminar, "params": {"amount": "1.00", "currency": "USD"}}, JULY, published=base)
    both, clashes = merged(base, mine, theirs)
    assert clashes == []
    assert {r["code"] for r in both["rules"] if r["version"] == 2} == {"limit.spiff", "limit.syndicated-content"}
    assert restored(both, "limit.spiff", base)["rules"] == theirs["rules"]
    again = change_from(base, {**spiff, "params": {"percent": "40"}}, JULY, published=base)
    assert merged(base, mine, again)[1] == ["limit.spiff"]
    assert merged(base, {**base, "reasons": []}, {**base, "reasons": base["reasons"][:1]})[1] == ["reasons"]
