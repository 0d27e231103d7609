"""Reviews that nobody finished by their due instant: said once for each, as an event, so that somebody hears of it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from claims import states
from claims.due import due_day
from claims.models import Claim, Plan
from coop.lib.db import rows
from partners import events

OVERDUE = {"claim": "claim.review_overdue", "plan": "plan.review_overdue"}
WAITING = {"claim": list(states.WAITING), "plan": [states.SUBMITTED]}
# What waits for a decision past its due instant, of which that was not said yet for this very instant.
DUE = """
  SELECT r.review_due_at, '{kind}', r.id FROM claims_{kind} r
  WHERE r.status = ANY(%({kind})s) AND r.review_due_at <= %(at)s AND NOT EXISTS (
    SELECT 1 FROM partners_event e
    WHERE e.subject_type = '{kind}' AND e.subject = r.id::text AND e.verb = '{verb}'
      AND (e.data->>'due_at')::timestamptz = r.review_due_at)"""


def due_to_notice(at: datetime, only: tuple[str, int] | None = None) -> list[tuple[str, int]]:
    """The claims (disputed ones too) and plans whose review became overdue, as ("claim", id), the oldest first."""
    kinds, one = (list(OVERDUE), "") if only is None else ([only[0]], " AND r.id = %(id)s")
    due = " UNION ALL ".join(DUE.format(kind=kind, verb=OVERDUE[kind]) + one for kind in kinds)
    given = {**WAITING, "at": at, "id": only[1] if only else None}
    return [(kind, record_id) for _, kind, record_id in rows(f"{due} ORDER BY 1, 2, 3", given)]


def due_instants(after: datetime, until: datetime) -> list[datetime]:
    """The due instants in (after, until] of what waits for a decision, in order."""
    due = " UNION ".join(
        f"""SELECT review_due_at FROM claims_{kind}
            WHERE status = ANY(%({kind})s) AND review_due_at > %(after)s AND review_due_at <= %(at)s"""
        for kind in OVERDUE
    )
    return [instant for (instant,) in rows(f"{due} ORDER BY 1", {**WAITING, "at": until, "after": after})]


@transaction.atomic
def notice_overdue(kind: str, record_id: int, *, at: datetime) -> bool:
    """Say that a claim or a plan was not decided in time. False if it was decided meanwhile, or if it was said."""
    records = Claim.objects if kind == "claim" else Plan.objects
    record = records.select_for_update(of=("self",), no_key=True).select_related("fund__program").get(id=record_id)
    due = record.review_due_at
    if due is None or not due_to_notice(at, (kind, record_id)):
        return False
    events.record(
        OVERDUE[kind],
        record,
        by=None,
        at=at,
        vendor_only=True,
        number=record.number,
        status=record.status,
        due_at=due.isoformat(),
        due_on=due_day(due, record.fund.program.time_zone).isoformat(),
    )
    return True
