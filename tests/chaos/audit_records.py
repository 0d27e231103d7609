"""What the auditor says of all that is no claim: plans, imports, payment runs, adjustments, extensions."""

from __future__ import annotations

from coop.lib.db import rows
from tests.chaos.journals import Journals
from tests.chaos.lines import Line, asked, line

# The table that an act's answer speaks of.
TABLES = {
    "claims_plan": ("plan", "submit_plan", "approve_plan", "return_plan", "decline_plan", "cancel_plan"),
    "funds_import": ("commit",),  # a check of its own changes what was sent, without a revision
    "funds_paymentrun": ("run", "approve_run", "export_run", "settle_run"),
    "funds_adjustment": ("adjust",),
    "funds_extension": ("ask_extension", "grant_extension", "decline_extension"),
}
PAID_TWICE = """
  SELECT 'payable', p.id, count(*) FROM funds_payable p JOIN funds_paymentitem i ON i.payable_id = p.id
  JOIN funds_payment y ON y.id = i.payment_id WHERE y.status = 'sent' AND i.open GROUP BY p.id HAVING count(*) > 1"""
# What was granted is in force for every fund of the partner, and no date was ever given back.
NOT_IN_FORCE = """
  SELECT 'fund', f.id, x.claims_close_on FROM funds_extension x JOIN funds_fund f
    ON f.earning_period_id = x.earning_period_id AND (x.partner_id IS NULL OR f.partner_id = x.partner_id)
  JOIN funds_earningperiod p ON p.id = f.earning_period_id
  WHERE x.status = 'granted' AND coalesce(f.own_close_on, p.claims_close_on) < x.claims_close_on"""


def records(journals: Journals) -> list[Line]:
    granted = len(journals.of("grant_extension", ok=True))
    paid = len(journals.of("settle_run", ok=True))
    return [
        as_said(journals),
        asked("nothing was paid twice", PAID_TWICE, f"{paid} payment runs"),
        asked("every extension that was granted is in force", NOT_IN_FORCE, f"{granted} extensions"),
    ]


def as_said(journals: Journals) -> Line:
    """Each record is there, in the status that was answered last, or with a later revision."""
    broken, looked_at = [], 0
    for table, kinds in TABLES.items():
        there = {row[0]: row[1:] for row in rows(f"SELECT id::text, revision, status FROM {table}")}
        for act in journals.of(*kinds, ok=True):
            looked_at += 1
            told = (act["result"]["revision"], act["result"]["status"])
            revision, status = there.get(act["result"]["id"], (0, "missing"))
            if revision < told[0] or (revision == told[0] and status != told[1]):
                broken.append(f"{act['kind']} {act['result']['id']} was told {told}, it is {(revision, status)}")
    return line(
        "plans, imports, runs, adjustments and extensions are as was acknowledged", broken, f"{looked_at} answers"
    )
