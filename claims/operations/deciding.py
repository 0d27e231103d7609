"""Keeping what a decision rested on. Called inside the transaction of the decision."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from claims.models import Claim, ClaimLine, Decision, Document, Plan
from claims.queries.book import current_publication
from claims.queries.vendor import findings_for_review
from claims.rules.findings import Finding
from partners.models import Person
from partners.queries import acting_for, said_for


def keep_decision(
    subject: Claim | Plan,
    act: str,
    *,
    findings: Sequence[Finding],
    rows: Sequence[dict[str, Any]],
    documents: Sequence[dict[str, Any]] = (),
    note: str = "",
    asked_minor: int,
    approved_minor: int = 0,
    acting_for: Person | None = None,
    by: Person,
    at: datetime,
) -> Decision:
    """Keep a decision with its findings and the publication of the rules that made them.

    `rows` are what was decided of each line or plan activity (id, decision, amount, approved, reason), as plain values.
    """
    publication, _ = current_publication()
    return Decision.objects.create(
        claim=subject if isinstance(subject, Claim) else None,
        plan=subject if isinstance(subject, Plan) else None,
        act=act,
        decided_by=by,
        acting_for=acting_for,
        decided_at=at,
        publication_id=publication,
        findings=[found.as_dict() for found in findings],
        rows=list(rows),
        documents=list(documents),
        note=note,
        currency=subject.currency,
        asked_minor=asked_minor,
        approved_minor=approved_minor,
    )


def findings_now(claim: Claim, *, at: datetime) -> list[Finding]:
    """What the rules say of a locked claim at the instant of its decision, before anything of it changes."""
    return findings_for_review(claim, at=at)


def keep_claim_decision(
    claim: Claim,
    act: str,
    findings: Sequence[Finding],
    lines: Iterable[ClaimLine],
    documents: Iterable[Document],
    *,
    note: str,
    by: Person,
    at: datetime,
) -> str:
    """Keep what was just decided of a claim; returns what its event says of whom the decider acted for, if for somebody."""
    covered = acting_for(by, claim.partner_id, at.date())
    keep_decision(
        claim,
        act,
        findings=findings,
        rows=[row_of(line) for line in lines],
        documents=[row_of_document(document) for document in documents if document.decision],
        note=note,
        asked_minor=claim.claimed_minor,
        approved_minor=claim.approved_minor,
        acting_for=covered,
        by=by,
        at=at,
    )
    return said_for(covered)


def row_of(line: ClaimLine) -> dict[str, Any]:
    return {
        "id": str(line.pk),
        "name": str(line),
        "decision": line.decision,
        "amount": line.amount_minor,
        "approved": line.approved_minor,
        "reason_code": line.reason_code,
        "reason": line.reason,
    }


def row_of_document(document: Document) -> dict[str, Any]:
    return {
        "id": str(document.pk),
        "name": str(document),
        "kind": document.kind,
        "sha256": document.sha256,
        "decision": document.decision,
        "reason_code": document.reason_code,
        "reason": document.reason,
    }
