"""What people choose about notices: how each kind is mailed, their zone and quiet hours, who is told when nobody acts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time
from zoneinfo import available_timezones

from django.core import signing
from django.db import transaction

from coop.lib.errors import FieldError, Invalid, NotFound
from partners import events, states
from partners.mailing import STOP_SALT
from partners.models import NoticeWay, Partner, Person
from partners.permissions import require_role

YEARS = 3  # how long the link in a mail works


@transaction.atomic
def choose_ways(
    ways: Mapping[str, str],
    *,
    time_zone: str,
    quiet_from: time | None,
    quiet_to: time | None,
    by: Person,
    at: datetime,
) -> None:
    """Keep how a person wants each kind of notice by mail, in which zone they live, and their quiet hours.

    A kind that is left out stays as it is. Raises Invalid, with all that is wrong.
    """
    errors = [
        FieldError(kind, "unknown", "Choose one of the ways that are offered.")
        for kind, way in ways.items()
        if kind not in states.NOTICES or way not in states.WAYS
    ]
    if time_zone not in available_timezones():
        errors.append(
            FieldError("time_zone", "unknown", "Choose a time zone from the list, for example Europe/Berlin.")
        )
    if (quiet_from is None) != (quiet_to is None):
        missing = "quiet_from" if quiet_from is None else "quiet_to"
        errors.append(FieldError(missing, "required", "Give both ends of the quiet hours, or neither."))
    if errors:
        raise Invalid(errors=errors)
    person = Person.objects.select_for_update().get(id=by.pk)
    person.time_zone, person.quiet_from, person.quiet_to = time_zone, quiet_from, quiet_to
    person.save(update_fields=["time_zone", "quiet_from", "quiet_to"])
    set_ways(person, ways)
    events.record("person.notices_chosen", person, by=by, at=at, partner_id=person.partner_id, ways=dict(ways))


def set_ways(person: Person, ways: Mapping[str, str]) -> None:
    rows = [NoticeWay(person=person, kind=kind, way=way) for kind, way in ways.items()]
    keys = ["person", "kind"]
    NoticeWay.objects.bulk_create(rows, update_conflicts=True, unique_fields=keys, update_fields=["way"])


def read_stop(token: str) -> tuple[Person, str]:
    """Whose mails a link ends, and of which kind; an empty kind is all of them. Raises NotFound for a link that is not ours."""
    try:
        person_id, kind = signing.loads(token, salt=STOP_SALT, max_age=YEARS * 366 * 86_400)
        return Person.objects.get(id=person_id), kind
    except (signing.BadSignature, Person.DoesNotExist, ValueError, TypeError) as error:
        raise NotFound("This link does not work any more. Sign in to choose what you get by mail.") from error


@transaction.atomic
def stop_mails(token: str, *, at: datetime) -> tuple[Person, str]:
    """No more mails of a kind, or of any, for whom the link was written. The notices stay in the product. Raises NotFound."""
    person, kind = read_stop(token)
    kinds = [kind] if kind else list(states.NOTICES)
    set_ways(person, dict.fromkeys(kinds, states.NO_MAIL))
    events.record("person.mails_stopped", person, by=person, at=at, partner_id=person.partner_id, kinds=kinds)
    return person, kind


@transaction.atomic
def choose_second_contact(person_id: int | None, *, by: Person, at: datetime) -> None:
    """Who of a partner is told when nobody acts on money that is about to be lost; a partner admin says it.

    Raises NotAllowed, Invalid.
    """
    require_role(by, states.PARTNER_ADMIN, to="choose who is told when nobody acts")
    partner = Partner.objects.select_for_update().get(people=by)
    contact = None
    if person_id is not None:
        able = partner.people.filter(is_active=True).exclude(role=states.AGENCY)
        contact = able.filter(id=person_id).first()
        if contact is None:
            raise Invalid.field("second_contact", "Choose somebody of your organisation.", "unknown")
    partner.second_contact = contact
    partner.save(update_fields=["second_contact"])
    name = contact.email if contact else ""
    events.record("partner.second_contact_chosen", partner, by=by, at=at, partner_id=partner.pk, second_contact=name)
