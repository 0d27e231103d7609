"""Recomputing everything from the entries: what `manage.py check_ledger` says. Reads only.

It trusts neither the triggers nor the code: sums are made anew, in SQL over whole tables, in one snapshot. The checks that
would each have to go through all entries are made only where their fingerprints differ (funds/fingerprints.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from coop.lib.db import execute, one_snapshot, rows
from funds.fingerprints import Fingerprint, disagreeing, drawn, drawn_for, times
from funds.queries.deadlines import CLOSES_AT_SQL, CLOSES_ON_SQL

BUCKETS = ("available", "reserved", "in_review", "approved", "paid", "expired", "converted")


@dataclass(frozen=True)
class Difference:
    """One thing that does not agree: which check, which record, and what was found against what should be."""

    check: str
    subject: str
    detail: str


@dataclass(frozen=True)
class Check:
    """A query that names what differs, and the fingerprint that tells whether it need be made."""

    sql: str
    fingerprint: Fingerprint


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

# Where an entry comes from and goes to; outside the fund it counts as earned or as an adjustment.
OUTSIDE = "CASE WHEN kind IN ('adjustment', 'write_off') THEN 'adjustments' ELSE 'earned' END"
FROM_PLACE, TO_PLACE = (
    f"CASE {side} WHEN 'program' THEN {OUTSIDE} ELSE {side} END" for side in ("from_bucket", "to_bucket")
)
HELD = " + ".join(times(f"{bucket}_minor", drawn_for(f"'{bucket}'")) for bucket in BUCKETS)
CAME = " - ".join(times(f"{total}_minor", drawn_for(f"'{total}'")) for total in ("earned", "adjustments"))
COUNTED = times("entries_posted", drawn("partner_id"), drawn_for("currency"))

# Of every fund its totals, whose it is, and how many entries it has.
FUNDS = Fingerprint(
    entries=times(
        f"""{times("amount_minor", f"{drawn_for(TO_PLACE)} - {drawn_for(FROM_PLACE)}")}
            + {times(drawn("partner_id"), drawn_for("currency"))}""",
        drawn("fund_id"),
    ),
    records=f"SELECT {times(f'{HELD} - {CAME} + {COUNTED}', drawn('id'))} FROM funds_fund",
)

# What a posted adjustment moves, fund by fund.
ADJUSTED = """
  SELECT id::text AS reference, fund_id, abs(amount_minor) AS amount_minor,
    CASE WHEN purpose = 'to_rebate' THEN 'available>converted'
         WHEN purpose = 'rollover' OR amount_minor < 0 THEN 'available>program' ELSE 'program>available' END AS way
  FROM funds_adjustment WHERE status = 'posted'
  UNION ALL
  SELECT id::text, to_fund_id, amount_minor, 'program>available' FROM funds_adjustment
  WHERE status = 'posted' AND purpose = 'rollover'"""
# What a committed import brought to each fund, and what its reversal took back.
EFFECTS = """
  SELECT x.*, i.id::text AS reference, r.source, r.sign
  FROM funds_importeffect x JOIN funds_import i ON i.id = x.import_id
  JOIN (VALUES ('committed', 'import', 1), ('reversed', 'import', 1), ('reversed', 'reversal', -1)) r (status, source, sign)
    ON r.status = i.status"""
IMPORTED = f"""
  SELECT reference, f.id AS fund_id, abs(x.coop_minor) AS amount_minor,
    CASE WHEN x.sign * x.coop_minor > 0 THEN 'program>available' ELSE 'available>program' END AS way
  FROM ({EFFECTS}) x LEFT JOIN funds_fund f ON (f.partner_id, f.enrollment_id, f.earning_period_id, f.currency)
    = (x.partner_id, x.enrollment_id, x.earning_period_id, x.currency)
  WHERE x.coop_minor <> 0"""


def moved_by(reference_type: str, wanted: str) -> Check:
    """The check that the entries which name a record of this type are those that the query wants, one for each of its rows."""
    way = "from_bucket || '>' || to_bucket"
    factors = ("amount_minor", drawn_for("reference"), drawn("fund_id"))
    return Check(
        f"""
        SELECT '{reference_type} ' || reference || ' of fund ' || coalesce(fund_id::text, '?'),
               'it says ' || coalesce(way || ' ' || w.amount_minor, 'nothing') || ', entries say '
               || coalesce(way || ' ' || e.amount_minor, 'nothing')
        FROM ({wanted}) w FULL JOIN (
          SELECT reference, fund_id, {way} AS way, sum(amount_minor) AS amount_minor FROM funds_entry
          WHERE reference_type = '{reference_type}' GROUP BY 1, 2, 3) e USING (reference, fund_id, way)
        WHERE w.amount_minor IS DISTINCT FROM e.amount_minor""",
        Fingerprint(
            entries=f"CASE reference_type WHEN '{reference_type}' THEN {times(*factors, drawn_for(way))} END",
            records=f"SELECT {times(*factors, drawn_for('way'))} FROM ({wanted}) w",
        ),
    )


CHECKS: dict[str, str | Check] = {
    "totals equal the entries": Check(
        f"""
        SELECT 'fund ' || f.id, 'stored ' || (f.earned_minor, f.adjustments_minor, {STORED})::text || ', entries say '
               || (coalesce(e.earned, 0), coalesce(e.adjustments, 0), {", ".join(f"coalesce(e.{b}, 0)" for b in BUCKETS)})::text
        FROM funds_fund f LEFT JOIN (SELECT fund_id, {EARNED}, {SUMS} FROM funds_entry GROUP BY fund_id) e ON e.fund_id = f.id
        WHERE (f.earned_minor, f.adjustments_minor, {STORED})
           <> (coalesce(e.earned, 0), coalesce(e.adjustments, 0), {", ".join(f"coalesce(e.{b}, 0)" for b in BUCKETS)})""",
        FUNDS,
    ),
    "every entry fits its fund": Check(
        """
        SELECT 'entry ' || e.id, 'fund ' || e.fund_id || ' is missing, or has another partner or currency'
        FROM funds_entry e LEFT JOIN funds_fund f
          ON (f.id, f.partner_id, f.currency) = (e.fund_id, e.partner_id, e.currency) WHERE f.id IS NULL""",
        FUNDS,
    ),
    "every fund counts its entries": Check(
        """
        SELECT 'fund ' || f.id, 'it counts ' || f.entries_posted || ' entries, there are ' || coalesce(e.number, 0)
        FROM funds_fund f LEFT JOIN (SELECT fund_id, count(*) AS number FROM funds_entry GROUP BY 1) e ON e.fund_id = f.id
        WHERE f.entries_posted <> coalesce(e.number, 0)""",
        FUNDS,
    ),
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
          SELECT partner_id, enrollment_id, earning_period_id, fund_currency, sum(coop_change_minor) AS coop FROM funds_earning
          GROUP BY 1, 2, 3, 4) n ON (n.partner_id, n.enrollment_id, n.earning_period_id, n.fund_currency)
            = (f.partner_id, f.enrollment_id, f.earning_period_id, f.currency)
        WHERE coalesce(n.coop, 0) <> f.earned_minor""",
    "every earning has its fund": """
        SELECT 'earning ' || n.external_id || ' of partner ' || n.partner_id, 'it has co-op but no fund'
        FROM funds_earning n LEFT JOIN funds_fund f ON (f.partner_id, f.enrollment_id, f.earning_period_id, f.currency)
          = (n.partner_id, n.enrollment_id, n.earning_period_id, n.fund_currency)
        WHERE n.coop_minor <> 0 AND f.id IS NULL""",
    "nothing expired before its deadline": f"""
        SELECT 'entry ' || e.id, 'recorded ' || e.recorded_at || ', deadline ' || {CLOSES_AT_SQL}
        FROM funds_entry e JOIN funds_fund f ON f.id = e.fund_id JOIN funds_earningperiod p ON p.id = f.earning_period_id
        WHERE e.to_bucket = 'expired' AND e.recorded_at < {CLOSES_AT_SQL}""",
    "every expiry is effective on the deadline of its fund": f"""
        SELECT 'entry ' || e.id, 'effective on ' || e.effective_on || ', deadline ' || {CLOSES_ON_SQL}
        FROM funds_entry e JOIN funds_fund f ON f.id = e.fund_id JOIN funds_earningperiod p ON p.id = f.earning_period_id
        WHERE e.kind = 'expiry' AND e.effective_on <> {CLOSES_ON_SQL}""",
    "no partner's own deadline is before its period's": """
        SELECT 'fund ' || f.id, 'its own deadline ' || f.own_close_on || ' is not after ' || p.claims_close_on
        FROM funds_fund f JOIN funds_earningperiod p ON p.id = f.earning_period_id
        WHERE f.own_close_at <= p.claims_close_at OR f.own_close_on <= p.claims_close_on OR f.own_cure_at <= p.cure_close_at""",
    "nothing is left in a fund that expired": """
        SELECT 'fund ' || f.id, f.available_minor || ' is available after the expiry of ' || e.effective_on
        FROM funds_fund f JOIN funds_entry e ON e.fund_id = f.id AND e.kind = 'expiry' WHERE f.available_minor > 0""",
    "every adjustment agrees with its entries": moved_by("adjustment", ADJUSTED),
    "every import agrees with its entries": moved_by("import", IMPORTED),
    "every import agrees with its rebates": f"""
        SELECT 'import ' || reference || ' for partner ' || partner_id,
               'it says ' || coalesce(x.owed, 0) || ', rebates say ' || coalesce(r.owed, 0)
        FROM (SELECT reference, source, partner_id, enrollment_id, earning_period_id, currency, sign * rebate_minor AS owed
              FROM ({EFFECTS}) e WHERE rebate_minor <> 0) x
        FULL JOIN (SELECT reference, source, partner_id, enrollment_id, earning_period_id, currency, amount_minor AS owed
                   FROM funds_rebate WHERE source IN ('import', 'reversal')) r
          USING (reference, source, partner_id, enrollment_id, earning_period_id, currency)
        WHERE x.owed IS DISTINCT FROM r.owed""",
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


def check_ledger(further: Mapping[str, str | Check] | None = None) -> Report:
    """Run every check, those of the apps above in `further` too, in one snapshot that writers do not disturb."""
    checks = {**CHECKS, **(further or {})}
    fingerprints = [check.fingerprint for check in checks.values() if isinstance(check, Check)]
    with one_snapshot():
        execute("SET LOCAL work_mem = '64MB'")
        entries, differing = disagreeing(list(dict.fromkeys(fingerprints)))
        found = []
        for name, check in checks.items():
            sql = check.sql if isinstance(check, Check) else check
            if not isinstance(check, Check) or check.fingerprint in differing:
                found += [Difference(name, subject, detail) for subject, detail in rows(sql)]
        ((funds,),) = rows("SELECT count(*) FROM funds_fund")
    return Report(funds, entries, found)
