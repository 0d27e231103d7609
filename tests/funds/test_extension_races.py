"""The second of the deadline: extensions against sweeps, each with a connection of its own. Exactly one of them wins.

Either the deadline was moved and nothing expired, or the money expired and the extension is refused with a sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from threading import Event as Flag
from threading import Thread
from typing import Any

import pytest
from django.db import connection, transaction

from claims.checks import CHECKS
from claims.operations.sending import lapse_claim, withdraw_claim
from coop import jobs
from coop.lib import clock
from coop.lib.errors import Refused
from funds.checks import check_ledger
from funds.models import Entry, Fund
from funds.operations.extensions import grant_extension
from funds.operations.periods import extend_period, lock_funds, lock_period
from funds.operations.settlement import expire_period
from tests import factories as make
from tests.funds.test_races import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

LATER = date(2024, 8, 30)


def grant(fund: Fund) -> Any:
    return grant_extension(
        period_id=fund.earning_period_id,
        partner_id=fund.partner_id,
        claims_close_on=LATER,
        reason="Late invoices.",
        by=make.vendor(),
        at=make.LAST_INSTANT,  # they read the clock when they pressed the button
    )


def extend(fund: Fund) -> Any:
    return extend_period(
        fund.earning_period_id, claims_close_on=LATER, reason="Down.", by=make.vendor(), at=make.LAST_INSTANT
    )


def sweep() -> None:
    for done in jobs.run_due(clock.now()):
        assert not done.failed, done.notes


@pytest.mark.parametrize("act", [grant, extend])
def test_of_a_sweep_and_an_extension_at_the_deadline_one_wins(act: Callable[[Fund], Any]) -> None:
    """The clock passes the deadline while both are at work: who reads it too late is refused."""
    fund = make.make_fund()
    make.make_claim(fund, "100.00")
    make.vendor()
    make.set_clock(make.LAST_INSTANT)

    def deadline_passes() -> None:
        make.set_clock(make.DEADLINE)
        sweep()

    _, granted = at_once([deadline_passes, lambda: act(fund)])
    expired = Entry.objects.filter(fund=fund, kind="expiry").exists()
    fund = Fund.objects.with_names().get(id=fund.id)
    if isinstance(granted, Refused):
        assert (granted.code, expired, fund.claims_close_on) == ("window_closed", True, date(2024, 8, 14))
        assert "A deadline that has passed is not moved any more" in granted.message
    else:
        assert not isinstance(granted, Exception), granted
        assert (expired, fund.claims_close_on) == (False, LATER)
    assert check_ledger(CHECKS).differences == []


def in_thread(work: Callable[[], Any]) -> tuple[Thread, list[Any]]:
    answers: list[Any] = []

    def run() -> None:
        try:
            answers.append(work())
        except Refused as error:
            answers.append(error)
        finally:
            connection.close()

    thread = Thread(target=run, daemon=True)
    thread.start()
    return thread, answers


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")  # what the others wait for is not cached here
        return bool(cursor.fetchone()[0])


def until(condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if condition():
            return
        Flag().wait(0.01)
    raise AssertionError("it never came to that")


@pytest.mark.parametrize("act", [grant, extend])
def test_a_sweep_that_comes_during_an_extension_waits_and_finds_the_later_date(act: Callable[[Fund], Any]) -> None:
    """The extension was in time and commits after the deadline: sweep, lapse and release all wait for it, and none is late."""
    fund = make.make_fund()
    draft, sent = make.make_claim(fund, "100.00"), make.make_sent_claim(fund, "500.00")
    make.set_clock(make.LAST_INSTANT)
    with transaction.atomic():
        act(fund)
        works = [
            in_thread(lambda: expire_period(fund.earning_period_id, at=make.DEADLINE)),
            in_thread(lambda: lapse_claim(draft.pk, at=make.DEADLINE)),
            in_thread(lambda: withdraw_claim(sent.pk, by=sent.created_by, at=make.DEADLINE)),
        ]
        until(waits_for_a_lock)
        Flag().wait(0.1)
    for thread, answers in works:
        thread.join(20)
        assert not thread.is_alive()
        assert not isinstance(answers[0], Exception), answers
    make.set_clock(make.DEADLINE)
    fund.refresh_from_db()
    draft.refresh_from_db()
    assert (draft.status, fund.available_minor, fund.expired_minor) == ("draft", 1_000_355, 0)
    assert check_ledger(CHECKS).differences == []


@pytest.mark.parametrize("act", [grant, extend])
def test_an_extension_that_waited_for_a_sweep_is_refused(act: Callable[[Fund], Any]) -> None:
    """It was asked for in time, and gets the locks when the money has expired: it reads the clock once more."""
    fund = make.make_fund()
    make.vendor()
    make.set_clock(make.LAST_INSTANT)
    with transaction.atomic():
        lock_funds(lock_period(fund.earning_period_id))
        thread, answers = in_thread(lambda: act(fund))
        until(waits_for_a_lock)
        make.set_clock(make.DEADLINE)
        assert expire_period(fund.earning_period_id, at=make.DEADLINE).moved == 1
    thread.join(20)
    assert isinstance(answers[0], Refused)
    assert answers[0].message.startswith("Claims for FY24 H1")
    assert Fund.objects.with_names().get(id=fund.id).claims_close_on == date(2024, 8, 14)
