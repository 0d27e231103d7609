"""A later claim deadline for one partner: asked for in the product or not, decided by a program admin, with a reason.

It counts for all funds of the partner in the period. What was granted is never taken back (ADR 0031).
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction

from coop.lib import clock
from coop.lib.dates import end_of_day, show_day
from coop.lib.db import broken_constraint
from coop.lib.errors import Invalid, NotFound, WrongStatus, check_revision
from funds.models import EarningPeriod, Extension, Fund
from funds.operations.periods import (
    faults_of_day,
    faults_of_reason,
    lock_funds,
    lock_period,
    require_later,
    require_open,
)
from partners import events
from partners.models import Person
from partners.permissions import require_role
from partners.states import MARKETER, PARTNER_ADMIN, PROGRAM_ADMIN

NO_EXTENSION = "There is no such extension."


@transaction.atomic
def ask_extension(period_id: int, *, until: date, because: str, by: Person, at: datetime) -> Extension:
    """Ask for more time, for all funds of one's own organisation in a period, before their deadline.

    Raises NotFound, NotAllowed, WindowClosed, Invalid, and WrongStatus where a request waits already.
    """
    require_role(by, MARKETER, PARTNER_ADMIN, to="ask for a later deadline")
    period = lock_period(period_id)
    fund = fund_of(period, by.partner_id)
    at = max(at, clock.now())
    require_open(str(period), fund.claims_close_at, period.program.time_zone, at)
    errors = [*faults_of_day("until", fund.claims_close_on, until), *faults_of_reason(because, "because")]
    if errors:
        raise Invalid(errors=errors)
    try:
        with transaction.atomic():
            extension = Extension.objects.create(
                earning_period=period,
                partner_id=by.partner_id,
                status="asked",
                asked_by=by,
                asked_at=at,
                asked_until=until,
                asked_because=because.strip(),
                created_at=at,
            )
    except IntegrityError as error:
        if broken_constraint(error) != "one_open_request_for_an_extension":
            raise
        raise WrongStatus(
            f"A request for more time for {period} waits for its decision already. Ask again when it was decided."
        ) from None
    record("extension.asked", extension, by=by, at=at, until=until.isoformat(), because=because.strip())
    return extension


@transaction.atomic
def grant_extension(
    extension_id: int | None = None,
    *,
    period_id: int | None = None,
    partner_id: int | None = None,
    claims_close_on: date,
    reason: str,
    revision: int | None = None,
    by: Person,
    at: datetime,
) -> Extension:
    """Move the claim deadline of one partner in a period to a later day, because it asked (`extension_id`) or without that.

    The cure deadline moves by as many days. The clock is read once more after the period and the funds are locked: money that
    could have expired meanwhile stays expired. Raises NotFound, NotAllowed, Stale, WrongStatus, WindowClosed, Invalid.
    """
    require_role(by, PROGRAM_ADMIN, to="decide on later deadlines")
    if extension_id is not None:
        known = request_of(extension_id)
        period_id, partner_id = known.earning_period_id, known.partner_id
    period = lock_period(period_id or 0)
    fund_ids = lock_funds(period, partner_id or 0)
    fund = fund_of(period, partner_id)
    if extension_id is None:
        check_revision(revision, period.revision)
    extension = (
        lock_request(extension_id, revision)
        if extension_id is not None
        else Extension(earning_period=period, partner_id=partner_id, created_at=at)
    )
    at = max(at, clock.now())
    require_open(f"{period} of {fund.partner}", fund.claims_close_at, period.program.time_zone, at)
    require_later(fund.claims_close_on, claims_close_on, reason)
    before, zone = fund.claims_close_on, period.program.time_zone
    cure_close_on = fund.cure_close_on + (claims_close_on - before)
    Fund.objects.filter(id__in=fund_ids).update(
        own_close_on=claims_close_on,
        own_close_at=end_of_day(claims_close_on, zone),
        own_cure_on=cure_close_on,
        own_cure_at=end_of_day(cure_close_on, zone),
    )
    extension.claims_close_on_before, extension.claims_close_on = before, claims_close_on
    decide(extension, "granted", reason, by=by, at=at)
    days = {"before": before.isoformat(), "claims_close_on": claims_close_on.isoformat()}
    record("extension.granted", extension, by=by, at=at, **days, reason=reason.strip())
    return extension


@transaction.atomic
def decline_extension(
    extension_id: int, *, reason: str, revision: int | None = None, by: Person, at: datetime
) -> Extension:
    """Leave the deadline as it is. Raises NotFound, NotAllowed, Stale, WrongStatus, Invalid."""
    require_role(by, PROGRAM_ADMIN, to="decide on later deadlines")
    lock_period(request_of(extension_id).earning_period_id)
    extension = lock_request(extension_id, revision)
    errors = list(faults_of_reason(reason))
    if errors:
        raise Invalid(errors=errors)
    at = max(at, clock.now())
    decide(extension, "declined", reason, by=by, at=at)
    record("extension.declined", extension, by=by, at=at, reason=reason.strip())
    return extension


def request_of(extension_id: int) -> Extension:
    """An extension of one partner, not locked. Raises NotFound."""
    found = Extension.objects.filter(id=extension_id, partner__isnull=False).first()
    if found is None:
        raise NotFound(NO_EXTENSION)
    return found


def lock_request(extension_id: int, revision: int | None) -> Extension:
    """A request that waits for its decision, locked after its period. Raises Stale, WrongStatus."""
    waiting = Extension.objects.select_related("earning_period__program", "partner")
    extension = waiting.select_for_update(of=("self",)).get(id=extension_id)
    check_revision(revision, extension.revision)
    if extension.status != "asked":
        raise WrongStatus(
            f"This request was {extension.status} on {show_day(extension.decided_at.date())} by {extension.decided_by}. "
            "What was decided stands; a later date can still be given by a new extension."
            if extension.decided_at
            else "This request was decided."
        )
    return extension


def fund_of(period: EarningPeriod, partner_id: int | None) -> Fund:
    """A fund of a partner in a period: all have the same deadlines. Raises NotFound."""
    found = Fund.objects.with_names().filter(earning_period=period, partner_id=partner_id or 0)
    fund = found.order_by("id").first()
    if fund is None:
        raise NotFound(f"There is no fund of this partner in {period}, so there is no deadline to move.")
    fund.earning_period = period
    return fund


def decide(extension: Extension, status: str, reason: str, *, by: Person, at: datetime) -> None:
    extension.revision += extension.pk is not None
    extension.status, extension.reason = status, reason.strip()
    extension.decided_by, extension.decided_at = by, at
    extension.save()


def record(verb: str, extension: Extension, *, by: Person, at: datetime, **said: str) -> None:
    period = extension.earning_period
    about = {"program": period.program.code, "code": period.code, "partner": str(extension.partner)}
    data: dict[str, Any] = {**about, **said}
    events.record(verb, extension, by=by, at=at, **data)
