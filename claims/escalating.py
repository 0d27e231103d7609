"""Nobody acted: money is about to be lost because a draft, or what was returned, lies untouched. A second person is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Cast
from django.urls import reverse

from claims import states
from claims.models import Claim, Plan
from claims.notices.words import workers_on_claim, workers_on_plan
from claims.queries.partner import with_deadline
from coop.lib.dates import show_day, show_deadline
from funds.models import EarningPeriod, Fund
from funds.notices.words import named
from funds.queries.deadlines import closes_at
from partners.audience import WRITERS, Audience
from partners.models import Event, Partner, Person
from partners.states import PARTNER_ADMIN
from partners.telling import Telling, Told, tell_all

UNTOUCHED = timedelta(days=7)  # so long did nobody act
NEAR = timedelta(days=14)  # so near is the deadline
CHUNK = 500


def escalate(*, at: datetime, step: Callable[[int], None] = lambda told: None) -> int:
    """Tell the second person of a partner, once for each claim or plan and deadline. Returns how many were told."""
    given = 0
    if not deadline_near(at):
        return 0
    for find in (forgotten_claims, forgotten_plans):
        after = 0
        while found := list(find(at).filter(id__gt=after).order_by("id")[:CHUNK]):
            after = found[-1].pk
            with transaction.atomic():
                told = tell_all(told_of(found, at), at=at)
            given += told
            step(told)
    return given


def deadline_near(at: datetime) -> bool:
    """Whether any deadline is near, of a period or of single funds: most of the year none is."""
    near = {"gt": at, "lte": at + NEAR}
    periods = Q(**{f"claims_close_at__{test}": value for test, value in near.items()})
    periods |= Q(**{f"cure_close_at__{test}": value for test, value in near.items()})
    if EarningPeriod.objects.filter(periods).exists():
        return True
    return Fund.objects.filter(own_close_at__isnull=False, own_cure_at__gt=at, own_close_at__lte=at + NEAR).exists()


# --- What lies untouched ----------------------------------------------------------------------------------------------


def untouched(found: QuerySet[Any], kind: str, at: datetime) -> QuerySet[Any]:
    """Of records whose turn began long ago, those with which nobody did anything since; `deadline` is when it is too late."""
    by_somebody = Event.objects.filter(
        subject_type=kind, subject=Cast(OuterRef("pk"), CharField()), actor__isnull=False, at__gt=at - UNTOUCHED
    )
    near = found.filter(turn_since__lte=at - UNTOUCHED, deadline__gt=at, deadline__lte=at + NEAR)
    return near.filter(~Exists(by_somebody))


def forgotten_claims(at: datetime) -> QuerySet[Any]:
    """Drafts and returned claims, with what they would be paid."""
    open_claims = with_deadline(Claim.objects.with_names()).filter(status__in=states.OPEN)
    return untouched(open_claims.filter(Q(claimed_minor__gt=0)), "claim", at).prefetch_related("invitations")


def forgotten_plans(at: datetime) -> QuerySet[Any]:
    """Drafts and returned plans, with what they ask for."""
    open_plans = Plan.objects.with_names().filter(status__in=states.PLAN_OPEN).annotate(deadline=closes_at("fund__"))
    asked = open_plans.annotate(claimed_minor=Sum("activities__requested_minor")).filter(claimed_minor__gt=0)
    return untouched(asked, "plan", at).prefetch_related("people")


# --- Who is told, in which words --------------------------------------------------------------------------------------


def told_of(found: Sequence[Any], at: datetime) -> Iterator[Told]:
    partners = {one.partner_id for one in found}
    who = Audience(partners, at=at)
    second = dict(Partner.objects.filter(id__in=partners).values_list("id", "second_contact"))
    for one in found:
        own = workers_on_claim(who, one) if isinstance(one, Claim) else workers_on_plan(who, one)
        yield second_people(who, one.partner_id, second[one.partner_id], own), words(one, own)


def second_people(who: Audience, partner_id: int, second: int | None, own: Iterable[Person]) -> list[Person]:
    """The partner's second contact; else its admins; else its other writers. Not those who work on it, unless alone."""
    own = list(own)
    contact = [one for one in who.named(second) if one.partner_id == partner_id and one.role in WRITERS]
    for people in (contact, who.of_partner(partner_id, PARTNER_ADMIN), who.of_partner(partner_id)):
        if others := [one for one in people if one not in own]:
            return others
    return own


def words(one: Any, own: Sequence[Person]) -> Telling:
    """`one` is a claim or a plan, with its `deadline` and what it asks for."""
    claim = isinstance(one, Claim)
    kind, fund, zone = "claim" if claim else "plan", one.fund, one.fund.program.time_zone
    amount, since = one.show(one.claimed_minor), show_day(one.turn_since.date())
    returned = one.status in (states.ACTION_REQUIRED, states.RETURNED)
    lies = f"was returned on {since} and not mended" if returned else f"was begun on {since} and not sent"
    people = ", ".join(person.name for person in own[:3])
    text = (
        f"{'Claim' if claim else 'Plan'} {one.number} for {named(fund)} {lies}. Nobody worked on it for a week. If it is not "
        f"sent until {show_deadline(one.deadline, zone)}, the {amount} are lost. "
        f"{f'It is with {people}: ask, or send it yourself.' if people else 'Send it yourself.'}"
    )
    return Telling(
        kind="nobody_acted",
        key=f"nobody_acted:{kind}:{one.pk}:{one.deadline.isoformat()}",
        title=f"{amount} will be lost: nobody sent “{one.title}”",
        text=text,
        link=reverse(kind, args=[one.pk]),
        subject_type=kind,
        subject=str(one.pk),
        partner_id=one.partner_id,
        at=one.turn_since,
        deadline_at=one.deadline,
        zone=zone,
        amount_minor=one.claimed_minor,
        currency=one.currency,
    )
