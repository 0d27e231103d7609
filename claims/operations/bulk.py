"""Approving a claim without looking into it, among several: only where nothing in it is open (ADR 0028)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from claims import states
from claims.models import Claim
from claims.operations.duplicates import look_for_duplicates
from claims.operations.review import approve_claim, lock_for_review
from claims.queries.vendor import findings_for_review, open_duplicates, why_not_at_once
from coop.lib.errors import RuleFailed, WrongStatus
from partners.models import Person


@transaction.atomic
def approve_clean(claim_id: int, *, revision: int | None = None, by: Person, at: datetime) -> Claim:
    """Approve the whole of a claim in which no finding and no duplicate is open, as the rules say at this instant.

    Raises as `approve_claim`; WrongStatus for what waits for no decision, RuleFailed for what somebody has to look at.
    """
    claim = lock_for_review(claim_id, by=by, revision=revision)
    if claim.status not in (states.SUBMITTED, states.IN_REVIEW):
        raise WrongStatus(f"Claim {claim.number} is {claim.status_name.lower()}: it waits for no decision.")
    look_for_duplicates(claim, at)
    findings = findings_for_review(claim, at=at)
    wrong = why_not_at_once(claim, findings, open_duplicates([claim.pk]).get(claim.pk, 0), by=by)
    if wrong:
        raise RuleFailed(f"{wrong} Open the claim and decide it by itself.", findings=[f.as_dict() for f in findings])
    return approve_claim(claim_id, by=by, at=at)
