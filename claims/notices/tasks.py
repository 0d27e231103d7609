"""Tasks of a claim that somebody is asked to do. A guest hears of nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db.models import Q
from django.urls import reverse

from claims import states
from claims.models import Invitation
from coop.lib.dates import show_deadline
from funds.notices.words import key_of, sentences
from partners.audience import Audience
from partners.models import Event
from partners.telling import Telling, ToldOf


def given(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    """To whoever is asked, while the task is still theirs to do. It names no money: a guest sees none."""
    asked = invitations_of(group, "invited_at")
    for event in group:
        invitation = asked.get((event.subject, event.at, str(event.data.get("task"))))
        if invitation is None or invitation.done_at or invitation.revoked_at or not invitation.claim.is_open:
            continue
        claim, zone = invitation.claim, invitation.claim.fund.program.time_zone
        closes = claim.fund.cure_close_at if claim.sendings else claim.fund.claims_close_at
        task = states.TASKS[invitation.task]
        text = sentences(
            f"{invitation.invited_by.name} of {claim.partner.name} asks you to do a part of claim {claim.number}: {task}.",
            f"“{invitation.note.rstrip('.')}.”" if invitation.note else "",
            f"The claim must be sent until {show_deadline(closes, zone)}.",
        )
        yield (
            event,
            [invitation.person],
            Telling(
                kind="needs_you",
                key=f"{key_of(event)}:{invitation.pk}",
                title=f"{task} of “{claim.title}”: {invitation.invited_by.name} asks you",
                text=text,
                link=reverse("guest-task", args=[invitation.pk]),
                subject_type="invitation",
                subject=str(invitation.pk),
                partner_id=claim.partner_id,
                at=event.at,
                deadline_at=closes,
                zone=zone,
            ),
        )


def done(group: Sequence[Event], who: Audience) -> Iterator[ToldOf]:
    """To whoever asked for it."""
    asked = invitations_of(group, "done_at")
    for event in group:
        invitation = asked.get((event.subject, event.at, str(event.data.get("task"))))
        if invitation is None:
            continue
        claim, note = invitation.claim, str(event.data.get("note", ""))
        closes = claim.fund.cure_close_at if claim.sendings else claim.fund.claims_close_at
        text = sentences(
            f"{invitation.person.name} finished what you asked for in claim {claim.number}.",
            f"“{note.rstrip('.')}.”" if note else "",
            "Look at it and send the claim." if claim.is_open else "",
        )
        yield (
            event,
            who.named(invitation.invited_by_id),
            Telling(
                kind="needs_you",
                key=f"{key_of(event)}:{invitation.pk}",
                title=f"{states.TASKS[invitation.task]} of “{claim.title}” is done",
                text=text,
                link=reverse("claim", args=[claim.pk]),
                subject_type="claim",
                subject=str(claim.pk),
                partner_id=claim.partner_id,
                at=event.at,
                deadline_at=closes if claim.is_open else None,
                zone=claim.fund.program.time_zone,
            ),
        )


def invitations_of(group: Sequence[Event], column: str) -> dict[tuple[str, object, str], Invitation]:
    """The invitations that events speak of: of this claim, this task, and this instant."""
    wanted = Q(pk__in=[])
    for event in group:
        wanted |= Q(claim_id=event.subject, task=event.data.get("task", ""), **{column: event.at})
    found = Invitation.objects.filter(wanted).select_related(
        "person", "invited_by", "claim__partner", "claim__fund__program", "claim__fund__earning_period"
    )
    return {(str(one.claim_id), getattr(one, column), one.task): one for one in found}
