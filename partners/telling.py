"""Telling people: what is to be told, and the notices that come of it, each of them given to a person once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db.models import prefetch_related_objects

from coop.lib.dates import show_deadline, show_instant
from coop.lib.money import display
from partners.mailing_times import mail_at
from partners.models import Event, Notice, Person

CHUNK = 500
LONGEST_TITLE = 200


@dataclass(frozen=True)
class Telling:
    """One thing to tell. Whoever was told the same `key` before is not told again.

    `text` says what happened, what is at stake and what to do; line breaks stay. `link` is the path of the very page. `at` is
    the instant that it is about, `deadline_at` the first instant that is too late; both are shown in `zone` and in the
    reader's own.
    """

    kind: str
    key: str
    title: str
    text: str
    link: str
    subject_type: str
    subject: str
    partner_id: int | None
    at: datetime
    deadline_at: datetime | None = None
    zone: str = "UTC"
    amount_minor: int | None = None
    currency: str = ""


Told = tuple[Iterable[Person], Telling]
# What a kind of event is told as: the event, who could be told, and in which words.
ToldOf = tuple[Event, Iterable[Person], Telling]


def tell(people: Iterable[Person | int], telling: Telling, *, at: datetime) -> int:
    """Give people one notice each, unless they had it. People may be named by their ids. Who has left is told nothing.

    Returns how many of them were new.
    """
    given = list(people)
    ids = [one for one in given if isinstance(one, int)]
    found = [one for one in given if isinstance(one, Person)]
    found += Person.objects.filter(id__in=ids).prefetch_related("notice_ways") if ids else []
    return tell_all([(found, telling)], at=at)


def tell_all(told: Iterable[Told], *, at: datetime) -> int:
    """Give many notices, in two statements for five hundred of them. Returns how many were new.

    Who had a notice keeps it as it is. Two who give the same at once are kept apart by the database: `bulk_create` passes
    over the rows that it has.
    """
    given = 0
    notices = (notice(person, telling, at) for people, telling in told for person in people if person.is_active)
    while chunk := list(islice(notices, CHUNK)):
        new = not_given(chunk)
        prefetch_related_objects([one.person for one in new], "notice_ways")
        for one in new:
            one.mail_at = mail_at(one.person, one.kind, at, one.deadline_at)
        Notice.objects.bulk_create(new, ignore_conflicts=True)
        given += len(new)
    return given


def not_given(chunk: list[Notice]) -> list[Notice]:
    people, keys = {one.person_id for one in chunk}, {one.key for one in chunk}
    had = set(Notice.objects.filter(person__in=people, key__in=keys).values_list("person_id", "key"))
    return list({(one.person_id, one.key): one for one in chunk if (one.person_id, one.key) not in had}.values())


def notice(person: Person, telling: Telling, at: datetime) -> Notice:
    """A notice that is not saved; `mail_at` is not in it yet."""
    return Notice(
        person=person,
        key=telling.key,
        kind=telling.kind,
        partner_id=telling.partner_id,
        subject_type=telling.subject_type,
        subject=telling.subject,
        title=shortened(telling.title),
        text=telling.text,
        link=telling.link,
        at=telling.at,
        deadline_at=telling.deadline_at,
        zone=telling.zone,
        amount_minor=telling.amount_minor,
        currency=telling.currency if telling.amount_minor is not None else "",
        created_at=at,
    )


def shortened(text: str) -> str:
    return text if len(text) <= LONGEST_TITLE else f"{text[: LONGEST_TITLE - 1].rstrip()}…"


# --- In words, for pages and mails ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Moment:
    """An instant of a notice in words: what it is, in the program's zone, and on the reader's own clock.

    `own` is empty where both show the same. `zone` is the reader's.
    """

    label: str
    official: str
    own: str
    zone: str


def moments_of(notice: Notice, reader: Person) -> Iterator[Moment]:
    """The instants that a notice names: until when to act, where there is such an end, and when it happened."""
    if notice.deadline_at is not None:
        yield moment("Act until", notice.deadline_at, notice.zone, reader.time_zone, show_deadline)
    yield moment("When", notice.at, notice.zone, reader.time_zone, show_instant)


def moment(label: str, at: datetime, zone: str, own: str, show: Callable[[datetime, str], str]) -> Moment:
    official, mine = show(at, zone), show(at, own)
    return Moment(label, official, "" if mine == official else mine, own)


def amount_of(notice: Notice) -> str:
    """The money that a notice names; empty where it names none."""
    return "" if notice.amount_minor is None else display(notice.amount_minor, notice.currency)
