"""How long files are kept: 24 months from the last day of the activity of the latest claim that names them.

A claim that never came to a decision counts from its end instead. As long as one claim that names a file is open, in review,
disputed or unpaid, or may still be disputed, the file stays.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import F

from claims import states
from claims.models import StoredFile
from coop.lib.db import rows

MONTHS = 24
OVER_BY_THEMSELVES = (states.WITHDRAWN, states.LAPSED)
# The last day to keep a file is that of the claim, 24 months later; 29 February becomes the 28th.
DUE = f"""
SELECT d.stored_id FROM claims_document d JOIN claims_claim c ON c.id = d.claim_id
JOIN claims_storedfile s ON s.id = d.stored_id
WHERE s.deleted_at IS NULL {{one}}
GROUP BY d.stored_id
HAVING bool_and(COALESCE(CASE
    WHEN c.status = ANY(%(over)s) THEN c.turn_since
    WHEN c.status = 'paid' OR (c.status = 'rejected' AND c.turn_since < %(undisputed)s)
      THEN COALESCE(c.activity_to, c.activity_from, c.turn_since::date)
    END + interval '{MONTHS} months' < date_trunc('day', %(at)s::timestamptz), false))
ORDER BY d.stored_id {{limit}}
"""


def due_to_delete(at: datetime, limit: int = 10_000) -> list[int]:
    """Ids of the stored files that nobody needs any more, the oldest first."""
    return [row[0] for row in rows(DUE.format(one="", limit=f"LIMIT {limit}"), given(at))]


def is_due(stored_id: int, at: datetime) -> bool:
    """Whether nobody needs this file any more. A file that no claim names is not due: it is forgotten as a whole."""
    return bool(rows(DUE.format(one="AND s.id = %(id)s", limit=""), {**given(at), "id": stored_id}))


def given(at: datetime) -> dict[str, object]:
    undisputed = at - timedelta(days=states.DAYS_TO_DISPUTE)
    return {"at": at, "undisputed": undisputed, "over": list(OVER_BY_THEMSELVES)}


def unused() -> list[int]:
    """Ids of stored files that no document names: their last document was taken out, and the worker died at it."""
    return list(StoredFile.objects.filter(documents__isnull=True).order_by("id").values_list("id", flat=True)[:10_000])


def to_check(nights: int = 30) -> list[int]:
    """Ids of those files that were not looked at for longest: so many that each has its turn within the nights."""
    kept = StoredFile.objects.filter(deleted_at__isnull=True)
    share = -(-kept.count() // nights)
    oldest = kept.order_by(F("checked_at").asc(nulls_first=True), "id")
    return list(oldest.values_list("id", flat=True)[:share])
