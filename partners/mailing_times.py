"""When a notice goes out by mail: at once or with the next digest, by what the person chose, and not in their quiet hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from partners import states
from partners.models import Person

DIGEST_AT = time(7)


def way_of(person: Person, kind: str) -> str:
    """How the person wants this kind of notice by mail. Give people with their `notice_ways` read."""
    chosen = {row.kind: row.way for row in person.notice_ways.all()}
    return chosen.get(kind, states.NOTICES[kind][1])


def mail_at(person: Person, kind: str, at: datetime, deadline_at: datetime | None = None) -> datetime | None:
    """From when on a mail may carry a notice that was given at an instant; None where the person wants no mail of its kind.

    A mail that would come after its deadline goes at once, digest and quiet hours or not.
    """
    way = way_of(person, kind)
    if way == states.NO_MAIL:
        return None
    wanted = at if way == states.INSTANT else next_digest(person, at)
    goes = after_quiet_hours(person, wanted)
    return at if deadline_at is not None and at < deadline_at <= goes else goes


def next_digest(person: Person, at: datetime) -> datetime:
    """The next seven o'clock in the morning on the person's wall."""
    today = at.astimezone(ZoneInfo(person.time_zone)).date()
    this_morning = at_time(today, DIGEST_AT, person.time_zone)
    return this_morning if this_morning > at else at_time(today + timedelta(days=1), DIGEST_AT, person.time_zone)


def after_quiet_hours(person: Person, at: datetime) -> datetime:
    """The instant itself, or the end of the quiet hours in which it lies. They may go over midnight."""
    first, last = person.quiet_from, person.quiet_to
    if first is None or last is None or first == last:
        return at
    local = at.astimezone(ZoneInfo(person.time_zone))
    now, today = local.time(), local.date()
    if first < last:
        return at_time(today, last, person.time_zone) if first <= now < last else at
    if now >= first:
        return at_time(today + timedelta(days=1), last, person.time_zone)
    return at_time(today, last, person.time_zone) if now < last else at


def at_time(day: date, wall: time, zone: str) -> datetime:
    """The instant of a time of day on the wall of a zone; where the clock jumps over it, the one that far after the jump."""
    return datetime.combine(day, wall, ZoneInfo(zone)).astimezone(UTC)
