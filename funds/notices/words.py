"""What all notices of money share: how a fund is named, and a telling about one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.urls import reverse

from funds.models import Fund
from partners.models import Event
from partners.telling import Telling


def named(fund: Fund) -> str:
    """E.g. "MCI CSP Reseller, FY24 H1, Head office". Give the fund with its names read."""
    return f"{fund.program.name}, {fund.earning_period}, {fund.location.name}"


def key_of(event: Event, *more: object) -> str:
    """What is told of an event is told to a person once."""
    return ":".join([event.verb, str(event.pk), *map(str, more)])


def sentences(*parts: str) -> str:
    """Sentences that are there, one after the other."""
    return " ".join(part for part in parts if part)


def about_fund(
    event: Event,
    fund: Fund,
    kind: str,
    title: str,
    text: str,
    *,
    amount_minor: int | None = None,
    deadline_at: datetime | None = None,
) -> Telling:
    return Telling(
        kind=kind,
        key=key_of(event, *(() if event.subject_type == "fund" else (fund.pk,))),
        title=title,
        text=text,
        link=reverse("fund", args=[fund.pk]),
        subject_type="fund",
        subject=str(fund.pk),
        partner_id=fund.partner_id,
        at=event.at,
        deadline_at=deadline_at,
        zone=fund.program.time_zone,
        amount_minor=amount_minor,
        currency=fund.currency,
    )


def funds_of(group: Sequence[Event]) -> dict[str, Fund]:
    """The funds that events are about, by the subject of the event, with their names."""
    return {str(fund.pk): fund for fund in with_names(int(event.subject) for event in group)}


def with_names(ids: Iterable[int]) -> list[Fund]:
    return list(Fund.objects.with_names().filter(id__in=set(ids)).order_by("id"))
