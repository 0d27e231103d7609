"""How much of a cost is paid back."""

from __future__ import annotations

from decimal import Decimal

from claims.models import Claim
from claims.queries.book import book_for, case_of_claim
from coop.lib import money


def share_of(claim: Claim) -> Decimal:
    """The per cent of a cost that the rules allow for the claim's activity, 100 where no rule says less."""
    rules = book_for(claim).of_kind("allowance", case_of_claim(claim))
    return min((Decimal(rule.params["percent"]) for rule in rules), default=Decimal(100))


def proposed_minor(claim: Claim, cost_minor: int) -> int:
    """What may be claimed of a cost: its share, rounded half-even to a minor unit."""
    return money.share(cost_minor, int(share_of(claim) * 100))
