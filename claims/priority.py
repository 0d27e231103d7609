"""What a channel manager should take next. Pure: values in, order out.

The rule: money at risk times nearness. The amount that is asked for is divided by the days that the partner would have left
to do something if it were not granted today. For a claim or a dispute these are, before the claim deadline, the days to claim
anew, after it the days to mend a returned claim; for a plan the days in which the work can still be done, then those in which
it can be claimed. On equal terms, whoever waits longest comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

SCALE = 1_000
CLAIM, PLAN, DISPUTE = "claim", "plan", "dispute"


@dataclass(frozen=True)
class Waiting:
    """What the order depends on: one claim, plan or dispute that waits for a decision. `held_minor` is in minor units.

    Of a plan, the first deadline is the end of its use period, and the second the claim deadline.
    """

    claim_id: int
    held_minor: int
    sent_at: datetime
    claims_close_at: datetime
    cure_close_at: datetime
    kind: str = CLAIM


def deadline_of(waiting: Waiting, at: datetime) -> datetime:
    """The next instant at which the partner loses a way out: the first deadline, and once it has passed the second."""
    return waiting.claims_close_at if at < waiting.claims_close_at else waiting.cure_close_at


def days_left(deadline: datetime, at: datetime) -> int:
    """Whole days until an instant, zero when it has passed; the last hours count as zero too."""
    return max((deadline - at) // timedelta(days=1), 0)


def score(waiting: Waiting, at: datetime) -> int:
    """Money at risk times nearness, as a whole number; higher is more urgent."""
    return waiting.held_minor * SCALE // (1 + days_left(deadline_of(waiting, at), at))


def order_key(waiting: Waiting, at: datetime) -> tuple[int, datetime, str, int]:
    """What to sort by: most urgent first, then who waits longest, then kind and id so that the order is one."""
    return (-score(waiting, at), waiting.sent_at, waiting.kind, waiting.claim_id)


def risk_in_words(waiting: Waiting, at: datetime) -> str:
    """What the partner would lose, and by when, if it is not granted."""
    left = days_left(deadline_of(waiting, at), at)
    days = "today is the last day" if left == 0 else f"{left} day{'' if left == 1 else 's'} left"
    if waiting.kind == PLAN:
        return plan_risk(waiting, days, at)
    if waiting.kind == DISPUTE:
        if at < waiting.claims_close_at:
            return f"Released; if upheld, {days} to claim it anew"
        return "Expired; comes back only if granted"
    if at < waiting.claims_close_at:
        return f"If declined, {days} to claim it again"
    if at < waiting.cure_close_at:
        return f"Expires if declined; if returned, {days} to mend it"
    return "Expires if declined; too late to be mended"


def plan_risk(waiting: Waiting, days: str, at: datetime) -> str:
    if at < waiting.claims_close_at:
        return f"Until it is approved no work begins: {days} to do it"
    if at < waiting.cure_close_at:
        return f"The time for the work is over; {days} to claim what was done"
    return "Nothing of it can be claimed any more"
