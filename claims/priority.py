"""Which claim a reviewer should take next. Pure: values in, order out.

The rule: money at risk times nearness. The amount that the claim holds is divided by the days that the partner would have
left to do something if the claim were not approved today. Before the claim deadline these are the days to claim anew,
after it the days to mend a returned claim. On equal terms, whoever waits longest comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

SCALE = 1_000


@dataclass(frozen=True)
class Waiting:
    """What the order depends on: one claim that waits for a decision. `held_minor` is in minor units."""

    claim_id: int
    held_minor: int
    sent_at: datetime
    claims_close_at: datetime
    cure_close_at: datetime


def deadline_of(waiting: Waiting, at: datetime) -> datetime:
    """The next instant at which the partner loses a way out: the claim deadline, and once it has passed the cure deadline."""
    return waiting.claims_close_at if at < waiting.claims_close_at else waiting.cure_close_at


def days_left(deadline: datetime, at: datetime) -> int:
    """Whole days until an instant, zero when it has passed; the last hours count as zero too."""
    return max((deadline - at) // timedelta(days=1), 0)


def score(waiting: Waiting, at: datetime) -> int:
    """Money at risk times nearness, as a whole number; higher is more urgent."""
    return waiting.held_minor * SCALE // (1 + days_left(deadline_of(waiting, at), at))


def order_key(waiting: Waiting, at: datetime) -> tuple[int, datetime, int]:
    """What to sort by: most urgent first, then who waits longest, then the claim's id so that the order is one."""
    return (-score(waiting, at), waiting.sent_at, waiting.claim_id)


def risk_in_words(waiting: Waiting, at: datetime) -> str:
    """What the partner would lose, and by when, if the claim is not approved."""
    left = days_left(deadline_of(waiting, at), at)
    days = "today is the last day" if left == 0 else f"{left} day{'' if left == 1 else 's'} left"
    if at < waiting.claims_close_at:
        return f"If declined, {days} to claim it again"
    if at < waiting.cure_close_at:
        return f"Expires if declined; if returned, {days} to mend it"
    return "Expires if declined; too late to be mended"
