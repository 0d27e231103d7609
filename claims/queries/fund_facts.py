"""What claims, plans and ideas have in common: the dates and the money of a fund, and how its money is spread."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from claims.queries.guidance import AREA, CATEGORY, spending
from claims.rules.book import Book, Case
from funds.models import EarningPeriod, Fund, Program


def period_facts(program: Program, period: EarningPeriod, fund: Fund | None, at: datetime) -> dict[str, Any]:
    """The facts that follow from a program, a period and, if there is one, a fund."""
    # After the claim deadline nothing more can be held, whether or not the job that expires the rest has run.
    counts = fund or period
    takes_more = fund is not None and at < fund.claims_close_at
    return {
        "at": at,
        "zone": program.time_zone,
        "use_from": period.use_from,
        "use_to": period.use_to,
        "claims_open_at": period.claims_open_at,
        "claims_close_at": counts.claims_close_at,
        "cure_close_at": counts.cure_close_at,
        "available_minor": fund.available_minor if fund is not None and takes_more else 0,
        # A test that is due counts as done: sending runs it on the way.
        "settled": (fund is not None and fund.settled_at is not None) or at >= period.settle_at,
        "settle_on": period.settle_on,
        "earned_minor": fund.earned_minor if fund is not None else 0,
        "fund_known": fund is not None,
        "program_name": program.name,
        "plan_approval": program.plan_approval,
    }


def spread(book: Book, case: Case, fund: Fund, area: str, more_minor: int) -> dict[str, Any]:
    """What is planned and claimed of a fund by solution area and category, with `more_minor` that is not sent yet.

    Read only where guidance holds.
    """
    if not book.of_kind("guidance", case):
        return {}
    planned, claimed = spending(fund)
    by_area = planned[AREA] + claimed[AREA] + Counter({area: more_minor})
    by_category = planned[CATEGORY] + claimed[CATEGORY] + Counter({case.category: more_minor})
    return {"by_area": dict(by_area), "by_category": dict(by_category)}
