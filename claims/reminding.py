"""Reminders by the clock: 60, 30, 14, 7, 2 and 1 days before money is lost, from the same dates that the dates page shows.

A period's deadline is reminded of once at each of these distances; the period's own record says which were. So a sweep
that finds nothing to do reads four small lists, and one that comes late sends the nearest reminder that is due and never an
older one. What began after a reminder's day (money that came, a claim that was returned, a deadline that was moved) has had
its own notice, and is reminded of from the next distance on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from claims import states
from claims.models import Claim
from claims.notices.words import workers
from claims.queries.dates import CLAIM_BY, MEND_BY, DateToAct, dates_of_funds, dates_of_returned_claims
from coop.lib.dates import end_of_day, show_day, show_deadline, start_of_day
from coop.lib.db import take_lock
from funds.models import EarningPeriod, Extension, Fund
from partners import events
from partners.audience import Audience
from partners.models import Event, Person
from partners.telling import Telling, Told, tell_all

STAGES = (60, 30, 14, 7, 2, 1)  # days before the last day
CHUNK = 500
LOCK = 7_003_004  # the number of the one who reminds, among PostgreSQL's advisory locks
REMINDED = "earning_period.reminded"
# Which day of a period, and of a fund with dates of its own, each kind of reminder counts from.
DAYS = {CLAIM_BY: ("claims_close_on", "own_close_on"), MEND_BY: ("cure_close_on", "own_cure_on")}


@dataclass(frozen=True)
class Round:
    """One distance before one last day in a period: of all its funds, or of those whose own last day it is."""

    period: EarningPeriod
    kind: str
    last_day: date
    own: bool
    days: int

    @property
    def mark(self) -> tuple[str, str, str, bool, int]:
        return (str(self.period.pk), self.kind, self.last_day.isoformat(), self.own, self.days)

    @property
    def closes_at(self) -> datetime:
        return end_of_day(self.last_day, self.period.program.time_zone)

    @property
    def ends_at(self) -> datetime:
        """The end of the day on which this reminder falls due: what began later is not reminded of by it."""
        return end_of_day(self.last_day - timedelta(days=self.days), self.period.program.time_zone)


def stage(days_left: int) -> int | None:
    """The nearest distance that has come; None before the first one, and when the last day is over."""
    return min((days for days in STAGES if days >= days_left), default=None) if days_left >= 0 else None


# --- What is due ------------------------------------------------------------------------------------------------------


def due_rounds(at: datetime) -> list[Round]:
    """The rounds that are due and were not made, in order of their last days."""
    found = [one for one in rounds(at) if one is not None]
    done = made(found)
    return sorted((one for one in found if one.mark not in done), key=lambda one: (one.last_day, one.mark))


def rounds(at: datetime) -> Iterator[Round | None]:
    """For each last day that is near its round at this instant, whether it was made or not."""
    for period, kind, last_day, own in last_days(at - timedelta(days=2), at + timedelta(days=STAGES[0] + 2)):
        zone = period.program.time_zone
        days = stage((last_day - at.astimezone(ZoneInfo(zone)).date()).days)
        if days is not None:
            yield Round(period, kind, last_day, own, days)


def last_days(after: datetime, until: datetime) -> Iterator[tuple[EarningPeriod, str, date, bool]]:
    """The last days of periods with funds, and of single funds, of which the end lies between two instants."""
    first, last = after.date(), until.date()
    near = Q(*[Q(**{f"{column}__gte": first, f"{column}__lte": last}) for column, _ in DAYS.values()], _connector=Q.OR)
    periods = EarningPeriod.objects.filter(near, Exists(Fund.objects.filter(earning_period=OuterRef("pk"))))
    own = Fund.objects.filter(own_close_at__isnull=False, own_cure_on__gte=first, own_close_on__lte=last)
    moved = list(own.order_by().values_list("earning_period", "own_close_on", "own_cure_on").distinct())
    known = {period.pk: period for period in periods.select_related("program").order_by("id")}
    missing = {period_id for period_id, *_ in moved} - set(known)
    of_own = known | (EarningPeriod.objects.select_related("program").in_bulk(missing) if missing else {})
    for kind, (column, own_column) in DAYS.items():
        place = 1 + (own_column == "own_cure_on")
        days = [(known[period_id], getattr(known[period_id], column), False) for period_id in known]
        days += [(of_own[period_id], day, True) for period_id, day in sorted({(row[0], row[place]) for row in moved})]
        for period, day, is_own in days:
            if first <= day <= last:
                yield period, kind, day, is_own


def made(found: Iterable[Round]) -> set[tuple[str, str, str, bool, int]]:
    periods = {str(one.period.pk) for one in found}
    if not periods:
        return set()
    told = Event.objects.filter(subject_type="earning_period", subject__in=periods, verb=REMINDED)
    return {
        (subject, data["of"], data["last_day"], data["own"], data["days"])
        for subject, data in told.values_list("subject", "data")
    }


def instants(after: datetime, until: datetime) -> set[datetime]:
    """The instants in (after, until] at which a reminder falls due: the beginning of its day in the program's zone."""
    found = set()
    for period, _, last_day, _ in last_days(after, until + timedelta(days=STAGES[0] + 2)):
        for days in STAGES:
            begins = start_of_day(last_day - timedelta(days=days), period.program.time_zone)
            if after < begins <= until:
                found.add(begins)
    return found


# --- Reminding --------------------------------------------------------------------------------------------------------


def remind(*, at: datetime, step: Callable[[int], None] = lambda told: None) -> int:
    """Make every round that is due. Returns how many notices were given; safe twice, late, together and killed."""
    return sum(make_round(one, at=at, step=step) for one in due_rounds(at))


def make_round(one: Round, *, at: datetime, step: Callable[[int], None] = lambda told: None) -> int:
    """Walk the funds or claims of a round in pieces that commit, then note on the period that it was made."""
    if at >= one.closes_at:
        return 0
    given, after = 0, 0
    moves = moves_of(one)
    while True:
        with transaction.atomic():
            if not take_lock(LOCK):
                return given
            ids = page(one, after)
            if not ids:
                note_made(one, given, at=at)
                return given
            told = tell_all(
                of_funds(one, ids, moves, at) if one.kind == CLAIM_BY else of_claims(one, ids, moves, at), at=at
            )
        after, given = ids[-1], given + told
        step(told)


def note_made(one: Round, given: int, *, at: datetime) -> None:
    if one.mark in made([one]):
        return
    period = one.period
    said: dict[str, Any] = {
        "of": one.kind,
        "last_day": one.last_day.isoformat(),
        "own": one.own,
        "days": one.days,
        "notices": given,
    }
    events.record(
        REMINDED, period, by=None, at=at, vendor_only=True, program=period.program.code, code=period.code, **said
    )


def page(one: Round, after: int) -> list[int]:
    """The next funds with money left, or returned claims, of a round; by their ids."""
    if one.kind == CLAIM_BY:
        funds = Fund.objects.filter(earning_period=one.period, settled_at__lt=one.ends_at, id__gt=after)
        funds = funds.filter(own_close_on=one.last_day) if one.own else funds.filter(own_close_on__isnull=True)
        return list(funds.order_by("id").values_list("id", flat=True)[:CHUNK])
    claims = Claim.objects.filter(
        fund__earning_period=one.period, status=states.ACTION_REQUIRED, turn_since__lt=one.ends_at, id__gt=after
    )
    own = {"fund__own_cure_on": one.last_day} if one.own else {"fund__own_cure_on__isnull": True}
    return list(claims.filter(**own).order_by("id").values_list("id", flat=True)[:CHUNK])


# --- Deadlines that moved ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Move:
    """A deadline moved at an instant, from a day to a later one."""

    at: datetime
    before: date
    after: date


def moves_of(one: Round) -> dict[int, Move]:
    """The last move of the deadline by partner; under 0 the one of the whole period."""
    granted = Extension.objects.filter(earning_period=one.period, status="granted", decided_at__isnull=False)
    granted = granted.filter(partner__isnull=not one.own).order_by("decided_at", "id")
    found = {
        partner_id or 0: Move(decided_at, before, after)
        for partner_id, decided_at, before, after in granted.values_list(
            "partner_id", "decided_at", "claims_close_on_before", "claims_close_on"
        )
        if decided_at and before and after
    }
    if not one.own and 0 not in found:
        told = Event.objects.about("earning_period", one.period.pk).filter(verb="earning_period.extended")
        if (last := told.order_by("-id").first()) is not None:
            before, after = (date.fromisoformat(last.data[name]) for name in ("before", "claims_close_on"))
            found[0] = Move(last.at, before, after)
    return found


def moved(one: Round, moves: dict[int, Move], partner_id: int | None) -> Move | None:
    return moves.get((partner_id or 0) if one.own else 0)


# --- In which words ---------------------------------------------------------------------------------------------------


def of_funds(one: Round, ids: Sequence[int], moves: dict[int, Move], at: datetime) -> Iterator[Told]:
    found = [near for near in dates_of_funds(Fund.objects.filter(id__in=ids), at) if near.kind == CLAIM_BY]
    who = Audience({near.partner_id for near in found if near.partner_id}, at=at)
    for near in found:
        yield from told_of(one, near, who.of_partner(near.partner_id), moves, at)


def of_claims(one: Round, ids: Sequence[int], moves: dict[int, Move], at: datetime) -> Iterator[Told]:
    claims = Claim.objects.filter(id__in=ids)
    found = dates_of_returned_claims(claims, at)
    who = Audience({near.partner_id for near in found if near.partner_id}, at=at)
    own = {str(claim_id): people for claim_id, *people in claims.values_list("id", "created_by", "submitted_by")}
    for near in found:
        yield from told_of(one, near, workers(who, near.partner_id or 0, own[near.subject]), moves, at)


def told_of(one: Round, found: DateToAct, people: list[Person], moves: dict[int, Move], at: datetime) -> Iterator[Told]:
    """Nothing where the deadline was moved after this reminder's day: the notice of that said the new date."""
    move = moved(one, moves, found.partner_id)
    if people and (move is None or move.at < one.ends_at):
        yield people, reminder(one, found, move, at)


def reminder(one: Round, found: DateToAct, move: Move | None, at: datetime) -> Telling:
    left = (one.last_day - at.astimezone(ZoneInfo(found.zone)).date()).days
    days = "Last day" if left == 0 else f"{left} day{'' if left == 1 else 's'} left"
    name, page_id = found.page
    later = (
        f" The deadline moved from {show_day(move.before)} to {show_day(move.after)}."
        if move and moved_it(one, move)
        else ""
    )
    stake = (
        f"{found.amount} {'are' if one.kind == CLAIM_BY else 'are held for it and'} at stake" if found.amount else ""
    )
    until = show_deadline(found.at, found.zone)
    return Telling(
        kind="deadline",
        key=f"deadline:{found.uid}:{one.last_day.isoformat()}:{one.days}",
        title=f"{days}: {found.title[:1].lower()}{found.title[1:]}",
        text=f"{f'{stake} until {until}. ' if stake else f'Until {until}. '}{found.text}{later}",
        link=reverse(name, args=[page_id]),
        subject_type=found.subject_type,
        subject=found.subject,
        partner_id=found.partner_id,
        at=at,
        deadline_at=found.at,
        zone=found.zone,
        amount_minor=found.amount_minor,
        currency=found.currency,
    )


def moved_it(one: Round, move: Move) -> bool:
    """Whether the day that is reminded of is the one that it was moved to; the cure deadline moves with the claim deadline."""
    return one.kind != CLAIM_BY or move.after == one.last_day
