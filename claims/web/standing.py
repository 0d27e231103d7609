"""Where a claim stands, in words: the sentence, whose turn it is, since when, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from claims import states
from claims.due import dispute_until, due_day, review_due
from claims.letters import UPHOLD, verdict_on
from claims.models import Claim
from coop.lib.dates import show_day, show_deadline
from funds.models import Payment
from funds.web.clocks import time_left

TONES = {
    states.DRAFT: "draft",
    states.SUBMITTED: "active",
    states.IN_REVIEW: "active",
    states.ACTION_REQUIRED: "attention",
    states.APPROVED: "active",
    states.REJECTED: "problem",
    states.DISPUTED: "active",
    states.PAID: "done",
    states.WITHDRAWN: "done",
    states.LAPSED: "problem",
}
NAMES = {states.ACTION_REQUIRED: "Returned to you"}


@dataclass(frozen=True)
class Standing:
    """`who` has the turn `since` a day; `next_step` is what comes and by when; `remains` is what the partner can still do."""

    status: str
    tone: str
    sentence: str
    who: str
    since: str
    next_step: str
    remains: str


def status_name(claim: Claim) -> str:
    return NAMES.get(claim.status, claim.status_name)


def deadline_of(claim: Claim) -> datetime:
    """Until when an open claim can be sent: a returned one longer than a draft."""
    return claim.fund.cure_close_at if claim.sendings else claim.fund.claims_close_at


def turn_of(claim: Claim) -> str:
    turn = claim.whose_turn
    if turn == "channel_manager":
        named = claim.reviewer_id and claim.status in (states.IN_REVIEW, states.DISPUTED) and claim.reviewer
        return f"With {named.name}, channel manager" if named else "With the channel manager"
    return {"partner": "Your turn", "finance": "With finance"}.get(turn, "Nobody needs to do anything")


def standing_of(claim: Claim, payment: Payment | None, *, at: datetime) -> Standing:
    """The standing of a claim at an instant."""
    sentence, next_step = said_of(claim, payment)
    return Standing(
        status=status_name(claim),
        tone=TONES[claim.status],
        sentence=sentence,
        who=turn_of(claim),
        since=show_day(claim.turn_since.date()) if claim.whose_turn != "nobody" else "",
        next_step=next_step,
        remains=remains(claim, at),
    )


def may_dispute(claim: Claim, at: datetime) -> bool:
    """Whether a declined claim can still be disputed: once, and for some days. The operation asks again."""
    if claim.status != states.REJECTED or verdict_on(claim) == UPHOLD:
        return False
    return at < dispute_deadline(claim)


def dispute_deadline(claim: Claim) -> datetime:
    """Until when the decision on a declined claim can be disputed."""
    return dispute_until(claim.decided_at or claim.turn_since, claim.fund.program)


def decision_due(claim: Claim) -> date:
    """The day by which the vendor is to decide what was sent or disputed. Claims of earlier versions say no instant."""
    due = claim.review_due_at or review_due(claim.submitted_at or claim.turn_since, claim.fund.program)
    return due_day(due, claim.fund.program.time_zone)


def said_of(claim: Claim, payment: Payment | None) -> tuple[str, str]:
    """The sentence at the top, and what comes next."""
    claimed, approved = claim.show(claim.claimed_minor), claim.show(claim.approved_minor)
    zone = claim.fund.program.time_zone
    if claim.status in (states.SUBMITTED, states.IN_REVIEW):
        verb = "waits for review" if claim.status == states.SUBMITTED else "is being reviewed"
        return (
            f"Your claim for {claimed} was sent in time and {verb}.",
            f"A decision is due by {show_day(decision_due(claim))}.",
        )
    if claim.status == states.ACTION_REQUIRED:
        until = show_deadline(deadline_of(claim), zone)
        return f"Your claim for {claimed} was returned to be mended.", f"Mend it by {until}."
    if claim.status == states.APPROVED:
        part = "in full" if claim.approved_minor == claim.claimed_minor else f"of the {claimed} you claimed"
        return f"{approved} is approved {part}, and waits to be paid.", ""
    if claim.status == states.PAID:
        return f"{claim.show(claim.paid_minor)} was paid to you.", ""
    if claim.status == states.REJECTED:
        return (
            f"Your claim for {claimed} was declined. What it held is back in the fund or, after the deadline, expired.",
            "",
        )
    if claim.status == states.DISPUTED:
        day = show_day(claim.disputed_at.date()) if claim.disputed_at else ""
        return (
            f"You disputed the decision on your claim for {claimed} on {day}. Somebody who did not decide before decides.",
            f"A decision is due by {show_day(decision_due(claim))}.",
        )
    if claim.status == states.WITHDRAWN:
        return "You withdrew this claim before a decision." if claim.sendings else "You gave this draft up.", ""
    if claim.status == states.LAPSED:
        passed = show_deadline(deadline_of(claim), zone)
        what = "was returned and not mended" if claim.sendings else "was not sent"
        return f"This claim {what} by its deadline, {passed}, so it lapsed.", ""
    return states.STATUSES[claim.status][2], ""


def remains(claim: Claim, at: datetime) -> str:
    """What the partner can still do when a claim has ended without money."""
    if claim.status not in (states.REJECTED, states.WITHDRAWN, states.LAPSED):
        return ""
    zone = claim.fund.program.time_zone
    if at < claim.fund.claims_close_at:
        left, _ = time_left(claim.fund.claims_close_at, at=at, zone=zone)
        return (
            f"The fund takes claims until {show_deadline(claim.fund.claims_close_at, zone)}, {left}: "
            "you can write a new claim for the same work."
        )
    return (
        f"The fund took claims until {show_deadline(claim.fund.claims_close_at, zone)}; money that was not claimed by then has "
        "expired. Work done since then belongs to a later fund."
    )
