"""One line of what the auditor says: a promise, how often it was broken, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from coop.lib.db import rows


@dataclass
class Line:
    """`looked_at` says what was looked at, so that nobody trusts a zero of nothing."""

    promise: str
    breaches: int
    looked_at: str = ""
    details: list[str] = field(default_factory=list)

    as_dict = asdict


def line(promise: str, broken: Iterable[Any], looked_at: str = "") -> Line:
    found = [str(one) for one in broken]
    return Line(promise, len(found), looked_at, found[:20])


def asked(promise: str, sql: str, looked_at: str = "", **values: Any) -> Line:
    """A query that names each breach in one row."""
    return line(promise, (" ".join(map(str, row)) for row in rows(sql, values)), looked_at)


def number(sql: str) -> int:
    return int(rows(sql)[0][0])
