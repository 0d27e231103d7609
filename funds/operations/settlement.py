"""The threshold test and expiry: level-triggered sweeps over periods, by stored instants.

A sweep finds what is due and not yet done, works in chunks of funds that commit on their own, and may be late, doubled
or killed: what one run left is what the next one finds. Entries are effective on the promised day, whenever they are
recorded. Source: domain.md sections 2 and 3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from coop.lib.db import execute, rows
from funds.ledger import RECORDED, TOTALS, post_selected
from funds.models import EarningPeriod, Fund, ProgramThreshold
from partners import events

CHUNK = 1_000


@dataclass
class Swept:
    """What a sweep did: funds touched, and of them those that moved money."""

    funds: int = 0
    moved: int = 0

    def __add__(self, other: Swept) -> Swept:
        return Swept(self.funds + other.funds, self.moved + other.moved)


# --- The threshold test -----------------------------------------------------------------------------------------------


def due_to_settle(at: datetime) -> list[int]:
    """Ids of the periods whose threshold test is due and not complete."""
    due = EarningPeriod.objects.filter(settle_at__lte=at, settled_at__isnull=True).order_by("settle_at", "id")
    return list(due.values_list("id", flat=True))


def settle_period(period_id: int, *, at: datetime) -> Swept:
    """Test every unsettled fund of a period against the threshold: open it, or convert it to rebate."""
    return _sweep(
        period_id,
        at=at,
        due="settle_at",
        waits="settled_at IS NULL",
        act=lambda period, ids: settle_locked_funds(period, ids, at=at),
        done="settled_at",
        verb="earning_period.settled",
    )


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


def settle_locked_funds(period: EarningPeriod, ids: Sequence[int], *, at: datetime) -> Swept:
    """Settle locked funds of one period. What converts is posted effective on the day of the test."""
    threshold, ended = threshold_minor(period), program_ended(period)
    converted = post_selected(
        f"""SELECT id, partner_id, currency, 'conversion', 'available', 'converted', available_minor, %s, %s, NULL,
                  'earning_period', earning_period_id, 'conversion:' || earning_period_id
           FROM funds_fund WHERE id = ANY(%s) AND settled_at IS NULL AND available_minor > 0
             AND (%s OR {COUNTED} < %s) ORDER BY id""",
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
    threshold, ended, claimable = threshold_minor(period), program_ended(period), at < period.claims_close_at
    day = max(period.settle_on, effective_on or period.settle_on)
    columns = "'earning_period', earning_period_id, 'conversion:' || earning_period_id || ':' || %s::text"
    settled = "FROM funds_fund WHERE id = ANY(%s) AND settled_at IS NOT NULL"
    rebate = f"(%s OR {COUNTED} < %s)"
    below = post_selected(
        f"""SELECT id, partner_id, currency, 'conversion', 'available', 'converted', available_minor,
              {SINCE.format(bucket="available", minor="available_minor")}, %s, NULL, {columns}
            {settled} AND available_minor > 0 AND %s AND {rebate} ORDER BY id""",
        [day, at, occasion, list(ids), claimable, ended, threshold],
    )
    given_back = post_selected(
        f"""SELECT id, partner_id, currency, 'conversion', 'converted', 'available', back,
              {SINCE.format(bucket="converted", minor="back")}, %s, NULL, {columns}
            FROM (
              SELECT *, CASE WHEN %s AND NOT {rebate} THEN by_test ELSE least(-available_minor, by_test) END AS back
              FROM (SELECT *, {CONVERTED_BY_TEST} AS by_test {settled} AND converted_minor > 0) AS funds_fund
            ) AS funds_fund WHERE back > 0 ORDER BY id""",
        [day, at, occasion, claimable, ended, threshold, list(ids)],
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


# --- Expiry -----------------------------------------------------------------------------------------------------------


def due_to_expire(at: datetime) -> list[int]:
    """Ids of the periods whose claim deadline passed and whose left-over money has not all expired."""
    due = EarningPeriod.objects.filter(claims_close_at__lte=at, expired_at__isnull=True).order_by(
        "claims_close_at", "id"
    )
    return list(due.values_list("id", flat=True))


# A fund expires once: one that did is left alone, and check_ledger says so if it holds money all the same. With its LIMIT the
# question is asked of each fund by itself: as a join it would read all expiries so far, again for every chunk.
NOT_EXPIRED = "(SELECT e.id FROM funds_entry e WHERE e.fund_id = funds_fund.id AND e.kind = 'expiry' LIMIT 1) IS NULL"


def expire_period(period_id: int, *, at: datetime) -> Swept:
    """Expire what is available in every fund of a period after its deadline, once, effective on the deadline."""
    return _sweep(
        period_id,
        at=at,
        due="claims_close_at",
        waits="available_minor > 0",
        unless_done=NOT_EXPIRED,
        act=lambda period, ids: _expire_funds(period, ids, at=at),
        done="expired_at",
        verb="earning_period.expired",
    )


def _expire_funds(period: EarningPeriod, ids: Sequence[int], *, at: datetime) -> Swept:
    execute(
        """INSERT INTO partners_event (at, actor_id, acting_as, verb, subject_type, subject, partner_id, data, vendor_only)
           SELECT %s, NULL, 'system', 'fund.expired', 'fund', id, partner_id,
                  jsonb_build_object('amount_minor', available_minor, 'currency', currency, 'effective_on', %s::date), false
           FROM funds_fund WHERE id = ANY(%s) AND available_minor > 0 ORDER BY id""",
        [at, period.claims_close_on, list(ids)],
    )
    moved = post_selected(
        """SELECT id, partner_id, currency, 'expiry', 'available', 'expired', available_minor, %s, %s, NULL,
                  'earning_period', earning_period_id, 'expiry:' || %s::text
           FROM funds_fund WHERE id = ANY(%s) AND available_minor > 0 ORDER BY id""",
        [period.claims_close_on, at, period.claims_close_on, list(ids)],
    )
    return Swept(len(ids), moved)


# --- Both -------------------------------------------------------------------------------------------------------------


@transaction.atomic
def mark_empty_periods(due: str, done: str, *, at: datetime) -> int:
    """Note at once, for all periods whose instant `due` has come and that have no fund, that nothing is left to do.

    In a new installation that is nearly all of the catalog's periods. The rows are locked before it is looked for funds,
    so that an import, which holds its periods shared, cannot slip in between.
    """
    empty = f"""{due} <= %s AND {done} IS NULL
      AND NOT EXISTS (SELECT 1 FROM funds_fund f WHERE f.earning_period_id = funds_earningperiod.id)"""
    ids = [row[0] for row in rows(f"SELECT id FROM funds_earningperiod WHERE {empty} ORDER BY id FOR UPDATE", [at])]
    if not ids:
        return 0
    # A second statement, so that it sees the funds that came in while the first one waited.
    return execute(f"UPDATE funds_earningperiod SET {done} = %s WHERE id = ANY(%s) AND {empty}", [at, ids, at])


def _sweep(
    period_id: int,
    *,
    at: datetime,
    due: str,
    waits: str,
    unless_done: str = "true",
    act: Callable[[EarningPeriod, Sequence[int]], Swept],
    done: str,
    verb: str,
) -> Swept:
    """Walk the funds of a period by id in chunks, each its own transaction, then mark the period's sweep as complete.

    `due` is the column of the period that says when its time has come: before that nothing happens, whoever calls.
    `waits` is a condition on the fund's row, `unless_done` one that costs a look elsewhere; `done` is the column of the
    period that says that nothing is left.

    Several workers share one sweep: each first takes what nobody else has locked, and then waits for the rest.
    """
    period = _wait_for_imports(period_id)
    total = Swept()
    if at < getattr(period, due):
        return total
    for others in ("SKIP LOCKED", ""):
        last = 0
        while True:
            with transaction.atomic():
                chunk = _lock_chunk(period_id, waits, unless_done, others, after=last)
                if not chunk:
                    break
                last = chunk[-1][0]
                ids = [fund_id for fund_id, wanted in chunk if wanted]
                if ids:
                    total += act(period, ids)
    with transaction.atomic():
        # An import that adds a fund holds the period's row shared, so nothing slips in between look and mark.
        locked = EarningPeriod.objects.select_for_update().get(id=period_id)
        if getattr(locked, done) is None and not rows(
            f"SELECT 1 FROM funds_fund WHERE earning_period_id = %s AND {waits} AND {unless_done} LIMIT 1", [period_id]
        ):
            setattr(locked, done, at)
            locked.save(update_fields=[done])
            if total.funds:
                events.record(
                    verb, locked, by=None, at=at, program=period.program.code, code=period.code, funds=total.funds
                )
    return total


@transaction.atomic
def _wait_for_imports(period_id: int) -> EarningPeriod:
    """The period, once nobody holds its row who looked at the clock before its time had come.

    An import holds the row shared from its last look at the clock until it has posted. Without waiting for it, a fund could
    be swept between the two, and what the import brings would stay in it for good. Who comes later sees that it is late.
    """
    return (
        EarningPeriod.objects.select_related("program").select_for_update(of=("self",), no_key=True).get(id=period_id)
    )


def _lock_chunk(period_id: int, waits: str, unless_done: str, others: str, *, after: int) -> list[tuple[int, bool]]:
    """The next funds of a period, locked, and of each whether it is to be worked on.

    `others` says what becomes of funds that somebody else has locked.
    """
    chunk = f"""SELECT * FROM funds_fund WHERE earning_period_id = %s AND id > %s AND {waits}
                ORDER BY id LIMIT {CHUNK} FOR UPDATE {others}"""
    found = rows(f"SELECT id, {unless_done} FROM ({chunk}) AS funds_fund ORDER BY id", [period_id, after])
    return [(fund_id, wanted) for fund_id, wanted in found]
