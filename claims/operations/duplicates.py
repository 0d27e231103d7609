"""Evidence that was given before: found where something is sent or added, judged by a reviewer, kept by its partner.

It is a warning and forbids nothing. A pair stands in the table once for each way in which it is alike.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from claims import states
from claims.models import Claim, Duplicate
from claims.permissions import WRITERS
from claims.queries.duplicates import duplicates_for
from coop.lib.db import execute
from coop.lib.errors import FieldError, Invalid, NotFound, WrongStatus
from coop.lib.text import require_fit_text
from partners import events
from partners import states as roles
from partners.models import Person
from partners.permissions import require_role

NEAR_DAYS = 14  # between two invoices of one supplier over one amount; domain.md section 6
# A supplier with hundreds of equal invoices would fill the table; the reviewer learns as much from the first of them.
AT_MOST = 50
# A claim's own partner is also reminded of its drafts; everybody else's drafts are nobody's business.
KNOWN = "(oc.submitted_at IS NOT NULL OR oc.partner_id = %(partner)s)"
# Within one claim each pair is met from both sides: it is taken from the later one.
ONCE = "(o.claim_id <> %(claim)s OR o.id < m.id)"

SAME_INVOICE = f"""
SELECT 'invoice' AS kind, m.id AS mine, o.id AS other, o.claim_id AS other_claim
FROM claims_claimline m
JOIN claims_claimline o ON o.supplier_key = m.supplier_key AND o.number_key = m.number_key AND o.id <> m.id
JOIN claims_claim oc ON oc.id = o.claim_id
WHERE m.claim_id = %(claim)s AND m.supplier_key <> '' AND m.number_key <> '' AND o.number_key <> '' AND {KNOWN} AND {ONCE}
"""
SAME_AMOUNT = f"""
SELECT 'amount' AS kind, m.id AS mine, o.id AS other, o.claim_id AS other_claim
FROM claims_claimline m
JOIN claims_claim mc ON mc.id = m.claim_id
JOIN claims_claimline o ON o.supplier_key = m.supplier_key AND o.id <> m.id AND o.supplier_key <> ''
  AND COALESCE(o.cost_minor, o.amount_minor) = COALESCE(m.cost_minor, m.amount_minor)
  AND o.invoiced_on BETWEEN m.invoiced_on - {NEAR_DAYS} AND m.invoiced_on + {NEAR_DAYS}
JOIN claims_claim oc ON oc.id = o.claim_id AND oc.currency = mc.currency
WHERE m.claim_id = %(claim)s AND {KNOWN} AND {ONCE}
  AND NOT (o.number_key = m.number_key AND m.number_key <> '')
"""
SAME_FILE = f"""
SELECT 'file' AS kind, m.id AS mine, o.id AS other, o.claim_id AS other_claim
FROM claims_document m
JOIN claims_document o ON o.stored_id = m.stored_id AND o.id <> m.id
JOIN claims_claim oc ON oc.id = o.claim_id
WHERE m.claim_id = %(claim)s AND {KNOWN} AND {ONCE}
"""
SAME_PICTURE = f"""
SELECT 'picture' AS kind, m.id AS mine, o.id AS other, o.claim_id AS other_claim
FROM claims_document m
JOIN LATERAL (
  SELECT other_id AS id FROM claims_samepicture WHERE stored_id = m.stored_id
  UNION ALL SELECT stored_id FROM claims_samepicture WHERE other_id = m.stored_id) alike ON true
JOIN claims_document o ON o.stored_id = alike.id
JOIN claims_claim oc ON oc.id = o.claim_id
WHERE m.claim_id = %(claim)s AND {KNOWN} AND {ONCE}
"""
# The later of two claims is the one that was sent later; what was not sent is later than all that was.
KEEP = """
WITH seen AS (
  SELECT *, row_number() OVER (PARTITION BY kind, mine ORDER BY other) AS nth FROM ({pairs}) pairs),
placed AS (
  SELECT s.kind, s.mine, s.other, s.other_claim,
    (COALESCE(oc.first_submitted_at, 'infinity'), oc.id) > (COALESCE(c.first_submitted_at, 'infinity'), c.id) AS swapped
  FROM seen s JOIN claims_claim c ON c.id = %(claim)s JOIN claims_claim oc ON oc.id = s.other_claim
  WHERE s.nth <= {at_most}),
turned AS (
  UPDATE claims_duplicate d SET claim_id = d.other_id, other_id = d.claim_id,
    {thing}_id = d.other_{thing}_id, other_{thing}_id = d.{thing}_id
  FROM placed p
  WHERE d.kind = p.kind AND d.claim_id <> d.other_id
    AND ((NOT p.swapped AND d.{thing}_id = p.other AND d.other_{thing}_id = p.mine)
      OR (p.swapped AND d.{thing}_id = p.mine AND d.other_{thing}_id = p.other))
  RETURNING d.id)
INSERT INTO claims_duplicate
  (kind, claim_id, other_id, {thing}_id, other_{thing}_id, found_at, resolution, reason, kept_because)
SELECT kind, CASE WHEN swapped THEN other_claim ELSE %(claim)s END, CASE WHEN swapped THEN %(claim)s ELSE other_claim END,
  CASE WHEN swapped THEN other ELSE mine END, CASE WHEN swapped THEN mine ELSE other END, %(at)s, '', '', ''
FROM placed
ON CONFLICT DO NOTHING
"""
# What is not alike any more, because a line was changed. What somebody judged stays.
FORGET = """
DELETE FROM claims_duplicate d
WHERE (d.claim_id = %(claim)s OR d.other_id = %(claim)s) AND d.resolution = '' AND d.line_id IS NOT NULL
  AND NOT EXISTS (
    SELECT 1 FROM ({pairs}) p
    WHERE p.kind = d.kind AND (p.mine, p.other) IN ((d.line_id, d.other_line_id), (d.other_line_id, d.line_id)))
"""
OF_LINES = f"{SAME_INVOICE} UNION ALL {SAME_AMOUNT}"
OF_DOCUMENTS = f"{SAME_FILE} UNION ALL {SAME_PICTURE}"


def look_for_duplicates(claim: Claim, at: datetime) -> int:
    """Find what the claim's lines and documents have in common with others; returns how many pairs are new.

    Called in the transaction that changed the claim. Looked at are all claims that were ever sent, whatever became of
    them, of all partners, and the partner's own drafts.
    """
    given = {"claim": claim.pk, "partner": claim.partner_id, "at": at}
    execute(FORGET.format(pairs=OF_LINES), given)
    found = execute(KEEP.format(pairs=OF_LINES, thing="line", at_most=AT_MOST), given)
    found += execute(KEEP.format(pairs=OF_DOCUMENTS, thing="document", at_most=AT_MOST), given)
    return found


@transaction.atomic
def resolve_duplicate(duplicate_id: int, *, resolution: str, reason: str, by: Person, at: datetime) -> Duplicate:
    """Say what a pair is: not the same, rightly the same, or claimed twice. A channel manager who sees a side of it does.

    Raises NotFound, NotAllowed, WrongStatus, Invalid.
    """
    duplicate = locked(duplicate_id, by=by)
    require_role(by, roles.CHANNEL_MANAGER, to="judge evidence that was given twice")
    if duplicate.resolution:
        raise WrongStatus(
            f"{duplicate.resolved_by} has judged this already: {states.RESOLUTIONS[duplicate.resolution].lower()}."
        )
    require_fit_text({"reason": reason}, ["reason"])
    errors = []
    if resolution not in states.RESOLUTIONS:
        known = ", ".join(states.RESOLUTIONS)
        errors.append(FieldError("resolution", "invalid", f"Choose what it is: {known}."))
    if not reason.strip():
        errors.append(FieldError("reason", "required", "Say why, so that the next reviewer need not look again."))
    if errors:
        raise Invalid(errors=errors)
    duplicate.resolution, duplicate.reason = resolution, reason.strip()[:1000]
    duplicate.resolved_by, duplicate.resolved_at = by, at
    duplicate.save()
    for claim in {duplicate.claim, duplicate.other}:
        events.record(
            "claim.duplicate_resolved",
            claim,
            by=by,
            at=at,
            vendor_only=True,
            number=claim.number,
            duplicate=str(duplicate.pk),
            kind=duplicate.kind,
            resolution=resolution,
            reason=duplicate.reason,
        )
    return duplicate


@transaction.atomic
def keep_duplicate(duplicate_id: int, *, why: str, by: Person, at: datetime) -> Duplicate:
    """The partner keeps evidence that was given before, and says why; the reviewer reads it.

    Raises NotFound, NotAllowed, WrongStatus, Invalid.
    """
    duplicate = locked(duplicate_id, by=by)
    claim = duplicate.claim
    if by.partner_id != claim.partner_id:
        raise NotFound("There is no such hint.")
    require_role(by, *WRITERS, to="write claims")
    if duplicate.resolution:
        raise WrongStatus("A reviewer has judged this already, so nothing needs to be said any more.")
    require_fit_text({"why": why}, ["why"])
    if not why.strip():
        raise Invalid.field("why", "Say why it is right to send it again: the reviewer reads it.", "required")
    duplicate.kept_because = why.strip()[:500]
    duplicate.save()
    events.record(
        "claim.duplicate_kept",
        claim,
        by=by,
        at=at,
        partner_only=not claim.sendings,
        number=claim.number,
        duplicate=str(duplicate.pk),
        kind=duplicate.kind,
        why=duplicate.kept_because,
    )
    return duplicate


def locked(duplicate_id: int, *, by: Person) -> Duplicate:
    """Raises NotFound, also for what the person may not know of."""
    seen = duplicates_for(by).filter(id=duplicate_id).values_list("id", flat=True).first()
    if seen is None:
        raise NotFound("There is no such hint.")
    rows = Duplicate.objects.select_related("claim", "other", "resolved_by").select_for_update(of=("self",))
    return rows.get(id=duplicate_id)
