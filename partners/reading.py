"""Reading one's notices: how many are new, and that one has read them."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from coop.lib.errors import NotFound
from partners.models import Notice, Person

MOST = 100  # more than this are counted by nobody


def new_notices(person: Person) -> int:
    """How many notices the person has not read, at most a hundred."""
    unread = Notice.objects.visible_to(person).unread().order_by()
    return len(unread.values_list("id", flat=True)[:MOST])


def said(new: int) -> str:
    """E.g. "3 new notices"."""
    if new >= MOST:
        return f"{MOST} or more new notices"
    return f"{new or 'No'} new notice{'' if new == 1 else 's'}"


@transaction.atomic
def read_notice(notice_id: int, *, by: Person, at: datetime) -> Notice:
    """Note that the person has read one of their notices. The first time counts. Raises NotFound."""
    found = Notice.objects.visible_to(by).select_for_update().filter(id=notice_id).first()
    if found is None:
        raise NotFound("There is no such notice.")
    if found.read_at is None:
        found.read_at = at
        found.save(update_fields=["read_at"])
    return found


def read_all(*, until: int, kind: str = "", by: Person, at: datetime) -> int:
    """Note that the person has read all notices up to the newest one on the page, of one kind or of all. Returns how many."""
    unread = Notice.objects.visible_to(by).unread().filter(id__lte=until)
    return unread.filter(**({"kind": kind} if kind else {})).update(read_at=at)


def read_before(before: datetime, *, by: Person, at: datetime) -> int:
    """Note that the person has read all that they were told before an instant. Returns how many."""
    return Notice.objects.visible_to(by).unread().filter(created_at__lt=before).update(read_at=at)
