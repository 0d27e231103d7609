"""Telling the whole story into an empty sandbox, in one transaction: all of it or nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import transaction

from coop.lib import clock
from coop.lib.dates import show_instant
from coop.lib.errors import Invalid
from coop.sandbox import require_sandbox, start_clock
from coop.story import fy23, fy24, present
from coop.story.cast import bring_in
from coop.story.stage import Stage
from partners.models import Partner, Person
from partners.reading import read_before

BEGINS = datetime(2023, 7, 10, 9, 0, tzinfo=UTC)
NEW = timedelta(days=7)  # notices of so many days were not read yet


@transaction.atomic
def load_story() -> datetime:
    """Tell the story; returns the instant at which the sandbox's clock stands then.

    Raises NotFound outside a sandbox, Invalid where there are partners already or the clock stands after the beginning.
    """
    require_sandbox()
    if Partner.objects.exists():
        raise Invalid.field(
            "story", "There are partners in this sandbox already; the story needs an empty one.", "not_empty"
        )
    began = start_clock(BEGINS)
    if began > BEGINS:
        raise Invalid.field(
            "story",
            f"The clock stands at {show_instant(began)}, and the story begins on {show_instant(BEGINS)}. "
            "Begin a new sandbox without a time, or an empty one with EMPTY=1.",
            "too_late",
        )
    stage = Stage()
    stage.until(BEGINS.strftime("%Y-%m-%d %H:%M"))
    stage.people = bring_in(stage.at())
    for chapter in (fy23, fy24, present):
        chapter.tell(stage)
    at = clock.now()
    for person in Person.objects.filter(is_active=True):
        read_before(at - NEW, by=person, at=at)  # they looked at their notices all along
    return at
