"""Sending, withdrawing and lapsing a claim."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import prefetch_related_objects

from claims import rules, states
from claims.due import review_due
from claims.models import Claim
from claims.operations.counting import lock_funds_that_count, require_counted
from claims.operations.duplicates import look_for_duplicates
from claims.operations.holding import hold_more, release_hold
from claims.operations.opening import lock_claim, lock_with_fund
from claims.operations.turns import next_status, require_fresh, taken_last
from claims.permissions import require_writer
from claims.queries import facts_of
from claims.queries.book import book_for
from coop.lib import clock
from coop.lib.dates import show_day, show_deadline, show_instant
from coop.lib.db import broken_constraint
from coop.lib.errors import Busy, InsufficientFunds, RuleFailed, WindowClosed, WindowNotOpen
from coop.lib.transitions import follow
from funds.ledger import take_fund
from funds.queries.deadlines import closed, cured, is_closed, is_cured
from partners import events
from partners.models import Person


@transaction.atomic
def submit_claim(claim_id: int, *, revision: int | None = None, by: Person, at: datetime) -> Claim:
    """Send a claim: hold its amount in review. A returned claim is sent again the same way.

    The clock is read once more after the lock, which may have been waited for across midnight: the instant of that
    reading counts and is kept as `submitted_at`. The window is tested before the status, so that a late sender is told
    about the deadline also when a job has already lapsed the draft.

    Raises NotFound, NotAllowed, WindowNotOpen, WindowClosed, Stale, WrongStatus, InsufficientFunds, RuleFailed with all
    findings.
    """
    locked = lock_funds_that_count(Claim.objects.with_names().filter(id=claim_id).first())
    claim = lock_claim(claim_id, by=by)
    require_writer(by, claim)
    at = max(at, clock.now())
    require_window(claim, at)
    require_fresh(claim, revision, by=by)
    claim.status = next_status(claim, "submit", by=by)
    require_counted(claim, locked)

    look_for_duplicates(claim, at)
    prefetch_related_objects([claim], "lines", "documents")  # read once: for the rules and for the event
    facts = facts_of(claim, at=at)
    findings = rules.evaluate(book_for(claim), facts)
    require_rules(claim, facts, findings, by=by)

    claim.sendings += 1
    difference = facts.claimed_minor - claim.held_minor
    if difference > 0:
        hold_more(claim, difference, key=f"claim:{claim.pk}:sent:{claim.sendings}", by=by, at=at)
    elif difference < 0:
        release_hold(claim, "sent", by=by, at=at, amount_minor=-difference)
    claim.claimed_minor = facts.claimed_minor
    claim.findings = [found.as_dict() for found in findings]
    claim.returned_fixes = []
    claim.submitted_at = claim.turn_since = at
    claim.first_submitted_at = claim.first_submitted_at or at
    claim.submitted_by = by
    claim.reviewer = None
    claim.review_due_at = review_due(at, claim.fund.program)
    if claim.sendings > 1:
        claim.lines.update(decision="", approved_minor=None, reason_code="", reason="")
        # What was accepted stays so while the same document stands; what was returned is looked at anew.
        claim.documents.filter(decision="return").update(decision="", reason_code="", reason="")
    claim.revision += 1
    save_in_its_windows(claim)
    events.record(
        "claim.submitted",
        claim,
        by=by,
        at=at,
        number=claim.number,
        amount=str(claim.claimed_minor),
        currency=claim.currency,
        sending=claim.sendings,
        files=[{"name": d.filename, "sha256": d.sha256} for d in claim.documents.all() if d.sha256],
    )
    return claim


def save_in_its_windows(claim: Claim) -> None:
    """Save a claim that is being sent. The database asks the clock once more, long after whoever asked it before.

    Raises WindowClosed where the deadline passed in between, Busy where it did not and only too long a time passed.
    """
    try:
        with transaction.atomic():  # so that the clock can be asked after a refusal, too
            claim.save()
    except IntegrityError as error:
        if broken_constraint(error) != "claim_is_sent_in_its_windows":
            raise
        fund, zone = claim.fund, claim.fund.program.time_zone
        if clock.now() < (fund.cure_close_at if claim.sendings > 1 else fund.claims_close_at):
            raise Busy(
                "Over a minute passed between the look at the clock and the saving of this claim, so nothing was saved. "
                "The deadline has not passed: send it again."
            ) from None
        raise WindowClosed(
            f"The deadline passed while this claim was being sent: claims for {fund.earning_period} were taken until "
            f"{show_deadline(fund.claims_close_at, zone)}, and mended until {show_deadline(fund.cure_close_at, zone)}."
        ) from None


def require_window(claim: Claim, at: datetime) -> None:
    """Refuse a sending outside the claim window, or outside the cure window for a claim that was returned.

    Raises WindowNotOpen, WindowClosed.
    """
    fund, period, zone = claim.fund, claim.fund.earning_period, claim.fund.program.time_zone
    now = show_instant(at, zone)
    sent_in_time = claim.first_submitted_at is not None and claim.first_submitted_at < fund.claims_close_at
    if sent_in_time:
        if is_cured(fund, at):
            raise WindowClosed(
                f"It is {now}. A claim for {period} that was returned could be mended until "
                f"{show_deadline(fund.cure_close_at, zone)}; it cannot be sent any more."
            )
    elif at < period.claims_open_at:
        raise WindowNotOpen(
            f"It is {now}. Claims for {period} are taken from {show_day(period.claims_open_on)} to "
            f"{show_deadline(fund.claims_close_at, zone)}. Keep the draft and send it then."
        )
    elif is_closed(fund, at):
        raise WindowClosed(
            f"It is {now}. Claims for {period} were taken until {show_deadline(fund.claims_close_at, zone)}. "
            "This fund takes no more claims; work done since then belongs to a later period."
        )


def require_rules(claim: Claim, facts: rules.Facts, findings: list[rules.Finding], *, by: Person) -> None:
    """Refuse if any rule failed. Money that is not there has its own code when nothing else is wrong.

    Raises InsufficientFunds, RuleFailed.
    """
    wrong = rules.failed(findings)
    if not wrong:
        return
    found = [finding.as_dict() for finding in findings]
    if {finding.kind for finding in wrong} == {"money_there"} and facts.claimed_minor > 0:
        only = wrong[0]
        said = f"{only.text} Seen: {only.seen}. {only.fix} {taken_last(claim.fund, by=by)}"
        raise InsufficientFunds(said.strip(), findings=found)
    what = "One thing has" if len(wrong) == 1 else f"{len(wrong)} things have"
    raise RuleFailed(
        f"{what} to be mended before this claim can be sent: " + " ".join(f.fix for f in wrong),
        findings=found,
    )


@transaction.atomic
def withdraw_claim(claim_id: int, *, revision: int | None = None, by: Person, at: datetime) -> Claim:
    """Take a claim back before a decision. What it held is released. Raises NotFound, NotAllowed, Stale, WrongStatus."""
    claim = lock_claim(claim_id, by=by)
    require_writer(by, claim)
    require_fresh(claim, revision, by=by)
    claim.status = next_status(claim, "withdraw", by=by)
    release_hold(claim, "withdrawn", by=by, at=at)
    finish(claim, "claim.withdrawn", by=by, at=at)
    return claim


def finish(claim: Claim, verb: str, *, by: Person | None, at: datetime, **data: Any) -> None:
    """Save a change of status: whose turn since, revision, event."""
    claim.turn_since = at
    claim.revision += 1
    claim.save()
    events.record(verb, claim, by=by, at=at, partner_only=not claim.sendings, number=claim.number, **data)


# --- What was not done in time ----------------------------------------------------------------------------------------


def due_to_lapse(at: datetime) -> list[int]:
    """Ids of drafts past the claim deadline and of returned claims past the cure deadline."""
    drafts = Claim.objects.filter(closed(at, "fund__"), status=states.DRAFT)
    returned = Claim.objects.filter(cured(at, "fund__"), status=states.ACTION_REQUIRED)
    return sorted([*drafts.values_list("id", flat=True), *returned.values_list("id", flat=True)])


@transaction.atomic
def lapse_claim(claim_id: int, *, at: datetime) -> bool:
    """Let a claim lapse whose deadline has passed; what it held is released, for the last day of that deadline
    however late it is done. False if it is not due any more, or if somebody is at its fund: the next look finds it.
    """
    fund_id = Claim.objects.values_list("fund_id", flat=True).get(id=claim_id)
    if not take_fund(fund_id):
        return False
    claim = lock_with_fund(claim_id, fund_id)
    never_sent = claim.status == states.DRAFT
    due = is_closed(claim.fund, at) if never_sent else is_cured(claim.fund, at)
    if claim.status not in states.CLAIMS["lapse"] or not due:
        return False
    deadline = claim.fund.claims_close_at if never_sent else claim.fund.cure_close_at
    claim.status = follow(states.CLAIMS, "lapse", claim.status, what=f"claim {claim.number}")
    # Only a returned claim holds anything.
    release_hold(claim, "lapsed", by=None, at=at, effective_on=claim.fund.cure_close_on)
    finish(claim, "claim.lapsed", by=None, at=at, deadline=deadline.isoformat())
    return True
