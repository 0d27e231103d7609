"""Three periods live at once, and their money stays apart."""

import pytest

from coop.lib.errors import InsufficientFunds, RuleFailed, WindowNotOpen
from funds.models import EarningPeriod
from tests.scenarios.world import (
    begin,
    deliver,
    differences,
    draft,
    fund_of,
    instant,
    ledger_of,
    money_in,
    partner_in,
    reach,
    send,
)

pytestmark = pytest.mark.django_db


def test_on_20_january_2024_one_period_earns_one_is_in_use_and_one_takes_claims() -> None:
    begin()

    states = {period.code: period.state(instant("2024-01-20")) for period in EarningPeriod.objects.all()}

    assert states["FY24-H2"] == "earning"
    assert states["FY24-H1"] == "in_use"
    assert states["FY23-H2"] == "claiming"
    assert states["FY23-H1"] == "closed"
    assert states["FY25-H1"] == "earning"  # it is its turn later; nothing is known of it yet


def test_on_any_day_exactly_one_period_takes_claims() -> None:
    begin()
    periods = list(EarningPeriod.objects.all())

    for day in ("2023-08-14", "2023-08-15", "2024-02-14", "2024-02-15", "2024-08-14", "2024-08-15", "2025-01-01"):
        claiming = [period.code for period in periods if period.state(instant(day)) == "claiming"]
        assert len(claiming) == 1, day


def test_money_of_two_periods_never_mixes() -> None:
    begin(at="2023-06-01")
    reseller = partner_in()
    deliver(reseller, ("27500.00", "2023-05-15"), ("25008.88", "2023-08-15"))
    reach("2024-01-20")
    spring, autumn = fund_of(reseller, "FY23-H2"), fund_of(reseller, "FY24-H1")
    assert money_in(spring) == {"earned": "11,000.00", "available": "11,000.00"}
    assert money_in(autumn) == {"earned": "10,003.55", "available": "10,003.55"}

    # 11,000.01 is not there, although both funds together hold 21,003.55.
    with pytest.raises(InsufficientFunds, match=r"Lower the lines by 0\.01 USD in all"):
        send(draft(spring, "11000.01"))
    with pytest.raises(WindowNotOpen, match="Claims for FY24 H1 are taken from 15 Feb 2024"):
        send(draft(autumn, "10.00"))
    assert send(draft(spring, "10750.00")).status == "submitted"

    reach("2024-02-15")
    assert ledger_of(spring)[-1] == ("Expired: not claimed by the deadline", "250.00", "2024-02-14")
    assert money_in(autumn) == {"earned": "10,003.55", "available": "10,003.55"}
    assert send(draft(autumn, "10.00")).status == "submitted"
    assert differences() == []


def test_work_of_one_half_cannot_be_claimed_from_the_money_of_another() -> None:
    begin(at="2023-06-01")
    reseller = partner_in()
    deliver(reseller, ("27500.00", "2023-05-15"), ("25008.88", "2023-08-15"))
    reach("2024-03-04")
    autumn = fund_of(reseller, "FY24-H1")

    claim = draft(autumn, "10.00", on=fund_of(reseller, "FY23-H2").earning_period.use_from)

    with pytest.raises(RuleFailed, match="Work outside it belongs to another fund"):
        send(claim)
