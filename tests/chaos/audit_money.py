"""What the auditor says of money: the books, the ledger's own checks, expiry."""

from __future__ import annotations

from claims.checks import CHECKS
from coop.lib.db import rows
from funds.checks import check_ledger
from funds.queries.proof import verify_ledger
from tests.chaos.journals import Journals
from tests.chaos.lines import Line, asked, line, number

# Made anew here, from nothing but entries, so that the product's own checks are not their own judge.
# What the program gave out and did not get back is what lies in the buckets of all funds, by currency.
DOUBLE_ENTRY = """
  SELECT currency, gave, lies FROM
    (SELECT currency, sum(CASE WHEN from_bucket = 'program' THEN amount_minor ELSE 0 END
       - CASE WHEN to_bucket = 'program' THEN amount_minor ELSE 0 END) AS gave FROM funds_entry GROUP BY 1) g
    FULL JOIN (SELECT currency, sum(available_minor + reserved_minor + in_review_minor + approved_minor + paid_minor
       + expired_minor + converted_minor) AS lies FROM funds_fund GROUP BY 1) l USING (currency)
  WHERE coalesce(gave, 0) <> coalesce(lies, 0)"""
BUCKETS = ("available", "reserved", "in_review", "approved", "paid", "expired", "converted")
SUMS = " OR ".join(
    f"""f.{bucket}_minor <> coalesce((SELECT sum(CASE WHEN e.to_bucket = '{bucket}' THEN e.amount_minor ELSE 0 END
      - CASE WHEN e.from_bucket = '{bucket}' THEN e.amount_minor ELSE 0 END) FROM funds_entry e WHERE e.fund_id = f.id), 0)"""
    for bucket in BUCKETS
)
BELOW_ZERO = f"SELECT 'fund', id FROM funds_fund WHERE least({', '.join(f'{bucket}_minor' for bucket in BUCKETS)}) < 0"
# Nothing was taken back in these runs, so what came in bounds what was spent, to the cent.
OVERSPENT = """
  SELECT 'fund', f.id, spent, came FROM funds_fund f
  CROSS JOIN LATERAL (SELECT
    coalesce(sum(amount_minor) FILTER (WHERE from_bucket = 'program'), 0) AS came,
    coalesce(sum(amount_minor) FILTER (WHERE kind = 'approval'), 0) AS spent FROM funds_entry WHERE fund_id = f.id) e
  WHERE spent > came"""
CLOSE_AT = "coalesce(f.own_close_at, p.claims_close_at)"
CLOSE_ON = "coalesce(f.own_close_on, p.claims_close_on)"
FUNDS = f"""FROM funds_fund f JOIN funds_earningperiod p ON p.id = f.earning_period_id
  LEFT JOIN LATERAL (SELECT count(*) AS times, min(effective_on) AS effective_on, min(recorded_at) AS recorded_at
    FROM funds_entry e WHERE e.fund_id = f.id AND e.kind = 'expiry') x ON true
  LEFT JOIN LATERAL (SELECT coalesce(sum(CASE WHEN e.to_bucket = 'available' THEN e.amount_minor ELSE 0 END
      - CASE WHEN e.from_bucket = 'available' THEN e.amount_minor ELSE 0 END), 0) AS left_over
    FROM funds_entry e WHERE e.fund_id = f.id AND e.recorded_at < {CLOSE_AT}) y ON true"""
TWICE = f"SELECT 'fund', f.id, 'expired', x.times, 'times' {FUNDS} WHERE x.times > 1"
NOT_ONCE = (
    f"SELECT 'fund', f.id, left_over, x.times {FUNDS} WHERE {CLOSE_AT} <= coop_now() AND left_over > 0 AND x.times <> 1"
)
WRONG_DAY = f"SELECT 'fund', f.id, x.effective_on {FUNDS} WHERE x.times > 0 AND x.effective_on <> {CLOSE_ON}"
EARLY = f"""SELECT 'entry', e.id, e.recorded_at FROM funds_entry e JOIN funds_fund f ON f.id = e.fund_id
  JOIN funds_earningperiod p ON p.id = f.earning_period_id
  WHERE e.to_bucket = 'expired' AND e.recorded_at < {CLOSE_AT}"""
STILL_THERE = (
    f"SELECT 'fund', f.id, f.available_minor {FUNDS} WHERE {CLOSE_AT} <= coop_now() AND f.available_minor <> 0"
)


def money(journals: Journals) -> list[Line]:
    entries, funds = number("SELECT count(*) FROM funds_entry"), number("SELECT count(*) FROM funds_fund")
    expiries = number("SELECT count(*) FROM funds_entry WHERE kind = 'expiry'")
    report, proof = check_ledger(CHECKS), verify_ledger()
    return [
        asked("debits equal credits", DOUBLE_ENTRY, f"{entries} entries"),
        asked(
            "the totals of each fund equal its entries",
            f"SELECT 'fund', f.id FROM funds_fund f WHERE {SUMS}",
            f"{funds} funds",
        ),
        line("check_ledger agrees", report.differences, f"{report.funds} funds"),
        line("verify_ledger finds nothing changed", proof.faults, f"{proof.entries} links"),
        asked("no bucket of a fund is below zero", BELOW_ZERO, f"{funds} funds"),
        asked("no fund approved more than it was given", OVERSPENT, f"{funds} funds"),
        asked("no fund expired twice", TWICE, f"{expiries} expiries"),
        asked("each fund with money left at its deadline expired once", NOT_ONCE, f"{expiries} expiries"),
        asked("what expired is effective on its deadline day", WRONG_DAY, f"{expiries} expiries"),
        asked("nothing expired before its deadline", EARLY, f"{expiries} expiries"),
        asked("nothing is left to spend after a deadline", STILL_THERE, f"{funds} funds"),
        earnings(journals),
        line(
            "reads during the run summed to the total", range(journals.wrong_reads), f"{journals.reads} reads of funds"
        ),
    ]


def earnings(journals: Journals) -> Line:
    """Each line that was taken is there once; none that nobody sent is."""
    taken = {one for act in journals.of("earnings", "commit", ok=True) for one in act["lines"]}
    never = {one for act in journals.of("earnings", ok=False) for one in act["lines"]}
    versions = dict(rows("SELECT external_id, count(*) FROM funds_earning GROUP BY 1"))
    broken = [f"{one} is there {versions.get(one, 0)} times" for one in taken if versions.get(one) != 1]
    broken += [f"{one} was refused and is there" for one in never if one in versions]
    return line("every earning that was taken is there once", broken, f"{len(taken)} lines")
