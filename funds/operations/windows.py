"""The opening of claims: said once for each period, as an event, so that partners hear of it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef
from django.db.models.functions import Cast

from funds.models import EarningPeriod, Fund
from partners import events
from partners.models import Event

OPENED = "earning_period.claims_opened"
# One index entry for each period that is open, so no column is needed for it.
SAID = Event.objects.filter(
    subject_type="earning_period", subject=Cast(OuterRef("id"), output_field=CharField()), verb=OPENED
)


def due_to_open(at: datetime) -> list[int]:
    """Ids of the periods that take claims, hold funds, and of which that was not said yet.

    A job that was down for the whole window says nothing afterwards: that claims are open would not be true any more.
    """
    due = EarningPeriod.objects.filter(~Exists(SAID), claims_open_at__lte=at, claims_close_at__gt=at)
    held = Fund.objects.filter(earning_period=OuterRef("id"))
    return list(due.filter(Exists(held)).order_by("claims_open_at", "id").values_list("id", flat=True))


@transaction.atomic
def open_claims(period_id: int, *, at: datetime) -> bool:
    """Say that a period takes claims now. False if it was said, or if it does not."""
    period = (
        EarningPeriod.objects.select_related("program").select_for_update(of=("self",), no_key=True).get(id=period_id)
    )
    if not period.claims_open_at <= at < period.claims_close_at:
        return False
    if Event.objects.about("earning_period", period.pk).filter(verb=OPENED).exists():
        return False
    events.record(
        OPENED,
        period,
        by=None,
        at=at,
        program=period.program.code,
        code=period.code,
        claims_open_on=period.claims_open_on.isoformat(),
        claims_close_on=period.claims_close_on.isoformat(),
    )
    return True
