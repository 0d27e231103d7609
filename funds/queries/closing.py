"""What the next close of a period will post, fund by fund, before it runs: by the conditions of the sweeps themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from coop.lib.db import named_rows, rows
from funds.models import EarningPeriod
from funds.operations.settlement import EXPIRES, NOT_EXPIRED
from funds.operations.threshold import CONVERTS, COUNTED, program_ended, threshold_minor

TEST, EXPIRY = "test", "expiry"
# The fund of a preview with the names that a reader needs.
NAMED = """funds_fund JOIN partners_partner n ON n.id = funds_fund.partner_id
  JOIN partners_location l ON l.id = funds_fund.location_id"""
FUND = "funds_fund.id, funds_fund.partner_id, n.name AS partner, n.external_id AS partner_code, l.name AS location, currency"


@dataclass(frozen=True)
class Tested:
    """A fund that waits for its threshold test: what counts, and what becomes rebate (0: it stays)."""

    id: int
    partner_id: int
    partner: str
    partner_code: str
    location: str
    currency: str
    counted_minor: int
    adjusted_minor: int
    available_minor: int
    converts_minor: int


@dataclass(frozen=True)
class Expiring:
    """A fund in which something is left: what expires at its deadline out of available, and what is reserved for plans."""

    id: int
    partner_id: int
    partner: str
    partner_code: str
    location: str
    currency: str
    expires_minor: int
    reserved_minor: int
    in_review_minor: int
    closes_on: date
    own_deadline: bool


@dataclass(frozen=True)
class Totals:
    """For one currency: funds looked at, those of which something is posted, and how much."""

    currency: str
    funds: int
    posted: int
    minor: int


def next_close(period: EarningPeriod, at: datetime) -> str:
    """Which close comes next: the threshold test while it is not complete, then the expiry."""
    return TEST if period.settled_at is None else EXPIRY


# --- The threshold test -----------------------------------------------------------------------------------------------


def _tested(period: EarningPeriod) -> tuple[str, list[Any]]:
    """The statement that lists the funds that wait for their test, with its parameters."""
    ended, threshold = program_ended(period), threshold_minor(period)
    sql = f"""SELECT {FUND}, {COUNTED} AS counted_minor, {COUNTED} - earned_minor AS adjusted_minor, available_minor,
        CASE WHEN {CONVERTS} THEN available_minor ELSE 0 END AS converts_minor
      FROM {NAMED} WHERE earning_period_id = %s AND settled_at IS NULL"""
    return sql, [ended, threshold, period.pk]


def funds_to_test(period: EarningPeriod, *, first: int = 0, number: int | None = None) -> list[Tested]:
    """Funds that wait for the test; those that convert most first. `first` and `number` say which of them."""
    sql, params = _tested(period)
    found = named_rows(f"{sql} ORDER BY converts_minor DESC, id OFFSET %s LIMIT %s", [*params, first, number])
    return [Tested(**row) for row in found]


def totals_to_test(period: EarningPeriod) -> list[Totals]:
    sql, params = _tested(period)
    return _totals(sql, params, "converts_minor")


# --- Expiry -----------------------------------------------------------------------------------------------------------


def _expiring(period: EarningPeriod) -> tuple[str, list[Any]]:
    sql = f"""SELECT {FUND}, CASE WHEN {EXPIRES} AND {NOT_EXPIRED} THEN available_minor ELSE 0 END AS expires_minor,
        reserved_minor, in_review_minor, coalesce(own_close_on, %s::date) AS closes_on, own_close_at IS NOT NULL AS own_deadline
      FROM {NAMED} WHERE earning_period_id = %s AND (available_minor > 0 OR reserved_minor > 0)"""
    return sql, [period.claims_close_on, period.pk]


def funds_to_expire(period: EarningPeriod, *, first: int = 0, number: int | None = None) -> list[Expiring]:
    """Funds in which something is left; those that lose most first."""
    sql, params = _expiring(period)
    order = "ORDER BY expires_minor + reserved_minor DESC, id OFFSET %s LIMIT %s"
    found = named_rows(f"SELECT * FROM ({sql}) e {order}", [*params, first, number])
    return [Expiring(**row) for row in found]


def totals_to_expire(period: EarningPeriod) -> list[Totals]:
    """What expires out of available; what plans reserve comes beside it."""
    sql, params = _expiring(period)
    return _totals(sql, params, "expires_minor")


def _totals(sql: str, params: list[Any], amount: str) -> list[Totals]:
    found = rows(
        f"""SELECT currency, count(*), count(*) FILTER (WHERE {amount} > 0), coalesce(sum({amount}), 0)::bigint
            FROM ({sql}) f GROUP BY currency ORDER BY currency""",
        params,
    )
    return [Totals(*row) for row in found]


# --- What was posted --------------------------------------------------------------------------------------------------


def posted_totals(period: EarningPeriod, kind: str) -> list[Totals]:
    """What a close that ran has posted in the period's funds: entries of this kind for the period, by currency."""
    found = rows(
        """SELECT f.currency, count(DISTINCT f.id), count(*), sum(e.amount_minor)::bigint
           FROM funds_fund f JOIN funds_entry e ON e.fund_id = f.id AND e.kind = %s AND e.reference_type = 'earning_period'
           WHERE f.earning_period_id = %s GROUP BY 1 ORDER BY 1""",
        [kind, period.pk],
    )
    return [Totals(*row) for row in found]
