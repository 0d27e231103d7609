"""Reads across rows: the facts that the rules look at. What single pages ask for is in the modules beside this."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from claims import rules, states
from claims.models import Activity, Claim, ClaimLine, Document
from funds.models import Fund


def facts_of(claim: Claim, *, at: datetime, fund: Fund | None = None) -> rules.Facts:
    """The facts of a claim as it stands at an instant. Pass `fund` where it is locked and fresher than the claim's."""
    fund = fund or claim.fund
    period = fund.earning_period
    day = activity_day(claim)
    return rules.Facts(
        at=at,
        zone=fund.program.time_zone,
        currency=claim.currency,
        use_from=period.use_from,
        use_to=period.use_to,
        claims_open_at=period.claims_open_at,
        claims_close_at=period.claims_close_at,
        cure_close_at=period.cure_close_at,
        returned=claim.sendings > 0,
        sent_in_time=claim.first_submitted_at is not None and claim.first_submitted_at < period.claims_close_at,
        activity_name=claim.activity.name,
        activity_from=claim.activity_from,
        activity_to=claim.activity_to,
        activity_valid=claim.activity.offered(fund.program.code, day),
        held_minor=claim.held_minor,
        # After the claim deadline nothing more can be held, whether or not the job that expires the rest has run.
        available_minor=fund.available_minor if at < period.claims_close_at else 0,
        # A test that is due counts as done: sending runs it on the way.
        settled=fund.settled_at is not None or at >= period.settle_at,
        settle_on=period.settle_on,
        payout_profile_complete=fund.enrollment.payout_profile_complete,
        proofs=claim.activity.proofs_on(day),
        metrics_wanted=claim.activity.metrics_on(day),
        lines=[line_facts(line) for line in claim.lines.all()],
        documents=[document_facts(document) for document in claim.documents.all()],
        metrics=claim.metrics,
    )


def activity_day(claim: Claim) -> date:
    """The day whose rules count: the activity's first day, or until it is known the first day of use."""
    return claim.activity_from or claim.fund.earning_period.use_from


def line_facts(line: ClaimLine) -> rules.LineFacts:
    return rules.LineFacts(
        str(line.pk), line.kind, line.supplier, line.invoice_number, line.invoiced_on, line.amount_minor
    )


def document_facts(document: Document) -> rules.DocumentFacts:
    return rules.DocumentFacts(document.kind, str(document.line_id) if document.line_id else None)


def findings_of(claim: Claim, *, at: datetime) -> list[rules.Finding]:
    """What the rules say of a claim now: advice for the writer of a draft, checks for a reviewer."""
    return rules.evaluate(facts_of(claim, at=at))


def document_kinds(claim: Claim) -> dict[str, str]:
    """The kinds a document of this claim may have, with their names: evidence of money, then the activity's proofs."""
    proofs = {proof.code: proof.name for proof in claim.activity.proofs_on(activity_day(claim))}
    return {**states.MONEY_EVIDENCE, **proofs, "other": "Other"}


def activities_for(program_code: str, day: date) -> Sequence[Activity]:
    """The activities that a program pays for on a day."""
    return [activity for activity in Activity.objects.all() if activity.offered(program_code, day)]
