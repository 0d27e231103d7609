"""What a reviewer wants to know beside a claim: what the rules say now, what stands in the way, how it went before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, Window

from claims import rules, states
from claims.models import Claim, Decision, Duplicate
from claims.queries import facts_of
from claims.queries.book import book_for
from claims.queries.duplicates import duplicates_for
from claims.rules import FAILED, PERSON, WARNING
from claims.rules.findings import Finding
from partners.models import Person

UNDECIDED = (states.SUBMITTED, states.IN_REVIEW)
ADVICE = ("guidance", "solution_area")  # kinds of rules whose warnings never stand in the way


def findings_for_review(claim: Claim, *, at: datetime) -> list[Finding]:
    """What the rules in force say of a sent claim now, for who decides it; the decision keeps the same list.

    Whether it came in time is judged by when it came, not by when somebody looks. What a dispute asks for was released; that
    it is there again is the ledger's question at its decision, not a rule's.
    """
    facts = facts_of(claim, at=at)
    held = facts.claimed_minor if claim.status == states.DISPUTED else facts.held_minor
    return rules.evaluate(
        book_for(claim),
        replace(facts, at=claim.submitted_at or at, returned=claim.sendings > 1, held_minor=held),
    )


def open_duplicates(claim_ids: Iterable[int]) -> Counter[int]:
    """How many pieces of evidence of each of these claims were seen elsewhere and are not judged yet."""
    wanted = set(claim_ids)
    found: Counter[int] = Counter()
    rows = Duplicate.objects.filter(Q(claim__in=wanted) | Q(other__in=wanted), resolution="")
    for pair in rows.values_list("claim_id", "other_id"):
        found.update(set(pair) & wanted)
    return found


def open_pairs_of(claim: Claim, person: Person) -> list[Duplicate]:
    """The evidence of a claim that was seen elsewhere and waits to be judged, as far as the reader may know of it."""
    pairs = duplicates_for(person).filter(Q(claim=claim) | Q(other=claim), resolution="")
    return list(pairs.order_by("id"))


def why_not_at_once(claim: Claim, findings: Sequence[Finding], duplicates: int, *, by: Person) -> str:
    """Why a claim is not approved together with others; empty where nothing in it is open."""
    if claim.status == states.IN_REVIEW and claim.reviewer_id != by.pk:
        return f"Somebody else is reviewing claim {claim.number}."
    number = Counter(f.outcome for f in findings if f.outcome != WARNING or f.kind not in ADVICE)
    said = [
        f"{number[outcome]} {one if number[outcome] == 1 else many}"
        for outcome, one, many in (
            (FAILED, "failed check", "failed checks"),
            (PERSON, "thing to judge", "things to judge"),
            (WARNING, "warning", "warnings"),
        )
        if number[outcome]
    ]
    if duplicates:
        said.append(f"{duplicates} piece{'' if duplicates == 1 else 's'} of evidence seen before")
    return f"Claim {claim.number} has {', '.join(said)}." if said else ""


@dataclass(frozen=True)
class History:
    """What is known of a partner's earlier claims."""

    claims: list[Claim]
    decided: int
    at_once: int
    declined: int


def history_with(claim: Claim, person: Person, *, shown: int = 5) -> History:
    """The partner's other claims that the reader may see, newest first, and how they went."""
    others = Claim.objects.visible_to(person).filter(partner_id=claim.partner_id).exclude(id=claim.pk)
    approved = Q(status__in=[states.APPROVED, states.PAID])
    told = others.select_related("activity").annotate(
        decided=Window(Count("id", filter=approved | Q(status=states.REJECTED))),
        at_once=Window(Count("id", filter=approved & Q(sendings=1))),
        declined=Window(Count("id", filter=Q(status=states.REJECTED))),
    )
    claims: list[Any] = list(told.order_by("-id")[:shown])
    first = claims[0] if claims else None
    return History(claims, *(getattr(first, name, 0) for name in ("decided", "at_once", "declined")))


def decisions_of(claim: Claim) -> list[Decision]:
    """Every decision on a claim so far, the newest first; both sides may read them."""
    if claim.sendings <= 1 and claim.decided_at is None and claim.status in UNDECIDED:
        return []  # it waits for its first
    return list(claim.decisions.select_related("decided_by", "acting_for").order_by("-id"))
