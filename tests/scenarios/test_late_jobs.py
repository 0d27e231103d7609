"""Jobs that run late, twice, or not at all: the clock decides."""

import pytest

from coop.jobs import BY_THE_CLOCK, run_due
from coop.lib import clock
from coop.lib.errors import WindowClosed
from tests.scenarios.world import begin, deliver, draft, fund_of, instant, ledger_of, partner_in, reach, send

pytestmark = pytest.mark.django_db


def test_c4_the_clock_decides_and_not_the_job() -> None:
    begin()
    reseller = partner_in()
    deliver(reseller, ("25000.00", "2023-08-15"), ("8.88", "2023-09-15"))
    reach("2024-03-01")
    fund = fund_of(reseller)
    claim = draft(fund, "100.00")

    reach("2024-08-15", jobs=False)
    with pytest.raises(WindowClosed) as refused:
        send(claim)
    assert refused.value.code == "window_closed"

    reach("2024-09-01")
    assert ledger_of(fund)[2:] == [("Expired: not claimed by the deadline", "10,003.55", "2024-08-14")]
    assert fund.entries.get(kind="expiry").recorded_at == instant("2024-08-29 00:00"), "the first stop of the move"


def test_a_job_that_runs_twice_does_nothing_the_second_time() -> None:
    begin()
    reseller = partner_in()
    deliver(reseller, ("25000.00", "2023-08-15"))
    reach("2024-08-15")
    before = ledger_of(fund_of(reseller))

    again = run_due(clock.now())

    assert [(done.job, done.worked, done.failed) for done in again] == [(job.name, 0, 0) for job in BY_THE_CLOCK]
    assert ledger_of(fund_of(reseller)) == before


def test_a_fund_whose_threshold_test_is_overdue_is_tested_when_the_first_claim_is_sent() -> None:
    begin()
    reseller = partner_in()
    deliver(reseller, ("25000.00", "2023-08-15"))
    reach("2024-03-04", jobs=False)
    assert fund_of(reseller).settled_at is None

    assert send(draft(fund_of(reseller), "4000.00")).status == "submitted"

    assert fund_of(reseller).settled_at == clock.now()
