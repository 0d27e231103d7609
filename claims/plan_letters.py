"""The letter of a decision on a plan: what the partner reads, and what the channel manager checks before it is sent.

Pure but for the texts of the plan's own rows: nothing is read from the database here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from claims.letters import APPROVE, DECLINE, RETURN
from claims.models import Plan
from coop.lib.dates import show_day, show_deadline, show_instant

OUTCOMES = {
    "approve": "Approved",
    "approve_less": "Approved in part",
    "return": "To mend",
    "decline": "Declined",
    "": "Not decided yet",
}
TITLE = "channel manager"


@dataclass(frozen=True)
class Said:
    """What was decided of one activity, whether it is stored already or still to be sent."""

    name: str
    decision: str
    requested_minor: int
    approved_minor: int
    reason: str = ""


@dataclass(frozen=True)
class Row:
    """One activity as the letter shows it."""

    name: str
    outcome: str
    requested: str
    approved: str
    reason: str


@dataclass(frozen=True)
class PlanLetter:
    """All that the template shows; every amount and date is a text."""

    verdict: str
    title: str
    reference: str
    recipient: str
    when: str
    paragraphs: list[str]
    signed: str
    rows: list[Row] = field(default_factory=list)
    requested: str = ""
    approved: str = ""
    note: str = ""


def verdict_of(decisions: Sequence[str]) -> str:
    """What the decisions on its activities mean for a plan: one to return returns it, all declined decline it."""
    if RETURN in decisions:
        return RETURN
    return DECLINE if decisions and all(decision == DECLINE for decision in decisions) else APPROVE


def compose(
    plan: Plan, verdict: str, said: Sequence[Said], *, note: str = "", decider: str, acting_for: str = "", at: datetime
) -> PlanLetter:
    """The letter of a decision at an instant. `note` is what the decider adds for the partner."""
    asked = sum(row.requested_minor for row in said)
    given = sum(row.approved_minor for row in said) if verdict == APPROVE else 0
    title, text = {APPROVE: approved_text, RETURN: returned_text, DECLINE: declined_text}[verdict](plan, asked, given)
    stands_in = f" for {acting_for}" if acting_for else ""
    done = "Returned" if verdict == RETURN else "Decided"
    return PlanLetter(
        verdict=verdict,
        title=title,
        reference=str(plan),
        recipient=plan.partner.name,
        when=show_instant(at),
        paragraphs=[text],
        signed=f"{done} by {decider}, {TITLE}{stands_in}.",
        rows=[
            Row(
                row.name,
                OUTCOMES["" if verdict == RETURN and row.decision != RETURN else row.decision],
                plan.show(row.requested_minor),
                plan.show(row.approved_minor) if verdict == APPROVE else "",
                row.reason,
            )
            for row in said
        ],
        requested=plan.show(asked),
        approved=plan.show(given) if verdict == APPROVE else "",
        note=note.strip(),
    )


def approved_text(plan: Plan, asked: int, given: int) -> tuple[str, str]:
    period, zone = plan.fund.earning_period, plan.fund.program.time_zone
    until = show_deadline(plan.fund.claims_close_at, zone)
    reserved = (
        f"It is reserved in your fund from now on: do the work until {show_day(period.use_to)}, then claim it until "
        f"{until}, with the proof that each activity asks for."
    )
    if given == asked:
        return (
            f"We approve {plan.show(given)}, all that you asked for",
            f"Your plan “{plan.title}” is approved. {reserved}",
        )
    return (
        f"We approve {plan.show(given)} of the {plan.show(asked)} you asked for",
        f"Your plan “{plan.title}” is approved in part. The reason for each difference stands beside its activity. {reserved}",
    )


def returned_text(plan: Plan, asked: int, given: int) -> tuple[str, str]:
    return "Your plan has to be mended before we can decide", (
        f"We return your plan “{plan.title}” for {plan.show(asked)}. It is not declined: mend what stands here and send it "
        "again. Nothing is reserved until then."
    )


def declined_text(plan: Plan, asked: int, given: int) -> tuple[str, str]:
    return f"We decline your plan for {plan.show(asked)}", (
        f"Your plan “{plan.title}” is declined; the reason stands beside each activity. Nothing is reserved, and the money "
        "stays available for other plans."
    )
