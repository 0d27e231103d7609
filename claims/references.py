"""What claims tells funds of its references: how "claim 17" reads, and what follows when it was paid or the money came back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.urls import reverse

from claims.models import Claim
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
