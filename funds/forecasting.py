"""While a half is earned: will each fund reach its threshold at the pace so far? Said once a month.

What crosses its threshold is told when the earnings come (funds/notices/balances.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.urls import reverse

from coop.lib.dates import add_months, show_day, start_of_day
from coop.lib.db import rows, take_lock
from funds.models import EarningPeriod, Fund
from funds.notices.words import named, with_names
from funds.operations.threshold import COUNTED, threshold_minor
from partners import events
from partners.audience import Audience
from partners.models import Event
from partners.telling import Telling, Told, tell_all

CHUNK = 500
LOCK = 7_003_003  # the number of the one who forecasts, among PostgreSQL's advisory locks
FORECAST = "earning_period.forecast"
# Funds below their threshold in which something was earned, by id, with what the test would count.
BELOW = f"""
SELECT id, counted FROM (
  SELECT id, {COUNTED} AS counted FROM funds_fund
  WHERE earning_period_id = %s AND settled_at IS NULL AND id > %s) AS f
WHERE counted > 0 AND counted < %s ORDER BY id LIMIT {CHUNK}"""


@dataclass(frozen=True)
class Outlook:
    """A period in which is earned, on the first day of a month: so many of its days are over."""

    period: EarningPeriod
    first: date
    threshold: int

    @property
    def month(self) -> str:
        return self.first.strftime("%Y-%m")

    @property
    def over(self) -> int:
        return (self.first - self.period.earn_from).days

    @property
    def days(self) -> int:
        return (self.period.earn_to - self.period.earn_from).days + 1

    def expected(self, counted: int) -> int:
        """What a fund has earned on the last day if it goes on as until the first of this month."""
        return counted * self.days // self.over


def due(at: datetime) -> list[Outlook]:
    """Periods that are being earned of which this month's outlook was not told, from their second month on."""
    funds = Fund.objects.filter(earning_period=OuterRef("pk"), settled_at__isnull=True)
    periods = EarningPeriod.objects.filter(Exists(funds), earn_open_at__lte=at, earn_close_at__gt=at)
    earning = list(periods.select_related("program").order_by("id"))
    told = months_told(earning)
    found = []
    for period in earning:
        first = at.astimezone(ZoneInfo(period.program.time_zone)).date().replace(day=1)
        if first > period.earn_from and (str(period.pk), first.strftime("%Y-%m")) not in told:
            found.append(Outlook(period, first, threshold_minor(period)))
    return found


def months_told(periods: Sequence[EarningPeriod]) -> set[tuple[str, str]]:
    """The periods and months of which the outlook was told."""
    if not periods:
        return set()
    subjects = [str(period.pk) for period in periods]
    told = Event.objects.filter(subject_type="earning_period", subject__in=subjects, verb=FORECAST)
    return {(subject, data["month"]) for subject, data in told.values_list("subject", "data")}


def instants(after: datetime, until: datetime) -> set[datetime]:
    """The beginnings of months in (after, until] on which an outlook is due."""
    found = set()
    periods = EarningPeriod.objects.filter(earn_open_at__lt=until, earn_close_at__gt=after, funds__isnull=False)
    for period in periods.distinct().select_related("program"):
        first = add_months(period.earn_from.replace(day=1), 1)
        while first <= period.earn_to:
            begins = start_of_day(first, period.program.time_zone)
            if after < begins <= until:
                found.add(begins)
            first = add_months(first, 1)
    return found


def forecast(*, at: datetime, step: Callable[[int], None] = lambda told: None) -> int:
    """Tell this month's outlook of every period that is due. Returns how many notices were given."""
    return sum(tell_outlook(one, at=at, step=step) for one in due(at))


def tell_outlook(one: Outlook, *, at: datetime, step: Callable[[int], None] = lambda told: None) -> int:
    """Walk the funds below the threshold in pieces that commit, then note on the period that it was done."""
    given, after = 0, 0
    while True:
        with transaction.atomic():
            if not take_lock(LOCK):
                return given
            page = rows(BELOW, [one.period.pk, after, one.threshold])
            if not page:
                note_told(one, given, at=at)
                return given
            told = tell_all(of_funds(one, page, at), at=at)
        after, given = page[-1][0], given + told
        step(told)


def note_told(one: Outlook, given: int, *, at: datetime) -> None:
    if (str(one.period.pk), one.month) in months_told([one.period]):
        return
    said: dict[str, Any] = {
        "program": one.period.program.code,
        "code": one.period.code,
        "month": one.month,
        "notices": given,
    }
    events.record(FORECAST, one.period, by=None, at=at, vendor_only=True, **said)


def of_funds(one: Outlook, page: Sequence[tuple[int, int]], at: datetime) -> Iterator[Told]:
    counted = dict(page)
    funds = with_names(counted)
    who = Audience({fund.partner_id for fund in funds}, at=at)
    for fund in funds:
        if fund.currency == one.period.program.currency:
            yield who.of_partner(fund.partner_id), outlook(one, fund, counted[fund.pk], at)


def outlook(one: Outlook, fund: Fund, counted: int, at: datetime) -> Telling:
    expected, program = one.expected(counted), fund.program
    reached = expected >= one.threshold
    pace = (
        f"{named(fund)} earned {fund.show(counted)} of co-op until {show_day(one.first)}, which is about "
        f"{fund.show(expected)} by {show_day(one.period.earn_to)} at this pace. The threshold is {fund.show(one.threshold)}."
    )
    if reached:
        title, text = f"On the way to the threshold: {named(fund)}", f"{pace} You can plan already what to do with it."
    else:
        missing = fund.show(one.threshold - counted)
        title = f"The threshold will be missed at this pace: {named(fund)}"
        text = (
            f"{pace} {missing} more of co-op are needed until {show_day(one.period.earn_to)}; below the threshold all of it "
            "becomes rebate and is paid as cash."
        )
    return Telling(
        kind="forecast",
        key=f"forecast:{fund.pk}:{one.month}",
        title=title,
        text=text,
        link=reverse("fund", args=[fund.pk]),
        subject_type="fund",
        subject=str(fund.pk),
        partner_id=fund.partner_id,
        at=at,
        deadline_at=one.period.earn_close_at,
        zone=program.time_zone,
        amount_minor=counted,
        currency=fund.currency,
    )
