"""Reading reconciliations: the lines that do not match, and where our side of each is."""

from __future__ import annotations

from typing import NamedTuple

from funds.models import ReconciledLine, Reconciliation

PAGE = 50


class Page(NamedTuple):
    """Lines in the order in which they were written; `after` continues behind the last one, 0 where there is none."""

    lines: list[ReconciledLine]
    after: int


def lines_page(made: Reconciliation, *, outcome: str = "", after: int = 0, limit: int = PAGE) -> Page:
    """A page of what does not match, by one outcome or all."""
    found = ReconciledLine.objects.filter(reconciliation=made, id__gt=after).order_by("id")
    found = found.filter(outcome=outcome) if outcome else found
    lines = list(found[: limit + 1])
    return Page(lines[:limit], lines[limit - 1].pk if len(lines) > limit else 0)
