"""What claims adds to `check_ledger`: each claim's amounts agree with the entries that name it."""

from __future__ import annotations

POSTED = """
  SELECT reference,
    sum(CASE WHEN to_bucket = 'in_review' THEN amount_minor ELSE 0 END
      - CASE WHEN from_bucket = 'in_review' THEN amount_minor ELSE 0 END) AS held,
    sum(CASE WHEN kind = 'approval' THEN amount_minor ELSE 0 END) AS approved,
    sum(CASE kind WHEN 'payment' THEN amount_minor WHEN 'return' THEN -amount_minor ELSE 0 END) AS paid
  FROM funds_entry WHERE reference_type = 'claim' GROUP BY reference"""

CHECKS = {
    "every claim agrees with its entries": f"""
        SELECT 'claim ' || c.number, 'claim says ' || (c.held_minor, c.approved_minor, c.paid_minor)::text || ', entries say '
               || (coalesce(e.held, 0), coalesce(e.approved, 0), coalesce(e.paid, 0))::text
        FROM claims_claim c LEFT JOIN ({POSTED}) e ON e.reference = c.id::text
        WHERE (c.held_minor, c.approved_minor, c.paid_minor)
           <> (coalesce(e.held, 0), coalesce(e.approved, 0), coalesce(e.paid, 0))""",
    "every entry of a claim has its claim": """
        SELECT 'entry ' || e.id, 'there is no claim ' || e.reference
        FROM funds_entry e LEFT JOIN claims_claim c ON c.id::text = e.reference
        WHERE e.reference_type = 'claim' AND c.id IS NULL""",
    "no claim was sent outside its windows": """
        SELECT 'claim ' || c.number, 'first sent ' || c.first_submitted_at || ', last ' || c.submitted_at
        FROM claims_claim c JOIN funds_fund f ON f.id = c.fund_id JOIN funds_earningperiod p ON p.id = f.earning_period_id
        WHERE c.first_submitted_at >= p.claims_close_at OR c.first_submitted_at < p.claims_open_at
           OR c.submitted_at >= p.cure_close_at""",
}
