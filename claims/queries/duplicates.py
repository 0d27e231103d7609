"""What is known of evidence that was given before: for the rules, for the partner's pages, for reviewers."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from claims.models import Claim, Duplicate
from claims.rules.facts import DuplicateFacts
from partners.models import Person

# Judged to be no fault, so nobody has to hear of it again.
HARMLESS = ("different", "accepted")


def duplicates_for(person: Person) -> QuerySet[Duplicate]:
    """The pairs that the person may know of, with their claims.

    The vendor's people see a pair once both claims were sent and they may see one of them. A partner hears only of the
    later claim of a pair: that somebody gave the same evidence after them is not theirs to know.
    """
    visible = Claim.objects.visible_to(person)
    rows = Duplicate.objects.select_related("claim__partner", "other__partner", "resolved_by")
    if person.is_authenticated and person.is_vendor:
        sent = rows.filter(claim__submitted_at__isnull=False, other__submitted_at__isnull=False)
        return sent.filter(Q(claim__in=visible) | Q(other__in=visible))
    return rows.filter(claim__in=visible)


def hints_of(claim: Claim) -> list[Duplicate]:
    """What this claim repeats of earlier ones, or of itself; for its own partner. Judged harmless: not any more."""
    return hints_of_all([claim])


def hints_of_all(claims: Iterable[Claim]) -> list[Duplicate]:
    rows = Duplicate.objects.filter(claim__in=[claim.pk for claim in claims]).exclude(resolution__in=HARMLESS)
    names = ("claim", "other__partner", "document__reused_from", "line", "other_line", "other_document")
    return list(rows.select_related(*names).order_by("id"))


def duplicates_of(claim: Claim) -> list[DuplicateFacts]:
    """The same, as the rules see it: no other partner's data, and each fault once."""
    return duplicates_of_all([claim]).get(claim.pk, []) if claim.pk else []


def duplicates_of_all(claims: Iterable[Claim]) -> dict[int, list[DuplicateFacts]]:
    """The same for many claims, by their ids, in one query."""
    found: dict[int, dict[DuplicateFacts, None]] = {}
    for hint in hints_of_all(claims):
        seen = DuplicateFacts(hint.kind, field_of(hint), known_other(hint))
        found.setdefault(hint.claim_id, {})[seen] = None
    return {claim_id: list(seen) for claim_id, seen in found.items()}


def field_of(hint: Duplicate) -> str:
    """The field of the claim that mends it: the line, the line whose file it is, or the document."""
    if hint.line_id:
        return f"lines.{hint.line_id}"
    assert hint.document is not None  # noqa: S101 - the table has one or the other
    return f"lines.{hint.document.line_id}" if hint.document.line_id else f"documents.{hint.document_id}"


def known_other(hint: Duplicate) -> str:
    """The number of the other claim where it is the same organisation's; of others nothing is said."""
    return hint.other.number if hint.other.partner_id == hint.claim.partner_id else ""


REPEATS = {
    "file": "The file “{what}” was given before, {where}.",
    "picture": "The picture “{what}” looks like one that was given before, {where}.",
    "invoice": "An invoice with this supplier and number ({what}) was given before, {where}.",
    "amount": "An invoice of this supplier over the same amount, at nearly the same time, was given before, {where}.",
}


def sentence_for(hint: Duplicate) -> str:
    """What the partner reads of a pair: the own other claim by its number and status, of another organisation nothing."""
    if hint.other_id == hint.claim_id:
        where = "in this claim"
    elif hint.other.partner_id == hint.claim.partner_id:
        where = f"in your claim {hint.other.number} ({hint.other.status_name.lower()})"
    else:
        where = "by another organisation"
    sentence = REPEATS[hint.kind].format(what=hint.line or hint.document, where=where)
    if hint.document and hint.document.reused_from_id:
        sentence += " You chose to use it again."
    return sentence
