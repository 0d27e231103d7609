"""Recomputing everything from the entries: what `manage.py check_ledger` says. Reads only.

It trusts neither the triggers nor the code: sums are made anew, in SQL over whole tables, in one snapshot.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection, transaction

from coop.lib.db import execute, rows

BUCKETS = ("available", "reserved", "in_review", "approved", "paid", "expired", "converted")


@dataclass(frozen=True)
class Difference:
    """One thing that does not agree: which check, which record, and what was found against what should be."""

    check: str
    subject: str
    detail: str


def sum_of(bucket: str) -> str:
    return (
        f"coalesce(sum(CASE WHEN to_bucket = '{bucket}' THEN amount_minor ELSE 0 END"
        f" - CASE WHEN from_bucket = '{bucket}' THEN amount_minor ELSE 0 END), 0)"
    )


SUMS = ", ".join(f"{sum_of(bucket)} AS {bucket}" for bucket in BUCKETS)
STORED = ", ".join(f"f.{bucket}_minor" for bucket in BUCKETS)
FROM_PROGRAM = "CASE from_bucket WHEN 'program' THEN amount_minor ELSE -amount_minor END"
EARNED = f"""
  coalesce(sum({FROM_PROGRAM}) FILTER (WHERE kind IN ('earning', 'clawback', 'reversal')), 0) AS earned,
  coalesce(sum({FROM_PROGRAM}) FILTER (WHERE kind IN ('adjustment', 'write_off')), 0) AS adjustments"""

CHECKS = {
    "totals equal the entries": f"""
        SELECT 'fund ' || f.id, 'stored ' || (f.earned_minor, f.adjustments_minor, {STORED})::text || ', entries say '
               || (coalesce(e.earned, 0), coalesce(e.adjustments, 0), {", ".join(f"coalesce(e.{b}, 0)" for b in BUCKETS)})::text
        FROM funds_fund f LEFT JOIN (SELECT fund_id, {EARNED}, {SUMS} FROM funds_entry GROUP BY fund_id) e ON e.fund_id = f.id
        WHERE (f.earned_minor, f.adjustments_minor, {STORED})
           <> (coalesce(e.earned, 0), coalesce(e.adjustments, 0), {", ".join(f"coalesce(e.{b}, 0)" for b in BUCKETS)})""",
    "every entry fits its fund": """
        SELECT 'entry ' || e.id, 'fund ' || e.fund_id || ' is missing, or has another partner or currency'
        FROM funds_entry e LEFT JOIN funds_fund f
          ON (f.id, f.partner_id, f.currency) = (e.fund_id, e.partner_id, e.currency) WHERE f.id IS NULL""",
    "the balance identity holds": """
        SELECT 'fund ' || id,
               'earned ' || earned_minor || ' and adjustments ' || adjustments_minor || ' are not the sum of the buckets'
        FROM funds_fund WHERE earned_minor + adjustments_minor <> available_minor + reserved_minor + in_review_minor
          + approved_minor + paid_minor + expired_minor + converted_minor""",
    "no bucket is below zero": """
        SELECT 'fund ' || id, 'a bucket is below zero' FROM funds_fund
        WHERE least(reserved_minor, in_review_minor, approved_minor, paid_minor, expired_minor, converted_minor) < 0""",
    "co-op of the earnings equals what was posted for them": """
        SELECT 'fund ' || f.id, 'earnings say ' || coalesce(n.coop, 0) || ', entries say ' || f.earned_minor
        FROM funds_fund f LEFT JOIN (
          SELECT partner_id, enrollment_id, earning_period_id, fund_currency, sum(coop_minor) AS coop FROM funds_earning
          GROUP BY 1, 2, 3, 4) n ON (n.partner_id, n.enrollment_id, n.earning_period_id, n.fund_currency)
            = (f.partner_id, f.enrollment_id, f.earning_period_id, f.currency)
        WHERE coalesce(n.coop, 0) <> f.earned_minor""",
    "every earning has its fund": """
        SELECT 'earning ' || n.external_id || ' of partner ' || n.partner_id, 'it has co-op but no fund'
        FROM funds_earning n LEFT JOIN funds_fund f ON (f.partner_id, f.enrollment_id, f.earning_period_id, f.currency)
          = (n.partner_id, n.enrollment_id, n.earning_period_id, n.fund_currency)
        WHERE n.coop_minor <> 0 AND f.id IS NULL""",
    "nothing expired before its deadline": """
        SELECT 'entry ' || e.id, 'recorded ' || e.recorded_at || ', deadline ' || p.claims_close_at
        FROM funds_entry e JOIN funds_fund f ON f.id = e.fund_id JOIN funds_earningperiod p ON p.id = f.earning_period_id
        WHERE e.to_bucket = 'expired' AND e.recorded_at < p.claims_close_at""",
    "nothing is left in a fund that expired": """
        SELECT 'fund ' || f.id, f.available_minor || ' is available after the expiry of ' || e.effective_on
        FROM funds_fund f JOIN funds_entry e ON e.fund_id = f.id AND e.kind = 'expiry' WHERE f.available_minor > 0""",
    "every adjustment agrees with its entries": """
        SELECT 'adjustment ' || a.id, a.status || ' ' || a.amount_minor || ', entries say ' || coalesce(e.moved, 0)
        FROM funds_adjustment a LEFT JOIN (
          SELECT reference, fund_id, sum(CASE WHEN to_bucket IN ('available', 'converted') THEN amount_minor
                                              ELSE -amount_minor END) AS moved
          FROM funds_entry WHERE reference_type = 'adjustment' GROUP BY 1, 2) e
          ON e.reference = a.id::text AND e.fund_id = a.fund_id
        WHERE coalesce(e.moved, 0) <> CASE WHEN a.status <> 'posted' THEN 0 WHEN a.purpose = 'rollover' THEN -a.amount_minor
          ELSE a.amount_minor END""",
    "every entry of an adjustment has its adjustment": """
        SELECT 'entry ' || e.id, 'there is no posted adjustment ' || e.reference || ' of fund ' || e.fund_id
        FROM funds_entry e LEFT JOIN funds_adjustment a ON a.id::text = e.reference AND a.status = 'posted'
          AND e.fund_id IN (a.fund_id, a.to_fund_id)
        WHERE e.reference_type = 'adjustment' AND a.id IS NULL""",
    "what is paid equals the payables that were paid": """
        SELECT 'fund ' || f.id, 'payables say ' || coalesce(p.paid, 0) || ', entries say ' || f.paid_minor
        FROM funds_fund f LEFT JOIN (SELECT fund_id, sum(amount_minor) AS paid FROM funds_payable WHERE paid_at IS NOT NULL
          GROUP BY fund_id) p ON p.fund_id = f.id WHERE coalesce(p.paid, 0) <> f.paid_minor""",
    "what is approved equals the payables that wait": """
        SELECT 'fund ' || f.id, 'payables say ' || coalesce(p.waiting, 0) || ', entries say ' || f.approved_minor
        FROM funds_fund f LEFT JOIN (SELECT fund_id, sum(amount_minor) AS waiting FROM funds_payable WHERE paid_at IS NULL
          GROUP BY fund_id) p ON p.fund_id = f.id WHERE coalesce(p.waiting, 0) <> f.approved_minor""",
    "what is paid was sent in one payment": """
        SELECT 'payable ' || p.id, CASE WHEN p.paid_at IS NULL THEN 'it waits, ' ELSE 'it is paid, ' END
               || coalesce(s.sent, 0) || ' payments of it were sent and kept'
        FROM funds_payable p LEFT JOIN (SELECT i.payable_id, count(*) AS sent FROM funds_paymentitem i
          JOIN funds_payment y ON y.id = i.payment_id WHERE i.open AND y.status = 'sent' GROUP BY 1) s ON s.payable_id = p.id
        WHERE coalesce(s.sent, 0) <> (p.paid_at IS NOT NULL)::int""",
    "a rebate that is payable is the sum of its parts": """
        SELECT 'payable ' || p.id, 'it says ' || p.amount_minor || ', its parts sum to ' || coalesce(r.owed, 0)
        FROM funds_payable p LEFT JOIN (SELECT payable_id, partner_id, program_id, currency, sum(amount_minor) AS owed
          FROM funds_rebate WHERE payable_id IS NOT NULL GROUP BY 1, 2, 3, 4) r
          ON (r.payable_id, r.partner_id, r.program_id, r.currency) = (p.id, p.partner_id, p.program_id, p.currency)
        WHERE p.kind = 'rebate' AND coalesce(r.owed, 0) <> p.amount_minor""",
    "what was converted is owed as rebate": """
        SELECT 'fund ' || f.id, 'converted ' || f.converted_minor || ', rebates say ' || coalesce(r.owed, 0)
        FROM funds_fund f LEFT JOIN (SELECT partner_id, enrollment_id, earning_period_id, currency, sum(amount_minor) AS owed
          FROM funds_rebate WHERE source = 'conversion' GROUP BY 1, 2, 3, 4) r
          ON (r.partner_id, r.enrollment_id, r.earning_period_id, r.currency)
           = (f.partner_id, f.enrollment_id, f.earning_period_id, f.currency)
        WHERE coalesce(r.owed, 0) <> f.converted_minor""",
}


@dataclass(frozen=True)
class Report:
    """What was looked at, and what does not agree."""

    funds: int
    entries: int
    differences: list[Difference]


def check_ledger(further: dict[str, str] | None = None) -> Report:
    """Run every check, those of the apps above in `further` too, in one snapshot that writers do not disturb."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost:
            execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        found = [
            Difference(check, subject, detail)
            for check, sql in {**CHECKS, **(further or {})}.items()
            for subject, detail in rows(sql)
        ]
        ((funds, entries),) = rows("SELECT (SELECT count(*) FROM funds_fund), (SELECT count(*) FROM funds_entry)")
    return Report(funds, entries, found)
