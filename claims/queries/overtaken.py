"""What was changed in a claim since somebody read it: several people work on one, and only the same part can collide."""

from __future__ import annotations

from claims.models import Claim
from partners.models import Event

LINE_EDITS = ("claim.line_added", "claim.line_changed", "claim.line_removed", "claim.csr_signed")


def edits_since(claim: Claim, seen: int) -> list[Event]:
    """The edits since revision `seen`, in their order."""
    made = Event.objects.about("claim", claim.pk).filter(data__revision__gt=seen).select_related("actor")
    return list(made.order_by("id"))


def overtaken(claim: Claim, seen: int, part: str) -> bool:
    """Whether a part of a claim may have changed since revision `seen`: about, results, `lines.17`, `documents.photos`.

    Where not every revision since then has its edit, something else was done, and it may have.
    """
    if seen >= claim.revision:
        return seen > claim.revision
    edits = edits_since(claim, seen)
    return len(edits) < claim.revision - seen or any(touches(edit, part) for edit in edits)


def touches(edit: Event, part: str) -> bool:
    """Whether an edit changed a part. Another activity asks for other things everywhere."""
    fields = edit.data.get("fields", [])
    if edit.verb == "claim.changed":
        return "activity" in fields or (part == "results" if "metrics" in fields else part == "about")
    if edit.verb in LINE_EDITS:
        return part == f"lines.{edit.data.get('line')}"
    if edit.verb.startswith("claim.document"):
        return part == f"documents.{edit.data.get('kind')}"
    return True
