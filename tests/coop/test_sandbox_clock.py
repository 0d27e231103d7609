"""The sandbox's clock: it stands still, goes forward only, and runs on the way what fell due, each at its own instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from coop import tasks
from coop.lib import clock
from coop.lib.errors import Invalid, NotFound
from coop.sandbox import jobs_are_held, move_clock, start_clock
from funds.models import Entry, Fund
from tests import factories as make

pytestmark = pytest.mark.django_db


def test_a_move_runs_what_fell_due_on_the_way_in_order_and_each_at_its_own_instant() -> None:
    fund = make.make_fund(settled=False, now=make.EARNING)
    draft = None
    moved = move_clock(make.CLAIMING, by=None)
    draft = make.make_claim(fund, "10.00")
    moved_on = move_clock(make.CURE_DEADLINE + timedelta(days=1), by=None)
    half = make.period()
    assert [(done.job, done.at) for done in moved.ran if done.job == "settle_periods"][-1][1] == half.settle_at
    ran = [(done.job, done.at) for done in moved_on.ran]
    assert ran == sorted(ran, key=lambda step: step[1])
    assert ("lapse_claims", half.claims_close_at) in ran
    assert ("expire_periods", half.claims_close_at) in ran
    assert ran.index(("lapse_claims", half.claims_close_at)) < ran.index(("expire_periods", half.claims_close_at))
    draft.refresh_from_db()
    assert (draft.status, draft.turn_since) == ("lapsed", half.claims_close_at)
    assert Entry.objects.get(kind="expiry").recorded_at == half.claims_close_at
    assert clock.now() == moved_on.now == make.CURE_DEADLINE + timedelta(days=1)


def test_the_clock_goes_forward_only(db: None) -> None:
    make.set_clock(make.CLAIMING)
    with pytest.raises(Invalid, match="only goes forward") as caught:
        move_clock(make.CLAIMING - timedelta(microseconds=1), by=None)
    assert [(error.field, error.code) for error in caught.value.errors] == [("now", "backwards")]
    assert clock.now() == make.CLAIMING


def test_a_move_without_jobs_holds_the_timetable_and_the_next_move_finds_all_that_was_skipped() -> None:
    fund = make.make_fund("25000.00", settled=False, now=make.EARNING)
    assert move_clock(make.DEADLINE, run_jobs=False, by=None).ran == []
    assert jobs_are_held()
    tasks.TASKS["settle_periods"]()
    tasks.TASKS["expire_periods"]()
    tasks.TASKS["lapse_claims"]()
    fund.refresh_from_db()
    assert fund.settled_at is None
    later = move_clock(make.DEADLINE + timedelta(days=5), by=None)
    assert {done.job for done in later.ran} >= {"settle_periods", "expire_periods"}
    assert not jobs_are_held()
    fund = Fund.objects.get(id=fund.id)
    assert (fund.available_minor, fund.expired_minor) == (0, 1_000_000)
    assert str(Entry.objects.get(kind="expiry").effective_on) == "2024-08-14"


def test_moving_to_where_it_stands_runs_what_is_due_now() -> None:
    make.make_fund("25000.00", settled=False, now=make.EARNING)
    move_clock(make.CLAIMING, run_jobs=False, by=None)
    assert "settle_periods" in {done.job for done in move_clock(make.CLAIMING, by=None).ran}
    assert move_clock(make.CLAIMING, by=None).ran == []


def test_starting_keeps_the_clock_that_is_there() -> None:
    make.set_clock(make.CLAIMING)
    assert start_clock(datetime(2030, 1, 1, tzinfo=UTC)) == make.CLAIMING


def test_outside_a_sandbox_there_is_no_such_clock(settings: Any) -> None:
    settings.SANDBOX = False
    with pytest.raises(NotFound):
        move_clock(make.CLAIMING, by=None)
    with pytest.raises(NotFound):
        start_clock()
    assert not jobs_are_held()
