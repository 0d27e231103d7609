"""Changing a promised date for everybody: a period's claim deadline, or those of all open periods of a program.

A date only ever moves to a later day, decided by a program admin, with a reason, before it has passed (ADR 0031). What one
partner gets for itself is in `extensions.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from django.db import transaction

from coop.lib import clock
from coop.lib.dates import end_of_day, show_day, show_deadline
from coop.lib.db import execute, rows
from coop.lib.errors import FieldError, Invalid, NotFound, WindowClosed, check_revision
from coop.lib.text import text_fault
from funds.models import EarningPeriod, Extension, Program
from partners import events
from partners.models import Person
from partners.permissions import require_role
from partners.states import PROGRAM_ADMIN

LONGEST_REASON = 500
# More is a slip of the pen: the money of a half is claimed within about a year.
MOST_DAYS = 366


@transaction.atomic
def extend_period(
    period_id: int, *, claims_close_on: date, reason: str, revision: int | None = None, by: Person, at: datetime
) -> EarningPeriod:
    """Move a period's claim deadline to a later day; the cure deadline moves by as many days.

    A partner whose own date is not later goes by the period's again. Raises NotFound, NotAllowed, Stale, WindowClosed,
    Invalid.
    """
    period = lock_period(period_id)
    require_role(by, PROGRAM_ADMIN, to="extend earning periods")
    check_revision(revision, period.revision)
    lock_funds(period)
    at = max(at, clock.now())
    require_open(str(period), period.claims_close_at, period.program.time_zone, at)
    require_later(period.claims_close_on, claims_close_on, reason)
    move_period(period, claims_close_on, reason, by=by, at=at)
    return period


@transaction.atomic
def extend_program(program_code: str, *, days: int, reason: str, by: Person, at: datetime) -> list[EarningPeriod]:
    """Move the claim deadlines of every open period of a program by as many days, for one reason.

    Open are those whose money may be spent or claimed now: the use period has begun and the deadline is ahead. Raises
    NotFound, NotAllowed, WindowClosed, Invalid.
    """
    program = Program.objects.filter(code=program_code).first()
    if program is None:
        raise NotFound("There is no such program.")
    require_role(by, PROGRAM_ADMIN, to="extend the periods of a program")
    open_now = EarningPeriod.objects.filter(program=program, use_open_at__lte=at, claims_close_at__gt=at).order_by("id")
    periods = [lock_period(period_id) for period_id in open_now.values_list("id", flat=True)]
    for period in periods:
        lock_funds(period)
    at = max(at, clock.now())
    periods = [period for period in periods if at < period.claims_close_at]
    if not periods:
        raise WindowClosed(
            f"{program} has no period whose money can be spent or claimed now, so there is nothing to extend."
        )
    errors = list(faults_of_reason(reason))
    if not 1 <= days <= MOST_DAYS:
        errors.insert(0, FieldError("days", "out_of_range", f"Give a number of days from 1 to {MOST_DAYS}."))
    if errors:
        raise Invalid(errors=errors)
    for period in periods:
        move_period(period, period.claims_close_on + timedelta(days=days), reason, by=by, at=at)
    return periods


def lock_period(period_id: int) -> EarningPeriod:
    """The period, locked against imports, sweeps and other extensions of it. Raises NotFound."""
    found = EarningPeriod.objects.select_related("program").select_for_update(of=("self",), no_key=True)
    period = found.filter(id=period_id).first()
    if period is None:
        raise NotFound("There is no such earning period.")
    return period


def lock_funds(period: EarningPeriod, partner_id: int | None = None) -> list[int]:
    """Lock the funds of a locked period, or those of one partner in it; returns their ids.

    The clock is read after this. So whoever finds the old deadline passed and has a fund locked has come before the clock was
    read, and the extension is refused; or comes after it, and reads the new one (`deadlines.is_closed`).
    """
    found = rows(
        """SELECT id FROM funds_fund WHERE earning_period_id = %(period)s
             AND (%(partner)s::bigint IS NULL OR partner_id = %(partner)s::bigint)
           ORDER BY id FOR NO KEY UPDATE""",
        {"period": period.pk, "partner": partner_id},
    )
    return [fund_id for (fund_id,) in found]


def move_period(period: EarningPeriod, claims_close_on: date, reason: str, *, by: Person, at: datetime) -> None:
    """Write the later dates of a locked period, and what is kept of the decision."""
    before, zone = period.claims_close_on, period.program.time_zone
    period.cure_close_on += claims_close_on - before
    period.claims_close_on = claims_close_on
    period.claims_close_at = end_of_day(period.claims_close_on, zone)
    period.cure_close_at = end_of_day(period.cure_close_on, zone)
    period.revision += 1
    period.save()
    execute(
        """UPDATE funds_fund SET own_close_on = NULL, own_close_at = NULL, own_cure_on = NULL, own_cure_at = NULL
           WHERE earning_period_id = %s AND own_close_at IS NOT NULL AND own_close_on <= %s""",
        [period.pk, claims_close_on],
    )
    Extension.objects.create(
        earning_period=period,
        status="granted",
        decided_by=by,
        decided_at=at,
        reason=reason.strip(),
        claims_close_on_before=before,
        claims_close_on=claims_close_on,
        created_at=at,
    )
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


def require_open(name: str, closes_at: datetime, zone: str, at: datetime) -> None:
    """Refuse to move a deadline that has passed: what was left may have expired. Raises WindowClosed."""
    if at >= closes_at:
        raise WindowClosed(
            f"Claims for {name} were taken until {show_deadline(closes_at, zone)}. A deadline that has passed is not moved any "
            "more; use an adjustment of the fund of a period that is open instead."
        )


def require_later(before: date, claims_close_on: date, reason: str) -> None:
    """Refuse a day that is not later, and a missing reason, both at once. Raises Invalid."""
    errors = [*faults_of_day("claims_close_on", before, claims_close_on), *faults_of_reason(reason)]
    if errors:
        raise Invalid(errors=errors)


def faults_of_day(field: str, before: date, wanted: date) -> Iterator[FieldError]:
    if wanted <= before:
        text = f"The deadline is {show_day(before)} now; it only moves to a later day."
        yield FieldError(field, "not_later", text)
    elif (wanted - before).days > MOST_DAYS:
        text = f"{show_day(wanted)} is more than a year after {show_day(before)}. Look at the year again."
        yield FieldError(field, "too_late", text)


def faults_of_reason(reason: str, field: str = "reason") -> Iterator[FieldError]:
    if not reason.strip():
        yield FieldError(field, "required", "Say why: the audit log keeps the reason.")
    elif fault := text_fault(reason, one_line=False):
        yield FieldError(field, "invalid", fault)
    elif len(reason) > LONGEST_REASON:
        yield FieldError(field, "too_long", f"Keep the reason within {LONGEST_REASON} characters.")
