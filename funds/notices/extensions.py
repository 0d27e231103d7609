"""Dates that move, and somebody who asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from django.urls import reverse

from coop.lib.dates import end_of_day, show_day, show_deadline
from coop.lib.db import rows
from coop.lib.money import display
from funds.models import EarningPeriod, Extension, Fund
from funds.notices.words import key_of
from partners.audience import Audience
from partners.models import Event
from partners.states import PROGRAM_ADMIN
from partners.telling import Telling, ToldOf

CHUNK = 500  # partners
# What each partner can still claim or mend in a period, of the funds whose deadline the period's is.
AT_STAKE = """
SELECT partner_id, currency, sum(available_minor + reserved_minor + in_review_minor)::bigint FROM funds_fund
WHERE earning_period_id = %s AND own_close_at IS NULL AND settled_at IS NOT NULL AND partner_id = ANY(%s)
GROUP BY 1, 2 HAVING sum(available_minor + reserved_minor + in_review_minor) > 0 ORDER BY 1, 2"""
PARTNERS = """
SELECT DISTINCT partner_id FROM funds_fund WHERE earning_period_id = %s AND partner_id > %s ORDER BY 1 LIMIT %s"""
OF_PARTNER = """
SELECT partner_id, currency, sum(available_minor + reserved_minor + in_review_minor)::bigint FROM funds_fund
WHERE earning_period_id = %s AND partner_id = %s AND settled_at IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2"""


def period_extended(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    """Every partner with money in the period, once, with all that it can still claim."""
    periods = EarningPeriod.objects.select_related("program").in_bulk([int(event.subject) for event in group])
    for event in group:
        period = periods[int(event.subject)]
        after = 0
        while partners := [row[0] for row in rows(PARTNERS, [period.pk, after, CHUNK])]:
            after = partners[-1]
            there = Audience(partners, at=who.at)
            stakes: dict[int, list[tuple[str, int]]] = {}
            for partner_id, currency, minor in rows(AT_STAKE, [period.pk, partners]):
                stakes.setdefault(partner_id, []).append((currency, minor))
            for partner_id, left in stakes.items():
                text = moved(event.data["before"], event.data["claims_close_on"], left, event.data.get("reason", ""))
                telling = about_period(event, period, partner_id, moved_title(period, event.data), text, left)
                yield event, there.of_partner(partner_id), telling


def granted(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    """An extension of one partner; of one for a whole period the period's own event tells."""
    found = extensions_of(group)
    for event in group:
        extension = found[event.subject]
        if extension.partner_id is None or extension.claims_close_on is None:
            continue
        period = extension.earning_period
        left = [(row[1], row[2]) for row in rows(OF_PARTNER, [period.pk, extension.partner_id]) if row[2] > 0]
        data = {"claims_close_on": extension.claims_close_on.isoformat()}
        before = extension.claims_close_on_before or period.claims_close_on
        text = moved(before.isoformat(), data["claims_close_on"], left, extension.reason)
        until = closes_at(extension)
        telling = about_period(
            event, period, extension.partner_id, moved_title(period, data), text, left, deadline_at=until
        )
        yield event, who.of_partner(extension.partner_id), telling


def declined(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    found = extensions_of(group)
    for event in group:
        extension = found[event.subject]
        period = extension.earning_period
        closes = closes_at(extension)
        until = show_deadline(closes, period.program.time_zone)
        text = (
            f"You asked for the claim deadline of {period.program.name}, {period} to move"
            f"{f' to {show_day(extension.asked_until)}' if extension.asked_until else ''}. It was declined: "
            f"{extension.reason.rstrip('.')}. Claims are taken until {until}; what is not claimed by then expires."
        )
        left = [(row[1], row[2]) for row in rows(OF_PARTNER, [period.pk, extension.partner_id]) if row[2] > 0]
        title = f"No later deadline for {period.program.name}, {period}"
        yield (
            event,
            who.of_partner(extension.partner_id),
            about_period(event, period, extension.partner_id, title, text, left, deadline_at=closes),
        )


def asked(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    """Program admins decide. What was decided since is not told."""
    found = extensions_of(group)
    for event in group:
        extension = found[event.subject]
        if extension.status != "asked" or extension.partner is None:
            continue
        period = extension.earning_period
        left = [(row[1], row[2]) for row in rows(OF_PARTNER, [period.pk, extension.partner_id]) if row[2] > 0]
        wanted = show_day(extension.asked_until) if extension.asked_until else "a later day"
        text = (
            f"{extension.partner.name} asks for the claim deadline of {period.program.name}, {period} to move to {wanted}: "
            f"{extension.asked_because.rstrip('.')}. {stake(left)} Decide while the deadline has not passed: afterwards it is "
            "not moved any more."
        )
        title = f"{extension.partner.name} asks for a later deadline"
        telling = about_period(
            event,
            period,
            extension.partner_id,
            title,
            text,
            left,
            kind="needs_you",
            deadline_at=closes_at(extension),
        )
        yield event, who.of_vendor(PROGRAM_ADMIN), telling


def extensions_of(group: Sequence[Event]) -> dict[str, Extension]:
    found = Extension.objects.filter(id__in=[event.subject for event in group])
    return {str(one.pk): one for one in found.select_related("earning_period__program", "partner")}


def closes_at(extension: Extension) -> datetime:
    """Until when the partner's claims are taken: its own date where it has one."""
    period = extension.earning_period
    fund = Fund.objects.filter(earning_period=period, partner_id=extension.partner_id or 0).order_by("id").first()
    if fund is not None:
        return fund.claims_close_at
    return end_of_day(extension.claims_close_on or period.claims_close_on, period.program.time_zone)


def moved_title(period: EarningPeriod, data: dict[str, str]) -> str:
    day = show_day(date.fromisoformat(data["claims_close_on"]))
    return f"More time: claims for {period.program.name}, {period} are taken until {day}"


def moved(before: str, after: str, left: Sequence[tuple[str, int]], reason: str) -> str:
    old, new = (show_day(date.fromisoformat(day)) for day in (before, after))
    why = f" Reason: {reason.rstrip('.')}." if reason else ""
    return f"The claim deadline moved from {old} to {new}.{why} {stake(left)} Your reminders follow the new date."


def stake(left: Sequence[tuple[str, int]]) -> str:
    """What is at stake, as a sentence; nothing where nothing is."""
    if not left:
        return ""
    return f"{' and '.join(display(minor, currency) for currency, minor in left)} can still be claimed or mended."


def about_period(
    event: Event,
    period: EarningPeriod,
    partner_id: int | None,
    title: str,
    text: str,
    left: Sequence[tuple[str, int]],
    *,
    kind: str = "dates",
    deadline_at: datetime | None = None,
) -> Telling:
    """Of an extension the page is its own; of a period that moved for all, the list of one's funds."""
    alone = left[0] if len(left) == 1 else None
    return Telling(
        kind=kind,
        key=key_of(event),
        title=title,
        text=text,
        link=reverse("extension", args=[event.subject]) if event.subject_type == "extension" else reverse("funds"),
        subject_type="earning_period",
        subject=str(period.pk),
        partner_id=partner_id,
        at=event.at,
        deadline_at=deadline_at or period.claims_close_at,
        zone=period.program.time_zone,
        amount_minor=alone[1] if alone else None,
        currency=alone[0] if alone else "",
    )
