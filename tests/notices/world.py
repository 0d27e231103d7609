"""What tests of notices share."""

from __future__ import annotations

from coop.lib import clock
from coop.telling import tell_untold
from partners.models import Notice, Person, Untold


def forget() -> None:
    """What happened so far is told of no more."""
    Untold.objects.all().delete()


def tell() -> list[Notice]:
    """Tell of what happened; returns the new notices, in the order in which they were written."""
    last = Notice.objects.order_by("-id").values_list("id", flat=True).first() or 0
    tally = tell_untold(at=clock.now())
    assert not tally.failures, tally.failures
    return list(Notice.objects.filter(id__gt=last).order_by("id").select_related("person"))


def only(notices: list[Notice]) -> Notice:
    assert len(notices) == 1, [f"{one.person}: {one.title}" for one in notices]
    return notices[0]


def heard(notices: list[Notice], person: Person) -> list[str]:
    """The titles of those that a person got."""
    return [one.title for one in notices if one.person_id == person.pk]
