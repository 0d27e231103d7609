"""The consumer of the outbox: of each event people are told, and webhooks get their deliveries, exactly once.

A batch is one transaction: notices, deliveries, and the end of its rows in the outbox. Whoever is killed in between leaves
all of it to the next one. There is one consumer at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.db import InterfaceError, OperationalError, transaction

from claims import notices as of_claims
from coop import notices as of_system
from coop.lib.db import take_lock
from funds import notices as of_funds
from partners import notices as of_partners
from partners.audience import Audience, may_hear
from partners.hooks.fanout import deliver_events
from partners.models import Event, Person, Untold
from partners.states import AGENCY
from partners.telling import Telling, Told, ToldOf, tell_all

log = structlog.get_logger()

BATCH = 300
LOCK = 7_003_001  # the number of the one who tells, among PostgreSQL's advisory locks

Handler = Callable[[Sequence[Event], Audience], Iterable[ToldOf]]
VERBS: dict[str, Handler] = {**of_system.VERBS, **of_partners.VERBS, **of_funds.VERBS, **of_claims.VERBS}
# Their events are the vendor's paper, what is told of them is not: published rules hold for everybody.
FOR_EVERYBODY = ("catalog.published",)


@dataclass
class Tally:
    """What one run told: events, notices, and which events could not be told, each with the reason."""

    events: int = 0
    notices: int = 0
    failures: list[tuple[str, Exception]] = field(default_factory=list)
    stuck: set[int] = field(default_factory=set)  # the ids of those events


def tell_untold(*, at: datetime, step: Callable[[int], None] = lambda told: None) -> Tally:
    """Tell of every event in the outbox. What could not be told stays there for the next run; the others go on.

    `step` hears after each batch how many events it told. While somebody else tells, nothing is done.
    """
    tally = Tally()
    while True:
        with transaction.atomic():
            ids = take(tally.stuck)
            if not ids:
                return tally
            told = tell_batch(ids, tally, at=at)
        tally.events += told
        step(told)


def take(stuck: Collection[int]) -> list[int]:
    """The ids of the next untold events, in the order in which they were written; none while somebody else tells.

    Always from the lowest on, but for those that could not be told just now: an event with a lower number may be committed
    after one with a higher number was told, and must not be passed over for the later ones of its own record.
    """
    alone = take_lock(LOCK)
    waiting = Untold.objects.exclude(event_id__in=stuck).order_by("event_id")
    return list(waiting.values_list("event_id", flat=True)[:BATCH]) if alone else []


def tell_batch(ids: Sequence[int], tally: Tally, *, at: datetime) -> int:
    """Tell of these events together and, if that fails, of each by itself. Returns of how many."""
    events = list(Event.objects.filter(id__in=ids).order_by("id"))
    try:
        tally.notices += tell_events(events, at=at)
    except (OperationalError, InterfaceError):
        raise  # no event's fault: all of them are tried again
    except Exception:
        log.exception("events.told_one_by_one", first=ids[0], last=ids[-1])
        return sum(tell_one(event, tally, at=at) for event in events)
    return len(events)


def tell_one(event: Event, tally: Tally, *, at: datetime) -> bool:
    try:
        tally.notices += tell_events([event], at=at)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        tally.failures.append((f"event {event.pk}", error))
        tally.stuck.add(event.pk)
        log.exception("event.not_told", record=event.pk, verb=event.verb)
        return False
    return True


@transaction.atomic
def tell_events(events: Sequence[Event], *, at: datetime) -> int:
    """Write the notices and the deliveries of these events, and take them out of the outbox. Returns the notices."""
    told = tell_all(notices_of(events, at), at=at)
    deliver_events(events)
    Untold.objects.filter(event_id__in=[event.pk for event in events]).delete()
    return told


def notices_of(events: Sequence[Event], at: datetime) -> Iterator[Told]:
    """Who is told what of these events: only who may know of the event and may see its record now, not who did it."""
    by_verb: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event.verb in VERBS:
            by_verb[event.verb].append(event)
    concerned = [event for group in by_verb.values() for event in group]
    if not concerned:
        return
    who = Audience({event.partner_id for event in concerned if event.partner_id}, at=at)
    for verb, group in by_verb.items():
        for event, people, telling in VERBS[verb](group, who):
            yield [person for person in people if may_be_told(person, event, telling, who)], telling


def may_be_told(person: Person, event: Event, telling: Telling, who: Audience) -> bool:
    if event.actor_id == person.pk or not person.is_active:
        return False
    if person.role == AGENCY:  # a guest sees what it was invited to, and nothing else
        return telling.subject_type == "invitation"
    if event.verb not in FOR_EVERYBODY and not may_hear(person, event):
        return False
    return telling.partner_id is None or who.sees(person, telling.partner_id)
