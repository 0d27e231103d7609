"""What claims adds to `check_ledger`: the amounts of each claim and plan agree with the entries that name it."""

from __future__ import annotations

from funds.checks import Check
from funds.fingerprints import Fingerprint, drawn_for, times
from funds.queries.deadlines import CLOSES_AT_SQL, CLOSES_ON_SQL, CURES_AT_SQL

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

# What each approval of a plan reserved, or gave back where an amendment asks for less, as its decision says.
DECIDED = """
  SELECT d.plan_id::text AS reference, sum((r ->> 'reserved')::bigint) AS reserved
  FROM claims_decision d, jsonb_array_elements(d.rows) r
  WHERE d.plan_id IS NOT NULL AND d.act = 'approve' GROUP BY 1"""
BY_DECISION = "split_part(key, ':', 3) = 'reserved'"
TO_RESERVE = "CASE WHEN to_bucket = 'reserved' THEN amount_minor ELSE 0 END"
FROM_RESERVE = "CASE WHEN from_bucket = 'reserved' THEN amount_minor ELSE 0 END"

PLANS = Fingerprint(
    entries=f"""CASE reference_type WHEN 'plan' THEN CASE WHEN {BY_DECISION} THEN
        {times(f"({TO_RESERVE} - {FROM_RESERVE})", drawn_for("reference"))} END END""",
    records=f"SELECT {times('reserved::bigint', drawn_for('reference'))} FROM ({DECIDED}) d",
)
# All versions of a plan share its number, and an amendment takes over what the version before had: so by number.
RESERVED_NOW = """
  SELECT p.number, p.fund_id, sum(a.reserved_minor) AS reserved
  FROM claims_plan p JOIN claims_planactivity a ON a.plan_id = p.id GROUP BY 1, 2"""
RESERVED_POSTED = f"""
  SELECT p.number, sum({TO_RESERVE} - {FROM_RESERVE}) AS reserved
  FROM claims_plan p
  JOIN (SELECT 'plan' AS kind, id::text AS reference, id AS plan_id FROM claims_plan
        UNION ALL
        SELECT 'claim', c.id::text, a.plan_id FROM claims_claim c JOIN claims_planactivity a ON a.id = c.plan_activity_id
       ) n ON n.plan_id = p.id
  JOIN funds_entry e ON e.fund_id = p.fund_id AND e.reference_type = n.kind AND e.reference = n.reference
  GROUP BY 1"""

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
    "no claim was sent outside its windows": f"""
        SELECT 'claim ' || c.number, 'first sent ' || c.first_submitted_at || ', last ' || c.submitted_at
        FROM claims_claim c JOIN funds_fund f ON f.id = c.fund_id JOIN funds_earningperiod p ON p.id = f.earning_period_id
        WHERE c.first_submitted_at >= {CLOSES_AT_SQL} OR c.first_submitted_at < p.claims_open_at
           OR c.submitted_at >= {CURES_AT_SQL}""",
    "what is reserved in a fund is what its plans reserve": """
        SELECT 'fund ' || f.id, 'its plans say ' || coalesce(a.reserved, 0) || ', entries say ' || f.reserved_minor
        FROM funds_fund f LEFT JOIN (
          SELECT p.fund_id, sum(a.reserved_minor) AS reserved
          FROM claims_planactivity a JOIN claims_plan p ON p.id = a.plan_id GROUP BY 1) a ON a.fund_id = f.id
        WHERE f.reserved_minor <> coalesce(a.reserved, 0)""",
    "every plan agrees with its entries": f"""
        SELECT 'plan ' || n.number, 'plan says ' || n.reserved || ', entries say ' || coalesce(e.reserved, 0)
        FROM ({RESERVED_NOW}) n LEFT JOIN ({RESERVED_POSTED}) e ON e.number = n.number
        WHERE n.reserved <> coalesce(e.reserved, 0)""",
    "every reserve was decided": Check(
        f"""
        SELECT 'plan ' || reference, 'decisions say ' || coalesce(d.reserved, 0) || ', entries say ' || coalesce(e.reserved, 0)
        FROM ({DECIDED}) d FULL JOIN (
          SELECT reference, sum({TO_RESERVE} - {FROM_RESERVE}) AS reserved FROM funds_entry
          WHERE reference_type = 'plan' AND {BY_DECISION} GROUP BY 1) e USING (reference)
        WHERE coalesce(d.reserved, 0) <> coalesce(e.reserved, 0)""",
        PLANS,
    ),
    "every entry of a plan has its plan": Check(
        """
        SELECT 'entry ' || e.id, 'there is no plan ' || e.reference || ' of this fund'
        FROM funds_entry e LEFT JOIN claims_plan p ON p.id::text = e.reference AND p.fund_id = e.fund_id
        WHERE e.reference_type = 'plan' AND p.id IS NULL""",
        PLANS,
    ),
    "no claim holds more of a plan than was approved": """
        SELECT 'plan activity ' || a.id, 'approved ' || coalesce(a.approved_minor, 0) || ', reserved ' || a.reserved_minor
               || ', held by claims ' || c.held
        FROM claims_planactivity a JOIN (
          SELECT plan_activity_id, sum(from_plan_minor) AS held FROM claims_claim WHERE from_plan_minor > 0 GROUP BY 1) c
          ON c.plan_activity_id = a.id
        WHERE a.reserved_minor + c.held > coalesce(a.approved_minor, 0)""",
    "no claim holds money of a plan without one": """
        SELECT 'claim ' || number, 'it holds ' || from_plan_minor || ' of ' || held_minor || ' out of no plan'
        FROM claims_claim WHERE from_plan_minor > held_minor OR (from_plan_minor > 0 AND plan_activity_id IS NULL)""",
    "nothing stays reserved in a fund that expired": f"""
        SELECT 'fund ' || f.id, f.reserved_minor || ' is reserved although claims closed on ' || {CLOSES_ON_SQL}
        FROM funds_fund f JOIN funds_earningperiod p ON p.id = f.earning_period_id
        WHERE f.reserved_minor > 0 AND p.expired_at IS NOT NULL AND {CLOSES_AT_SQL} <= p.expired_at""",
}
