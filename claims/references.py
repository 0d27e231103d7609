"""What claims tells funds of its references: how "claim 17" or "plan 4" reads, and what follows when it was paid or the money
came back.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.urls import reverse

from claims.models import Claim, Plan
from claims.operations.review import mark_paid, mark_unpaid
from funds import references
from partners.models import Person


class ClaimReferences:
    def show(self, ids: Iterable[str]) -> dict[str, references.Shown]:
        found = Claim.objects.filter(id__in=[int(reference) for reference in ids]).values_list("id", "number")
        return {str(pk): references.Shown(f"Claim {number}", reverse("claim", args=[pk])) for pk, number in found}

    def paid(self, reference: str, amount_minor: int, *, by: Person, at: datetime) -> None:
        mark_paid(int(reference), amount_minor, by=by, at=at)

    def unpaid(self, reference: str, amount_minor: int, *, by: Person, at: datetime) -> None:
        mark_unpaid(int(reference), by=by, at=at)


class PlanReferences:
    """A plan has a page of its own. What is reserved for one is never paid as such: claims are."""

    def show(self, ids: Iterable[str]) -> dict[str, references.Shown]:
        found = Plan.objects.filter(id__in=[int(reference) for reference in ids])
        return {str(plan.pk): references.Shown(f"Plan {plan}", reverse("plan", args=[plan.pk])) for plan in found}

    def paid(self, reference: str, amount_minor: int, *, by: Person, at: datetime) -> None:
        pass

    def unpaid(self, reference: str, amount_minor: int, *, by: Person, at: datetime) -> None:
        pass
