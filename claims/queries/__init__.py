"""Reads across rows: the facts that the rules look at. What single pages ask for is in the modules beside this."""

from __future__ import annotations

from datetime import datetime

from claims import rules, states
from claims.models import Claim, ClaimLine, Document
from claims.queries.book import activity_day, book_for, case_of_claim, proofs_asked
from claims.rules.facts import DocumentFacts, Facts, LineFacts
from claims.rules.findings import Finding
from funds.models import Fund


def facts_of(claim: Claim, *, at: datetime, fund: Fund | None = None) -> Facts:
    """The facts of a claim as it stands at an instant. Pass `fund` where it is locked and fresher than the claim's."""
    fund = fund or claim.fund
    period = fund.earning_period
    return Facts(
        at=at,
        case=case_of_claim(claim, fund),
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
        activity_valid=claim.activity.holds_on(activity_day(claim)),
        held_minor=claim.held_minor,
        # After the claim deadline nothing more can be held, whether or not the job that expires the rest has run.
        available_minor=fund.available_minor if at < period.claims_close_at else 0,
        # A test that is due counts as done: sending runs it on the way.
        settled=fund.settled_at is not None or at >= period.settle_at,
        settle_on=period.settle_on,
        payout_profile_complete=fund.enrollment.payout_profile_complete,
        lines=[line_facts(line) for line in claim.lines.all()],
        documents=[document_facts(document) for document in claim.documents.all()],
        metrics=claim.metrics,
    )


def line_facts(line: ClaimLine) -> LineFacts:
    return LineFacts(
        str(line.pk),
        line.kind,
        line.supplier,
        line.invoice_number,
        line.invoiced_on,
        line.amount_minor,
        line.cost_minor,
        line.description,
        line.details,
    )


def document_facts(document: Document) -> DocumentFacts:
    return DocumentFacts(document.kind, str(document.line_id) if document.line_id else None, document.dated_on)


def findings_of(claim: Claim, *, at: datetime) -> list[Finding]:
    """What the rules say of a claim now: advice for the writer of a draft, checks for a reviewer."""
    return rules.evaluate(book_for(claim), facts_of(claim, at=at))


def document_kinds(claim: Claim) -> dict[str, str]:
    """The kinds a document of this claim may have, with their names: evidence of money, then the activity's proofs."""
    proofs = {proof.code: proof.name for proof in proofs_asked(claim)}
    return {**states.MONEY_EVIDENCE, **proofs, "other": "Other"}
