"""Claims: what waits for a decision, what was decided with its fix list, what lapsed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from claims import letters, states
from claims.due import dispute_until
from claims.models import Claim
from claims.notices.words import about_claim, fix_lines, nobody, reviewers, split, workers_on_claim
from coop.lib.dates import show_day, show_deadline
from funds.notices.words import sentences
from partners.audience import Audience
from partners.models import Event
from partners.telling import Telling, ToldOf


def claims_of(group: Sequence[Event]) -> dict[str, Claim]:
    found = Claim.objects.with_names().filter(id__in=[event.subject for event in group])
    read = found.prefetch_related("lines", "invitations", "decisions")
    return {str(claim.pk): claim for claim in read}


# --- For who decides --------------------------------------------------------------------------------------------------


def submitted(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    """Waits for a channel manager. What was decided or withdrawn since is not told any more."""
    claims = claims_of(group)
    for event in group:
        claim = claims[event.subject]
        if claim.status not in (states.SUBMITTED, states.IN_REVIEW) or claim.sendings != event.data.get("sending", 1):
            continue
        again = " again, mended" if claim.sendings > 1 else ""
        text = (
            f"{claim.partner.name} sent {claim.number}{again}: {claim.activity.name}, {claim.show(claim.claimed_minor)}. "
            f"Decide it until {due(claim)}. The money is held for it meanwhile."
        )
        title = f"Decide “{claim.title}” of {claim.partner.name}"
        telling = to_decide(event, claim, title, text)
        yield event, reviewers(who, claim.partner_id, but=[claim.submitted_by_id]), telling


def to_decide(event: Event, claim: Claim, title: str, text: str) -> Telling:
    """That a claim or its dispute waits for a decision, by the day that it is due."""
    money, due_at = claim.claimed_minor, claim.review_due_at
    return about_claim(event, claim, "needs_you", title, text, page="review", amount_minor=money, deadline_at=due_at)


def disputed(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    """Waits for somebody who did not decline it before."""
    claims = claims_of(group)
    for event in group:
        claim = claims[event.subject]
        if claim.status != states.DISPUTED:
            continue
        text = (
            f"{claim.partner.name} disputes the decision to decline {claim.number} ({claim.activity.name}, "
            f"{claim.show(claim.claimed_minor)}): {claim.dispute.rstrip('.')}. Somebody who did not decline it decides, until "
            f"{due(claim)}."
        )
        title = f"Decide the dispute of “{claim.title}” of {claim.partner.name}"
        telling = to_decide(event, claim, title, text)
        yield event, reviewers(who, claim.partner_id, but=who_declined(claim)), telling


def overdue(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    """Whoever has it hears that it is due, the other channel managers that nobody decided; without any, program admins do."""
    claims = claims_of(group)
    for event in group:
        claim = claims[event.subject]
        if claim.status not in states.WAITING:
            continue
        barred = [claim.submitted_by_id, *(who_declined(claim) if claim.status == states.DISPUTED else ())]
        deciders = reviewers(who, claim.partner_id, but=barred)
        what = "The dispute" if claim.status == states.DISPUTED else "The decision"
        mine, others = split(who, deciders, claim.reviewer_id)
        text = (
            f"{what} of {claim.number} ({claim.partner.name}, {claim.activity.name}, {claim.show(claim.claimed_minor)}) was "
            f"due by {due(claim)}. The partner waits, and its money is held meanwhile. Decide it now."
        )
        title = f"{what} of “{claim.title}” is overdue"
        at_stake: dict[str, Any] = {
            "page": "review",
            "amount_minor": claim.claimed_minor,
            "deadline_at": claim.review_due_at,
        }
        yield event, mine, about_claim(event, claim, "deadline", title, text, **at_stake)
        yield event, others, about_claim(event, claim, "nobody_acted", title, nobody(text, mine), **at_stake)


def who_declined(claim: Claim) -> list[int | None]:
    return [claim.first_decided_by_id, *(one.decided_by_id for one in claim.decisions.all() if one.act == "decline")]


def due(claim: Claim) -> str:
    at = claim.review_due_at
    return show_deadline(at, claim.fund.program.time_zone) if at else "soon"


# --- For the partner --------------------------------------------------------------------------------------------------


def returned(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    """With the fix list of that return, each with its field."""
    claims = claims_of(group)
    for event in group:
        claim, fixes = claims[event.subject], event.data.get("fixes", [])
        claimed = claim.held_minor or claim.claimed_minor
        title, words = letters.returned_text(claim, claimed, 0, len(fixes), event.at)
        text = "\n".join(
            [sentences(*words), fix_lines(claim, fixes), *([event.data["note"]] if event.data.get("note") else [])]
        )
        telling = about_claim(
            event,
            claim,
            "needs_you",
            f"{title}: “{claim.title}”",
            text,
            amount_minor=claimed,
            deadline_at=claim.fund.cure_close_at,
        )
        yield event, workers_on_claim(who, claim), telling


def approved(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    """With the reason of each line of which less is paid."""
    claims = claims_of(group)
    for event in group:
        claim, data = claims[event.subject], event.data
        claimed, given = int(data["claimed"]), int(data["approved"])
        title, words = letters.approved_text(claim, claimed, given, 0, event.at)
        less = [
            f"- {line}: {claim.show(line.approved_minor or 0)} of {claim.show(line.amount_minor)}. {line.reason}".rstrip()
            for line in claim.lines.all()
            if line.decision in ("approve_less", "decline")
        ]
        text = "\n".join([sentences(*words), *less, *([data["note"]] if data.get("note") else [])])
        yield (
            event,
            workers_on_claim(who, claim),
            about_claim(event, claim, "decision", f"{title}: “{claim.title}”", text, amount_minor=given),
        )


def declined(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    claims = claims_of(group)
    for event in group:
        claim = claims[event.subject]
        title, words = letters.declined_text(claim, claim.claimed_minor, 0, 0, event.at)
        text = "\n".join([sentences(*words), f"Reason: {event.data.get('reason', '')}"])
        telling = about_claim(
            event,
            claim,
            "decision",
            f"{title}: “{claim.title}”",
            text,
            amount_minor=claim.claimed_minor,
            deadline_at=dispute_until(event.at, claim.fund.program),
        )
        yield event, workers_on_claim(who, claim), telling


def upheld(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    claims = claims_of(group)
    for event in group:
        claim = claims[event.subject]
        title, words = letters.upheld_text(claim, claim.claimed_minor, 0, 0, event.at)
        text = "\n".join([sentences(*words), f"Reason: {event.data.get('reason', '')}"])
        yield (
            event,
            workers_on_claim(who, claim),
            about_claim(event, claim, "decision", f"{title}: “{claim.title}”", text, amount_minor=claim.claimed_minor),
        )


def lapsed(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    claims = claims_of(group)
    for event in group:
        claim, program = claims[event.subject], claims[event.subject].fund.program
        until = show_deadline(datetime.fromisoformat(event.data["deadline"]), program.time_zone)
        amount = claim.show(claim.claimed_minor)
        text = (
            f"{claim.number} was returned to you and not mended until {until}. The {amount} that were held for it expired."
            if claim.sendings
            else f"{claim.number} was not sent until {until}. Its {amount} cannot be claimed from this fund any more. Work "
            f"done after {show_day(claim.fund.earning_period.use_to)} belongs to a later period."
        )
        telling = about_claim(
            event, claim, "expired", f"“{claim.title}” lapsed at its deadline", text, amount_minor=claim.claimed_minor
        )
        yield event, workers_on_claim(who, claim), telling
