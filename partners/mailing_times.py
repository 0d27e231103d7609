"""When a notice goes out by mail. For now by the way of its kind alone: at once, with the next morning's digest, or not at all.

Quiet hours and what a person chose for the time of the digest are not looked at yet.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from partners import states
from partners.models import Person

DIGEST_AT = time(7)


def way_of(person: Person, kind: str) -> str:
    """How the person wants this kind of notice by mail. Give people with their `notice_ways` read."""
    chosen = {row.kind: row.way for row in person.notice_ways.all()}
    return chosen.get(kind, states.NOTICES[kind][1])


def mail_at(person: Person, kind: str, at: datetime) -> datetime | None:
    """From when on a mail may carry a notice that was given at an instant; None where the person wants no mail of its kind."""
    way = way_of(person, kind)
    if way == states.NO_MAIL:
        return None
    if way == states.INSTANT:
        return at
    local = at.astimezone(ZoneInfo(person.time_zone))
    morning = datetime.combine(local.date(), DIGEST_AT, local.tzinfo)
    return morning if morning > local else datetime.combine(local.date() + timedelta(days=1), DIGEST_AT, local.tzinfo)
