"""The threshold test and expiry: level-triggered sweeps over periods, by stored instants.

A sweep finds what is due and not yet done, works in chunks of funds that commit on their own, and may be late, doubled
or killed: what one run left is what the next one finds. Entries are effective on the promised day, whenever they are
recorded. Source: domain.md sections 2 and 3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from django.db import transaction

from coop.lib.db import execute, rows
from funds.ledger import post_selected
from funds.models import EarningPeriod, Fund
from funds.operations.threshold import Swept, settle_locked_funds
from partners import events

CHUNK = 1_000
Tell = Callable[[int], None]  # is told how many funds more were done


def nobody(funds: int) -> None:
    """Who is told where nobody asks."""


# --- The threshold test -----------------------------------------------------------------------------------------------


def due_to_settle(at: datetime) -> list[int]:
    """Ids of the periods whose threshold test is due and not complete."""
    due = EarningPeriod.objects.filter(settle_at__lte=at, settled_at__isnull=True).order_by("settle_at", "id")
    return list(due.values_list("id", flat=True))


def funds_to_settle(period_ids: Sequence[int]) -> int:
    """How many funds of these periods wait for their threshold test."""
    return Fund.objects.filter(earning_period__in=period_ids, settled_at__isnull=True).count()


def settle_period(period_id: int, *, at: datetime, tell: Tell = nobody) -> Swept:
    """Test every unsettled fund of a period against the threshold: open it, or convert it to rebate."""
    return _sweep(
        period_id,
        at=at,
        due="settle_at",
        waits="settled_at IS NULL",
        act=lambda period, ids: settle_locked_funds(period, ids, at=at),
        done="settled_at",
        verb="earning_period.settled",
        tell=tell,
    )


# --- Expiry -----------------------------------------------------------------------------------------------------------


# A fund expires once: one that did is left alone, and check_ledger says so if it holds money all the same. With its LIMIT the
# question is asked of each fund by itself: as a join it would read all expiries so far, again for every chunk.
NOT_EXPIRED = "(SELECT e.id FROM funds_entry e WHERE e.fund_id = funds_fund.id AND e.kind = 'expiry' LIMIT 1) IS NULL"

# What expires: all that is available. A fund with a deadline of its own waits for that one.
EXPIRES = "available_minor > 0"
SHARED = f"own_close_at IS NULL AND {EXPIRES}"
OWN = f"own_close_at <= %(at)s AND {EXPIRES}"


def due_to_expire(at: datetime) -> list[int]:
    """Ids of the periods in which money is left whose deadline passed: the period's, or a fund's own."""
    own = f"SELECT 1 FROM funds_fund WHERE own_close_at IS NOT NULL AND earning_period_id = p.id AND {OWN} AND {NOT_EXPIRED}"
    due = rows(
        f"""SELECT id FROM funds_earningperiod p WHERE claims_close_at <= %(at)s AND expired_at IS NULL AND (
              closed_at IS NULL OR EXISTS ({own}) OR NOT EXISTS (
                SELECT 1 FROM funds_fund WHERE earning_period_id = p.id AND own_close_at > %(at)s))
            ORDER BY claims_close_at, id""",
        {"at": at},
    )
    return [period_id for (period_id,) in due]


def funds_to_expire(period_ids: Sequence[int]) -> int:
    """How many funds of these periods have something left."""
    return Fund.objects.filter(earning_period__in=period_ids, available_minor__gt=0).count()


def expire_period(period_id: int, *, at: datetime, tell: Tell = nobody) -> Swept:
    """Expire what is available in the funds of a period after their deadline, once, effective on it.

    First those that go by the period's deadline, then those whose partner got an extension and whose own deadline passed. The
    period has expired when no fund is left that waits for its own.
    """
    sweep = partial(_sweep, period_id, at=at, due="claims_close_at", unless_done=NOT_EXPIRED, tell=tell)
    act, verb = partial(_expire_funds, at=at), "earning_period.expired"
    total = Swept()
    if not EarningPeriod.objects.filter(id=period_id, closed_at__isnull=False).exists():
        total += sweep(waits=SHARED, act=act, done="closed_at", verb=verb)
    return total + sweep(waits=OWN, unless_waits=WAITS_FOR_OWN, act=act, done="expired_at", verb=verb)


# What keeps a period from being done: funds that have not come to their own deadline, and those that go by the period's.
WAITS_FOR_OWN = """SELECT 1 FROM funds_fund WHERE earning_period_id = %(period)s AND own_close_at > %(at)s
  UNION ALL SELECT 1 FROM funds_earningperiod WHERE id = %(period)s AND closed_at IS NULL"""


def _expire_funds(period: EarningPeriod, ids: Sequence[int], *, at: datetime) -> Swept:
    expiring = f"FROM funds_fund WHERE id = ANY(%(ids)s) AND {EXPIRES} ORDER BY id"
    day = "coalesce(own_close_on, %(day)s::date)"
    named = {"at": at, "ids": list(ids), "day": period.claims_close_on}
    execute(
        f"""INSERT INTO partners_event (at, actor_id, acting_as, verb, subject_type, subject, partner_id, data, vendor_only)
           SELECT %(at)s, NULL, 'system', 'fund.expired', 'fund', id, partner_id,
                  jsonb_build_object('amount_minor', available_minor, 'currency', currency, 'effective_on', {day}), false
           {expiring}""",
        named,
    )
    moved = post_selected(
        f"""SELECT id, partner_id, currency, 'expiry', 'available', 'expired', available_minor, {day}, %(at)s, NULL,
                  'earning_period', earning_period_id, 'expiry:' || {day}::text
           {expiring}""",
        named,
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
    unless_waits: str = "",
    act: Callable[[EarningPeriod, Sequence[int]], Swept],
    done: str,
    verb: str,
    tell: Tell,
) -> Swept:
    """Walk the funds of a period by id in chunks, each its own transaction, then mark the period's sweep as complete.

    `due` is the column of the period that says when its time has come: before that nothing happens, whoever calls.
    `waits` is a condition on the fund's row (it may name `%(at)s`), `unless_done` one that costs a look elsewhere; `done` is
    the column of the period that says that nothing is left, and is not set while `unless_waits` finds anything.

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
                chunk = _lock_chunk(period_id, waits, unless_done, others, at=at, after=last)
                if not chunk:
                    break
                last = chunk[-1][0]
                ids = [fund_id for fund_id, wanted in chunk if wanted]
                if ids:
                    total += act(period, ids)
            tell(len(ids))
    with transaction.atomic():
        # An import that adds a fund holds the period's row shared, so nothing slips in between look and mark.
        locked = EarningPeriod.objects.select_for_update().get(id=period_id)
        left = f"(SELECT 1 FROM funds_fund WHERE earning_period_id = %(period)s AND {waits} AND {unless_done} LIMIT 1)"
        if unless_waits:
            left += f" UNION ALL {unless_waits}"
        if getattr(locked, done) is None and not rows(left, {"period": period_id, "at": at}):
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


def _lock_chunk(
    period_id: int, waits: str, unless_done: str, others: str, *, at: datetime, after: int
) -> list[tuple[int, bool]]:
    """The next funds of a period, locked, and of each whether it is to be worked on.

    `others` says what becomes of funds that somebody else has locked.
    """
    chunk = f"""SELECT * FROM funds_fund WHERE earning_period_id = %(period)s AND id > %(after)s AND {waits}
                ORDER BY id LIMIT {CHUNK} FOR UPDATE {others}"""
    found = rows(
        f"SELECT id, {unless_done} FROM ({chunk}) AS funds_fund ORDER BY id",
        {"period": period_id, "after": after, "at": at},
    )
    return [(fund_id, wanted) for fund_id, wanted in found]
