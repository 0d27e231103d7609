"""The rules kernel: facts in, findings out. Pure: no Django, no database, no clock.

The same rules advise while a plan or a claim is written, refuse at sending, and stand beside the reviewer's decision. Rules
are data (`book`); what a rule of a kind looks at is code (`kinds`). Every rule gives a finding for each thing that it looks
at, passed ones too, so that a reader sees what was checked. docs/rules.md has a worked example of each kind.
"""

from __future__ import annotations

from dataclasses import replace

from claims.rules.book import Book
from claims.rules.facts import CLAIM, Facts
from claims.rules.findings import FAILED, PASSED, PERSON, WARNING, Finding, failed
from claims.rules.kinds import KINDS

__all__ = ["FAILED", "PASSED", "PERSON", "WARNING", "Facts", "Finding", "evaluate", "failed"]


def evaluate(book: Book, facts: Facts) -> list[Finding]:
    """All findings of all rules that count, in the order of the catalog, which is the order in which a person mends."""
    found = [
        found
        for rule in book.in_force(facts.case)
        if facts.subject in KINDS[rule.kind].subjects
        for found in KINDS[rule.kind].look(rule, facts, book)
    ]
    return found if facts.subject == CLAIM else [replace(one, field=facts.field(one.field)) for one in found]
