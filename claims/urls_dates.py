"""The dates that one can still act on, and the calendar that shows them elsewhere."""

from __future__ import annotations

from django.urls import path

from claims.web import dates

urlpatterns = [
    path("dates/", dates.dates, name="dates"),
    path("dates/subscribe/", dates.dates_subscribe, name="dates-subscribe"),
    path("dates/unsubscribe/", dates.dates_unsubscribe, name="dates-unsubscribe"),
    path("dates/programs/", dates.dates_programs, name="dates-programs"),
    path("calendar/<str:secret>.ics", dates.calendar_feed, name="calendar-feed"),
]
