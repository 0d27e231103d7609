"""The dates to act, on their page and in people's own calendars. The calendar is read back by another library."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import vobject
from django.test import Client

from claims.operations.invitations import invite
from claims.operations.review import Fix, approve_claim, return_claim
from claims.queries.dates import dates_of
from coop.lib import clock
from funds.models import Fund
from funds.operations.periods import extend_period
from partners.models import Event, Person
from partners.operations import deactivate_person
from tests import factories as make
from tests.web.partner.conftest import page, text_of

pytestmark = pytest.mark.django_db
SignIn = Callable[[Person], Client]


def said(person: Person) -> list[tuple[str, str, str]]:
    """Each date of a person: kind, instant, money."""
    return [(one.kind, str(one.at.replace(tzinfo=None)), one.amount) for one in dates_of(person, clock.now())]


def subscribe(client: Client) -> str:
    """Make a calendar address on the page and read it there; its path."""
    shown = client.post("/dates/subscribe/", follow=True).content.decode()
    return re.search(r'value="http://testserver(/calendar/[^"]+\.ics)"', shown)[1]  # type: ignore[index]


def events_in(path: str, client: Client | None = None) -> dict[str, Any]:
    """The events of a calendar by their UID, as a calendar program reads them that nobody signed in to."""
    answer = (client or Client()).get(path)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    calendar = vobject.readOne(answer.content.decode())
    return {event.uid.value: event for event in getattr(calendar, "vevent_list", [])}


# --- Which dates there are --------------------------------------------------------------------------------------------


def test_money_that_is_left_has_the_day_its_work_must_be_done_and_the_day_it_must_be_claimed() -> None:
    fund = make.make_fund()
    person = make.marketer_of(fund.partner)
    assert said(person) == [
        ("use_ends", "2024-07-01 00:00:00", "10,003.55 USD"),
        ("claim_by", "2024-08-15 00:00:00", "10,003.55 USD"),
    ]
    make.set_clock(datetime(2024, 7, 1, tzinfo=UTC))
    assert [kind for kind, *_ in said(person)] == ["claim_by"]
    make.set_clock(make.LAST_INSTANT)
    assert [kind for kind, *_ in said(person)] == ["claim_by"]
    make.set_clock(make.DEADLINE)  # before any job ran
    assert said(person) == []


def test_an_estimate_and_an_empty_fund_have_no_date() -> None:
    estimate = make.make_fund(settled=False, now=make.EARNING)
    assert said(make.marketer_of(estimate.partner)) == []
    fund = make.make_fund()
    make.make_sent_claim(fund, "10003.55")
    assert said(make.marketer_of(fund.partner)) == []


def test_a_returned_claim_has_its_cure_deadline_and_a_declined_one_its_dispute() -> None:
    fund = make.make_fund("25000.00")
    claim = make.make_sent_claim(fund, "10000.00")
    return_claim(claim.id, fixes=[Fix("lines", "Wrong.")], by=make.vendor("manager"), at=clock.now())
    assert said(claim.created_by) == [("mend_by", "2024-09-29 00:00:00", "10,000.00 USD")]

    other = make.make_fund("25000.00", enrollment=make.make_enrollment())
    declined = make.make_declined_claim(other, "10000.00")
    kinds = {kind: (at, money) for kind, at, money in said(declined.created_by)}
    assert kinds["dispute_by"] == ("2024-04-04 00:00:00", "10,000.00 USD")  # declined on 4 March, 30 days


def test_a_guest_has_the_task_s_date_and_no_money_and_a_channel_manager_what_is_due() -> None:
    fund = make.make_fund()
    draft = make.make_claim(fund, "100.00")
    guest = make.make_person(fund.partner, "agency")
    invite(draft.pk, task="proof", person_id=guest.pk, by=draft.created_by, at=clock.now())
    assert said(guest) == [("task_by", "2024-08-15 00:00:00", "")]
    make.make_sent_claim(fund, "4000.00")
    assert said(make.vendor("manager")) == [("review_by", "2024-03-07 00:00:00", "4,000.00 USD")]  # two business days
    assert said(make.vendor("auditor")) == []
    assert [kind for kind, *_ in said(make.vendor("finance"))] != []


def test_nobody_has_the_dates_of_somebody_else() -> None:
    fund = make.make_fund()
    stranger = make.make_person(make.make_partner("Tailspin"))
    assert said(stranger) == []
    assert {one.partner_id for one in dates_of(make.marketer_of(fund.partner), clock.now())} == {fund.partner_id}


# --- The page ---------------------------------------------------------------------------------------------------------


def test_the_page_says_what_ends_when_and_how_much_depends_on_it(sign_in: SignIn) -> None:
    fund = make.make_fund()
    client = sign_in(make.marketer_of(fund.partner))
    shown = page(client, "/dates/")
    assert "June 2024" in shown
    assert "August 2024" in shown
    assert "Until 14 Aug 2024, 23:59:59 UTC in 163 days" in shown
    assert "10,003.55 USD" in shown
    grid = page(client, "/dates/?month=2024-08")
    assert "14 Claim what is left of" in grid
    assert "Claim what is left of" in text_of(client.get("/dates/?month=nonsense"))


def test_a_page_without_a_date_says_so(sign_in: SignIn) -> None:
    client = sign_in(make.make_person(make.make_partner()))
    assert "Nothing ends" in text_of(client.get("/dates/"))


# --- The calendar -----------------------------------------------------------------------------------------------------


@pytest.fixture
def subscribed(sign_in: SignIn) -> tuple[Fund, Client, str]:
    fund = make.make_fund()
    client = sign_in(make.marketer_of(fund.partner))
    return fund, client, subscribe(client)


def test_another_library_reads_the_calendar(subscribed: tuple[Fund, Client, str]) -> None:
    fund, _, path = subscribed
    events = events_in(path)
    assert set(events) == {f"use_ends-fund-{fund.pk}@testserver", f"claim_by-fund-{fund.pk}@testserver"}
    event = events[f"claim_by-fund-{fund.pk}@testserver"]
    assert event.dtend.value == datetime(2024, 8, 15, tzinfo=UTC)
    assert event.dtstart.value == datetime(2024, 8, 14, 23, tzinfo=UTC)
    assert event.summary.value.endswith("FY24 H1, Head office: 10,003.55 USD")
    assert event.description.value.startswith("In time until 14 Aug 2024, 23:59:59 UTC.")
    assert event.url.value == f"http://testserver/funds/{fund.pk}/"
    assert event.valarm.trigger.value == timedelta(days=-1)


def test_a_date_that_moves_moves_the_same_event(subscribed: tuple[Fund, Client, str]) -> None:
    fund, _, path = subscribed
    uid = f"claim_by-fund-{fund.pk}@testserver"
    before = events_in(path)[uid]
    extend_period(
        fund.earning_period_id,
        claims_close_on=date(2024, 8, 30),
        reason="The import was late.",
        by=make.vendor(),
        at=clock.now(),
    )
    after = events_in(path)
    assert len(after) == 2
    assert after[uid].dtend.value == datetime(2024, 8, 31, tzinfo=UTC)
    assert int(after[uid].sequence.value) > int(before.sequence.value)


def test_what_is_done_leaves_the_calendar(subscribed: tuple[Fund, Client, str]) -> None:
    fund, _, path = subscribed
    claim = make.make_sent_claim(fund, "10003.55")
    approve_claim(claim.id, by=make.vendor("manager"), at=clock.now())
    assert events_in(path) == {}


def test_an_address_is_shown_once_and_a_new_one_ends_the_old(subscribed: tuple[Fund, Client, str]) -> None:
    _, client, path = subscribed
    assert path not in client.get("/dates/").content.decode()
    newer = subscribe(client)
    assert newer != path
    assert Client().get(path).status_code == 404
    assert events_in(newer)
    assert list(Event.objects.filter(verb__startswith="calendar_feed").values_list("verb", flat=True)) == [
        "calendar_feed.made",
        "calendar_feed.made",
    ]


def test_an_ended_address_and_that_of_somebody_who_left_open_nothing(subscribed: tuple[Fund, Client, str]) -> None:
    fund, client, path = subscribed
    deactivate_person(make.marketer_of(fund.partner).pk, by=make.vendor(), at=clock.now())
    assert Client().get(path).status_code == 404
    other = make.make_person(fund.partner)
    client.force_login(other)
    path = subscribe(client)
    assert "was ended" in text_of(client.post("/dates/unsubscribe/", follow=True))
    assert Client().get(path).status_code == 404
    assert Client().get("/calendar/nonsense.ics").status_code == 404


def test_programs_can_be_left_out_of_the_calendar_and_stay_on_the_page(subscribed: tuple[Fund, Client, str]) -> None:
    fund, client, path = subscribed
    client.post("/dates/programs/", {"offered": [fund.program.code]})
    assert events_in(path) == {}
    assert "Claim what is left" in text_of(client.get("/dates/"))
    client.post("/dates/programs/", {"offered": [fund.program.code], "program": [fund.program.code]})
    assert len(events_in(path)) == 2


def test_the_same_dates_are_not_sent_twice_to_a_program_that_has_them(subscribed: tuple[Fund, Client, str]) -> None:
    path = subscribed[2]
    tag = Client().get(path)["ETag"]
    assert Client().get(path, headers={"If-None-Match": tag}).status_code == 304
    assert Client().post(path).status_code == 405
