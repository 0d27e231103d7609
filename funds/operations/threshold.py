"""The threshold test of locked funds: at its time, and once more when money changes after it.

Source: domain.md section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Q

from coop.lib.db import execute, rows
from funds.ledger import RECORDED, TOTALS, post_selected
from funds.models import EarningPeriod, Fund, ProgramThreshold


@dataclass
class Swept:
    """What a sweep did: funds touched, and of them those that moved money."""

    funds: int = 0
    moved: int = 0

    def __add__(self, other: Swept) -> Swept:
        return Swept(self.funds + other.funds, self.moved + other.moved)


def settle_locked_fund(fund: Fund, *, at: datetime) -> None:
    """The same test for one locked fund whose test is due, on the way of another operation."""
    settle_locked_funds(fund.earning_period, [fund.id], at=at)
    fund.refresh_from_db(fields=[*TOTALS, "settled_at"])


def threshold_minor(period: EarningPeriod) -> int:
    """The co-op below which a fund of this period becomes rebate, valid on the period's last day of earning."""
    valid = ProgramThreshold.objects.filter(program_id=period.program_id, valid_from__lte=period.earn_to)
    found = valid.filter(Q(valid_to__isnull=True) | Q(valid_to__gte=period.earn_to)).first()
    return found.amount_minor if found else 0


def program_ended(period: EarningPeriod) -> bool:
    """Whether the program was discontinued by the day of the test: then every fund becomes rebate, whatever its amount."""
    ended: date | None = period.program.discontinued_on
    return ended is not None and ended <= period.settle_on


# What the test counts: what was earned, and what was corrected of it. Money that was rolled over was earned where it comes
# from, and a write-off forgives a debt: neither makes a fund reach the threshold, nor miss it (ADR 0017).
COUNTED = """(earned_minor + coalesce((
  SELECT sum(CASE e.from_bucket WHEN 'program' THEN e.amount_minor ELSE -e.amount_minor END) FROM funds_entry e
  WHERE e.fund_id = funds_fund.id AND e.kind = 'adjustment' AND e.reason_code <> 'coop_rollover'), 0)::bigint)"""
# What the test converted and did not give back. What a person paid out as rebate (an adjustment) is not the test's to undo.
CONVERTED_BY_TEST = """coalesce((
  SELECT sum(CASE e.to_bucket WHEN 'converted' THEN e.amount_minor ELSE -e.amount_minor END) FROM funds_entry e
  WHERE e.fund_id = funds_fund.id AND e.kind = 'conversion' AND e.reference_type = 'earning_period'), 0)::bigint"""

# The first day, not before a given one, from which on an amount lies in a bucket every day. If a movement were effective
# before it, a balance of a past day would show less than nothing there.
SINCE = """(SELECT coalesce(max(s.next) FILTER (WHERE s.there < funds_fund.{minor}), min(s.day)) FROM (
  SELECT m.day, lead(m.day) OVER w AS next, sum(sum(m.minor)) OVER w AS there
  FROM (SELECT %s::date AS day) b CROSS JOIN LATERAL (
    SELECT greatest(e.effective_on, b.day) AS day,
      funds_moved('{bucket}', e.to_bucket, e.from_bucket, e.amount_minor) AS minor
    FROM funds_entry e WHERE e.fund_id = funds_fund.id
    UNION ALL SELECT b.day, 0) m
  GROUP BY m.day WINDOW w AS (ORDER BY m.day)) s)"""


def counted_minor(fund: Fund) -> int:
    """What the threshold test counts of a fund."""
    ((minor,),) = rows(f"SELECT {COUNTED} FROM funds_fund WHERE id = %s", [fund.id])
    return int(minor)


def becomes_rebate(fund: Fund) -> bool:
    """Whether the money of a fund is rebate by now: below its threshold, or of a program that ended."""
    period = fund.earning_period
    return program_ended(period) or counted_minor(fund) < threshold_minor(period)


# The test itself, of a fund that waits for it (parameters: whether the program ended, the threshold).
CONVERTS = f"settled_at IS NULL AND available_minor > 0 AND (%s OR {COUNTED} < %s)"


def settle_locked_funds(period: EarningPeriod, ids: Sequence[int], *, at: datetime) -> Swept:
    """Settle locked funds of one period. What converts is posted effective on the day of the test."""
    threshold, ended = threshold_minor(period), program_ended(period)
    converted = post_selected(
        f"""SELECT id, partner_id, currency, 'conversion', 'available', 'converted', available_minor, %s, %s, NULL,
                  'earning_period', earning_period_id, 'conversion:' || earning_period_id
           FROM funds_fund WHERE id = ANY(%s) AND {CONVERTS} ORDER BY id""",
        [period.settle_on, at, list(ids), ended, threshold],
    )
    note_tests("SELECT id, 0 FROM funds_fund WHERE id = ANY(%s) AND settled_at IS NULL", [list(ids)], period, at=at)
    settled = execute(
        f"UPDATE funds_fund SET settled_at = {RECORDED.format('%s')} WHERE id = ANY(%s) AND settled_at IS NULL",
        [at, list(ids)],
    )
    return Swept(settled, converted)


def retest_funds(
    period: EarningPeriod, ids: Sequence[int], *, occasion: str, at: datetime, effective_on: date | None = None
) -> int:
    """Test locked funds once more whose test was done and whose money changed since. Returns how many moved money.

    What comes to a fund below the threshold converts as the rest did, and what is taken from one is taken from what was
    converted; a fund that is lifted to the threshold gets back what the test converted. After the claim deadline a fund
    only gives up rebate that was taken back: what is left expires, and what would be given back could not be claimed
    (ADR 0017).

    `occasion` names the change in the keys, e.g. "import:17". The movement is effective on the day of the test or, where
    the change is for a later day, on that day; but never before the amount lies where it is taken from (SINCE).
    """
    threshold, ended = threshold_minor(period), program_ended(period)
    claimable, deadline = "coalesce(own_close_at, %s) > %s", [period.claims_close_at, at]
    day = max(period.settle_on, effective_on or period.settle_on)
    columns = "'earning_period', earning_period_id, 'conversion:' || earning_period_id || ':' || %s::text"
    settled = "FROM funds_fund WHERE id = ANY(%s) AND settled_at IS NOT NULL"
    rebate = f"(%s OR {COUNTED} < %s)"
    below = post_selected(
        f"""SELECT id, partner_id, currency, 'conversion', 'available', 'converted', available_minor,
              {SINCE.format(bucket="available", minor="available_minor")}, %s, NULL, {columns}
            {settled} AND available_minor > 0 AND {claimable} AND {rebate} ORDER BY id""",
        [day, at, occasion, list(ids), *deadline, ended, threshold],
    )
    given_back = post_selected(
        f"""SELECT id, partner_id, currency, 'conversion', 'converted', 'available', back,
              {SINCE.format(bucket="converted", minor="back")}, %s, NULL, {columns}
            FROM (
              SELECT *, CASE WHEN {claimable} AND NOT {rebate} THEN by_test ELSE least(-available_minor, by_test) END AS back
              FROM (SELECT *, {CONVERTED_BY_TEST} AS by_test {settled} AND converted_minor > 0) AS funds_fund
            ) AS funds_fund WHERE back > 0 ORDER BY id""",
        [day, at, occasion, *deadline, ended, threshold, list(ids)],
    )
    note_tests(
        """SELECT f.id, CASE e.to_bucket WHEN 'available' THEN e.amount_minor ELSE 0 END
           FROM funds_fund f JOIN funds_entry e ON e.fund_id = f.id
             AND e.key = 'conversion:' || f.earning_period_id || ':' || %s::text WHERE f.id = ANY(%s)""",
        [occasion, list(ids)],
        period,
        at=at,
    )
    return below + given_back


def note_tests(select: str, params: Sequence[Any], period: EarningPeriod, *, at: datetime) -> None:
    """Record how the test came out for each fund that a SELECT names, with what it gave back."""
    threshold, ended = threshold_minor(period), program_ended(period)
    execute(
        f"""INSERT INTO partners_event (at, actor_id, acting_as, verb, subject_type, subject, partner_id, data, vendor_only)
           SELECT %s, NULL, 'system', CASE WHEN given_back > 0 AND (available_minor <= 0 OR %s OR counted < %s)
                    THEN 'fund.conversion_lowered' WHEN %s OR counted < %s THEN 'fund.converted' ELSE 'fund.opened' END,
                  'fund', id, partner_id,
                  jsonb_build_object('earned_minor', counted, 'threshold_minor', %s::bigint, 'program_ended', %s,
                                     'currency', currency), false
           FROM (SELECT funds_fund.*, tested.given_back, {COUNTED} AS counted
                 FROM funds_fund JOIN ({select}) AS tested (id, given_back) ON tested.id = funds_fund.id) AS found
           ORDER BY id""",
        [at, ended, threshold, ended, threshold, threshold, ended, *params],
    )
