"""Writing the event of a change, in the change's own transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from coop.lib.nudge import nudge
from partners.models import Event, Person

# A process rings at most once a second for those who tell of events: the timetable does it every few seconds anyway.
TELL, EVERY = "coop.tell_untold", 1.0


def record(
    verb: str,
    subject: Any,
    *,
    by: Person | None,
    at: datetime,
    partner_id: int | None = None,
    vendor_only: bool = False,
    partner_only: bool = False,
    acting_as: str = "",
    **data: Any,
) -> Event:
    """Append one event. `verb` is "claim.submitted" and so on; `subject` is the model instance that it happened to.

    `data` must be plain JSON: strings, whole numbers, lists. Money goes in as strings with its currency beside it.
    """
    nudge(TELL, at_most_every=EVERY)
    return Event.objects.create(
        at=at,
        actor=by,
        acting_as=acting_as or (by.role if by else "system"),
        verb=verb,
        subject_type=subject._meta.verbose_name.replace(" ", "_"),
        subject=str(subject.pk),
        partner_id=partner_id if partner_id is not None else getattr(subject, "partner_id", None),
        vendor_only=vendor_only,
        partner_only=partner_only,
        data=data,
    )
