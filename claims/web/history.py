"""The story of a claim in sentences for people, told from its events."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from claims import states
from coop.lib import money
from coop.lib.dates import show_instant
from partners.models import Event

EDITS = {
    "claim.changed": "changed what the claim says",
    "claim.line_added": "added a line",
    "claim.line_changed": "changed a line",
    "claim.line_removed": "took a line out",
    "claim.document_added": "added a document",
    "claim.document_removed": "took a document out",
    "claim.document_dated": "said what day a document is of",
}
SENTENCES = {
    **EDITS,
    "claim.created": "started the claim",
    "claim.csr_signed": "signed the statement of in-house work (CSR)",
    "claim.duplicate_kept": "kept evidence that was given before, and said why",
    "claim.duplicate_resolved": "judged evidence that was given before",
    "claim.submitted": "sent the claim for",
    "claim.withdrawn": "withdrew the claim",
    "claim.review_started": "started the review",
    "claim.review_overdue": "noted that the decision is overdue",
    "claim.returned": "returned the claim",
    "claim.approved": "approved",
    "claim.rejected": "declined the claim",
    "claim.noted": "noted for colleagues",
    "claim.disputed": "disputed the decision",
    "claim.dispute_taken": "took the dispute",
    "claim.dispute_granted": "granted the dispute and approved",
    "claim.dispute_upheld": "upheld the decision",
    "claim.dispute_returned": "returned the claim after a dispute",
    "claim.paid": "paid",
    "claim.payment_returned": "noted that the bank sent the money back",
    "claim.lapsed": "closed the claim, because its deadline had passed",
    "claim.file_deleted": "deleted a file whose time to be kept is over",
}
TASK_SENTENCES = {
    "claim.task_given": "asked {person} to do a task: {task}",
    "claim.task_taken_back": "took a task back from {person}: {task}",
    "claim.task_done": "finished a task: {task}",
}
AMOUNT_IN = {
    "claim.submitted": "amount",
    "claim.approved": "approved",
    "claim.dispute_granted": "approved",
    "claim.paid": "approved",
}


def timeline(events: Iterable[Event], *, short: bool = True) -> list[dict[str, Any]]:
    """Events, newest first, as `_components/timeline.html` takes them.

    With `short`, a stretch of edits by one person is told as one, at the instant of the last of them.
    """
    told = []
    groups = groupby(events, key=lambda event: (event.actor_id, event.verb in EDITS) if short else event.pk)
    for _, group in groups:
        same = list(group)
        if short and same[0].verb in EDITS and len(same) > 1:
            told.append({**row(same[0]), "what": f"worked on the claim ({len(same)} changes)"})
        else:
            told += [row(event) for event in same]
    return told


def row(event: Event) -> dict[str, Any]:
    found = {
        "who": event.actor.name if event.actor else "The system",
        "what": sentence(event),
        "when": show_instant(event.at),
        "iso": event.at.isoformat(),
        "note": event.data.get("note") or event.data.get("reason") or "",
        "internal": event.vendor_only,
    }
    amount = event.data.get(AMOUNT_IN.get(event.verb, ""))
    if amount:
        found["amount"] = money.display(int(amount), event.data["currency"])
    return found


def sentence(event: Event) -> str:
    if event.verb == "claim.submitted" and event.data.get("sending", 1) > 1:
        return "sent the claim again for"
    if event.verb == "claim.returned":
        number = len(event.data.get("fixes", []))
        return f"returned the claim with {number} thing{'' if number == 1 else 's'} to mend"
    if event.verb in TASK_SENTENCES:
        task = states.TASKS[event.data["task"]].lower()
        return TASK_SENTENCES[event.verb].format(person=event.data["person"], task=task)
    if event.verb == "claim.changed" and event.data.get("fields") == ["metrics"]:
        return "reported the results"
    return SENTENCES.get(event.verb, event.verb.partition(".")[2].replace("_", " "))
