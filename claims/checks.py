"""What claims adds to `check_ledger`: each claim's amounts agree with the entries that name it."""

from __future__ import annotations

from funds.checks import Check
from funds.fingerprints import Fingerprint, drawn_for, times

POSTED = """
  SELECT reference,
    sum(CASE WHEN to_bucket = 'in_review' THEN amount_minor ELSE 0 END
      - CASE WHEN from_bucket = 'in_review' THEN amount_minor ELSE 0 END) AS held,
    sum(CASE WHEN kind = 'approval' THEN amount_minor ELSE 0 END) AS approved,
    sum(CASE kind WHEN 'payment' THEN amount_minor WHEN 'return' THEN -amount_minor ELSE 0 END) AS paid
  FROM funds_entry WHERE reference_type = 'claim' GROUP BY reference"""

HELD, APPROVED, PAID = (drawn_for(f"'claim {amount}'") for amount in ("held", "approved", "paid"))
MOVED = f"""CASE to_bucket WHEN 'in_review' THEN {HELD} ELSE 0 END - CASE from_bucket WHEN 'in_review' THEN {HELD} ELSE 0 END
  + CASE kind WHEN 'approval' THEN {APPROVED} WHEN 'payment' THEN {PAID} WHEN 'return' THEN -{PAID} ELSE 0 END"""
FIRST = "kind = 'hold' AND key = 'claim:' || reference || ':sent:1'"
SENT = drawn_for("'claim sent'")
SAID = " + ".join((times("held_minor", HELD), times("approved_minor", APPROVED), times("paid_minor", PAID)))

CLAIMS = Fingerprint(
    entries=f"""CASE reference_type WHEN 'claim' THEN
        {times(f"{times('amount_minor', MOVED)} + CASE WHEN {FIRST} THEN {SENT} ELSE 0 END", drawn_for("reference"))} END""",
    records=f"""SELECT {times(f"{SAID} + CASE WHEN sendings > 0 THEN {SENT} ELSE 0 END", drawn_for("id::text"))}
                FROM claims_claim""",
)

CHECKS: dict[str, str | Check] = {
    "every claim agrees with its entries": Check(
        f"""
        SELECT 'claim ' || coalesce(c.number, e.reference), 'claim says '
               || (coalesce(c.held_minor, 0), coalesce(c.approved_minor, 0), coalesce(c.paid_minor, 0))::text
               || ', entries say ' || (coalesce(e.held, 0), coalesce(e.approved, 0), coalesce(e.paid, 0))::text
        FROM claims_claim c FULL JOIN ({POSTED}) e ON e.reference = c.id::text
        WHERE (coalesce(c.held_minor, 0), coalesce(c.approved_minor, 0), coalesce(c.paid_minor, 0))
           <> (coalesce(e.held, 0), coalesce(e.approved, 0), coalesce(e.paid, 0))""",
        CLAIMS,
    ),
    "every entry of a claim has its claim": Check(
        """
        SELECT 'entry ' || e.id, 'there is no claim ' || e.reference
        FROM funds_entry e LEFT JOIN claims_claim c ON c.id::text = e.reference
        WHERE e.reference_type = 'claim' AND c.id IS NULL""",
        CLAIMS,
    ),
    "every claim that was sent began with a hold": Check(
        f"""
        SELECT 'claim ' || c.number, 'it was sent ' || c.sendings || ' times, and ' || coalesce(e.number, 0) || ' holds say so'
        FROM claims_claim c LEFT JOIN (
          SELECT reference, count(*) AS number FROM funds_entry WHERE reference_type = 'claim' AND {FIRST} GROUP BY 1) e
          ON e.reference = c.id::text
        WHERE (c.sendings > 0)::int <> coalesce(e.number, 0)""",
        CLAIMS,
    ),
    "no claim was sent outside its windows": """
        SELECT 'claim ' || c.number, 'first sent ' || c.first_submitted_at || ', last ' || c.submitted_at
        FROM claims_claim c JOIN funds_fund f ON f.id = c.fund_id JOIN funds_earningperiod p ON p.id = f.earning_period_id
        WHERE c.first_submitted_at >= p.claims_close_at OR c.first_submitted_at < p.claims_open_at
           OR c.submitted_at >= p.cure_close_at""",
}
