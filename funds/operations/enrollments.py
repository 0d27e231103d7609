"""Enrolling a partner's location in a program."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import transaction

from coop.lib.dates import show_day
from coop.lib.errors import FieldError, Invalid, NotFound, check_revision, require_fields
from funds.models import Enrollment, Program
from partners import events
from partners.models import Location, Person
from partners.operations import MASTER_DATA
from partners.permissions import require_role


@transaction.atomic
def enroll(
    *,
    location_id: int,
    program_code: str,
    starts_on: date,
    ends_on: date | None = None,
    payout_profile_complete: bool | None = None,
    by: Person | None,
    at: datetime,
) -> Enrollment:
    """Enroll a location in a program from a day on. Raises NotAllowed, Invalid (unknown, overlapping, order of days)."""
    if by:
        require_role(by, *MASTER_DATA, to="enroll partners")
    location = Location.objects.filter(id=location_id).first()
    program = Program.objects.filter(code=program_code).first()
    errors = []
    if location is None:
        errors.append(FieldError("location", "not_found", "There is no such location."))
    if program is None:
        errors.append(FieldError("program", "not_found", f"There is no program {program_code[:40]}."))
    if ends_on and ends_on < starts_on:
        errors.append(FieldError("ends_on", "invalid", "The last day lies before the first."))
    if errors or location is None or program is None:
        raise Invalid(errors=errors)
    require_free(location, program, starts_on, ends_on, field="starts_on")
    enrollment = Enrollment.objects.create(
        partner_id=location.partner_id,
        location=location,
        program=program,
        starts_on=starts_on,
        ends_on=ends_on,
        payout_profile_complete=payout_profile_complete,
        created_at=at,
    )
    events.record("enrollment.created", enrollment, by=by, at=at, program=program.code, location=location.external_id)
    return enrollment


def require_free(
    location: Location, program: Program, starts_on: date, ends_on: date | None, *, field: str, but: int = 0
) -> None:
    """Refuse days on which the location is enrolled already, by another enrollment than `but`. Raises Invalid."""
    for other in Enrollment.objects.select_for_update().filter(location=location, program=program).exclude(id=but):
        if (ends_on is None or other.starts_on <= ends_on) and (other.ends_on is None or starts_on <= other.ends_on):
            until = f" to {show_day(other.ends_on)}" if other.ends_on else ", open-ended"
            raise Invalid.field(
                field,
                f"{location} is already enrolled in {program} from {show_day(other.starts_on)}{until}. "
                "A location is enrolled once at a time.",
                "overlaps",
            )


@transaction.atomic
def update_enrollment(
    enrollment_id: int, changes: dict[str, Any], *, revision: int | None = None, by: Person, at: datetime
) -> Enrollment:
    """Change the last day of an enrollment, or what is known of its payout profile.

    Raises NotFound, NotAllowed, Stale, Invalid.
    """
    require_role(by, *MASTER_DATA, to="change enrollments")
    enrollment = Enrollment.objects.visible_to(by).select_for_update(of=("self",)).filter(id=enrollment_id).first()
    if enrollment is None:
        raise NotFound("There is no such enrollment.")
    check_revision(revision, enrollment.revision)
    require_fields(changes, ("ends_on", "payout_profile_complete"), "An enrollment")
    for name, value in changes.items():
        setattr(enrollment, name, value)
    if enrollment.ends_on and enrollment.ends_on < enrollment.starts_on:
        raise Invalid.field(
            "ends_on", f"The enrollment began on {show_day(enrollment.starts_on)}; it cannot end before."
        )
    require_free(
        enrollment.location,
        enrollment.program,
        enrollment.starts_on,
        enrollment.ends_on,
        field="ends_on",
        but=enrollment.id,
    )
    enrollment.revision += 1
    enrollment.save()
    events.record("enrollment.changed", enrollment, by=by, at=at, fields=sorted(changes))
    return enrollment
