"""Rules about what a partner confirms, and about what is written beside each line."""

from __future__ import annotations

import re
from collections.abc import Iterable

from claims.rules.answers import WANTED, YES, day_of, is_result
from claims.rules.book import Book, Case, Rule
from claims.rules.facts import Facts, LineFacts, Metric
from claims.rules.findings import WARNING, Finding
from claims.rules.kinds.evidence import inside, is_waived, metric_of, unless_said
from claims.rules.kinds.kind import Kind, sentence
from coop.lib.dates import show_day


def declaration(rule: Rule, facts: Facts, book: Book) -> Iterable[Finding]:
    """R20: what only the partner can know is confirmed; a line that reads otherwise is pointed out."""
    code, name = rule.params["code"], rule.params["name"]
    answer = facts.answer(code)
    yield rule.finding(
        answer == YES,
        seen="confirmed" if answer == YES else answer or "not confirmed",
        wanted="confirmed",
        fix=f"Confirm “{name}”, or take out what does not fit.",
        at_field=f"metrics.{code}",
        unless=unless_said(rule, answer),
    )
    for line in facts.lines:
        found = words_in(line, rule.params.get("words", ()))
        if found:
            yield rule.finding(
                False,
                seen=f"“{line.description}”",
                wanted=f"no {', '.join(found)}",
                fix=f"Take the cost of {', '.join(found)} out of the line, or say in its description that it is not in it.",
                at_field=f"lines.{line.id}.description",
                unless=WARNING,
            )


def words_in(line: LineFacts, words: Iterable[str]) -> list[str]:
    """Which of the words stand in a line's description, as whole words in any case."""
    return [word for word in words if re.search(rf"\b{re.escape(word)}\b", line.description, re.IGNORECASE)]


def line_detail(rule: Rule, facts: Facts, book: Book) -> Iterable[Finding]:
    """R21: what an invoice must show is written beside its line: a code, a day inside the use period."""
    if is_waived(facts, book):
        return
    metric = metric_of(rule)
    inside_use = bool(rule.params.get("inside_use", False))
    span = f"{show_day(facts.use_from)} to {show_day(facts.use_to)}"
    for line in facts.lines:
        value = str(line.details.get(metric.code, "")).strip()
        day = day_of(value) if metric.kind == "day" else None
        fits = is_result(metric, value, facts.currency)
        ok = fits and not (inside_use and day is not None and not facts.use_from <= day <= facts.use_to)
        yield rule.finding(
            ok,
            seen=show_day(day) if day else value or "nothing",
            wanted=f"a day from {span}" if inside_use else WANTED[metric.kind],
            fix=f"Work outside {span} belongs to another fund. Correct the day if it was mistyped."
            if fits
            else f"Fill in “{metric.name}” for {line.name}.",
            at_field=f"lines.{line.id}.details.{metric.code}",
            unless=unless_said(rule, value),
        )


def words_of_line_detail(rule: Rule) -> str:
    metric = metric_of(rule)
    where = ", inside the use period" if rule.params.get("inside_use") else ""
    return f"Beside each line: {inside(metric.name)}{where}."


def asked_details(book: Book, case: Case) -> list[Metric]:
    """What is asked beside each line in a case."""
    return [metric_of(rule) for rule in book.of_kind("line_detail", case)]


KINDS = {
    "declaration": Kind(
        declaration,
        sentence,
        params={"code": "code", "name": "text", "hint": "text", "words": "texts", "unsaid": "text"},
        optional=frozenset({"hint", "words", "unsaid"}),
    ),
    "line_detail": Kind(
        line_detail,
        words_of_line_detail,
        params={
            "code": "code",
            "name": "text",
            "kind": "answer",
            "hint": "text",
            "required": "flag",
            "inside_use": "flag",
            "unsaid": "text",
        },
        optional=frozenset({"kind", "hint", "required", "inside_use", "unsaid"}),
    ),
}
