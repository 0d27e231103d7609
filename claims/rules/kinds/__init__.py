"""The kinds of rules, by the first part of a rule's code."""

from __future__ import annotations

from claims.rules.kinds import dates, declared, evidence, limits, money, plans
from claims.rules.kinds.kind import Kind

KINDS: dict[str, Kind] = {
    **dates.KINDS,
    **evidence.KINDS,
    **declared.KINDS,
    **money.KINDS,
    **limits.KINDS,
    **plans.KINDS,
}
