"""Corrections by people: upwards, downwards, over to another half, out as rebate, and written off; with their thresholds."""

from collections.abc import Iterator
from datetime import date

import pytest

from coop.lib import clock
from coop.lib.errors import InsufficientFunds, RuleFailed, WindowClosed
from funds.models import Fund
from funds.operations.adjustments import approve_adjustment
from funds.queries.past import balance_as_of
from tests.factories import pay_all, vendor
from tests.scenarios.world import (
    adjust,
    approve,
    ask,
    begin,
    deliver,
    differences,
    draft,
    fund_of,
    ledger_of,
    money_in,
    partner_in,
    reach,
    rebate_of,
    send,
    withdraw,
)

pytestmark = pytest.mark.django_db

BACK = "Given back from rebate"


@pytest.fixture(autouse=True)
def ledger_agrees(db: None) -> Iterator[None]:
    """After each story everything is computed anew."""
    yield
    assert differences() == []


def fund_of_the_half(*lines: tuple[str, str]) -> Fund:
    """10,003.55 of FY24 H1 (or what the lines bring), ready to be claimed on 4 March 2024."""
    begin()
    reseller = partner_in()
    deliver(reseller, *(lines or (("25000.00", "2023-08-15"), ("8.88", "2023-09-15"))))
    reach("2024-03-04")
    return fund_of(reseller)


def adjusted(fund: Fund) -> int:
    return Fund.objects.get(id=fund.id).adjustments_minor


# --- Corrections ------------------------------------------------------------------------------------------------------


def test_a_correction_upwards_adds_to_what_can_be_claimed() -> None:
    fund = fund_of_the_half()
    adjust(fund, "120.45", on="2023-12-31", note="Line E-17 was rated at 2 %, not at 3 %.")

    assert ledger_of(fund)[-1] == ("Adjusted upwards", "120.45", "2023-12-31")
    assert money_in(fund) == {"earned": "10,003.55", "available": "10,124.00"}
    assert adjusted(fund) == 12045
    entry = fund.entries.last()
    assert entry is not None
    assert (entry.reason_code, entry.note) == ("wrong_calculation", "Line E-17 was rated at 2 %, not at 3 %.")
    assert send(draft(fund, "10124.00")).status == "submitted"


def test_a_correction_downwards_takes_from_what_is_left() -> None:
    fund = fund_of_the_half(("30000.00", "2023-08-15"))
    adjust(fund, "-1500.00", "partner_mapping", on="2023-12-31")

    assert ledger_of(fund)[-1] == ("Adjusted downwards", "1,500.00", "2023-12-31")
    assert money_in(fund) == {"earned": "12,000.00", "available": "10,500.00"}


def test_a_correction_of_money_that_was_spent_leaves_less_than_nothing_and_nobody_can_claim() -> None:
    fund = fund_of_the_half(("30000.00", "2023-08-15"))
    approve(send(draft(fund, "11900.00")))
    pay_all()

    adjust(fund, "-446.70", "ar_compliance")

    assert money_in(fund) == {"earned": "12,000.00", "available": "-346.70", "paid": "11,900.00"}
    assert Fund.objects.get(id=fund.id).overdrawn
    with pytest.raises(InsufficientFunds, match=r"346\.70 USD more was taken back than was left in this fund"):
        send(draft(fund, "0.01"))
    assert ask(fund, "1.00").status == "posted"
    assert money_in(fund)["available"] == "-345.70"


def test_a_large_correction_waits_for_a_second_person() -> None:
    fund = fund_of_the_half()
    at_the_limit = ask(fund, "1000.00")
    waiting = ask(fund, "1000.01")

    assert (at_the_limit.status, waiting.status) == ("posted", "requested")
    assert money_in(fund)["available"] == "11,003.55"
    reach("2024-03-05")
    approve_adjustment(waiting.id, by=vendor("finance2"), at=clock.now())
    assert ledger_of(fund)[-1] == ("Adjusted upwards", "1,000.01", "2024-03-04")
    assert money_in(fund)["available"] == "12,003.56"


# --- Over the threshold and below it ----------------------------------------------------------------------------------


def test_a_correction_that_lifts_a_fund_to_the_threshold_brings_back_what_was_converted() -> None:
    fund = fund_of_the_half(("24000.00", "2023-08-15"))
    assert money_in(fund) == {"earned": "9,600.00", "converted": "9,600.00"}

    adjust(fund, "399.99", "previous_period")
    assert money_in(fund) == {"earned": "9,600.00", "converted": "9,999.99"}
    adjust(fund, "0.01", "previous_period")

    assert money_in(fund) == {"earned": "9,600.00", "available": "10,000.00"}
    assert ledger_of(fund)[-4:] == [
        ("Adjusted upwards", "399.99", "2024-03-04"),
        ("Converted to rebate", "399.99", "2024-03-04"),
        ("Adjusted upwards", "0.01", "2024-03-04"),
        (BACK, "9,999.99", "2024-03-04"),
    ]
    assert rebate_of(fund) == [("9,600.00", "2024-01-30"), ("399.99", "2024-03-04"), ("-9,999.99", "2024-03-04")]


def test_a_correction_below_the_threshold_converts_what_is_available_and_nothing_else() -> None:
    fund = fund_of_the_half()
    approve(send(draft(fund, "2000.00")))
    pay_all()
    approve(send(draft(fund, "1500.00")))
    send(draft(fund, "1000.00"))

    adjust(fund, "-3.56", on="2023-12-31")

    assert money_in(fund) == {
        "earned": "10,003.55",
        "in_review": "1,000.00",
        "approved": "1,500.00",
        "paid": "2,000.00",
        "converted": "5,499.99",
    }
    assert ledger_of(fund)[-1] == ("Converted to rebate", "5,499.99", "2024-01-30")
    assert rebate_of(fund) == [("5,499.99", "2024-01-30")]


def test_what_a_claim_gives_back_to_a_fund_below_its_threshold_becomes_rebate() -> None:
    fund = fund_of_the_half()
    claim, other = send(draft(fund, "1000.00")), send(draft(fund, "600.00"))
    adjust(fund, "-3.56")
    reach("2024-04-10")

    withdraw(claim)
    approve(other, (0, "350.00"))

    assert ledger_of(fund)[-5:] == [
        ("Released", "1,000.00", "2024-04-10"),
        ("Converted to rebate", "1,000.00", "2024-04-10"),
        ("Approved", "350.00", "2024-04-10"),
        ("Released", "250.00", "2024-04-10"),
        ("Converted to rebate", "250.00", "2024-04-10"),
    ]
    assert money_in(fund) == {"earned": "10,003.55", "approved": "350.00", "converted": "9,649.99"}


def test_what_a_claim_gives_back_to_a_fund_below_zero_fills_the_hole() -> None:
    fund = fund_of_the_half(("50000.00", "2023-08-15"))
    claim = send(draft(fund, "19900.00"))
    adjust(fund, "-500.00")
    assert money_in(fund)["available"] == "-400.00"

    approve(claim, (0, "19650.00"))
    assert money_in(fund) == {"earned": "20,000.00", "available": "-150.00", "approved": "19,650.00"}


def test_what_is_taken_from_a_converted_fund_is_taken_from_its_rebate() -> None:
    fund = fund_of_the_half(("24000.00", "2023-08-15"))
    adjust(fund, "-250.00", "wrong_enrollment")

    assert ledger_of(fund)[-2:] == [("Adjusted downwards", "250.00", "2024-03-04"), (BACK, "250.00", "2024-03-04")]
    assert money_in(fund) == {"earned": "9,600.00", "converted": "9,350.00"}
    assert rebate_of(fund) == [("9,600.00", "2024-01-30"), ("-250.00", "2024-03-04")]


def test_a_late_clawback_below_the_threshold_converts_only_what_is_available() -> None:
    fund = fund_of_the_half()
    approve(send(draft(fund, "4000.00")))
    pay_all()
    deliver(fund.enrollment, ("-1000.00", "2023-11-20"))

    assert money_in(fund) == {"earned": "9,603.55", "paid": "4,000.00", "converted": "5,603.55"}
    deliver(fund.enrollment, ("991.13", "2023-12-20"))  # 396.45 of co-op, which makes exactly 10,000.00
    assert money_in(fund) == {"earned": "10,000.00", "available": "6,000.00", "paid": "4,000.00"}


def test_what_the_test_moves_was_there_on_the_day_that_it_is_for() -> None:
    fund = fund_of_the_half()
    adjust(fund, "-5.00")  # on 4 March: below the threshold, so all of it is converted then
    deliver(fund.enrollment, ("100.00", "2023-12-20"))
    assert ledger_of(fund)[-1] == (BACK, "9,998.55", "2024-03-04")
    then = balance_as_of(fund, as_of=date(2024, 3, 1))
    assert (then.available_minor, then.converted_minor) == (1_004_355, 0)


def test_what_a_claim_gave_back_is_not_converted_before_it_came_back() -> None:
    fund = fund_of_the_half()
    claim = send(draft(fund, "4000.00"))
    reach("2024-04-10")
    withdraw(claim)
    reach("2024-04-20")
    deliver(fund.enrollment, ("-100.00", "2023-12-20"))
    assert ledger_of(fund)[-1] == ("Converted to rebate", "9,963.55", "2024-04-10")
    then = balance_as_of(fund, as_of=date(2024, 4, 1))
    assert (then.available_minor, then.in_review_minor, then.converted_minor) == (596_355, 400_000, 0)


# --- After the claim deadline -----------------------------------------------------------------------------------------


def test_after_the_claim_deadline_only_what_takes_money_away_is_posted() -> None:
    fund = fund_of_the_half()
    deliver(fund.enrollment, ("30000.00", "2024-02-10"))
    approve(send(draft(fund, "4000.00")))
    reach("2024-08-20")
    live = fund_of(fund.enrollment, "FY24-H2")

    with pytest.raises(WindowClosed, match=rf"Use fund {live.id}, FY24 H2, which takes claims until 14 Feb 2025"):
        ask(fund, "10.00")
    adjust(fund, "-46.45")
    assert money_in(fund) == {
        "earned": "10,003.55",
        "available": "-46.45",
        "approved": "4,000.00",
        "expired": "6,003.55",
    }
    adjust(fund, "46.45", purpose="write_off")
    assert money_in(fund) == {"earned": "10,003.55", "approved": "4,000.00", "expired": "6,003.55"}


def test_converted_money_stays_converted_after_the_claim_deadline() -> None:
    """What would be given back could not be claimed any more, so the rebate stays; only what is taken back is taken from it."""
    fund = fund_of_the_half(("24000.00", "2023-08-15"))
    reach("2024-08-20")

    with pytest.raises(WindowClosed, match="What is added now could not be claimed"):
        ask(fund, "400.00")
    adjust(fund, "-100.00")

    assert money_in(fund) == {"earned": "9,600.00", "converted": "9,500.00"}
    assert rebate_of(fund)[-1] == ("-100.00", "2024-08-20")


# --- Rollover ---------------------------------------------------------------------------------------------------------


def two_halves() -> tuple[Fund, Fund]:
    """20,003.55 of FY24 H1 and an estimate of 12,000.00 of FY24 H2, on 4 March 2024."""
    begin()
    reseller = partner_in()
    deliver(reseller, ("50000.00", "2023-08-15"), ("8.88", "2023-09-15"))
    reach("2024-03-04")
    deliver(reseller, ("30000.00", "2024-02-10"))
    return fund_of(reseller), fund_of(reseller, "FY24-H2")


def test_a_rollover_moves_money_to_the_next_half() -> None:
    now, then = two_halves()
    adjust(now, "2500.00", "coop_rollover", purpose="rollover", to_fund_id=then.id)

    assert ledger_of(now)[-1] == ("Adjusted downwards", "2,500.00", "2024-03-04")
    assert ledger_of(then)[-1] == ("Adjusted upwards", "2,500.00", "2024-03-04")
    assert money_in(now) == {"earned": "20,003.55", "available": "17,503.55"}
    assert money_in(then) == {"earned": "12,000.00", "available": "14,500.00"}
    assert {entry.key.rpartition(":")[2] for entry in (now.entries.last(), then.entries.last()) if entry} == {
        "out",
        "in",
    }

    reach("2024-08-15")
    assert money_in(now)["expired"] == "17,503.55"
    assert send(draft(then, "14500.00")).status == "submitted"


def test_a_rollover_is_no_earning_so_it_moves_no_threshold() -> None:
    now, then = two_halves()
    adjust(now, "15000.00", "coop_rollover", purpose="rollover", to_fund_id=then.id)
    assert money_in(now) == {"earned": "20,003.55", "available": "5,003.55"}  # below 10,000.00, and still co-op

    deliver(now.enrollment, ("-6000.00", "2024-02-11"))  # the next half earned 9,600.00 in all: below the threshold
    reach("2024-08-01")
    assert money_in(then) == {"earned": "9,600.00", "converted": "24,600.00"}


def test_a_rollover_takes_no_more_than_is_available() -> None:
    now, then = two_halves()
    send(draft(now, "20000.00"))
    with pytest.raises(InsufficientFunds, match=r"3\.56 USD was asked for, but 3\.55 USD is available"):
        ask(now, "3.56", "coop_rollover", purpose="rollover", to_fund_id=then.id)
    ask(now, "3.55", "coop_rollover", purpose="rollover", to_fund_id=then.id)
    assert money_in(now) == {"earned": "20,003.55", "in_review": "20,000.00"}


def test_nothing_is_rolled_over_into_a_fund_that_takes_no_claims_any_more() -> None:
    now, then = two_halves()
    reach("2024-08-15")
    with pytest.raises(WindowClosed, match="Nothing can be rolled over into it"):
        ask(then, "10.00", "coop_rollover", purpose="rollover", to_fund_id=now.id)


# --- Out as rebate ----------------------------------------------------------------------------------------------------


def test_co_op_is_paid_out_as_rebate_and_a_late_earning_does_not_bring_it_back() -> None:
    now, _ = two_halves()
    adjust(now, "3000.00", "coop_rollover", purpose="to_rebate", note="Agreed with the partner on 1 March.")

    entry = now.entries.last()
    assert entry is not None
    assert (entry.sentence, entry.reason_code) == ("Converted to rebate", "coop_rollover")
    assert money_in(now) == {"earned": "20,003.55", "available": "17,003.55", "converted": "3,000.00"}
    assert rebate_of(now) == [("3,000.00", "2024-03-04")]

    deliver(now.enrollment, ("100.00", "2023-12-30"))
    assert money_in(now) == {"earned": "20,043.55", "available": "17,043.55", "converted": "3,000.00"}


# --- Write-off --------------------------------------------------------------------------------------------------------


def test_a_write_off_lifts_a_fund_below_zero_to_nothing_and_earns_nothing() -> None:
    fund = fund_of_the_half()
    approve(send(draft(fund, "9850.25")))
    pay_all()
    deliver(fund.enrollment, ("-1250.00", "2023-11-20"))
    assert money_in(fund) == {"earned": "9,503.55", "available": "-346.70", "paid": "9,850.25"}

    adjust(fund, "346.70", "policy_exception", purpose="write_off", note="Agreed by the program on 3 March.")

    assert ledger_of(fund)[-1] == ("Written off by the vendor", "346.70", "2024-03-04")
    assert money_in(fund) == {"earned": "9,503.55", "paid": "9,850.25"}
    assert adjusted(fund) == 34670


# --- A program that ended ---------------------------------------------------------------------------------------------

MIXED_REALITY = "mixed-reality-adr"


def test_the_co_op_of_a_program_that_ended_is_owed_as_rebate_and_so_is_what_is_corrected_later() -> None:
    begin(MIXED_REALITY, at="2023-01-15")
    headsets = partner_in(MIXED_REALITY)
    deliver(headsets, ("31234.55", "2023-05-15"))  # earned in FY23 H2; the program ended on 1 July 2023

    reach("2023-08-02")
    fund = fund_of(headsets, "FY23-H2")
    assert money_in(fund) == {"earned": "12,493.82", "converted": "12,493.82"}
    assert rebate_of(fund) == [("12,493.82", "2023-07-30")]

    adjust(fund, "200.00")
    deliver(headsets, ("-50.00", "2023-06-01"))
    assert money_in(fund) == {"earned": "12,473.82", "converted": "12,673.82"}
    assert rebate_of(fund) == [("12,493.82", "2023-07-30"), ("200.00", "2023-08-02"), ("-20.00", "2023-07-30")]


def test_a_claim_on_a_fund_below_zero_is_refused_with_all_that_is_wrong_with_it() -> None:
    fund = fund_of_the_half(("30000.00", "2023-08-15"))
    send(draft(fund, "12000.00"))
    adjust(fund, "-5.00")
    claim = draft(fund, "10.00")
    claim.documents.all().delete()
    with pytest.raises(RuleFailed, match="Later earnings of the same half make up for it first"):
        send(claim)
