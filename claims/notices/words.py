"""What all notices of plans and claims share: who works on one, who may decide it, and a telling about one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse

from claims.models import Claim, Plan
from funds.notices.words import key_of
from partners import states as roles
from partners.audience import WRITERS, Audience
from partners.models import Event, Person
from partners.telling import Telling

PLACES = {
    "activity": "Activity",
    "activity_from": "First day",
    "activity_to": "Last day",
    "country": "Country",
    "title": "Title",
    "solution_area": "Solution area",
}


# --- Who --------------------------------------------------------------------------------------------------------------


def workers(who: Audience, partner_id: int, ids: Iterable[int | None]) -> list[Person]:
    """Those of the partner who work on something; where none of them is here any more, all who could."""
    found = [one for one in who.named(*ids) if one.partner_id == partner_id and one.role in WRITERS]
    return found or who.of_partner(partner_id)


def workers_on_claim(who: Audience, claim: Claim) -> list[Person]:
    """Who began or sent it, and colleagues who were asked to help. Give the claim with its invitations read."""
    asked = [one.person_id for one in claim.invitations.all() if one.revoked_at is None]
    return workers(who, claim.partner_id, [claim.created_by_id, claim.submitted_by_id, *asked])


def workers_on_plan(who: Audience, plan: Plan) -> list[Person]:
    """Who began or sent it, and the people whom it names. Give the plan with its people read."""
    named = [one.pk for one in plan.people.all()]
    return workers(who, plan.partner_id, [plan.created_by_id, plan.submitted_by_id, *named])


def reviewers(
    who: Audience, partner_id: int, titles: Sequence[str] = (), but: Iterable[int | None] = ()
) -> list[Person]:
    """Channel managers who may decide: those with the partner in their portfolio (or standing in for one of them); where it
    is in nobody's, those who see every partner. With one of the titles, if any are asked for; `but` may not decide this one.
    """
    barred = set(but)
    found = [one for one in who.managers_of(partner_id) if one.pk not in barred and (not titles or one.title in titles)]
    return [one for one in found if not one.sees_every_partner] or found


def split(who: Audience, deciders: Sequence[Person], taken_by: int | None) -> tuple[list[Person], list[Person]]:
    """Of something overdue: who is to decide it, and who is told that nobody did.

    Where one of the deciders took it, the others hear; where nobody did, or there are no others, program admins hear.
    """
    mine = [one for one in deciders if one.pk == taken_by] or list(deciders)
    others = [one for one in deciders if one not in mine]
    return mine, others or who.of_vendor(roles.PROGRAM_ADMIN)


def nobody(text: str, mine: Sequence[Person]) -> str:
    """The same for who has to see to it."""
    names = ", ".join(person.name for person in mine[:3])
    return text.replace(
        "Decide it now.", f"It is with {names}: see to it." if names else "Nobody can decide it: see to it."
    )


# --- In which words ---------------------------------------------------------------------------------------------------


def about_claim(
    event: Event,
    claim: Claim,
    kind: str,
    title: str,
    text: str,
    *,
    page: str = "claim",
    amount_minor: int | None = None,
    deadline_at: datetime | None = None,
) -> Telling:
    return Telling(
        kind=kind,
        key=key_of(event, *(("nobody",) if kind == "nobody_acted" else ())),
        title=title,
        text=text,
        link=reverse(page, args=[claim.pk]),
        subject_type="claim",
        subject=str(claim.pk),
        partner_id=claim.partner_id,
        at=event.at,
        deadline_at=deadline_at,
        zone=claim.fund.program.time_zone,
        amount_minor=amount_minor,
        currency=claim.currency,
    )


def about_plan(
    event: Event,
    plan: Plan,
    kind: str,
    title: str,
    text: str,
    *,
    page: str = "plan",
    amount_minor: int | None = None,
    deadline_at: datetime | None = None,
) -> Telling:
    return Telling(
        kind=kind,
        key=key_of(event),
        title=title,
        text=text,
        link=reverse(page, args=[plan.pk]),
        subject_type="plan",
        subject=str(plan.pk),
        partner_id=plan.partner_id,
        at=event.at,
        deadline_at=deadline_at,
        zone=plan.fund.program.time_zone,
        amount_minor=amount_minor,
        currency=plan.currency,
    )


def fix_lines(claim: Claim, fixes: Sequence[Mapping[str, Any]]) -> str:
    """The fix list, one line each: the field, then the words of the finding or of the reviewer."""
    return "\n".join(f"- {place}: {said}" if place else f"- {said}" for place, said in named_fixes(claim, fixes))


def named_fixes(claim: Claim, fixes: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    return [(place_named(claim, str(fix.get("field", ""))), str(fix.get("message", ""))) for fix in fixes]


def place_named(claim: Claim, field: str) -> str:
    """What a partner calls the field of a fix; empty for the claim as a whole."""
    first, _, rest = field.partition(".")
    name, _, more = rest.partition(".")
    if first == "lines":
        line = next((str(line) for line in claim.lines.all() if str(line.pk) == name), "Invoices")
        return f"{line}, {spoken(more).lower()}" if more else line
    if first in ("documents", "metrics"):
        return spoken(name)
    return PLACES.get(first, spoken(first))


def spoken(code: str) -> str:
    return code.replace("-", " ").replace("_", " ").replace(".", " ").strip().capitalize()
