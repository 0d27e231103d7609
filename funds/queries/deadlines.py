"""Whose deadline counts: a fund's own where its partner got an extension, else its period's (ADR 0031).

A fund that is at hand says it itself (`fund.claims_close_at`); here is the same for querysets and for SQL, and for an
operation that finds a fund's deadline passed and must be sure of it.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import DateField, DateTimeField, Q
from django.db.models.functions import Coalesce

from coop.lib.db import rows
from funds.models import EarningPeriod, Fund

# For querysets of funds: `.annotate(closes=CLOSES_AT)`, `.order_by(CLOSES_AT)`.
CLOSES_AT = Coalesce("own_close_at", "earning_period__claims_close_at", output_field=DateTimeField())
CLOSES_ON = Coalesce("own_close_on", "earning_period__claims_close_on", output_field=DateField())

# For statements in which the fund is `f` and its period `p`.
CLOSES_AT_SQL = "coalesce(f.own_close_at, p.claims_close_at)"
CLOSES_ON_SQL = "coalesce(f.own_close_on, p.claims_close_on)"
CURES_AT_SQL = "coalesce(f.own_cure_at, p.cure_close_at)"


def closes_at(fund: str = "") -> Coalesce:
    """The instant from which claims are late, for a queryset that reaches the fund by this path, e.g. "fund__"."""
    return Coalesce(f"{fund}own_close_at", f"{fund}earning_period__claims_close_at", output_field=DateTimeField())


def cures_at(fund: str = "") -> Coalesce:
    """The instant from which a returned claim cannot be mended any more, likewise."""
    return Coalesce(f"{fund}own_cure_at", f"{fund}earning_period__cure_close_at", output_field=DateTimeField())


# A fund's own deadline is never before its period's. So what is open by its period is open, and what is closed by its own
# is closed: the conditions begin with columns that have an index.


def open_still(at: datetime, fund: str = "") -> Q:
    """That claims are still taken, for a queryset that reaches the fund by this path."""
    return Q(**{f"{fund}earning_period__claims_close_at__gt": at}) | Q(**{f"{fund}own_close_at__gt": at})


def closed(at: datetime, fund: str = "") -> Q:
    """That claims are late."""
    return Q(**{f"{fund}earning_period__claims_close_at__lte": at}) & (
        Q(**{f"{fund}own_close_at__isnull": True}) | Q(**{f"{fund}own_close_at__lte": at})
    )


def cured(at: datetime, fund: str = "") -> Q:
    """That returned claims cannot be mended any more."""
    return Q(**{f"{fund}earning_period__cure_close_at__lte": at}) & (
        Q(**{f"{fund}own_cure_at__isnull": True}) | Q(**{f"{fund}own_cure_at__lte": at})
    )


def is_closed(fund: Fund, at: datetime) -> bool:
    """Whether the claim deadline of a locked fund has passed.

    Who waited for the fund's lock may have read its period before an extension was granted. A date only moves later, so
    "open" needs no second look; before money is called late, the dates are read once more.
    """
    if at < fund.claims_close_at:
        return False
    read_again(fund)
    return at >= fund.claims_close_at


def is_cured(fund: Fund, at: datetime) -> bool:
    """Whether the cure deadline of a locked fund has passed; asked as `is_closed`."""
    if at < fund.cure_close_at:
        return False
    read_again(fund)
    return at >= fund.cure_close_at


def read_again(fund: Fund) -> None:
    """Read the deadlines of a locked fund once more."""
    fund.refresh_from_db(fields=["own_close_on", "own_close_at", "own_cure_on", "own_cure_at"])
    found = EarningPeriod.objects.get(pk=fund.earning_period_id)
    for name in ("claims_close_on", "claims_close_at", "cure_close_on", "cure_close_at"):
        setattr(fund.earning_period, name, getattr(found, name))


def closing_instants(after: datetime, until: datetime) -> list[datetime]:
    """The stored claim deadlines in (after, until], of periods and of single funds, in order."""
    return _instants("claims_close_at", "own_close_at", after, until)


def curing_instants(after: datetime, until: datetime) -> list[datetime]:
    """The stored cure deadlines, likewise."""
    return _instants("cure_close_at", "own_cure_at", after, until)


def _instants(shared: str, own: str, after: datetime, until: datetime) -> list[datetime]:
    found = rows(
        f"""SELECT {shared} FROM funds_earningperiod WHERE {shared} > %s AND {shared} <= %s
            UNION SELECT {own} FROM funds_fund WHERE own_close_at IS NOT NULL AND {own} > %s AND {own} <= %s ORDER BY 1""",
        [after, until, after, until],
    )
    return [instant for (instant,) in found]


def own_of_partner(column: str, *, period: str, partner: str) -> str:
    """SQL for what the funds of a partner have in a period as their own deadline (`own_close_at`, `own_close_on`), or NULL.

    All of them have the same. It is asked for lines of earnings, which may be the first ones of another fund.
    """
    return f"""(SELECT max(o.{column}) FROM funds_fund o
      WHERE o.own_close_at IS NOT NULL AND o.earning_period_id = {period} AND o.partner_id = {partner})"""
