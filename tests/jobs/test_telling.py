"""What jobs do is told: claims that open, and a job that fails."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from coop import jobs
from partners.models import Notice
from tests import factories as make
from tests.notices.world import forget, only, tell

pytestmark = pytest.mark.django_db


def test_who_has_money_in_the_period_hears_once_that_claims_are_open() -> None:
    fund = make.make_fund("25000.00", now=make.EARNING, settled=False)
    small = make.make_fund("100.00", now=make.EARNING, settled=False)
    marketer, other = make.marketer_of(fund.partner), make.marketer_of(small.partner)
    half = make.period()
    jobs.settle_periods(make.set_clock(half.settle_at))
    forget()
    jobs.open_claims(make.set_clock(half.claims_open_at))
    notices = tell()
    heard = only([one for one in notices if one.person == marketer])
    assert heard.title == "Claims are open: MCI CSP indirect reseller, FY24 H1"
    assert heard.text == (
        "You can claim 10,000.00 USD from now on, until 14 Aug 2024, 23:59:59 UTC. What is not claimed by then expires."
    )
    assert (heard.deadline_at, heard.amount_minor) == (half.claims_close_at, 1_000_000)
    assert not [one for one in notices if one.person == other], "its money became rebate"
    jobs.open_claims(half.claims_open_at + timedelta(days=1))
    assert tell() == []


def test_a_program_admin_hears_once_a_day_that_a_job_fails_and_nobody_else_does(failing: Callable[[str], None]) -> None:
    admin = make.vendor("program")
    make.vendor("finance")
    failing("lapse_claims")
    at = make.set_clock(make.CLAIMING)
    forget()
    jobs.run_job("lapse_claims", at)
    jobs.run_job("lapse_claims", at + timedelta(minutes=1))
    heard = only(tell())
    assert (heard.person, heard.kind, heard.title) == (admin, "operations", "A job fails: Lapse claims")
    assert "Claim 41: the total does not fit." in heard.text
    assert heard.link.startswith("/operations/runs/")
    jobs.run_job("lapse_claims", at, asked_by="somebody@vendor.example")
    tell()
    assert Notice.objects.filter(kind="operations").count() == 1
