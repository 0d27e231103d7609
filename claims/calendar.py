"""The dates of a person as an iCalendar file (RFC 5545), for the calendar program of their choice."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from icalendar import Alarm, Calendar, Event

from claims.queries.dates import DateToAct
from coop.lib.dates import show_deadline

BEFORE = timedelta(hours=1)
REMIND = timedelta(days=-1)


def calendar_of(
    dates: Iterable[DateToAct], *, name: str, host: str, at: datetime, link: Callable[[DateToAct], str]
) -> bytes:
    """A calendar with one event for each date: the last hour before it is too late.

    An event keeps its UID when its date moves. A date only ever moves later, so its own minutes count its moves (SEQUENCE).
    DTSTAMP is the beginning of the day, so that the same dates make the same bytes all day.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//Coop//Dates to act//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", timedelta(hours=6), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT6H")
    stamp = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for date in dates:
        calendar.add_component(event_of(date, host=host, stamp=stamp, link=link(date)))
    content: bytes = calendar.to_ical()
    return content


def event_of(date: DateToAct, *, host: str, stamp: datetime, link: str) -> Event:
    event = Event()
    event.add("uid", f"{date.uid}@{host}")
    event.add("dtstamp", stamp)
    event.add("sequence", int(date.at.timestamp()) // 60)
    event.add("dtstart", (date.at - BEFORE).astimezone(UTC))
    event.add("dtend", date.at.astimezone(UTC))
    event.add("summary", f"{date.title}: {date.amount}" if date.amount else date.title)
    until = show_deadline(date.at, date.zone)
    event.add("description", f"In time until {until}.\n{date.text}\n{link}")
    event.add("url", link)
    event.add("transp", "TRANSPARENT")  # it takes no time of the reader's
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", event["summary"])
    alarm.add("trigger", REMIND)
    event.add_component(alarm)
    return event
