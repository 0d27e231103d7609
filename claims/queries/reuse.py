"""Files that a partner gave before and may offer again."""

from __future__ import annotations

from django.db.models import QuerySet

from claims.models import Claim, Document

SHOWN = 30


def reusable(claim: Claim, kind: str, *, named: str = "") -> QuerySet[Document]:
    """Files of one kind in other claims of the claim's partner, the newest first; `named` is a part of the file's name.

    Files whose bytes were deleted, and statements that were signed for another line, are left out.
    """
    found = Document.objects.filter(
        claim__partner_id=claim.partner_id,
        kind=kind,
        stored__isnull=False,
        stored__deleted_at__isnull=True,
        signed_at__isnull=True,
    ).exclude(claim_id=claim.pk)
    if named:
        found = found.filter(filename__icontains=named)
    return found.select_related("stored", "claim__fund__earning_period").order_by("-id")
