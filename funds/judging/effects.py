"""What the judged lines of a delivery do to each fund, summed; and a fingerprint of all that they were judged by."""

from __future__ import annotations

from coop.lib.db import execute, rows
from coop.lib.money import to_text
from funds.models import Import

# What the staged lines (s) change in their own fund, and what lines that leave a fund take out of it.
MOVED = """(s.prior_enrollment_id, s.prior_earning_period_id, s.prior_fund_currency)
  IS DISTINCT FROM (s.enrollment_id, s.earning_period_id, s.fund_currency)"""
CHANGES = f"""
  SELECT s.partner_id, s.location_id, s.program_id, s.enrollment_id, s.earning_period_id, s.fund_currency AS currency,
    (s.outcome = 'new')::int AS new, (s.outcome = 'changed')::int AS changed,
    s.fund_amount_minor - s.coop_minor
      - CASE WHEN s.outcome = 'new' OR {MOVED} THEN 0 ELSE s.prior_fund_amount_minor - s.prior_coop_minor END AS rebate,
    s.coop_minor - CASE WHEN s.outcome = 'new' OR {MOVED} THEN 0 ELSE s.prior_coop_minor END AS coop,
    s.coop_minor <> 0 OR s.outcome = 'changed' AND NOT {MOVED} AND s.prior_coop_minor <> 0 AS holds_coop,
    CASE WHEN s.outcome = 'new' OR {MOVED} THEN s.earned_on ELSE greatest(s.earned_on, s.prior_earned_on) END AS earned_on
  FROM funds_stagedline s WHERE s.import_id = %(import)s AND s.outcome IN ('new', 'changed')"""
TAKEN_OUT = f"""
  SELECT s.partner_id, s.prior_location_id, s.prior_program_id, s.prior_enrollment_id, s.prior_earning_period_id,
    s.prior_fund_currency, 0, 1, s.prior_coop_minor - s.prior_fund_amount_minor, - s.prior_coop_minor,
    s.prior_coop_minor <> 0, s.prior_earned_on
  FROM funds_stagedline s WHERE s.import_id = %(import)s AND s.outcome = 'changed' AND {MOVED}"""


def sum_up(delivery: Import) -> None:
    """Make the import's effects anew from its staged lines, and note its totals."""
    execute("DELETE FROM funds_importeffect WHERE import_id = %s", [delivery.pk])
    if delivery.new or delivery.changed:
        changes = CHANGES + (f" UNION ALL {TAKEN_OUT}" if delivery.changed else "")
        execute(
            f"""INSERT INTO funds_importeffect (import_id, partner_id, location_id, program_id, enrollment_id,
                  earning_period_id, currency, new, changed, rebate_minor, coop_minor, holds_coop, last_earned_on)
                SELECT %(import)s, min(partner_id), min(location_id), min(program_id), enrollment_id, earning_period_id,
                  currency, sum(new), sum(changed), sum(rebate), sum(coop), bool_or(holds_coop), max(earned_on)
                FROM ({changes}) c GROUP BY enrollment_id, earning_period_id, currency""",
            {"import": delivery.pk},
        )
        note_balances(delivery)
    delivery.totals = totals(delivery)


def note_balances(delivery: Import) -> None:
    """Note on the effects what the funds hold now."""
    execute(
        """UPDATE funds_importeffect x SET earned_before_minor = f.earned_minor, available_before_minor = f.available_minor
           FROM funds_fund f
           WHERE x.import_id = %s AND (f.partner_id, f.enrollment_id, f.earning_period_id, f.currency)
               = (x.partner_id, x.enrollment_id, x.earning_period_id, x.currency)
             AND (x.earned_before_minor, x.available_before_minor) <> (f.earned_minor, f.available_minor)""",
        [delivery.pk],
    )


def totals(delivery: Import) -> list[dict[str, str]]:
    """What the new and changed lines add, by program and currency: amount, co-op and rebate as decimal strings."""
    found = rows(
        """SELECT p.code, x.currency, sum(x.coop_minor), sum(x.rebate_minor)
           FROM funds_importeffect x JOIN funds_program p ON p.id = x.program_id
           WHERE x.import_id = %s GROUP BY p.code, x.currency ORDER BY p.code, x.currency""",
        [delivery.pk],
    )
    return [
        {
            "program": code,
            "currency": currency,
            "amount": to_text(int(coop + rebate), currency),
            "coop": to_text(int(coop), currency),
            "rebate": to_text(int(rebate), currency),
        }
        for code, currency, coop, rebate in found
    ]


def shown(delivery: Import) -> tuple[object, ...]:
    """All that a dry run showed: counts, totals, and a digest of what would be posted to each fund."""
    ((digest,),) = rows(
        """SELECT md5(coalesce(string_agg(concat_ws(' ', enrollment_id, earning_period_id, currency, new, changed, rebate_minor,
             coop_minor, last_earned_on), ',' ORDER BY enrollment_id, earning_period_id, currency), ''))
           FROM funds_importeffect WHERE import_id = %s""",
        [delivery.pk],
    )
    return delivery.new, delivery.changed, delivery.unchanged, delivery.rejected, delivery.totals, digest


def judged_by() -> str:
    """A fingerprint of all that lines are judged by: as long as it stays the same, so do all outcomes.

    Which lines are known changes only with imports that are committed or reversed, and each of these counts once.
    """
    ((found,),) = rows(
        """SELECT encode(sha256(convert_to(concat_ws('|',
             (SELECT string_agg(p::text, ',' ORDER BY p.id) FROM (SELECT id, code, name, currency FROM funds_program) p),
             (SELECT string_agg(s::text, ',' ORDER BY s.id) FROM funds_programsplit s),
             (SELECT string_agg(t::text, ',' ORDER BY t.id) FROM funds_programthreshold t),
             (SELECT sum(hashtextextended(e::text, 0)) FROM
               (SELECT id, program_id, earn_from, earn_to, claims_close_at FROM funds_earningperiod) e),
             (SELECT sum(hashtextextended(f::text, 0)) FROM
               (SELECT id, own_close_at FROM funds_fund WHERE own_close_at IS NOT NULL) f),
             (SELECT sum(hashtextextended(n::text, 0)) FROM
               (SELECT id, location_id, program_id, starts_on, ends_on FROM funds_enrollment) n),
             (SELECT sum(hashtextextended(l::text, 0)) FROM (SELECT id, partner_id, external_id FROM partners_location) l),
             (SELECT count(*) || '-' || coalesce(max(id), 0) FROM funds_exchangerate),
             (SELECT count(*) FILTER (WHERE committed_at IS NOT NULL) || '-' || count(*) FILTER (WHERE reversed_at IS NOT NULL)
              FROM funds_import)), 'UTF8')), 'hex')"""
    )
    return str(found)
