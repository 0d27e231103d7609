"""The balance of a past day as it was known then is what a replay of the entries up to then comes to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from threading import Event as Signal
from threading import Thread
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coop.lib import clock
from coop.lib.errors import InsufficientFunds, Invalid
from funds import states
from funds.ledger import Movement, lock_fund, post
from funds.models import Entry, Fund
from funds.operations.settlement import expire_period
from funds.queries.changes import Between, change_of_fund
from funds.queries.past import FIGURES, balance_as_of, balances_as_of, first_day, nobody_posting, require_past
from tests import factories as make

LONG_AGO, FAR_AWAY = date(2000, 1, 1), date(2100, 1, 1)
EARNED = ("earning", "clawback", "reversal")
ALL = [
    (kind, *places)
    for kind, moves in states.MOVEMENTS.items()
    for places in moves
    if kind not in ("expiry", "write_off") and "expired" not in places
]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(ALL),
        st.integers(1, 900_000),
        st.integers(-200, 60),  # days from the recording to the day it is for
        st.integers(0, 3),  # steps of the clock before it
    ),
    min_size=1,
    max_size=25,
)


def post_all(fund: Fund, steps: Sequence[Any]) -> None:
    """Post what is possible of these movements while time passes."""
    for number, (move, minor, days, wait) in enumerate(steps):
        at = make.set_clock(clock.now() + wait * timedelta(days=9, microseconds=1))
        locked = lock_fund(fund.pk)
        movement = Movement(*move, minor, at.date() + timedelta(days), "test", "1", f"test:{number}", "ops_adjustment")
        try:
            with transaction.atomic():
                post(locked, movement, by=None, at=at)
        except InsufficientFunds:
            continue


def replayed(entries: Sequence[Entry], as_of: date, known_at: datetime) -> dict[str, int]:
    """The figures by a walk over the entries, written without the query's own arithmetic."""
    found: Counter[str] = Counter(dict.fromkeys(FIGURES, 0))
    for entry in entries:
        if entry.effective_on <= as_of and entry.recorded_at <= known_at:
            found[entry.to_bucket] += entry.amount_minor
            found[entry.from_bucket] -= entry.amount_minor
            if "program" in (entry.from_bucket, entry.to_bucket):
                sign = 1 if entry.from_bucket == "program" else -1
                found["earned" if entry.kind in EARNED else "adjustments"] += sign * entry.amount_minor
    del found["program"]
    return dict(found)


def totals(fund: Fund) -> dict[str, int]:
    return {name: getattr(fund, f"{name}_minor") for name in FIGURES}


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS, picks=st.lists(st.tuples(st.integers(-300, 400), st.integers(-50, 900)), min_size=4, max_size=8))
def test_as_of_equals_a_replay_of_the_prefix(steps: list[Any], picks: list[tuple[int, int]]) -> None:
    with transaction.atomic():
        fund = make.make_fund("30000.00")
        post_all(fund, steps)
        fund = Fund.objects.with_names().get(id=fund.pk)
        entries = list(fund.entries.order_by("id"))
        days = [make.CLAIMING.date() + timedelta(day) for day, _ in picks] + [entry.effective_on for entry in entries]
        instants = [make.CLAIMING + timedelta(day) for _, day in picks] + [entry.recorded_at for entry in entries]
        for as_of in days[:12]:
            for known_at in [*instants[:8], instants[-1] - timedelta(microseconds=1)]:
                then = balance_as_of(fund, as_of=as_of, known_at=known_at)
                assert totals(then) == replayed(entries, as_of, known_at)
                found = totals(then)
                assert found["earned"] + found["adjustments"] == sum(found[bucket] for bucket in states.BUCKETS)
        everything = balance_as_of(fund, as_of=FAR_AWAY, known_at=make.CLAIMING + timedelta(9_999))
        assert totals(everything) == totals(fund)
        assert not any(totals(balance_as_of(fund, as_of=LONG_AGO)).values())
        transaction.set_rollback(True)


@pytest.mark.django_db
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    steps=STEPS,
    first=st.integers(-50, 300),
    wait=st.integers(0, 600),
    day=st.none() | st.integers(-300, 400),
)
def test_what_changed_is_the_difference_of_two_pasts(steps: list[Any], first: int, wait: int, day: int | None) -> None:
    with transaction.atomic():
        fund = make.make_fund("30000.00")
        post_all(fund, steps)
        fund = Fund.objects.with_names().get(id=fund.pk)
        since = make.CLAIMING + timedelta(first)
        as_of = None if day is None else make.CLAIMING.date() + timedelta(day)
        between = Between(since, since + timedelta(wait), as_of)
        change = change_of_fund(fund, between)
        assert change.before == totals(balance_as_of(fund, as_of=as_of, known_at=between.since))
        assert change.after == totals(balance_as_of(fund, as_of=as_of, known_at=between.until))
        known = [e for e in fund.entries.all() if between.since < e.recorded_at <= between.until]
        assert change.entries == len([e for e in known if as_of is None or e.effective_on <= as_of])
        transaction.set_rollback(True)


@pytest.mark.django_db
def test_many_funds_take_one_statement_and_each_has_its_own_past(django_assert_num_queries: Any) -> None:
    funds = [make.make_fund(amount) for amount in ("30000.00", "40000.00", "2.50")]
    make.set_clock(make.CLAIMING)
    claim = make.make_sent_claim(funds[1], "1000.00")
    assert claim.held_minor == 100_000
    found = list(Fund.objects.with_names().order_by("id"))
    with django_assert_num_queries(1):
        then = balances_as_of(found, as_of=make.IN_USE.date(), known_at=make.CLAIMING)
    assert [fund.available_minor for fund in then] == [1_200_000, 1_600_000, 0]
    assert [fund.available_minor for fund in found] == [1_200_000, 1_500_000, 0]
    assert then[2].converted_minor == 100
    with django_assert_num_queries(0):
        assert balances_as_of(found) == found
        assert balances_as_of([], as_of=LONG_AGO) == []


@pytest.mark.django_db
def test_money_is_an_estimate_again_where_one_looks_before_its_threshold_test() -> None:
    fund = make.make_fund()
    settled = fund.settled_at
    assert settled is not None
    assert fund.estimated_minor == 0
    assert balance_as_of(fund, known_at=settled - timedelta(microseconds=1)).estimated_minor == 1_000_355
    assert balance_as_of(fund, known_at=settled).estimated_minor == 0
    day_of_the_test = fund.earning_period.settle_on
    assert balance_as_of(fund, as_of=day_of_the_test - timedelta(1)).estimated_minor == 1_000_355
    assert balance_as_of(fund, as_of=day_of_the_test).estimated_minor == 0


@pytest.mark.django_db
def test_an_expiry_that_is_posted_late_is_for_its_deadline_but_was_not_known_on_it() -> None:
    fund = make.make_fund()
    late = make.set_clock(make.DEADLINE + timedelta(days=20))
    expire_period(fund.earning_period_id, at=late)
    on_the_day = balance_as_of(fund, as_of=date(2024, 8, 14))
    assert (on_the_day.available_minor, on_the_day.expired_minor) == (0, 1_000_355)
    as_known_then = balance_as_of(fund, as_of=date(2024, 8, 14), known_at=make.DEADLINE)
    assert (as_known_then.available_minor, as_known_then.expired_minor) == (1_000_355, 0)
    assert balance_as_of(fund, as_of=date(2024, 8, 13)).available_minor == 1_000_355


@pytest.mark.django_db
def test_the_first_day_is_that_of_the_first_entry_that_was_known() -> None:
    fund = make.make_fund()
    assert first_day(fund) == date(2023, 8, 15)
    assert first_day(fund, known_at=make.EARNING - timedelta(days=1)) is None


def test_what_will_be_known_is_not_said() -> None:
    require_past({"known_at": make.CLAIMING, "since": None}, at=make.CLAIMING)
    with pytest.raises(Invalid, match="has not come yet") as refused:
        require_past({"known_at": make.CLAIMING + timedelta(microseconds=1)}, at=make.CLAIMING)
    assert [(error.field, error.code) for error in refused.value.errors] == [("known_at", "in_the_future")]


# --- What is printed is final ---------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_balance_known_at_an_instant_waits_for_the_posting_that_is_under_way() -> None:
    """The posting reads its instant, then its lock; the printing asks for a later instant before the posting commits."""
    fund = make.make_fund()
    asked_for = clock.now()
    posted, go_on, printed = Signal(), Signal(), Signal()
    found: list[int] = []

    def posting() -> None:
        with transaction.atomic():
            movement = Movement(
                "adjustment", "program", "available", 500, asked_for.date(), "test", "1", "late", "ops_adjustment"
            )
            post(lock_fund(fund.pk), movement, by=None, at=asked_for)
            posted.set()
            assert go_on.wait(20)
        connection.close()

    def printing() -> None:
        assert posted.wait(20)
        with nobody_posting([fund]):
            found.append(balance_as_of(fund, known_at=asked_for).adjustments_minor)
        printed.set()
        connection.close()

    threads = [Thread(target=posting), Thread(target=printing)]
    for thread in threads:
        thread.start()
    assert not printed.wait(1.0), "it was printed while a posting that belongs to it was under way"
    go_on.set()
    for thread in threads:
        thread.join(20)
    assert found == [500]


@pytest.mark.django_db(transaction=True)
def test_an_entry_whose_instant_was_read_before_the_lock_is_recorded_after_what_was_printed() -> None:
    """Somebody reads the clock, waits for the fund, and posts: by then a statement of a later instant may be printed."""
    fund = make.make_fund()
    read_early = clock.now()
    known_at = make.set_clock(read_early + timedelta(seconds=5))
    with nobody_posting([fund]):
        printed = balance_as_of(fund, known_at=known_at).adjustments_minor
    make.set_clock(known_at + timedelta(microseconds=1))
    movement = Movement(
        "adjustment", "program", "available", 500, read_early.date(), "test", "1", "late", "ops_adjustment"
    )
    with transaction.atomic():
        entry = post(lock_fund(fund.pk), movement, by=None, at=read_early)
    assert entry.recorded_at == known_at + timedelta(microseconds=1)
    assert entry.recorded_at == Entry.objects.get(id=entry.pk).recorded_at
    with nobody_posting([fund]):
        assert balance_as_of(fund, known_at=known_at).adjustments_minor == printed == 0


@pytest.mark.django_db
def test_entries_of_a_sweep_are_recorded_after_their_locks_too() -> None:
    fund = make.make_fund()
    read_early = make.DEADLINE
    make.set_clock(make.DEADLINE + timedelta(minutes=7))
    expire_period(fund.earning_period_id, at=read_early)
    assert fund.entries.get(kind="expiry").recorded_at == make.DEADLINE + timedelta(minutes=7)
