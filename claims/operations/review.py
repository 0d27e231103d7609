"""Deciding a claim: start, return, approve in full or in part by line, decline; and what payment does to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from claims import states
from claims.models import Claim, ClaimLine, Document
from claims.operations.deciding import findings_now, keep_claim_decision
from claims.operations.duplicates import look_for_duplicates
from claims.operations.holding import release_hold, settle_with_plan
from claims.operations.opening import lock_claim
from claims.operations.sending import finish
from claims.operations.turns import next_status, require_fresh
from claims.operations.verdicts import DocumentDecision, Fix, LineDecision, fix_of, record_decisions
from claims.permissions import has_declined, require_reviewer
from coop.lib import clock
from coop.lib.dates import show_deadline, show_instant
from coop.lib.errors import Invalid, SelfDecision, WindowClosed, WrongStatus
from funds.operations import holds
from funds.queries.deadlines import is_cured
from partners import events
from partners.models import Person

__all__ = ["DocumentDecision", "Fix", "LineDecision"]  # what the verbs here take
NOTE_MAX = 2_000


def lock_for_review(claim_id: int, *, by: Person, revision: int | None) -> Claim:
    """The claim, locked, for somebody who may decide it. Raises NotFound, NotAllowed, SelfDecision, Stale."""
    claim = lock_claim(claim_id, by=by)
    require_reviewer(by, claim)
    if has_declined(by, claim):
        raise SelfDecision(
            f"You made the decision on claim {claim.number} that its partner disputed. Somebody else decides on it now."
        )
    require_fresh(claim, revision, by=by)
    return claim


def begin(claim: Claim, *, by: Person, at: datetime) -> None:
    """Start the review of a locked claim; a decision on a claim that nobody opened starts it too (ADR 0009).

    Two claims that were sent in the same instant did not see each other's evidence: by now both are there.
    """
    look_for_duplicates(claim, at)
    claim.status = next_status(claim, "start_review", by=by)
    claim.reviewer = by
    finish(claim, "claim.review_started", by=by, at=at)


@transaction.atomic
def start_review(claim_id: int, *, revision: int | None = None, by: Person, at: datetime) -> Claim:
    """Take a sent claim into review. Raises NotFound, NotAllowed, SelfDecision, Stale, WrongStatus."""
    claim = lock_for_review(claim_id, by=by, revision=revision)
    begin(claim, by=by, at=at)
    return claim


@transaction.atomic
def note_internally(claim_id: int, *, text: str, by: Person, at: datetime) -> Claim:
    """Write a note that only the vendor's people read. Nothing of the claim changes. Raises NotFound, NotAllowed, Invalid."""
    claim = lock_claim(claim_id, by=by)
    require_reviewer(by, claim)
    if not text.strip():
        raise Invalid.field("text", "Write the note first.", "required")
    events.record("claim.noted", claim, by=by, at=at, vendor_only=True, number=claim.number, note=text[:NOTE_MAX])
    return claim


@transaction.atomic
def return_claim(
    claim_id: int,
    *,
    fixes: Sequence[Fix],
    decisions: Sequence[LineDecision] = (),
    documents: Sequence[DocumentDecision] = (),
    note: str = "",
    revision: int | None = None,
    by: Person,
    at: datetime,
) -> Claim:
    """Give a claim back to be mended, with a fix list. It keeps what it holds until the cure deadline.

    Lines and documents decided as "return" add their reason to the list. The clock is read once more after the lock. Raises
    WindowClosed when nobody could mend it any more, Invalid when nothing says what to mend.
    """
    claim = lock_for_review(claim_id, by=by, revision=revision)
    at = max(at, clock.now())
    require_time_to_mend(claim, at)
    if claim.status == states.SUBMITTED:
        begin(claim, by=by, at=at)
    claim.status = next_status(claim, "return", by=by)
    found = findings_now(claim, at=at)
    lines, files = record_decisions(claim, decisions, documents)
    claim.returned_fixes = fix_list(fixes, lines, decisions, files, documents)
    claim.decision_note = note
    claim.reviewer = by
    said = keep_claim_decision(claim, "return", found, lines, files, note=note, by=by, at=at)
    finish(claim, "claim.returned", by=by, at=at, acting_as=said, fixes=claim.returned_fixes, note=note)
    return claim


def fix_list(
    fixes: Sequence[Fix],
    lines: Iterable[ClaimLine],
    decisions: Sequence[LineDecision],
    files: Iterable[Document],
    documents: Sequence[DocumentDecision],
) -> list[dict[str, str]]:
    """All that is to be mended, each once: what was said, then the lines and documents to be returned.

    Raises Invalid where there is nothing.
    """
    known = {document.pk: document for document in files}
    said = [Fix(fix.field, fix.message.strip()) for fix in fixes if fix.message.strip()]
    said += [Fix(f"lines.{d.line_id}", d.words) for d in decisions if d.decision == "return"]
    for decision in documents:
        if decision.decision == "return":
            fix = fix_of(known[decision.document_id], decision.words)
            if not {fix.message, decision.words} & {one.message for one in said}:
                said.append(fix)
    if not said:
        raise Invalid.field("fixes", "Say what has to be mended: at least one fix with its reason.", "required")
    return [{"field": fix.field, "message": fix.message} for fix in dict.fromkeys(said)]


def require_time_to_mend(claim: Claim, at: datetime) -> None:
    """Refuse to return a claim that nobody could mend any more: it would only lapse. Raises WindowClosed."""
    fund, zone = claim.fund, claim.fund.program.time_zone
    if is_cured(fund, at):
        raise WindowClosed(
            f"It is {show_instant(at, zone)}. Claims for {fund.earning_period} could be mended until "
            f"{show_deadline(fund.cure_close_at, zone)}, so this one cannot be returned. Approve it, in part if need be, "
            "or decline it."
        )


@transaction.atomic
def approve_claim(
    claim_id: int,
    *,
    decisions: Sequence[LineDecision] = (),
    documents: Sequence[DocumentDecision] = (),
    note: str = "",
    revision: int | None = None,
    by: Person,
    at: datetime,
) -> Claim:
    """Approve a claim, line by line; lines that are not named are accepted as they are.

    What is approved waits for payment; the rest of the hold is released. Raises Invalid where a decision does not fit its
    line or document, where one is to be returned, and where nothing would be approved.
    """
    claim = lock_for_review(claim_id, by=by, revision=revision)
    if claim.status == states.SUBMITTED:
        begin(claim, by=by, at=at)
    claim.status = next_status(claim, "approve", by=by)
    found = findings_now(claim, at=at)
    lines, files = record_decisions(claim, decisions, documents)
    approved = accept_the_rest(lines, files)
    key = f"claim:{claim.pk}:approved:{claim.sendings}"
    holds.approve(claim.fund, approved, reference=claim.reference, key=key, by=by, at=at)
    release_hold(claim, "not_approved", by=by, at=at, amount_minor=claim.held_minor - approved)
    claim.held_minor = claim.from_plan_minor = 0
    claim.approved_minor = approved
    claim.reviewer, claim.decided_at, claim.decision_note = by, at, note
    said = keep_claim_decision(claim, "approve", found, lines, files, note=note, by=by, at=at)
    finish(claim, "claim.approved", by=by, at=at, acting_as=said, **amounts(claim), note=note)
    settle_with_plan(claim, by=by, at=at)
    return claim


def accept_the_rest(lines: Iterable[ClaimLine], files: Iterable[Document]) -> int:
    """Accept the lines that nothing was said of; returns what is approved in all.

    Raises Invalid where a line or a document is to be returned, and where nothing would be approved.
    """
    if any(line.decision == "return" for line in lines):
        raise Invalid.field("decisions", "A line is to be returned: return the claim, or decide that line otherwise.")
    if any(document.decision == "return" for document in files):
        raise Invalid.field(
            "documents", "A document is to be returned: return the claim, or decide that document otherwise."
        )
    approved = 0
    for line in lines:
        if not line.decision:
            line.decision, line.approved_minor = "approve", line.amount_minor
            line.save()
        approved += line.approved_minor or 0
    if not approved:
        raise Invalid.field("decisions", "Nothing would be approved. Decline the claim instead, with a reason.")
    return approved


@transaction.atomic
def reject_claim(
    claim_id: int,
    *,
    reason: str,
    documents: Sequence[DocumentDecision] = (),
    revision: int | None = None,
    by: Person,
    at: datetime,
) -> Claim:
    """Decline a whole claim for good, with a reason; what it held is released. Raises Invalid without a reason.

    Its partner may dispute that (`claims.operations.disputes`).
    """
    claim = lock_for_review(claim_id, by=by, revision=revision)
    if not reason.strip():
        raise Invalid.field("reason", "Say why the claim is declined: the partner reads it.", "required")
    if claim.status == states.SUBMITTED:
        begin(claim, by=by, at=at)
    claim.status = next_status(claim, "reject", by=by)
    found = findings_now(claim, at=at)
    claim.lines.update(decision="decline", approved_minor=0, reason_code="", reason=reason[:1000])
    lines, files = record_decisions(claim, (), documents)
    release_hold(claim, "declined", by=by, at=at)
    claim.reviewer, claim.decided_at, claim.decision_note = by, at, reason
    said = keep_claim_decision(claim, "decline", found, lines, files, note=reason, by=by, at=at)
    finish(claim, "claim.rejected", by=by, at=at, acting_as=said, reason=reason)
    return claim


def amounts(claim: Claim) -> Mapping[str, Any]:
    return {
        "claimed": str(claim.claimed_minor),
        "approved": str(claim.approved_minor),
        "currency": claim.currency,
    }


def mark_paid(claim_id: int, amount_minor: int, *, by: Person, at: datetime) -> None:
    """Note that an approved claim was paid; called by the payment operation, inside its transaction, funds locked."""
    claim = Claim.objects.select_for_update(no_key=True).get(id=claim_id)
    if amount_minor != claim.approved_minor:
        raise WrongStatus(
            f"Claim {claim.number} has {claim.show(claim.approved_minor)} approved, not {claim.show(amount_minor)}."
        )
    claim.status = next_status(claim, "pay", by=by)
    claim.paid_minor, claim.paid_at = amount_minor, at
    finish(claim, "claim.paid", by=by, at=at, **amounts(claim))


def mark_unpaid(claim_id: int, *, by: Person, at: datetime) -> None:
    """Note that the money of a paid claim came back: it is approved again and waits for a later payment. As `mark_paid`."""
    claim = Claim.objects.select_for_update(no_key=True).get(id=claim_id)
    claim.status = next_status(claim, "unpay", by=by)
    claim.paid_minor, claim.paid_at = 0, None
    finish(claim, "claim.payment_returned", by=by, at=at, **amounts(claim))
