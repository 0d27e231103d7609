"""A broken catalog is refused whole, with every fault and its place."""

import copy
import tomllib
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claims.rules.faults import faults_against, faults_of
from claims.rules.faults.params import HELD_IN
from claims.rules.faults.shape import TYPES
from claims.rules.faults.spans import Dated, Span, gaps, overlaps
from claims.rules.kinds import KINDS
from tests.catalog.broken import BROKEN, Catalog, another, row, rule

SHIPPED: Catalog = tomllib.loads((Path(__file__).resolve().parents[2] / "catalog.toml").read_text(encoding="utf-8"))


def told(catalog: Any) -> list[tuple[str, str]]:
    return [(fault.field, fault.code) for fault in faults_of(catalog)]


@pytest.mark.parametrize(("breaking", "expected"), [entry[1:] for entry in BROKEN], ids=[entry[0] for entry in BROKEN])
def test_a_fault_is_told_with_its_place(breaking: Any, expected: list[tuple[str, str]]) -> None:
    catalog = copy.deepcopy(SHIPPED)
    breaking(catalog)
    assert told(catalog) == expected


def test_all_faults_are_told_at_once() -> None:
    """Every fault of the list that leaves the sections readable, and no two of which hide each other."""
    catalog = copy.deepcopy(SHIPPED)
    apart = [
        "a kind of rule that is not known",
        "a country that is none",
        "a day without a split",
        "a category that has no name for a day",
        "an activity of no category",
        "a reason for nothing",
        "a country in two classes",
        "a title twice",
        "13 months",
        "nothing that asks for money evidence",
        "a solution area twice",
        "a section that is not known",
    ]
    expected: set[tuple[str, str]] = set()
    for name, breaking, faults in reversed(BROKEN):
        if name in apart:
            breaking(catalog)
            expected |= set(faults)
    # The rule of which the kind was broken is the one whose country was: both faults stand at its new code.
    expected = {(place.replace("limit.spiff", "cap.spiff"), code) for place, code in expected}
    assert expected <= set(told(catalog))


@pytest.mark.parametrize("nothing", [None, [], "rules", {}, 7])
def test_what_is_no_catalog_at_all_is_refused_and_breaks_nothing(nothing: Any) -> None:
    assert faults_of(nothing)


def test_faults_are_sentences_that_say_what_to_do() -> None:
    catalog = copy.deepcopy(SHIPPED)
    another(catalog, "limit.spiff", version=2, valid_from=date(2027, 7, 1))
    [fault] = faults_of(catalog)
    assert fault.message == (
        "Versions 1 and 2 both hold from 1 Jul 2027 on. Close the older one on the day before the newer one begins."
    )


def test_the_parameters_of_every_kind_can_be_looked_at() -> None:
    kinds = {HELD_IN.get(what, what) for kind in KINDS.values() for what in kind.params.values()}
    assert kinds <= set(TYPES)


@pytest.mark.parametrize("section", ["programs", "rules", "categories", "activities"])
@given(rubbish=st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists, max_leaves=5))
def test_rubbish_in_a_section_is_told_and_raises_nothing(section: str, rubbish: Any) -> None:
    assert faults_of({**SHIPPED, "rules": [], section: rubbish}) or rubbish == []


# --- Published versions -------------------------------------------------------------------------------------------------


def against(change: Any) -> list[tuple[str, str]]:
    catalog = copy.deepcopy(SHIPPED)
    change(catalog)
    return [(fault.field, fault.code) for fault in faults_against(catalog, SHIPPED)]


def test_a_published_version_is_not_edited() -> None:
    assert against(lambda c: rule(c, "limit.spiff", params={"percent": "30"})) == [("rules.limit.spiff/1", "published")]


def test_a_published_version_is_not_taken_out() -> None:
    assert against(lambda c: c["rules"].remove(row(c, "rules", "limit.spiff"))) == [
        ("rules.limit.spiff/1", "published")
    ]


@pytest.mark.parametrize("section", ["programs", "categories", "activities"])
def test_what_records_rest_on_is_not_taken_out(section: str) -> None:
    code = SHIPPED[section][0]["code"]
    assert against(lambda c: c[section].pop(0)) == [(f"{section}.{code}", "published")]


def test_a_program_may_become_one_of_the_others() -> None:
    assert against(lambda c: c.update(other_programs=[c["programs"].pop(0)["code"]])) == []


def test_a_published_version_may_be_closed_and_get_other_examples_and_another_order_of_its_scope() -> None:
    def change(c: Catalog) -> None:
        rule(c, "limit.spiff", valid_to=date(2027, 6, 30), examples=[])
        rule(c, "limit.spiff.surface")["programs"].reverse()

    assert against(change) == []


def test_a_closed_version_stays_closed() -> None:
    published = copy.deepcopy(SHIPPED)
    rule(published, "limit.spiff", valid_to="2027-06-30")
    later = copy.deepcopy(published)
    rule(later, "limit.spiff", valid_to="2027-12-31")
    assert [fault.field for fault in faults_against(later, published)] == ["rules.limit.spiff/1.valid_to"]


# --- Ranges of days -------------------------------------------------------------------------------------------------------

DAYS = st.dates(date(2020, 1, 1), date(2020, 3, 31))
SPANS = st.lists(st.builds(lambda a, b: Span(min(a, b), max(a, b)), DAYS, DAYS), max_size=6)
WITHIN = Span(date(2020, 1, 1), date(2020, 3, 31))


def days_of(span: Span) -> set[date]:
    return {span.first + timedelta(n) for n in range((span.last - span.first).days + 1)}


@given(SPANS)
def test_gaps_are_exactly_the_days_that_no_range_holds(spans: list[Span]) -> None:
    covered = set().union(*map(days_of, spans))
    found = gaps(spans, WITHIN)
    assert set().union(*map(days_of, found)) == days_of(WITHIN) - covered
    assert found == sorted(found)


@given(SPANS)
def test_overlaps_are_exactly_the_pairs_that_share_a_day(spans: list[Span]) -> None:
    rows = [Dated(str(index), span) for index, span in enumerate(spans)]
    pairs = {(a.place, b.place) for a in rows for b in rows if int(a.place) < int(b.place)}
    shared = {(a.place, b.place): days_of(days) for a, b, days in overlaps(rows)}
    for a, b in pairs:
        assert shared.get((a, b), set()) == days_of(spans[int(a)]) & days_of(spans[int(b)])


def test_a_range_without_an_end_leaves_no_gap_behind_it() -> None:
    open_end = Span(date(2020, 2, 1), date.max)
    assert gaps([open_end], Span(date(2020, 1, 1), date.max)) == [Span(date(2020, 1, 1), date(2020, 1, 31))]
