"""What a rule says of one thing: passed, failed, a warning, or that a person must judge."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

PASSED, FAILED, WARNING, PERSON = "passed", "failed", "warning", "person"
OUTCOMES = (PASSED, WARNING, PERSON, FAILED)  # from the best to the worst


@dataclass(frozen=True)
class Finding:
    """What one rule says of one claim, plan or idea: what was seen, what is wanted, the fix, and the field that mends it.

    `basis` says which of several possible rules counted, e.g. that a country has its own.
    """

    rule: str
    version: int
    outcome: str
    text: str
    seen: str
    wanted: str
    fix: str
    field: str
    basis: str = ""

    @property
    def kind(self) -> str:
        """What the rule looks at: the first part of its code."""
        return self.rule.partition(".")[0]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def failed(findings: Iterable[Finding]) -> list[Finding]:
    return [found for found in findings if found.outcome == FAILED]


def worst(findings: Iterable[Finding]) -> str:
    """The worst outcome among findings; passed where there is none."""
    return max((found.outcome for found in findings), key=OUTCOMES.index, default=PASSED)
