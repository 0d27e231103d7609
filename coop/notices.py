"""Which events of the system itself are told to whom: program admins hear of a job that fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from django.urls import reverse

from partners.audience import Audience
from partners.models import Event
from partners.states import PROGRAM_ADMIN
from partners.telling import Telling, ToldOf


def job_failed(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    """Once a day for each job: one that fails on something else every minute is still one thing to look into."""
    for event in group:
        name = event.data["job"].replace("_", " ").capitalize()
        more = f" And {event.data['failed'] - 1:,} more." if event.data["failed"] > 1 else ""
        telling = Telling(
            kind="operations",
            key=f"{event.verb}:{event.data['job']}:{event.at.date().isoformat()}",
            title=f"A job fails: {name}",
            text=f"{event.data['record'].capitalize()}: {event.data['error'].rstrip('.')}.{more} Nothing of what failed was "
            "changed, and each is tried again at the next run. See why, and mend it.",
            link=reverse("operations-run", args=[event.subject]),
            subject_type="job_run",
            subject=event.subject,
            partner_id=None,
            at=event.at,
        )
        yield event, who.of_vendor(PROGRAM_ADMIN), telling


VERBS: dict[str, Callable[[Sequence[Event], Audience], Iterable[ToldOf]]] = {"job.failed": job_failed}
