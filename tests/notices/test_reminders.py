"""Reminders: walked by the day, compared with a table; late, twice, and after the deadline moved."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from claims.operations.review import return_claim
from claims.operations.verdicts import Fix
from claims.queries.dates import CLAIM_BY
from claims.reminding import Round, due_rounds, instants, make_round, remind, stage
from coop.lib import clock
from funds.models import EarningPeriod, Fund
from funds.operations.periods import extend_period
from partners.models import Notice, Person
from tests.factories import (
    CLAIMING,
    CURE_DEADLINE,
    DEADLINE,
    LAST_INSTANT,
    make_claim,
    make_fund,
    make_person,
    make_sent_claim,
    marketer_of,
    period,
    set_clock,
    vendor,
)

pytestmark = pytest.mark.django_db

# The claim deadline of FY24 H1 is the end of 14 August 2024, UTC.
TABLE = {
    date(2024, 6, 15): "60 days left",
    date(2024, 7, 15): "30 days left",
    date(2024, 7, 31): "14 days left",
    date(2024, 8, 7): "7 days left",
    date(2024, 8, 12): "2 days left",
    date(2024, 8, 13): "1 day left",
}


@pytest.fixture
def fund() -> Fund:
    return make_fund()


@pytest.fixture
def reader(fund: Fund) -> Person:
    return marketer_of(fund.partner)


def reminders(person: Person) -> dict[date, str]:
    """The reminders that a person has, by their day: how much time they say is left."""
    told = Notice.objects.filter(person=person, kind="deadline").order_by("id")
    return {one.created_at.date(): one.title.partition(":")[0] for one in told}


def claim_round(at: datetime) -> Round:
    (found,) = (one for one in due_rounds(at) if one.kind == CLAIM_BY)
    return found


def walk(first: date, last: date, *, without: tuple[date, ...] = ()) -> None:
    """The job runs every day at 06:00 UTC, but on days when beat is down."""
    day = first
    while day <= last:
        if day not in without:
            remind(at=set_clock(datetime(day.year, day.month, day.day, 6, tzinfo=UTC)))
        day += timedelta(days=1)


def test_a_fund_with_money_left_is_reminded_of_on_each_day_of_the_table_and_on_no_other(reader: Person) -> None:
    walk(date(2024, 6, 14), date(2024, 8, 15))
    assert reminders(reader) == TABLE


def test_beat_that_was_down_over_two_reminder_days_sends_the_nearest_one_only(reader: Person) -> None:
    down = tuple(date(2024, 7, 30) + timedelta(days) for days in range(10))  # over 14 and 7 days before
    walk(date(2024, 6, 14), date(2024, 8, 15), without=down)
    late = {date(2024, 8, 9): "5 days left"}
    kept = {day: said for day, said in TABLE.items() if day not in down}
    assert reminders(reader) == kept | late


def test_a_sweep_that_is_late_on_the_last_day_says_so_and_one_after_the_deadline_says_nothing(reader: Person) -> None:
    remind(at=set_clock(LAST_INSTANT))
    assert reminders(reader) == {date(2024, 8, 14): "Last day"}
    remind(at=set_clock(DEADLINE))
    assert Notice.objects.filter(kind="deadline").count() == 1


def test_after_the_deadline_nothing_is_said_though_no_sweep_ran_before(reader: Person) -> None:
    remind(at=set_clock(DEADLINE))
    assert not reminders(reader)


def test_a_round_that_was_found_in_time_and_is_made_too_late_says_nothing(reader: Person) -> None:
    found = claim_round(set_clock(LAST_INSTANT))
    assert make_round(found, at=set_clock(DEADLINE)) == 0
    assert not reminders(reader)


def test_a_reminder_says_the_money_the_instant_and_the_page(fund: Fund, reader: Person) -> None:
    make_claim(fund)
    remind(at=set_clock(datetime(2024, 8, 7, 6, tzinfo=UTC)))
    told = reader.notices.get(kind="deadline")
    assert told.title == "7 days left: claim what is left of MCI CSP indirect reseller, FY24 H1, Head office"
    assert told.text == (
        "10,003.55 USD are at stake until 14 Aug 2024, 23:59:59 UTC. What is not claimed by then expires. 1 draft not sent yet."
    )
    assert (told.amount_minor, told.currency, told.deadline_at) == (1_000_355, "USD", DEADLINE)
    assert told.link == f"/funds/{fund.pk}/"


def test_all_writers_of_the_partner_are_reminded_and_nobody_else(fund: Fund, reader: Person) -> None:
    admin = make_person(fund.partner, "partner_admin")
    make_person(fund.partner, "agency")
    vendor("manager")
    remind(at=set_clock(datetime(2024, 8, 7, 6, tzinfo=UTC)))
    assert {one.person for one in Notice.objects.filter(kind="deadline")} == {reader, admin}


def test_money_that_is_gone_is_reminded_of_no_more(fund: Fund, reader: Person) -> None:
    remind(at=set_clock(datetime(2024, 7, 15, 6, tzinfo=UTC)))
    set_clock(CLAIMING)
    make_sent_claim(fund, "10003.55")
    walk(date(2024, 7, 16), date(2024, 8, 15))
    assert reminders(reader) == {date(2024, 7, 15): "30 days left"}


def test_an_estimate_is_reminded_of_by_nobody() -> None:
    fund = make_fund(settled=False)
    reader = marketer_of(fund.partner)
    remind(at=set_clock(datetime(2024, 8, 7, 6, tzinfo=UTC)))
    assert not reminders(reader)


def test_twice_and_together_gives_one_and_the_second_look_finds_nothing_due(reader: Person) -> None:
    at = set_clock(datetime(2024, 8, 7, 6, tzinfo=UTC))
    found = claim_round(at)
    assert make_round(found, at=at) == 1
    assert make_round(found, at=at) == 0
    remind(at=at)
    assert due_rounds(at) == []
    assert len(reminders(reader)) == 1


def test_a_round_that_was_killed_before_its_end_is_made_by_the_next_sweep(
    reader: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = set_clock(datetime(2024, 8, 7, 6, tzinfo=UTC))

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr("claims.reminding.note_made", killed)
        with pytest.raises(KeyboardInterrupt):
            remind(at=at)
    assert remind(at=at) == 0  # the reminder was committed, only the mark was lost
    assert len(reminders(reader)) == 1
    assert due_rounds(at) == []


def test_a_deadline_that_moved_is_reminded_of_for_the_new_day_and_the_reminder_says_so(
    fund: Fund, reader: Person
) -> None:
    walk(date(2024, 8, 5), date(2024, 8, 8))
    assert reminders(reader) == {date(2024, 8, 5): "9 days left", date(2024, 8, 7): "7 days left"}
    half = period()
    extend_period(half.id, claims_close_on=date(2024, 9, 14), reason="Storm.", by=vendor(), at=clock.now())
    walk(date(2024, 8, 9), date(2024, 9, 15))
    after = {day: said for day, said in reminders(reader).items() if day > date(2024, 8, 8)}
    assert after == {
        date(2024, 8, 15): "30 days left",
        date(2024, 8, 31): "14 days left",
        date(2024, 9, 7): "7 days left",
        date(2024, 9, 12): "2 days left",
        date(2024, 9, 13): "1 day left",
    }
    last = reader.notices.filter(kind="deadline").order_by("-id")[0]
    assert last.text.endswith("The deadline moved from 14 Aug 2024 to 14 Sep 2024.")


def test_a_date_of_ones_own_is_reminded_of_instead_of_the_periods(fund: Fund, reader: Person) -> None:
    Fund.objects.filter(id=fund.id).update(
        own_close_on=date(2024, 9, 14),
        own_close_at=datetime(2024, 9, 15, tzinfo=UTC),
        own_cure_on=date(2024, 10, 29),
        own_cure_at=datetime(2024, 10, 30, tzinfo=UTC),
    )
    walk(date(2024, 8, 12), date(2024, 8, 15))
    assert reminders(reader) == {date(2024, 8, 12): "33 days left", date(2024, 8, 15): "30 days left"}


def test_a_returned_claim_is_reminded_of_until_its_cure_deadline_from_its_return_on(fund: Fund, reader: Person) -> None:
    make_person(fund.partner)  # a colleague who has nothing to do with it
    claim = make_sent_claim(fund)
    set_clock(datetime(2024, 9, 1, 12, tzinfo=UTC))  # 27 days before the cure deadline: the 30 days are over
    return_claim(claim.id, fixes=[Fix("", "Mend it.")], by=vendor("manager"), at=clock.now())
    Notice.objects.all().delete()
    walk(date(2024, 9, 2), CURE_DEADLINE.date())
    assert reminders(reader) == {
        date(2024, 9, 14): "14 days left",
        date(2024, 9, 21): "7 days left",
        date(2024, 9, 26): "2 days left",
        date(2024, 9, 27): "1 day left",
    }
    assert {one.person for one in Notice.objects.filter(subject_type="claim", kind="deadline")} == {reader}


def test_days_are_counted_in_the_zone_of_the_program() -> None:
    fund = make_fund()
    half = EarningPeriod.objects.get(id=fund.earning_period_id)
    half.program.time_zone = "Pacific/Auckland"
    half.program.save()
    # 14 days before 14 August begin in Auckland on 30 July at 12:00 UTC.
    before, after = (datetime(2024, 7, 30, hour, tzinfo=UTC) for hour in (11, 12))
    assert claim_round(before).days == 30
    assert claim_round(after).days == 14
    assert after in instants(before, after)


def test_the_instants_of_a_move_are_the_beginnings_of_the_days_of_the_table(fund: Fund) -> None:
    found = instants(datetime(2024, 6, 1, tzinfo=UTC), DEADLINE)
    claim_days = {day for day in (instant.date() for instant in found) if day in TABLE}
    assert claim_days == set(TABLE)


@pytest.mark.parametrize(
    ("left", "expected"),
    [(61, None), (60, 60), (31, 60), (30, 30), (8, 14), (7, 7), (3, 7), (2, 2), (1, 1), (0, 1), (-1, None)],
)
def test_the_nearest_distance_that_has_come_counts(left: int, expected: int | None) -> None:
    assert stage(left) == expected


def test_a_round_knows_the_end_of_its_day() -> None:
    half = make_fund().earning_period
    one = Round(half, "claim_by", date(2024, 8, 14), own=False, days=14)
    assert (one.ends_at, one.closes_at) == (datetime(2024, 8, 1, tzinfo=UTC), DEADLINE)
