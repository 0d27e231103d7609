"""The dates page and the calendar feed."""

from __future__ import annotations

import calendar
import hashlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.http import require_POST, require_safe

from claims.calendar import calendar_of
from claims.queries.dates import KINDS, DateToAct, dates_of
from coop.lib import clock
from coop.lib.dates import add_months, show_deadline
from coop.lib.web import now
from funds.web.clocks import time_left
from partners.calendars import feed_of, hide_programs, make_feed, revoke_feed
from partners.models import CalendarFeed
from partners.web.request import PersonRequest

MONTHS = 24  # how far the grid goes
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
KEPT = "new_calendar"  # where the session keeps it until the next page shows it


@login_required
@require_safe
def dates(request: PersonRequest) -> HttpResponse:
    """What ends when: a list by month, or one month as a grid (`?month=2024-08`)."""
    at = now(request)
    every = dates_of(request.user, at)
    feed = CalendarFeed.objects.filter(person=request.user).first()
    secret = request.session.pop(KEPT, "")
    programs = {one.program: one.program_name for one in every}
    hidden = set(feed.hidden_programs) if feed else set()
    month = month_asked(request, at)
    context = {
        "months": months_of(every, at),
        "grid": grid_of(every, month, at) if month else None,
        "views": [
            {"label": "List", "url": reverse("dates"), "current": month is None},
            {"label": "Month", "url": f"?month={month or at.date():%Y-%m}", "current": month is not None},
        ],
        "number": len(every),
        "feed": feed,
        "address": feed_address(request, secret) if secret else "",
        "programs": [
            {"code": code, "name": name, "shown": code not in hidden}
            for code, name in sorted({**programs, **{code: programs.get(code, code) for code in hidden}}.items())
        ],
    }
    return render(request, "claims/dates/dates.html", context)


def feed_address(request: HttpRequest, secret: str) -> str:
    return request.build_absolute_uri(reverse("calendar-feed", args=[secret]))


# --- The list and the grid --------------------------------------------------------------------------------------------


def last_day(one: DateToAct) -> date:
    """The last day in time, in the program's zone."""
    return (one.at - timedelta(microseconds=1)).astimezone(ZoneInfo(one.zone)).date()


def row_of(one: DateToAct, at: datetime) -> dict[str, Any]:
    left, tone = time_left(one.at, at=at, zone=one.zone)
    return {
        "kind": KINDS[one.kind],
        "title": one.title,
        "text": one.text,
        "url": page_of(one),
        "instant": show_deadline(one.at, one.zone),
        "left": "overdue" if at >= one.at else left,
        "tone": tone,
        "amount": one.amount,
        "day": last_day(one),
    }


def page_of(one: DateToAct) -> str:
    """The page to act on; empty where the reader has none."""
    name, record = one.page
    try:
        return reverse(name, args=[record])
    except NoReverseMatch:
        return ""


def months_of(every: Sequence[DateToAct], at: datetime) -> list[dict[str, Any]]:
    """The dates by the month of their last day, those that are overdue first."""
    overdue = [row_of(one, at) for one in every if one.at <= at]
    ahead = [row_of(one, at) for one in every if one.at > at]
    ahead.sort(key=lambda row: row["day"])  # by the calendar on the wall of each program
    found = [{"name": "Overdue", "rows": overdue}] if overdue else []
    by_month = groupby(ahead, key=lambda row: f"{row['day']:%B %Y}")
    return [*found, *({"name": name, "rows": list(rows)} for name, rows in by_month)]


def month_asked(request: HttpRequest, at: datetime) -> date | None:
    """The first day of the month that the address asks for; None where it asks for none, or for one out of reach."""
    try:
        asked = datetime.strptime(request.GET.get("month", ""), "%Y-%m").date()  # noqa: DTZ007 - a month has no zone
    except ValueError:
        return None
    first = at.date().replace(day=1)
    return asked if add_months(first, -MONTHS) <= asked <= add_months(first, MONTHS) else None


def grid_of(every: Sequence[DateToAct], month: date, at: datetime) -> dict[str, Any]:
    rows = [row_of(one, at) for one in every]
    weeks = [
        [
            {
                "day": day,
                "outside": day.month != month.month,
                "today": day == at.date(),
                "rows": [row for row in rows if row["day"] == day],
            }
            for day in week
        ]
        for week in calendar.Calendar().monthdatescalendar(month.year, month.month)
    ]
    return {
        "name": f"{month:%B %Y}",
        "weekdays": WEEKDAYS,
        "weeks": weeks,
        "before": f"?month={add_months(month, -1):%Y-%m}",
        "after": f"?month={add_months(month, 1):%Y-%m}",
    }


# --- The calendar address ---------------------------------------------------------------------------------------------


@login_required
@require_POST
def dates_subscribe(request: PersonRequest) -> HttpResponse:
    """Make a calendar address, or a new one in place of the old; it is shown on the next page, once."""
    request.session[KEPT] = make_feed(by=request.user, at=now(request))
    return redirect(f"{reverse('dates')}#subscribe")


@login_required
@require_POST
def dates_unsubscribe(request: PersonRequest) -> HttpResponse:
    """End the calendar address."""
    if revoke_feed(by=request.user, at=now(request)):
        messages.success(request, "Your calendar address was ended. Calendars that use it get nothing any more.")
    return redirect("dates")


@login_required
@require_POST
def dates_programs(request: PersonRequest) -> HttpResponse:
    """Which programs the calendar shows: those that are not ticked are left out."""
    offered, shown = set(request.POST.getlist("offered")), set(request.POST.getlist("program"))
    if hide_programs(sorted(offered - shown)[:200], by=request.user):
        messages.success(
            request, "Your calendar was changed. Calendar programs show it when they next look, within hours."
        )
    return redirect(f"{reverse('dates')}#subscribe")


@require_safe
def calendar_feed(request: HttpRequest, secret: str) -> HttpResponse:
    """The calendar that a secret address opens. Nothing of the session counts: calendar programs have none."""
    feed = feed_of(secret)
    if feed is None:
        return HttpResponseNotFound("There is no such calendar. Make a new address on the page “Dates”.", "text/plain")
    at = clock.now()
    host = request.get_host().partition(":")[0]
    shown = [one for one in dates_of(feed.person, at) if one.program not in feed.hidden_programs]
    content = calendar_of(
        shown,
        name="Coop: dates to act",
        host=host,
        at=at,
        link=lambda one: request.build_absolute_uri(page_of(one) or reverse("dates")),
    )
    response = HttpResponse(content, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="coop.ics"'
    response["Cache-Control"] = "private, max-age=900"
    response["ETag"] = quote_etag(hashlib.sha256(content).hexdigest())
    return get_conditional_response(request, etag=response["ETag"], response=response) or response
