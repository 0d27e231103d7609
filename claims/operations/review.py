"""Deciding a claim: start, return, approve in full or in part by line, decline; and what payment does to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from claims import states
from claims.models import Claim, ClaimLine
from claims.operations.opening import lock_claim
from claims.operations.sending import finish, release_hold
from claims.permissions import require_reviewer
from coop.lib.dates import show_deadline, show_instant
from coop.lib.errors import FieldError, Invalid, WindowClosed, WrongStatus, check_revision
from coop.lib.transitions import follow
from funds.operations import holds
from partners.models import Person


@dataclass(frozen=True)
class LineDecision:
    """What a reviewer says of one line. `approved_minor` counts for approve_less only; all but approve need a reason."""

    line_id: int
    decision: str
    approved_minor: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class Fix:
    """One thing that the partner must mend, at its field."""

    field: str
    message: str


def lock_for_review(claim_id: int, *, by: Person, revision: int | None) -> Claim:
    claim = lock_claim(claim_id, by=by)
    require_reviewer(by, claim)
    check_revision(revision, claim.revision)
    return claim


def begin(claim: Claim, *, by: Person, at: datetime) -> None:
    """Start the review of a locked claim; a decision on a claim that nobody opened starts it too (ADR 0009)."""
    claim.status = follow(states.CLAIMS, "start_review", claim.status, what=f"claim {claim.number}")
    claim.reviewer = by
    finish(claim, "claim.review_started", by=by, at=at)


@transaction.atomic
def start_review(claim_id: int, *, revision: int | None = None, by: Person, at: datetime) -> Claim:
    """Take a sent claim into review. Raises NotFound, NotAllowed, SelfDecision, Stale, WrongStatus."""
    claim = lock_for_review(claim_id, by=by, revision=revision)
    begin(claim, by=by, at=at)
    return claim


@transaction.atomic
def return_claim(
    claim_id: int,
    *,
    fixes: Sequence[Fix],
    decisions: Sequence[LineDecision] = (),
    note: str = "",
    revision: int | None = None,
    by: Person,
    at: datetime,
) -> Claim:
    """Give a claim back to be mended, with a fix list. It keeps what it holds until the cure deadline.

    Lines decided as "return" add their reason to the list. Raises Invalid when nothing says what to mend.
    """
    claim = lock_for_review(claim_id, by=by, revision=revision)
    require_time_to_mend(claim, at)
    if claim.status == states.SUBMITTED:
        begin(claim, by=by, at=at)
    claim.status = follow(states.CLAIMS, "return", claim.status, what=f"claim {claim.number}")
    record_decisions(claim, decisions)
    all_fixes = [fix for fix in fixes if fix.message.strip()]
    all_fixes += [Fix(f"lines.{d.line_id}", d.reason) for d in decisions if d.decision == "return"]
    if not all_fixes:
        raise Invalid.field("fixes", "Say what has to be mended: at least one fix with its reason.", "required")
    claim.returned_fixes = [{"field": fix.field, "message": fix.message} for fix in all_fixes]
    claim.decision_note = note
    claim.reviewer = by
    finish(claim, "claim.returned", by=by, at=at, fixes=claim.returned_fixes, note=note)
    return claim


def require_time_to_mend(claim: Claim, at: datetime) -> None:
    """Refuse to return a claim that nobody could mend any more: it would only lapse. Raises WindowClosed."""
    period, zone = claim.fund.earning_period, claim.fund.program.time_zone
    if at >= period.cure_close_at:
        raise WindowClosed(
            f"It is {show_instant(at, zone)}. Claims for {period} could be mended until "
            f"{show_deadline(period.cure_close_at, zone)}, so this one cannot be returned. Approve it, in part if need be, "
            "or decline it."
        )


@transaction.atomic
def approve_claim(
    claim_id: int,
    *,
    decisions: Sequence[LineDecision] = (),
    note: str = "",
    revision: int | None = None,
    by: Person,
    at: datetime,
) -> Claim:
    """Approve a claim, line by line; lines that are not named are accepted as they are.

    What is approved waits for payment; the rest of the hold is released. Raises Invalid where a decision does not fit its
    line, where a line is to be returned, and where nothing would be approved.
    """
    claim = lock_for_review(claim_id, by=by, revision=revision)
    if claim.status == states.SUBMITTED:
        begin(claim, by=by, at=at)
    claim.status = follow(states.CLAIMS, "approve", claim.status, what=f"claim {claim.number}")
    lines = record_decisions(claim, decisions)
    if any(line.decision == "return" for line in lines):
        raise Invalid.field("decisions", "A line is to be returned: return the claim, or decide that line otherwise.")
    approved = 0
    for line in lines:
        if not line.decision:
            line.decision, line.approved_minor = "approve", line.amount_minor
            line.save()
        approved += line.approved_minor or 0
    if not approved:
        raise Invalid.field("decisions", "Nothing would be approved. Decline the claim instead, with a reason.")
    key = f"claim:{claim.pk}:approved:{claim.sendings}"
    holds.approve(claim.fund, approved, reference=claim.reference, key=key, by=by, at=at)
    release_hold(claim, "not_approved", by=by, at=at, amount_minor=claim.held_minor - approved)
    claim.held_minor = 0
    claim.approved_minor = approved
    claim.reviewer, claim.decided_at, claim.decision_note = by, at, note
    finish(claim, "claim.approved", by=by, at=at, **amounts(claim), note=note)
    return claim


@transaction.atomic
def reject_claim(claim_id: int, *, reason: str, revision: int | None = None, by: Person, at: datetime) -> Claim:
    """Decline a whole claim for good, with a reason; what it held is released. Raises Invalid without a reason."""
    claim = lock_for_review(claim_id, by=by, revision=revision)
    if not reason.strip():
        raise Invalid.field("reason", "Say why the claim is declined: the partner reads it.", "required")
    if claim.status == states.SUBMITTED:
        begin(claim, by=by, at=at)
    claim.status = follow(states.CLAIMS, "reject", claim.status, what=f"claim {claim.number}")
    claim.lines.update(decision="decline", approved_minor=0, reason=reason[:1000])
    release_hold(claim, "declined", by=by, at=at)
    claim.reviewer, claim.decided_at, claim.decision_note = by, at, reason
    finish(claim, "claim.rejected", by=by, at=at, reason=reason)
    return claim


def record_decisions(claim: Claim, decisions: Sequence[LineDecision]) -> list[ClaimLine]:
    """Write the decisions on the claim's lines; returns all its lines. Raises Invalid with all that does not fit."""
    lines = {line.pk: line for line in claim.lines.all()}
    errors: list[FieldError] = []
    seen: set[int] = set()
    for index, said in enumerate(decisions):
        line = lines.get(said.line_id)
        place = f"decisions.{index}"
        if said.line_id in seen:
            errors.append(
                FieldError(f"{place}.id", "duplicate", f"Line {said.line_id} is decided twice. Decide it once.")
            )
        seen.add(said.line_id)
        if line is None:
            errors.append(FieldError(f"{place}.id", "not_found", f"Claim {claim.number} has no line {said.line_id}."))
            continue
        errors += [FieldError(f"{place}.{field}", code, message) for field, code, message in faults(claim, line, said)]
        line.decision, line.reason = said.decision, said.reason.strip()[:1000]
        line.approved_minor = {"approve": line.amount_minor, "approve_less": said.approved_minor}.get(said.decision, 0)
    if errors:
        raise Invalid(errors=errors)
    for line in lines.values():
        if line.decision:
            line.save()
    return list(lines.values())


def faults(claim: Claim, line: ClaimLine, said: LineDecision) -> list[tuple[str, str, str]]:
    """What is wrong with one decision, as (field, code, sentence)."""
    wrong = []
    if said.decision not in states.DECISIONS:
        wrong.append(
            (
                "decision",
                "invalid",
                f"“{said.decision}” is not a decision. Use {', '.join(states.DECISIONS)}.",
            )
        )
    if said.decision != "approve" and not said.reason.strip():
        wrong.append(
            (
                "reason",
                "required",
                "Say why: anything but a plain approval needs a reason that the partner can read.",
            )
        )
    full = {"approve": line.amount_minor, "return": 0, "decline": 0}.get(said.decision)
    if full is not None and said.approved_minor not in (None, full):
        wrong.append(
            (
                "approved_amount",
                "invalid",
                "An amount is given with approve_less only. Say approve_less to accept a part of the line.",
            )
        )
    if said.decision == "approve_less":
        amount = said.approved_minor
        if amount is None or not 0 < amount < line.amount_minor:
            wrong.append(
                (
                    "approved_amount",
                    "invalid",
                    f"Enter an amount above zero and below the {claim.show(line.amount_minor)} of this line.",
                )
            )
    return wrong


def amounts(claim: Claim) -> Mapping[str, Any]:
    return {
        "claimed": str(claim.claimed_minor),
        "approved": str(claim.approved_minor),
        "currency": claim.currency,
    }


def mark_paid(claim_id: int, amount_minor: int, *, by: Person, at: datetime) -> None:
    """Note that an approved claim was paid; called by the payment operation, inside its transaction, funds locked."""
    claim = Claim.objects.select_for_update().get(id=claim_id)
    if amount_minor != claim.approved_minor:
        raise WrongStatus(
            f"Claim {claim.number} has {claim.show(claim.approved_minor)} approved, not {claim.show(amount_minor)}."
        )
    claim.status = follow(states.CLAIMS, "pay", claim.status, what=f"claim {claim.number}")
    claim.paid_minor, claim.paid_at = amount_minor, at
    finish(claim, "claim.paid", by=by, at=at, **amounts(claim))


def mark_unpaid(claim_id: int, *, by: Person, at: datetime) -> None:
    """Note that the money of a paid claim came back: it is approved again and waits for a later payment. As `mark_paid`."""
    claim = Claim.objects.select_for_update().get(id=claim_id)
    claim.status = follow(states.CLAIMS, "unpay", claim.status, what=f"claim {claim.number}")
    claim.paid_minor, claim.paid_at = 0, None
    finish(claim, "claim.payment_returned", by=by, at=at, **amounts(claim))
