"""Many at once: threads with connections of their own against one PostgreSQL. Money is never spent twice.

Every race is meant to be lost by somebody; the number of winners is exact. The naive code at the end shows that the races
do happen here, and that the database refuses where code forgets to lock.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from threading import Barrier, Event, Thread
from time import monotonic, sleep
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from claims.checks import CHECKS
from claims.models import Claim
from claims.operations.review import approve_claim, reject_claim, start_review
from claims.operations.sending import submit_claim, withdraw_claim
from coop import jobs
from coop.lib import clock
from coop.lib.errors import Refused
from funds.checks import check_ledger
from funds.ledger import Movement, post
from funds.models import Earning, Entry, Fund, Payable, PaymentItem, PaymentRun, Rebate
from funds.operations.earnings import take_lines
from funds.operations.payments import prepare_run
from funds.operations.rebates import gather_rebates
from funds.operations.results import return_payment
from funds.operations.settlement import expire_period, settle_period
from tests import factories as make

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def at_once(works: Iterable[Callable[[], Any]], *, patience: float = 60) -> list[Any]:
    """Run the works in threads that start at one instant; returns what each returned, or the error that it raised."""
    works = list(works)
    answers: list[Any] = [None] * len(works)
    barrier = Barrier(len(works))

    def run(place: int, work: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(20)
            answers[place] = work()
        except Exception as error:  # noqa: BLE001 - the test looks at whatever it was
            answers[place] = error
        finally:
            connection.close()

    threads = [Thread(target=run, args=each, daemon=True) for each in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(patience)
        assert not thread.is_alive(), "a thread waits for ever"
    return answers


def outcomes(answers: list[Any]) -> Counter[str]:
    """How often each refusal, or "done"; anything that is not a refusal is raised."""
    counted: Counter[str] = Counter()
    for answer in answers:
        if isinstance(answer, Exception) and not isinstance(answer, Refused):
            raise answer
        counted[answer.code if isinstance(answer, Refused) else "done"] += 1
    return counted


def send(claim: Claim) -> Callable[[], Claim]:
    return lambda: submit_claim(claim.id, by=claim.created_by, at=clock.now())


def agrees() -> None:
    assert check_ledger(CHECKS).differences == []


def test_sixteen_connections_never_overspend_a_fund() -> None:
    fund = make.make_fund("25000.00")  # 10,000.00: enough for six of the sixteen
    claims = [make.make_claim(fund, "1600.00") for _ in range(16)]
    assert outcomes(at_once(map(send, claims))) == {"done": 6, "insufficient_funds": 10}
    fund.refresh_from_db()
    assert (fund.available_minor, fund.in_review_minor) == (40_000, 960_000)
    assert Entry.objects.filter(kind="hold").count() == 6
    agrees()


def test_the_last_cent_goes_to_exactly_one() -> None:
    fund = make.make_fund("25000.00")
    claims = [make.make_claim(fund, "10000.00") for _ in range(8)]
    assert outcomes(at_once(map(send, claims))) == {"done": 1, "insufficient_funds": 7}
    agrees()


def test_without_the_lock_the_race_is_real_and_the_database_still_refuses() -> None:
    """The control: code that reads, checks and writes without a lock. All sixteen find the money; six get it."""
    fund = make.make_fund("25000.00")
    person = make.marketer_of(fund.partner)
    read = Barrier(16)

    def naive(number: int) -> str:
        seen = Fund.objects.get(id=fund.id)  # no lock
        movement = Movement(
            "hold", "available", "in_review", 160_000, date(2024, 3, 4), "claim", str(number), f"naive:{number}"
        )
        assert seen.available_minor >= movement.amount_minor
        read.wait(20)  # everybody has read before anybody writes
        with transaction.atomic():
            post(seen, movement, by=person, at=make.CLAIMING)
        return "done"

    answers = at_once([lambda n=n: naive(n) for n in range(16)])
    refused = [answer for answer in answers if isinstance(answer, DatabaseError)]
    assert len(refused) == 10
    assert all("fund_is_never_overspent" in str(error.__cause__.diag.constraint_name) for error in refused)
    fund.refresh_from_db()
    assert (fund.available_minor, fund.in_review_minor) == (40_000, 960_000)


def test_the_same_claim_sent_by_eight_at_once_is_sent_once() -> None:
    claim = make.make_claim(make.make_fund())
    assert outcomes(at_once([send(claim)] * 8)) == {"done": 1, "wrong_status": 7}
    claim.refresh_from_db()
    assert (claim.status, claim.sendings, claim.held_minor) == ("submitted", 1, 400_000)
    agrees()


def test_of_those_who_read_the_same_revision_one_wins_and_the_others_hear_that_they_are_late() -> None:
    claim = make.make_claim(make.make_fund())
    works = [lambda: submit_claim(claim.id, revision=claim.revision, by=claim.created_by, at=clock.now())] * 4
    assert outcomes(at_once(works)) == {"done": 1, "stale": 3}


def test_a_claim_is_decided_once_however_many_decide_and_withdraw_it() -> None:
    fund = make.make_fund()
    claims = [make.make_sent_claim(fund, "500.00") for _ in range(6)]
    manager, other = make.vendor("manager"), make.vendor("pcmm")
    for claim in claims:
        answers = at_once(
            [
                lambda c=claim: approve_claim(c.id, by=manager, at=clock.now()),
                lambda c=claim: reject_claim(c.id, reason="No proof.", by=other, at=clock.now()),
                lambda c=claim: approve_claim(c.id, revision=c.revision, by=other, at=clock.now()),
                lambda c=claim: withdraw_claim(c.id, by=c.created_by, at=clock.now()),
            ]
        )
        assert outcomes(answers)["done"] == 1
        assert set(outcomes(answers)) <= {"done", "wrong_status", "stale"}
    agrees()


def test_two_who_start_a_review_do_not_both_have_it() -> None:
    claim = make.make_sent_claim(make.make_fund())
    people = [make.vendor("manager"), make.vendor("pcmm")]
    answers = at_once([lambda p=p: start_review(claim.id, by=p, at=clock.now()) for p in people])
    assert outcomes(answers) == {"done": 1, "wrong_status": 1}


def test_two_runs_prepared_at_once_pay_nothing_twice() -> None:
    fund = make.make_fund()
    for _ in range(3):
        make.make_approved_claim(fund, "300.00")
    finance, today = make.vendor("finance"), clock.now().date()
    answers = at_once([lambda: prepare_run(cutoff=today, by=finance, at=clock.now())] * 4)
    assert outcomes(answers) == {"done": 1, "invalid": 3}
    assert PaymentRun.objects.count() == 1
    assert Payable.objects.filter(items__open=True).count() == 3


def test_a_month_that_many_gather_at_once_is_payable_once() -> None:
    fund = make.make_fund("24999.98")  # below the threshold: all of it is rebate
    owed = sum(Rebate.objects.values_list("amount_minor", flat=True))
    answers = at_once([lambda: gather_rebates(fund.partner_id, at=clock.now())] * 6)
    assert outcomes(answers) == {"done": 6}
    assert sorted(answers) == [0, 0, 0, 0, 0, 1]
    assert Payable.objects.get().amount_minor == owed == 24_999_98
    agrees()


def test_a_payment_that_many_say_came_back_comes_back_once_and_is_paid_once_more() -> None:
    fund = make.make_fund()
    make.make_approved_claim(fund, "300.00")
    payment, finance, today = make.pay_all().payments.get(), make.vendor("finance"), clock.now().date()

    def come_back() -> Any:
        return return_payment(payment.id, returned_on=today, reason="Closed", by=finance, at=clock.now())

    def prepare() -> Any:
        return prepare_run(cutoff=today, by=finance, at=clock.now())

    answers = at_once([come_back, come_back, come_back, prepare, prepare])
    assert outcomes(answers[:3]) == {"done": 1, "wrong_status": 2}
    assert outcomes(answers[3:])["done"] <= 1
    assert PaymentItem.objects.filter(open=True).count() == outcomes(answers[3:])["done"]
    fund.refresh_from_db()
    assert (fund.approved_minor, fund.paid_minor) == (30_000, 0)
    agrees()


def test_the_same_lines_delivered_by_eight_at_once_are_posted_once() -> None:
    make.set_clock(make.EARNING)
    home = make.make_enrollment().location.external_id
    lines = [make.earning_line(home, "10.00") for _ in range(20)]
    finance = make.vendor("finance")
    answers = at_once([lambda: take_lines(lines, by=finance, at=clock.now())] * 8)
    assert outcomes(answers) == {"done": 8}
    assert sum(delivery.new for delivery in answers) == 20
    assert sum(delivery.unchanged for delivery in answers) == 140
    assert Earning.objects.count() == 20
    assert Fund.objects.get().earned_minor == 8_000
    agrees()


def test_of_deliveries_at_once_with_other_content_under_one_id_each_corrects_the_one_before() -> None:
    make.set_clock(make.EARNING)
    home = make.make_enrollment().location.external_id
    finance = make.vendor("finance")
    lines = [make.earning_line(home, amount, external_id="the same") for amount in ("10.00", "20.00", "30.00", "40.00")]
    answers = at_once([lambda line=line: take_lines([line], by=finance, at=clock.now()) for line in lines])
    assert outcomes(answers) == {"done": 4}
    assert sorted((d.new, d.changed, d.rejected) for d in answers) == [(0, 1, 0)] * 3 + [(1, 0, 0)]
    versions = list(Earning.objects.order_by("version"))
    assert [version.version for version in versions] == [1, 2, 3, 4]
    assert Fund.objects.get().earned_minor == versions[-1].coop_minor == sum(v.coop_change_minor for v in versions)
    agrees()


def test_sweeps_at_once_settle_and_expire_each_fund_once() -> None:
    funds = [make.make_fund("25000.00", settled=False) for _ in range(5)]
    half = make.period()
    make.set_clock(make.DEADLINE + timedelta(days=3))
    at = clock.now()
    sweeps = [lambda: settle_period(half.id, at=at)] * 2 + [lambda: expire_period(half.id, at=at)] * 3
    outcomes(at_once(sweeps))
    outcomes(at_once([lambda: settle_period(half.id, at=at), lambda: expire_period(half.id, at=at)]))
    for fund in funds:
        fund.refresh_from_db()
        assert (fund.available_minor, fund.expired_minor) == (0, 1_000_000)
        entries = Entry.objects.filter(fund=fund, kind="expiry")
        assert [(e.amount_minor, e.effective_on) for e in entries] == [(1_000_000, date(2024, 8, 14))]
    agrees()


def holding(sql: str, params: list[Any], release: Event, held: Event) -> Thread:
    """A thread that takes a lock and keeps it until it is told to let go."""

    def hold() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(sql, params)
                held.set()
                release.wait(20)
        finally:
            connection.close()

    thread = Thread(target=hold, daemon=True)
    thread.start()
    assert held.wait(20)
    return thread


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])


def until(condition: Callable[[], bool], *, patience: float = 10) -> None:
    started = monotonic()
    while not condition():
        assert monotonic() - started < patience
        sleep(0.01)


@pytest.mark.parametrize(("moved_to", "code"), [(make.LAST_INSTANT, "done"), (make.DEADLINE, "window_closed")])
def test_who_waits_for_the_lock_across_the_deadline_is_late(moved_to: Any, code: str) -> None:
    """The instant that counts is read after the lock, not the one with which the caller came."""
    fund = make.make_fund(now=make.DEADLINE - timedelta(seconds=1))
    claim = make.make_claim(fund)
    release, held = Event(), Event()
    keeper = holding("SELECT 1 FROM funds_fund WHERE id = %s FOR UPDATE", [fund.id], release, held)
    answers: list[Any] = []
    sender = Thread(target=lambda: answers.extend(at_once([send(claim)])), daemon=True)
    sender.start()
    until(somebody_waits)
    make.set_clock(moved_to)
    release.set()
    sender.join(20)
    keeper.join(20)
    assert outcomes(answers) == {code: 1}
    claim.refresh_from_db()
    assert claim.submitted_at == (moved_to if code == "done" else None)


def test_an_import_that_waits_across_the_deadline_brings_no_money_into_an_expired_fund() -> None:
    fund = make.make_fund("25000.00", now=make.LAST_INSTANT)
    half, finance = make.period(), make.vendor("finance")
    line = make.earning_line(fund.location.external_id, "10.00")
    release, held = Event(), Event()
    # A sweep holds the period's row while the import has judged its lines and comes to hold it too.
    keeper = holding("SELECT 1 FROM funds_earningperiod WHERE id = %s FOR UPDATE", [half.id], release, held)
    answers: list[Any] = []
    work = lambda: take_lines([line], by=finance, at=clock.now())  # noqa: E731
    importer = Thread(target=lambda: answers.extend(at_once([work])), daemon=True)
    importer.start()
    until(somebody_waits)
    make.set_clock(make.DEADLINE)
    release.set()
    importer.join(20)
    keeper.join(20)
    (delivery,) = answers
    assert (delivery.new, delivery.rejected) == (0, 1)
    expire_period(half.id, at=clock.now())
    fund.refresh_from_db()
    assert (fund.available_minor, fund.expired_minor) == (0, 1_000_000)
    agrees()


def test_a_withdrawal_that_waited_across_the_deadline_gives_nothing_back_to_a_fund_that_expired() -> None:
    claim = make.make_sent_claim(make.make_fund("60000.00"))
    make.set_clock(make.DEADLINE)
    jobs.run_due(clock.now())
    withdraw_claim(claim.id, by=claim.created_by, at=make.LAST_INSTANT)
    fund = Fund.objects.get()
    assert (fund.available_minor, fund.in_review_minor, fund.expired_minor) == (0, 0, fund.earned_minor)
    agrees()


def test_imports_claims_decisions_and_sweeps_together_keep_the_ledger() -> None:
    """Two hundred mixed operations of eight threads across the deadline: no deadlock, and everything agrees."""
    funds = [make.make_fund("60000.00") for _ in range(3)]
    claims = [make.make_claim(random.choice(funds), "700.00") for _ in range(24)]
    manager, finance = make.vendor("manager"), make.vendor("finance")
    half = make.period()

    def import_some(n: int) -> Any:
        lines = [make.earning_line(fund.location.external_id, f"{n + 1}.00") for fund in random.sample(funds, 3)]
        return take_lines(lines, by=finance, at=clock.now())

    def mixed(seed: int) -> Counter[str]:
        chance, done = random.Random(seed), Counter[str]()
        for n in range(25):
            claim = chance.choice(claims)
            at = clock.now()
            work = chance.choice(
                [
                    lambda c=claim, t=at: submit_claim(c.id, by=c.created_by, at=t),
                    lambda c=claim, t=at: submit_claim(c.id, by=c.created_by, at=t),
                    lambda c=claim, t=at: withdraw_claim(c.id, by=c.created_by, at=t),
                    lambda c=claim, t=at: approve_claim(c.id, by=manager, at=t),
                    lambda c=claim, t=at: reject_claim(c.id, reason="No.", by=manager, at=t),
                    lambda n=n: import_some(n),
                    lambda t=at: settle_period(half.id, at=t),
                    lambda t=at: expire_period(half.id, at=t),
                    lambda t=at: prepare_run(cutoff=t.date(), by=finance, at=t),
                ]
            )
            try:
                work()
                done["done"] += 1
            except Refused as refusal:
                done[refusal.code] += 1
            if seed == 0 and n == 12:
                make.set_clock(make.DEADLINE + timedelta(hours=1))
        return done

    counts = at_once([lambda s=s: mixed(s) for s in range(8)])
    for answer in counts:
        assert isinstance(answer, Counter), answer
    assert sum(sum(c.values()) for c in counts) == 200
    jobs.run_due(clock.now())
    agrees()
    for fund in Fund.objects.all():
        assert fund.available_minor == 0
        assert Entry.objects.filter(fund=fund, kind="expiry").count() <= 1
