"""Changing a promised date: a claim deadline may move later, by a person, with a reason. Nothing else moves a date."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from coop.lib import clock
from coop.lib.dates import end_of_day, show_day, show_deadline
from coop.lib.errors import FieldError, Invalid, NotFound, WindowClosed, check_revision
from funds.models import EarningPeriod
from partners import events
from partners.models import Person
from partners.permissions import require_role
from partners.states import PROGRAM_ADMIN


@transaction.atomic
def extend_period(
    period_id: int, *, claims_close_on: date, reason: str, revision: int | None = None, by: Person, at: datetime
) -> EarningPeriod:
    """Move a period's claim deadline to a later day; the cure deadline moves by as many days.

    The clock is read once more after the lock: a deadline that passed meanwhile stays passed, because what was left may
    have expired. Raises NotFound, NotAllowed, Stale, WindowClosed, Invalid.
    """
    period = (
        EarningPeriod.objects.select_related("program").select_for_update(of=("self",)).filter(id=period_id).first()
    )
    if period is None:
        raise NotFound("There is no such earning period.")
    require_role(by, PROGRAM_ADMIN, to="extend earning periods")
    check_revision(revision, period.revision)
    at = max(at, clock.now())
    zone = period.program.time_zone
    if at >= period.claims_close_at:
        raise WindowClosed(
            f"Claims for {period} were taken until {show_deadline(period.claims_close_at, zone)}. A deadline that has "
            "passed is not moved any more; use an adjustment instead."
        )
    require_later(period, claims_close_on, reason)
    before = period.claims_close_on
    period.cure_close_on += claims_close_on - before
    period.claims_close_on = claims_close_on
    period.claims_close_at = end_of_day(period.claims_close_on, zone)
    period.cure_close_at = end_of_day(period.cure_close_on, zone)
    period.revision += 1
    period.save()
    events.record(
        "earning_period.extended",
        period,
        by=by,
        at=at,
        program=period.program.code,
        code=period.code,
        before=before.isoformat(),
        claims_close_on=claims_close_on.isoformat(),
        reason=reason.strip(),
    )
    return period


def require_later(period: EarningPeriod, claims_close_on: date, reason: str) -> None:
    """Refuse a day that is not later, and a missing reason, both at once. Raises Invalid."""
    errors = []
    if claims_close_on <= period.claims_close_on:
        errors.append(
            FieldError(
                "claims_close_on",
                "not_later",
                f"The deadline is {show_day(period.claims_close_on)} now; it only moves to a later day.",
            )
        )
    if not reason.strip():
        errors.append(FieldError("reason", "required", "Say why: the audit log keeps the reason."))
    if errors:
        raise Invalid(errors=errors)
