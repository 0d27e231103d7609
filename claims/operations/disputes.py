"""A declined claim is disputed by its partner, and decided once more by somebody else than before (ADR 0028)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from claims import states
from claims.due import dispute_due, dispute_until
from claims.models import Claim
from claims.operations.deciding import findings_now, keep_claim_decision
from claims.operations.holding import hold_again, settle_with_plan
from claims.operations.opening import lock_claim
from claims.operations.review import accept_the_rest, amounts, fix_list, lock_for_review, require_time_to_mend
from claims.operations.sending import finish
from claims.operations.turns import next_status, require_fresh
from claims.operations.verdicts import DocumentDecision, Fix, LineDecision, in_words, record_decisions
from claims.permissions import require_writer
from coop.lib import clock
from coop.lib.dates import show_deadline, show_instant
from coop.lib.errors import Invalid, WindowClosed, WrongStatus
from funds.operations import holds
from partners.models import Person

GRANT, UPHOLD, RETURN = "grant", "uphold", "return"
REASON_MAX = 2_000
# What a decision record calls each outcome.
ACTS = {GRANT: "dispute_granted", UPHOLD: "dispute_upheld", RETURN: "dispute_returned"}


@transaction.atomic
def dispute_claim(claim_id: int, *, reason: str, revision: int | None = None, by: Person, at: datetime) -> Claim:
    """Object to the decision that declined a claim, with a reason. It holds no money while it is disputed.

    Possible for DAYS_TO_DISPUTE calendar days; the clock is read once more after the lock. Raises NotFound, NotAllowed, Stale,
    WrongStatus (also where the dispute of this very decision was decided), WindowClosed, Invalid without a reason.
    """
    claim = lock_claim(claim_id, by=by)
    require_writer(by, claim)
    at = max(at, clock.now())
    require_fresh(claim, revision, by=by)
    status = next_status(claim, "dispute", by=by)
    require_may_be_disputed(claim, at)
    if not reason.strip():
        raise Invalid.field("reason", "Say why the decision is wrong: whoever decides now reads it.", "required")
    claim.status = status
    claim.dispute, claim.disputed_by, claim.disputed_at = reason.strip()[:REASON_MAX], by, at
    claim.first_decided_by = claim.reviewer
    claim.reviewer = None
    claim.review_due_at = dispute_due(at, claim.fund.program)
    finish(claim, "claim.disputed", by=by, at=at, reason=claim.dispute)
    return claim


def was_upheld(claim: Claim) -> bool:
    """Whether the decision that stands was made on a dispute already."""
    last = claim.decisions.order_by("-id").values_list("act", flat=True).first()
    return last == ACTS[UPHOLD]


def require_may_be_disputed(claim: Claim, at: datetime) -> None:
    """Refuse to dispute a decision twice, or too late. Raises WrongStatus, WindowClosed."""
    if was_upheld(claim):
        raise WrongStatus(
            f"The decision on claim {claim.number} was disputed and upheld by a second person. It is not disputed again."
        )
    zone = claim.fund.program.time_zone
    until = dispute_until(claim.decided_at or claim.turn_since, claim.fund.program)
    if at >= until:
        raise WindowClosed(
            f"It is {show_instant(at, zone)}. The decision on claim {claim.number} could be disputed until "
            f"{show_deadline(until, zone)}."
        )


@transaction.atomic
def take_dispute(claim_id: int, *, revision: int | None = None, by: Person, at: datetime) -> Claim:
    """Take a disputed claim, so that both sides see who has it. Raises as `decide_dispute`."""
    claim = lock_for_review(claim_id, by=by, revision=revision)
    require_disputed(claim)
    claim.reviewer = by
    finish(claim, "claim.dispute_taken", by=by, at=at)
    return claim


def require_disputed(claim: Claim) -> None:
    if claim.status != states.DISPUTED:
        raise WrongStatus(
            f"Claim {claim.number} is {claim.status_name.lower()}: no dispute of it waits for a decision."
        )


@transaction.atomic
def decide_dispute(
    claim_id: int,
    *,
    outcome: str,
    decisions: Sequence[LineDecision] = (),
    documents: Sequence[DocumentDecision] = (),
    fixes: Sequence[Fix] = (),
    reason: str,
    reason_code: str = "",
    revision: int | None = None,
    by: Person,
    at: datetime,
) -> Claim:
    """Decide a dispute: grant it (line by line, lines that are not named in full), uphold the first decision, or return
    the claim to be mended. Whoever decides is nobody who declined it before.

    What is granted or returned takes its money again: before the claim deadline as a hold, after it out of what expired.
    Raises NotFound, NotAllowed, SelfDecision, Stale, WrongStatus, InsufficientFunds, WindowClosed (too late to be mended),
    Invalid.
    """
    claim = lock_for_review(claim_id, by=by, revision=revision)
    at = max(at, clock.now())
    require_disputed(claim)
    words = in_words("claim", "dispute", reason_code, reason)
    require_outcome(outcome, words)
    found = findings_now(claim, at=at)
    if outcome == UPHOLD:
        uphold(claim, by=by, at=at)
    else:
        # The lines were declined as a whole; what is not named now is accepted, or waits for its review.
        claim.lines.update(decision="", approved_minor=None, reason_code="", reason="")
    lines, files = record_decisions(claim, decisions if outcome != UPHOLD else (), documents)
    if outcome == GRANT:
        grant(claim, accept_the_rest(lines, files), by=by, at=at)
    elif outcome == RETURN:
        asked = fix_list([Fix("", words), *fixes], lines, decisions, files, documents)
        give_back(claim, asked, by=by, at=at)
    claim.reviewer, claim.decision_note = by, "" if outcome == RETURN else words
    said = keep_claim_decision(claim, ACTS[outcome], found, lines, files, note=words, by=by, at=at)
    data = amounts(claim) if outcome == GRANT else {"fixes": claim.returned_fixes} if outcome == RETURN else {}
    finish(claim, f"claim.{ACTS[outcome]}", by=by, at=at, acting_as=said, reason=words, **data)
    settle_with_plan(claim, by=by, at=at)
    return claim


def require_outcome(outcome: str, reason: str) -> None:
    """Refuse a decision that cannot be one. Raises Invalid."""
    if outcome not in ACTS:
        raise Invalid.field("outcome", f"“{outcome[:40]}” is not an outcome of a dispute. Use {', '.join(ACTS)}.")
    if not reason:
        raise Invalid.field("reason", "Say why: the partner reads it.", "required")


def uphold(claim: Claim, *, by: Person, at: datetime) -> None:
    """The first decision stands: what was declined stays declined, for the reasons that were given."""
    claim.status = next_status(claim, "uphold", by=by)
    claim.decided_at = at


def grant(claim: Claim, approved: int, *, by: Person, at: datetime) -> None:
    """Take what is approved out of the fund again, and approve it."""
    claim.status = next_status(claim, "grant", by=by)
    restore(claim, approved, by=by, at=at)
    key = f"claim:{claim.pk}:approved:{claim.sendings}"
    holds.approve(claim.fund, approved, reference=claim.reference, key=key, by=by, at=at)
    claim.held_minor = claim.from_plan_minor = 0
    claim.approved_minor, claim.decided_at = approved, at


def give_back(claim: Claim, fixes: list[dict[str, str]], *, by: Person, at: datetime) -> None:
    """Let the partner mend it: the claim holds its amount again until it is sent, withdrawn, or lapses."""
    require_time_to_mend(claim, at)
    claim.status = next_status(claim, "reopen", by=by)
    restore(claim, claim.claimed_minor, by=by, at=at)
    claim.returned_fixes = fixes


def restore(claim: Claim, amount_minor: int, *, by: Person, at: datetime) -> None:
    key = f"claim:{claim.pk}:restored:{claim.sendings}"
    hold_again(claim, amount_minor, key=key, by=by, at=at)
