"""Keeping what a decision rested on. Called inside the transaction of the decision."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from claims.models import Claim, Decision, Plan
from claims.queries.book import current_publication
from claims.rules.findings import Finding
from partners.models import Person


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
