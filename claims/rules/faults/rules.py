"""What may be wrong with the rules of a catalog: their fields, codes, versions, slots, days and examples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations, pairwise

from claims.rules.book import DIMENSIONS, NAMES, Rule, read_book, read_rule
from claims.rules.examples import check_example
from claims.rules.faults.params import Known, check_params
from claims.rules.faults.shape import DAYS, Faults, Row, Spec, check_row, is_row, read_day
from claims.rules.faults.spans import Span, gaps, span_of
from claims.rules.findings import PASSED
from claims.rules.kinds import KINDS
from coop.lib.dates import show_day
from coop.lib.errors import FieldError

SCOPES = {"countries": "countries", "partners": "texts"}
RULE: Spec = {
    "code": ("rule code", True),
    "version": ("positive", True),
    "sentence": ("text", True),
    "slot": ("rule code", False),
    **{dimension: (SCOPES.get(dimension, "codes"), False) for dimension in DIMENSIONS},
    "params": ("row", False),
    "example": ("flag", False),
    "examples": ("rows", False),
    **DAYS,
}
# Without one of these for everybody, a claim could be sent that nothing looks at.
REQUIRED = (
    "claim_window",
    "use_period",
    "activity_offered",
    "money_evidence",
    "invoice_date",
    "money_there",
    "payout_profile",
)


@dataclass(frozen=True)
class Placed:
    """A rule that reads as one, and its place."""

    place: str
    row: Row
    rule: Rule
    span: Span

    @property
    def slot(self) -> str:
        return self.rule.slot or self.rule.code


def place_of(row: Row, index: int) -> str:
    """Where a rule stands, by its code and version, e.g. rules.limit.spiff/2."""
    code, version = row.get("code"), row.get("version")
    return (
        f"rules.{code}/{version}" if isinstance(code, str) and code and isinstance(version, int) else f"rules.{index}"
    )


def codes_in(catalog: Row) -> Known:
    """The codes that rules may name, by section."""
    known = {
        name: {row.get("code") for row in catalog.get(name, ())}
        for name in ("programs", "activities", "categories", "country_classes", "solution_areas")
    }
    known["programs"] |= set(catalog.get("other_programs", ()))
    return known


def faults_of_rule(catalog: Row, code: str) -> list[FieldError]:
    """What is wrong with the versions of one rule by themselves: fields, kind, codes of the scope, parameters, days."""
    faults, known = Faults(), codes_in(catalog)
    for row in catalog["rules"]:
        if row.get("code") == code:
            check_rule(faults, "rule", row, known)
    return [FieldError(fault.field.removeprefix("rule."), fault.code, fault.message) for fault in faults]


def check_rules(faults: Faults, catalog: Row) -> None:
    known = codes_in(catalog)
    sound = []
    for index, row in enumerate(catalog["rules"]):
        place = place_of(row, index)
        if check_rule(faults, place, row, known):
            span = span_of(row)
            if span:
                sound.append(Placed(place, row, read_rule(row), span))
    check_versions(faults, sound)
    check_slots(faults, sound)
    check_required(faults, catalog)
    # Where two rules answer one question, the example of one would only fail because the other answers.
    unclear = {fault.field for fault in faults if fault.code in ("overlap", "duplicate")}
    slots = {placed.slot for placed in sound if placed.place in unclear}
    check_examples(faults, catalog, sound, but=slots)


def check_rule(faults: Faults, place: str, row: Row, known: Known) -> bool:
    """Whether a row reads as a rule: fields, kind, codes of its scope, parameters."""
    before = len(faults)
    check_row(faults, place, row, RULE)
    for dimension in ("programs", "activities", "categories", "country_classes"):
        codes, named = known[dimension], row.get(dimension, ())
        for code in named if isinstance(named, list) else ():
            if code not in codes:
                faults.add(
                    f"{place}.{dimension}",
                    "unknown_code",
                    f"There is no {NAMES[dimension]} “{code}” in this catalog.",
                )
    kind = str(row.get("code", "")).partition(".")[0]
    if kind and kind not in KINDS:
        faults.add(f"{place}.code", "unknown_code", f"“{kind}” is no kind of rule. The kinds are: {', '.join(KINDS)}.")
    elif kind and is_row(row.get("params", {})):
        check_params(faults, f"{place}.params", row.get("params", {}), kind, known)
    return len(faults) == before


def groups(rules: Iterable[Placed], key: str) -> dict[str, list[Placed]]:
    found: dict[str, list[Placed]] = {}
    for placed in rules:
        name = placed.rule.code if key == "code" else placed.slot
        found.setdefault(name, []).append(placed)
    return found


def check_versions(faults: Faults, rules: Sequence[Placed]) -> None:
    """The versions of a rule follow each other: numbers and days rise, and no day has two of them or none."""
    for versions in groups(rules, "code").values():
        in_order = sorted(versions, key=lambda placed: placed.span)
        for before, after in pairwise(in_order):
            if after.rule.version == before.rule.version:
                faults.add(
                    after.place, "duplicate", "This version stands here twice. Give the later one the next number."
                )
                continue
            if after.rule.version < before.rule.version:
                faults.add(
                    after.place,
                    "version",
                    f"Version {after.rule.version} begins on {show_day(after.span.first)}, after version "
                    f"{before.rule.version} on {show_day(before.span.first)}. Later days have higher numbers.",
                )
            if shared := before.span.common(after.span):
                faults.add(
                    after.place,
                    "overlap",
                    f"Versions {before.rule.version} and {after.rule.version} both hold {shared.words}. Close the older "
                    "one on the day before the newer one begins.",
                )
            for hole in gaps([before.span, after.span], Span(before.span.first, after.span.last)):
                faults.add(
                    after.place,
                    "gap",
                    f"Neither version {before.rule.version} nor version {after.rule.version} holds {hole.words}. Let one "
                    "begin on the day after the other ends.",
                )


def check_slots(faults: Faults, rules: Sequence[Placed]) -> None:
    """Of the rules that answer one question, no two count for the same case with the same weight."""
    for slot, answering in groups(rules, "slot").items():
        kinds = {placed.rule.kind for placed in answering}
        if len(kinds) > 1:
            faults.add(
                answering[-1].place,
                "slot",
                f"Rules of the slot “{slot}” are of different kinds: {', '.join(sorted(kinds))}. One question has one kind.",
            )
        for a, b in combinations(answering, 2):
            if a.rule.code == b.rule.code or a.rule.specificity != b.rule.specificity:
                continue
            shared = a.span.common(b.span)
            if shared and all(codes & b.rule.scope[dimension] for dimension, codes in a.rule.scope.items()):
                faults.add(
                    b.place,
                    "overlap",
                    f"This rule and {a.rule.code}, version {a.rule.version}, answer the same question for the same cases "
                    f"{shared.words}, and neither is more specific. Narrow the scope of one, or close it.",
                )


def check_required(faults: Faults, catalog: Row) -> None:
    """What every claim is asked for holds for everybody, from the first day of the first program on."""
    days = [day for row in catalog["programs"] if (day := read_day(row.get("valid_from")))]
    if not days:
        return
    for kind in REQUIRED:
        general = (row for row in catalog["rules"] if str(row.get("code")).partition(".")[0] == kind and for_all(row))
        spans = [span for row in general if (span := span_of(row))]
        for hole in gaps(spans, Span(min(days), date.max)):
            faults.add(
                f"rules.{kind}",
                "gap",
                f"No rule of the kind “{kind}” holds for everybody {hole.words}. Every claim is asked for it.",
            )


def for_all(row: Row) -> bool:
    return not any(dimension in row for dimension in DIMENSIONS)


def check_examples(faults: Faults, catalog: Row, rules: Sequence[Placed], but: set[str]) -> None:
    """Every rule has an example of each way in which it can come out, and each example comes out as it says."""
    book = read_book({**catalog, "rules": [placed.row for placed in rules]})
    for placed in rules:
        shown = {example.get("outcome") for example in placed.rule.examples}
        if PASSED not in shown and can_pass(placed.rule):
            faults.add(placed.place, "example_missing", "It has no example that passes. Give one.")
        if not shown - {PASSED} and can_fail(placed.rule):
            faults.add(placed.place, "example_missing", "It has no example that does not pass. Give one.")
        for index, example in enumerate(placed.rule.examples if placed.slot not in but else ()):
            wrong = check_example(book, placed.rule, example)
            if wrong:
                faults.add(f"{placed.place}.examples.{index}", "example_failed", wrong)


def can_pass(rule: Rule) -> bool:
    """A rule that says that something is not paid for passes nobody."""
    return rule.params.get("offered") is not False


def can_fail(rule: Rule) -> bool:
    """What only says from where on proof is asked for, or that there is no limit, fails nobody."""
    return rule.kind != "poe_threshold" and rule.params.get("unlimited") is not True
