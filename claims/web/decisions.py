"""Past decisions on a claim, as both sides read them: what, by whom, when, and on which rules."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from claims import states
from claims.models import Decision
from coop.lib import money
from coop.lib.dates import show_instant

APPROVING = ("approve", "dispute_granted")


def decision_rows(decisions: Iterable[Decision]) -> list[dict[str, Any]]:
    """Decisions for `claims/review/_decisions.html`."""
    return [
        {
            "what": states.ACTS[one.act],
            "who": one.decided_by.name,
            "acting_for": one.acting_for.name if one.acting_for else "",
            "when": show_instant(one.decided_at),
            "rules": one.publication_id,
            "amount": money.display(one.approved_minor, one.currency) if one.act in APPROVING else "",
            "asked": money.display(one.asked_minor, one.currency),
            "note": one.note,
            "lines": [line_of(row, one.currency) for row in one.rows if row["decision"]],
            "documents": [
                {**row, "outcome": states.DOCUMENT_DECISIONS.get(row["decision"], "")} for row in one.documents
            ],
            "findings": [finding for finding in one.findings if finding["outcome"] != "passed"],
            "passed": sum(finding["outcome"] == "passed" for finding in one.findings),
        }
        for one in decisions
    ]


def line_of(row: dict[str, Any], currency: str) -> dict[str, str]:
    approved = row.get("approved")
    return {
        "name": row["name"],
        "outcome": states.DECISIONS[row["decision"]],
        "amount": money.display(row["amount"], currency),
        "approved": "" if approved is None else money.display(approved, currency),
        "reason": row["reason"],
    }
