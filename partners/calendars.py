"""A person's calendar address: made, shown once, ended. Who knows its secret reads the person's dates, and nothing else."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models.functions import Now

from partners import events
from partners.models import CalendarFeed, Person
from partners.operations import digest_of

LENGTH = 32  # bytes


@transaction.atomic
def make_feed(*, by: Person, at: datetime) -> str:
    """Give a person a calendar address and end the one they had. Returns its secret, which is shown once and not kept."""
    secret = secrets.token_urlsafe(LENGTH)
    values = {"digest": digest_of(secret), "created_at": at, "last_read_wall": None}
    feed, _ = CalendarFeed.objects.update_or_create(person=by, defaults=values)
    events.record("calendar_feed.made", feed, by=by, at=at, partner_id=by.partner_id, owner=by.email)
    return secret


@transaction.atomic
def revoke_feed(*, by: Person, at: datetime) -> bool:
    """End a person's calendar address; says whether there was one."""
    feed = CalendarFeed.objects.select_for_update().filter(person=by).first()
    if feed is None:
        return False
    events.record("calendar_feed.revoked", feed, by=by, at=at, partner_id=by.partner_id, owner=by.email)
    feed.delete()
    return True


def hide_programs(codes: Iterable[str], *, by: Person) -> bool:
    """Leave programs out of a person's calendar; says whether there is one. A setting of how it looks, so without an event."""
    return bool(CalendarFeed.objects.filter(person=by).update(hidden_programs=sorted(set(codes))))


def feed_of(secret: str) -> CalendarFeed | None:
    """The feed that a secret opens, None for an unknown or ended one and for people who left; its reading is noted."""
    found = (
        CalendarFeed.objects.select_related("person").filter(digest=digest_of(secret), person__is_active=True).first()
    )
    if found is not None:
        CalendarFeed.objects.filter(pk=found.pk).update(last_read_wall=Now())
    return found
