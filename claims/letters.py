"""The decision letter: what a partner reads of a decision. The reviewer checks the very same words before sending them.

Pure but for the texts of the claim's own rows: nothing is read from the database here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from claims import states
from claims.due import dispute_until
from claims.models import Claim
from coop.lib.dates import show_day, show_deadline, show_instant
from funds.queries.payables import payable_by

APPROVE, RETURN, DECLINE, UPHOLD = "approve", "return", "decline", "uphold"


@dataclass(frozen=True)
class LetterLine:
    """One line of the claim as the letter shows it."""

    name: str
    outcome: str
    claimed: str
    approved: str
    reason: str = ""


@dataclass(frozen=True)
class SaidOfDocument:
    """A document that does not count, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Letter:
    """All that the template shows; every amount and date is a text."""

    verdict: str
    title: str
    reference: str
    recipient: str
    when: str
    paragraphs: list[str]
    signed: str
    lines: list[LetterLine] = field(default_factory=list)
    claimed: str = ""
    approved: str = ""
    fixes: list[str] = field(default_factory=list)
    documents: list[SaidOfDocument] = field(default_factory=list)
    note: str = ""


@dataclass(frozen=True)
class Said:
    """What was decided of one line, whether it is stored already or still to be sent."""

    name: str
    decision: str
    amount_minor: int
    approved_minor: int
    reason: str = ""


def verdict_of(decisions: Sequence[str]) -> str:
    """What the decisions on its lines mean for a claim: one line to return returns it, all lines declined decline it."""
    if RETURN in decisions:
        return RETURN
    return DECLINE if all(decision == DECLINE for decision in decisions) else APPROVE


def compose(
    claim: Claim,
    verdict: str,
    said: Sequence[Said],
    *,
    fixes: Sequence[str] = (),
    documents: Sequence[SaidOfDocument] = (),
    note: str = "",
    reviewer: str,
    at: datetime,
) -> Letter:
    """The letter of a decision. `at` is the instant of the decision, `note` what the reviewer adds for the partner, and
    `documents` those that were declined; what is to be returned of them stands among the fixes.
    """
    claimed = sum(line.amount_minor for line in said)
    approved = sum(line.approved_minor for line in said)
    title, paragraphs = TEXTS[verdict](claim, claimed, approved, len(fixes), at)
    if verdict in (APPROVE, RETURN) and decided_on_dispute(claim):
        paragraphs = [f"{disputed_text(claim)} Somebody who did not decide before looked at it again.", *paragraphs]
    return Letter(
        verdict=DECLINE if verdict == UPHOLD else verdict,
        title=title,
        reference=claim.number,
        recipient=claim.partner.name,
        when=show_instant(at),
        paragraphs=paragraphs,
        signed=f"Decided by {reviewer}, channel manager."
        if verdict != RETURN
        else f"Returned by {reviewer}, channel manager.",
        lines=[
            LetterLine(
                line.name,
                "Approved in part" if line.decision == "approve_less" else OUTCOMES[line.decision],
                claim.show(line.amount_minor),
                claim.show(line.approved_minor),
                line.reason if verdict == APPROVE else "",
            )
            for line in said
        ]
        if verdict != RETURN
        else [],
        claimed=claim.show(claimed),
        approved=claim.show(approved),
        fixes=list(fixes),
        documents=list(documents),
        note=note.strip(),
    )


OUTCOMES = {"approve": "Approved", "decline": "Declined", "return": "Returned", "": "Approved"}


def subject(claim: Claim) -> str:
    return f"“{claim.title}” ({claim.activity.name})"


def approved_text(claim: Claim, claimed: int, approved: int, fixes: int, at: datetime) -> tuple[str, list[str]]:
    latest = show_day(payable_by(at, claim.fund.program))
    pay = f"It is paid with one of the next payment runs, by {latest} at the latest."
    if approved == claimed:
        return f"We approve {claim.show(approved)}, all that you claimed", [
            f"Your claim for {subject(claim)} is approved. {pay}"
        ]
    rest = f"The other {claim.show(claimed - approved)}"
    return f"We approve {claim.show(approved)} of the {claim.show(claimed)} you claimed", [
        f"Your claim for {subject(claim)} is approved in part. The reason for each difference stands beside its line. {pay}",
        rest_text(claim, rest, at),
    ]


def returned_text(claim: Claim, claimed: int, approved: int, fixes: int, at: datetime) -> tuple[str, list[str]]:
    things = "1 thing has" if fixes == 1 else f"{fixes} things have"
    until = show_deadline(claim.fund.cure_close_at, claim.fund.program.time_zone)
    text = (
        f"We return your claim for {subject(claim)}. It is not declined: mend what is listed here and send it again "
        f"by {until}. Until then the {claim.show(claim.held_minor or claim.claimed_minor)} stay held for it."
    )
    return f"{things} to be mended before we can decide", [text]


def declined_text(claim: Claim, claimed: int, approved: int, fixes: int, at: datetime) -> tuple[str, list[str]]:
    program = claim.fund.program
    until = show_deadline(dispute_until(at, program), program.time_zone)
    return f"We decline your claim for {claim.show(claimed)}", [
        f"Your claim for {subject(claim)} is declined. The reason stands below.",
        rest_text(claim, f"The {claim.show(claimed)}", at),
        f"If this is wrong, dispute it until {until}: somebody else decides then.",
    ]


def upheld_text(claim: Claim, claimed: int, approved: int, fixes: int, at: datetime) -> tuple[str, list[str]]:
    return "We uphold our decision on your claim", [
        f"{disputed_text(claim)} Somebody who did not decide before looked at it again.",
        f"Your claim for {subject(claim)} over {claim.show(claimed)} stays declined. The reason stands below.",
        "This decision is not disputed again.",
    ]


def decided_on_dispute(claim: Claim) -> bool:
    """Whether what the claim waits for, or what was decided last, is about a dispute of what was sent last."""
    return bool(claim.disputed_at and claim.submitted_at and claim.disputed_at > claim.submitted_at)


def disputed_text(claim: Claim) -> str:
    day = show_day(claim.disputed_at.date()) if claim.disputed_at else ""
    return f"On {day} you disputed our decision to decline this claim."


TEXTS = {APPROVE: approved_text, RETURN: returned_text, DECLINE: declined_text, UPHOLD: upheld_text}


def rest_text(claim: Claim, rest: str, at: datetime) -> str:
    """What becomes of the money that was held and not approved."""
    if at < claim.fund.claims_close_at:
        until = show_deadline(claim.fund.claims_close_at, claim.fund.program.time_zone)
        if claim.plan_activity_id is not None:
            return f"{rest} go back to your plan, as far as it reserved them, and else to the fund. Claim them until {until}."
        return f"{rest} are available again. Claim them for other work until {until}."
    return f"{rest} expire, because the claim deadline was {show_day(claim.fund.claims_close_on)}."


def one_reason(said: Sequence[Said], note: str) -> str:
    """The one reason of a declined claim, put together from those of its lines and the further words."""
    reasons = list(dict.fromkeys(line.reason.strip() for line in said if line.reason.strip()))
    if len(reasons) > 1:
        reasons = [f"{line.name}: {line.reason.strip()}" for line in said if line.reason.strip()]
    return "\n".join([*reasons, *([note.strip()] if note.strip() else [])])


def letter_of(claim: Claim) -> Letter | None:
    """The letter of a claim that was decided or returned, from its stored decision; None before that.

    Of a disputed claim it is the letter that declined it. Give the claim with its names, lines, documents and people read.
    """
    decider = claim.first_decided_by if claim.status == states.DISPUTED else claim.reviewer
    verdict = verdict_on(claim)
    if not verdict or decider is None:
        return None
    said = [
        Said(str(line), line.decision, line.amount_minor, line.approved_minor or 0, line.reason)
        for line in claim.lines.all()
    ]
    return compose(
        claim,
        verdict,
        said,
        fixes=[fix["message"] for fix in claim.returned_fixes],
        documents=[
            SaidOfDocument(str(document), document.reason)
            for document in claim.documents.all()
            if document.decision == DECLINE
        ],
        note=claim.decision_note,
        reviewer=decider.name,
        at=(claim.turn_since if verdict == RETURN else claim.decided_at) or claim.turn_since,
    )


def verdict_on(claim: Claim) -> str:
    """What was decided last, as the status tells; empty where nothing is."""
    if claim.status == states.REJECTED and decided_on_dispute(claim):
        return UPHOLD
    return {
        states.APPROVED: APPROVE,
        states.PAID: APPROVE,
        states.REJECTED: DECLINE,
        states.DISPUTED: DECLINE,
        states.ACTION_REQUIRED: RETURN,
    }.get(claim.status, "")
