"""Reads for the channel manager: the worklist in its order, and what a reviewer wants to know beside a claim."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from django.db.models import Count, Q

from claims import priority, rules, states
from claims.models import Claim
from claims.queries import facts_of
from claims.queries.book import book_for
from claims.rules import FAILED, PERSON, WARNING
from claims.rules.findings import Finding
from coop.lib.dates import business_days_after
from partners.models import Person

UNDECIDED = (states.SUBMITTED, states.IN_REVIEW)
VIEWS = {"": "Everybody's", "mine": "In my review", "new": "Not started"}


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


@dataclass(frozen=True)
class Item:
    """One row of the worklist."""

    claim: Claim
    risk: str
    near: bool
    age_days: int
    due_on: date
    overdue: bool
    flags: list[str]


@dataclass(frozen=True)
class Page:
    """Some rows of the worklist, how many there are in all, and the place after which the next page begins."""

    items: list[Item]
    total: int
    total_minor: int
    after: str


def waiting_claims(person: Person, at: datetime, view: str = "") -> list[priority.Waiting]:
    """Every claim that waits for a decision and that the person may see, most urgent first."""
    found = Claim.objects.visible_to(person).filter(status__in=UNDECIDED)
    if view == "mine":
        found = found.filter(reviewer=person, status=states.IN_REVIEW)
    elif view == "new":
        found = found.filter(status=states.SUBMITTED)
    rows = found.values_list(
        "id",
        "held_minor",
        "submitted_at",
        "fund__earning_period__claims_close_at",
        "fund__earning_period__cure_close_at",
    )
    waiting = [
        priority.Waiting(claim_id, held, sent_at, claims_close_at, cure_close_at)
        for claim_id, held, sent_at, claims_close_at, cure_close_at in rows
        if sent_at
    ]
    return sorted(waiting, key=lambda one: priority.order_key(one, at))


def worklist(person: Person, at: datetime, *, view: str = "", after: str = "", size: int = 25) -> Page:
    """A page of the worklist. `after` is the place of the last row that was seen, as the page before gave it."""
    ordered = waiting_claims(person, at, view)
    rest = [waiting for waiting in ordered if place_of(waiting, at) > read_place(after)] if after else ordered
    shown = rest[:size]
    claims = Claim.objects.visible_to(person).with_names().select_related("reviewer")
    found = claims.in_bulk([waiting.claim_id for waiting in shown])
    items = [item_of(found[waiting.claim_id], waiting, at) for waiting in shown if waiting.claim_id in found]
    more = len(rest) > size
    return Page(
        items,
        len(ordered),
        sum(waiting.held_minor for waiting in ordered),
        "-".join(map(str, place_of(shown[-1], at))) if more else "",
    )


def place_of(waiting: priority.Waiting, at: datetime) -> tuple[int, int, int]:
    """The order key as plain numbers that fit into an address."""
    return (2**62 - priority.score(waiting, at), int(waiting.sent_at.timestamp() * 1_000_000), waiting.claim_id)


def read_place(text: str) -> tuple[int, ...]:
    """A place as it came in an address; anything else is the beginning."""
    parts = text.split("-")
    plain = len(parts) == 3 and all(part.isascii() and part.isdigit() and len(part) < 20 for part in parts)
    return tuple(map(int, parts)) if plain else (0, 0, 0)


def item_of(claim: Claim, waiting: priority.Waiting, at: datetime) -> Item:
    due_on = business_days_after(waiting.sent_at.date(), states.REVIEW_BUSINESS_DAYS)
    return Item(
        claim=claim,
        risk=priority.risk_in_words(waiting, at),
        near=priority.days_left(priority.deadline_of(waiting, at), at) <= 14,
        age_days=(at - waiting.sent_at).days,
        due_on=due_on,
        overdue=at.date() > due_on,
        flags=flags_of(claim),
    )


def flags_of(claim: Claim) -> list[str]:
    """What the checks left over, and whether the claim was returned before, in words."""
    said = []
    for outcome, one, many in (
        (FAILED, "failed check", "failed checks"),
        (PERSON, "thing to judge", "things to judge"),
        (WARNING, "warning", "warnings"),
    ):
        number = sum(finding["outcome"] == outcome for finding in claim.findings)
        if number:
            said.append(f"{number} {one if number == 1 else many}")
    if claim.sendings > 1:
        said.append(f"sent {claim.sendings} times")
    return said


def next_claim(person: Person, at: datetime, *, but: int | None = None) -> int | None:
    """The id of the claim to take next: the most urgent one that nobody else is reviewing."""
    others = Claim.objects.visible_to(person).filter(status=states.IN_REVIEW).exclude(reviewer=person)
    taken = set(others.values_list("id", flat=True))
    ordered = (waiting.claim_id for waiting in waiting_claims(person, at))
    return next((claim_id for claim_id in ordered if claim_id != but and claim_id not in taken), None)


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
    counts = others.aggregate(
        decided=Count("id", filter=approved | Q(status=states.REJECTED)),
        at_once=Count("id", filter=approved & Q(sendings=1)),
        declined=Count("id", filter=Q(status=states.REJECTED)),
    )
    return History(list(others.select_related("activity")[:shown]), **counts)
