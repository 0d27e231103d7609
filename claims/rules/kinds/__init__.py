"""The kinds of rules, by the first part of a rule's code."""

from __future__ import annotations

from claims.rules.kinds import dates, evidence, money
from claims.rules.kinds.kind import Kind

KINDS: dict[str, Kind] = {**dates.KINDS, **evidence.KINDS, **money.KINDS}
