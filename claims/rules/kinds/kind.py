"""What a kind of rule is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from claims.rules.book import Book, Rule
from claims.rules.facts import CLAIM, IDEA, PLAN, Facts
from claims.rules.findings import Finding

EVERYTHING = frozenset({CLAIM, PLAN, IDEA})
CLAIMS = frozenset({CLAIM})


@dataclass(frozen=True)
class Kind:
    """How rules of a kind are read: what they look at, on which subjects, and the parameters that they take.

    `params` maps each parameter to what it must be ("percent", "amount", "currency", "count", "text", "flag", "proofs",
    ...); those in `optional` may be left out. `words` says a rule with its figures in one plain sentence.
    """

    look: Callable[[Rule, Facts, Book], Iterable[Finding]]
    words: Callable[[Rule], str]
    subjects: frozenset[str] = CLAIMS
    params: Mapping[str, str] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()


def sentence(rule: Rule) -> str:
    """The words of a rule whose sentence says it all."""
    return rule.sentence
