"""The calendar of all clocks: which period is where, what closes next, and who asks for more time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from coop.lib.dates import show_day, show_deadline, show_instant
from coop.lib.web import now
from funds.models import EarningPeriod, Extension
from funds.queries.extensions import extensions_seen_by, why_period_later
from funds.queries.periods import live_periods, programs_with_periods
from funds.web.clocks import earned_in
from partners.permissions import require_role
from partners.states import AUDITOR, FINANCE, PROGRAM_ADMIN
from partners.web.request import PersonRequest

READERS = (FINANCE, PROGRAM_ADMIN, AUDITOR)
PAGE = 50
STATES = {
    "earning": ("Being earned", "active"),
    "settling": ("Waits for its test", "attention"),
    "in_use": ("Being spent", "active"),
    "claiming": ("Takes claims", "active"),
    "curing": ("Returned claims only", "attention"),
    "closed": ("Closed", "done"),
}
CLOCKS = (("earn", "Earn"), ("use", "Spend"), ("claim", "Claim"), ("cure", "Mend"))
ROW, BAR = 66, 9  # pixels: the height of a period in the chart, and of one of its four bars


@login_required
@require_safe
def periods(request: PersonRequest) -> HttpResponse:
    """All periods whose clocks run, of one program or of all, and the requests for more time."""
    require_role(request.user, *READERS, to="look at the calendar of periods")
    at = now(request)
    programs = programs_with_periods(at)
    asked = request.GET.get("program", "")
    code = asked if asked in {program.code for program in programs} else ""
    page = Paginator(live_periods(at, program=code), PAGE).get_page(request.GET.get("page"))
    found = list(page)
    here = f"{reverse('periods')}?program={code}"
    context = {
        "at": show_instant(at),
        "programs": programs,
        "chosen": code,
        "periods": [row_of(period, at) for period in found],
        "chart": timeline(found, at),
        "requests": [request_row(one) for one in extensions_seen_by(request.user).waiting().order_by("id")[:PAGE]],
        "decides": request.user.role == PROGRAM_ADMIN,
        "older_url": f"{here}&page={page.next_page_number()}" if page.has_next() else "",
        "newer_url": f"{here}&page={page.previous_page_number()}" if page.has_previous() else "",
        "total": page.paginator.count,
    }
    return render(request, "funds/periods.html", context)


def row_of(period: EarningPeriod, at: datetime) -> dict[str, Any]:
    zone, state = period.program.time_zone, period.state(at)
    text, tone = STATES[state]
    return {
        "id": period.pk,
        "name": str(period),
        "program": period.program.name,
        "earned": earned_in(period),
        "state": text,
        "tone": tone,
        "use": f"{show_day(period.use_from)} to {show_day(period.use_to)}",
        "claim": f"{show_day(period.claims_open_on)} to {show_deadline(period.claims_close_at, zone)}",
        "cure": show_day(period.cure_close_on),
        "later": why_period_later(period),
        "next": next_text(period, at),
    }


def next_text(period: EarningPeriod, at: datetime) -> str:
    zone = period.program.time_zone
    if period.settled_at is None:
        return (
            f"Threshold test at {show_instant(period.settle_at, zone)}"
            if at < period.settle_at
            else "Threshold test is due"
        )
    if period.expired_at is None:
        late = at >= period.claims_close_at
        return (
            "Expiry is due, or waits for partners' own dates"
            if late
            else f"Expiry after {show_day(period.claims_close_on)}"
        )
    return "Nothing more"


def request_row(one: Extension) -> dict[str, Any]:
    return {
        "id": one.pk,
        "partner": one.partner.name if one.partner else "",
        "period": f"{one.earning_period}, {one.earning_period.program}",
        "until": show_day(one.asked_until) if one.asked_until else "",
        "because": one.asked_because,
        "since": show_day(one.asked_at.date()) if one.asked_at else "",
    }


# --- The chart --------------------------------------------------------------------------------------------------------


def timeline(found: Sequence[EarningPeriod], at: datetime) -> dict[str, Any] | None:
    """The four clocks of each calendar as bars, with a mark for today; periods with the same days share a row.

    Places across are percentages and heights are pixels, so that the letters keep their size on every screen.
    """
    same: dict[tuple[Any, ...], list[EarningPeriod]] = {}
    for period in found:
        same.setdefault((period.code, *days_of(period).values()), []).append(period)
    if not same:
        return None
    every = [day for rows in same.values() for pair in days_of(rows[0]).values() for day in pair]
    first, last = min(every), max(every) + timedelta(days=1)

    def across(day: date) -> float:
        return round((day - first).days * 100 / (last - first).days, 3)

    rows = []
    for place, there in enumerate(same.values()):
        days = days_of(there[0])
        name = f"{there[0]}, {there[0].program.name}" if len(there) == 1 else f"{there[0]}, {len(there)} programs"
        rows.append(
            {
                "name": name,
                "y": place * ROW + 14,
                "bars": [
                    {
                        "kind": kind,
                        "x": f"{across(days[kind][0])}%",
                        "width": f"{across(days[kind][1] + timedelta(days=1)) - across(days[kind][0]):.3f}%",
                        "y": place * ROW + 20 + number * (BAR + 2),
                        "height": BAR,
                    }
                    for number, (kind, _) in enumerate(CLOCKS)
                ],
                "text": "; ".join(f"{label.lower()} {span(days[kind])}" for kind, label in CLOCKS),
            }
        )
    today = at.date()
    return {
        "height": len(rows) * ROW + 8,
        "rows": rows,
        "clocks": CLOCKS,
        "today": f"{across(today)}%" if first <= today <= last else "",
        "today_text": show_day(today),
        "from": show_day(first),
        "to": show_day(last),
    }


def days_of(period: EarningPeriod) -> dict[str, tuple[date, date]]:
    mend_from = period.claims_close_on + timedelta(days=1)
    return {
        "earn": (period.earn_from, period.earn_to),
        "use": (period.use_from, period.use_to),
        "claim": (period.claims_open_on, period.claims_close_on),
        "cure": (mend_from, max(period.cure_close_on, mend_from)),
    }


def span(days: tuple[date, date]) -> str:
    return f"{show_day(days[0])} to {show_day(days[1])}"
