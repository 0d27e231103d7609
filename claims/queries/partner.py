"""The claims that the partner's pages list: what waits for the partner, what is underway, all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, Count, F, Q, When, Window

from claims import states
from claims.models import Claim, ClaimQuerySet
from funds.queries.deadlines import closes_at, cures_at
from partners.models import Event, Person

PAGE = 50
HISTORY = 200
UNDERWAY = (states.SUBMITTED, states.IN_REVIEW, states.DISPUTED, states.APPROVED)


def with_deadline(claims: ClaimQuerySet) -> ClaimQuerySet:
    """Each claim with `deadline`: the closing instant until which the partner must have sent or mended it."""
    mend = When(sendings__gt=0, then=cures_at("fund__"))
    return claims.annotate(deadline=Case(mend, default=closes_at("fund__")))


def waiting_for(person: Person, *, at: datetime) -> ClaimQuerySet:
    """Drafts and returned claims that can still be sent, the most urgent first; each with `number_waiting`, how many in all."""
    mine = with_deadline(Claim.objects.visible_to(person).with_names())
    waiting = mine.filter(Q(status__in=states.OPEN, deadline__gt=at))
    return waiting.annotate(number_waiting=Window(Count("id"))).order_by(F("deadline").asc(), "-sendings", "id")


def underway(person: Person) -> ClaimQuerySet:
    """Claims that others work on: with a reviewer, or approved and not paid. The longest first."""
    found = Claim.objects.visible_to(person).with_names().select_related("reviewer")
    return found.filter(status__in=UNDERWAY).order_by("turn_since", "id")


@dataclass(frozen=True)
class ClaimPage:
    """One page of claims. `older` is the id to go on from, None at the end."""

    claims: Sequence[Claim]
    older: int | None


def page_of_claims(person: Person, *, before: int | None = None) -> ClaimPage:
    """All claims that the person sees, newest first, in pages of 50 that end before the claim `before`."""
    found = with_deadline(Claim.objects.visible_to(person).with_names()).order_by("-id")
    if before is not None:
        found = found.filter(id__lt=before)
    page = list(found[: PAGE + 1])
    return ClaimPage(page[:PAGE], page[PAGE - 1].pk if len(page) > PAGE else None)


def numbers(person: Person, *, at: datetime) -> tuple[int, int]:
    """How many claims wait for the person's side, and how many there are in all."""
    waiting = Q(status__in=states.OPEN, deadline__gt=at)
    found = with_deadline(Claim.objects.visible_to(person)).aggregate(
        waiting=Count("id", filter=waiting), known=Count("id")
    )
    return found["waiting"], found["known"]


def history_of(claim: Claim, person: Person) -> list[Event]:
    """What happened to a claim, newest first, as far as the person may read it; at most the last 200 events."""
    events = Event.objects.visible_to(person).about("claim", claim.pk).select_related("actor")
    return list(events.order_by("-id")[:HISTORY])


def events_between(claim: Claim, person: Person, *, seen: int) -> list[Event]:
    """What was done to a claim since the person read its revision `seen`: every revision has its event."""
    return [event for event in history_of(claim, person) if event.data.get("revision", 0) > seen]
