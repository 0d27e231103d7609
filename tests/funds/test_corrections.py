"""Lines that come again otherwise, imports that are taken back, amounts in either notation, money by our own rates."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from coop import jobs
from coop.lib import clock
from coop.lib.errors import Invalid, WrongStatus
from funds.checks import check_ledger
from funds.models import Earning, Enrollment, Entry, ExchangeRate, Fund, Import, Rebate
from funds.operations.deliveries import check_import
from funds.operations.earnings import commit_import, rejected_lines, take_lines
from funds.operations.imports import receive_file
from funds.operations.reversal import reverse_import
from funds.operations.settlement import settle_period
from funds.progress import telling
from funds.queries.effects import changed_lines, effects_of, progress_of, status_shown, summary_of
from tests import factories as make

pytestmark = pytest.mark.django_db

HEADER = "external_id,location,program,earned_on,amount,currency"


@pytest.fixture(autouse=True)
def files_in_a_folder_of_this_test(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def home(db: None) -> Enrollment:
    """HQ-1, and HQ-2 of the same partner, in the reseller program; FY24 H1 is being earned."""
    make.set_clock(make.EARNING)
    home = make.make_enrollment(make.make_location(external_id="HQ-1"))
    make.make_enrollment(make.make_location(home.partner, external_id="HQ-2"))
    return home


def line(amount: str, name: str = "E1", *, at: str = "HQ-1", on: str = "2023-08-15", **more: str) -> dict[str, Any]:
    return make.earning_line(at, amount, external_id=name, on=on, **more)


def take(*lines: dict[str, Any]) -> Import:
    return take_lines(lines, by=make.vendor("finance"), at=clock.now())


def check(*rows: str, header: str = HEADER) -> Import:
    data = io.BytesIO("\n".join([header, *rows]).encode())
    delivery = receive_file(filename="e.csv", file=data, by=make.vendor("finance"), at=clock.now())
    checked = check_import(delivery.pk, at=clock.now())
    assert checked is not None
    return checked


def reverse(delivery: Import, reason: str = "The wrong month.") -> Import:
    return reverse_import(delivery.pk, reason=reason, by=make.vendor("finance"), at=clock.now())


def earned(location: str = "HQ-1") -> int:
    return sum(Fund.objects.filter(location__external_id=location).values_list("earned_minor", flat=True))


def agrees() -> None:
    assert check_ledger().differences == []


# --- Corrections --------------------------------------------------------------------------------------------------------


def test_a_line_that_moves_to_another_location_leaves_its_fund_and_comes_to_the_other(home: Enrollment) -> None:
    take(line("100.00"), line("50.00", "E2"))
    moved = take(line("120.00", at="HQ-2"))
    assert (moved.changed, earned("HQ-1"), earned("HQ-2")) == (1, 2_000, 4_800)
    versions = Earning.objects.filter(external_id="E1").order_by("version")
    assert [(v.version, v.withdrawn, v.coop_minor, v.coop_change_minor) for v in versions] == [
        (1, False, 4_000, 4_000),
        (2, True, 0, -4_000),
        (3, False, 4_800, 4_800),
    ]
    assert [row["coop_amount"] for row in effects_of(moved)] == ["48.00", "-40.00"]
    agrees()


def test_a_line_that_moves_to_another_half_is_a_line_of_that_half(home: Enrollment) -> None:
    take(line("100.00"))
    take(line("100.00", on="2023-03-31"))  # FY23 H2 takes claims no more, but its deadline has not passed
    assert list(Fund.objects.order_by("earning_period__earn_from").values_list("earned_minor", flat=True)) == [4_000, 0]
    agrees()


def test_a_line_that_moves_to_an_earlier_half_is_earned_there_on_its_own_day(home: Enrollment) -> None:
    make.set_clock(make.CLAIMING)
    take(line("100.00", on="2024-02-01"))
    take(line("100.00", on="2023-12-15"))
    entries = Entry.objects.order_by("effective_on", "id").values_list("kind", "effective_on")
    assert list(entries) == [
        ("earning", date(2023, 12, 15)),
        ("earning", date(2024, 2, 1)),
        ("clawback", date(2024, 2, 1)),
    ]
    agrees()


def test_a_line_that_becomes_rebate_in_another_half_opens_no_fund_there(home: Enrollment) -> None:
    make.set_clock(make.CLAIMING)
    take(line("100.00", on="2024-02-01"))
    moved = take(line("100.00", on="2023-12-15", kind="rebate"))
    assert list(Fund.objects.values_list("earning_period__code", "earned_minor")) == [("FY24-H2", 0)]
    reverse(moved)
    assert list(Fund.objects.values_list("earning_period__code", "earned_minor")) == [("FY24-H2", 4_000)]
    agrees()


def test_a_correction_out_of_a_closed_period_is_rejected_as_one_into_it_is(home: Enrollment) -> None:
    take(line("100.00"))
    make.set_clock(make.DEADLINE)  # FY24 H1 is closed
    out = take(line("100.00", on="2024-02-01"))
    assert [(row["problem"], "was taken before" in row["message"]) for row in rejected_lines(out.pk)] == [
        ("period_closed", True)
    ]
    assert [row["problem"] for row in rejected_lines(take(line("90.00")).pk)] == ["period_closed"]
    assert earned() == 4_000


def test_a_late_correction_lifts_a_converted_fund_over_its_threshold(home: Enrollment) -> None:
    take(line("24000.00"))
    half = make.period()
    settle_period(half.pk, at=make.set_clock(half.settle_at))
    checked = check("E1,HQ-1,mci-csp-reseller,2023-08-15,25000.00,USD")
    (effect,) = effects_of(checked)
    assert (effect["crossing"], effect["late"], effect["change"]) == ("up", True, "400.00")
    assert {key: summary_of(checked)[key] for key in ("crossing_up", "late", "new_funds")} == {
        "crossing_up": 1,
        "late": 1,
        "new_funds": 0,
    }
    (shown,) = changed_lines(checked)
    assert (shown["before"]["amount"], shown["now"]["amount"], shown["moved"]) == ("24000.00", "25000.00", False)
    done = commit_import(checked.pk, by=make.vendor("finance"), at=clock.now())
    fund = Fund.objects.get()
    assert (fund.available_minor, fund.converted_minor) == (1_000_000, 0)
    assert changed_lines(done) == [shown]
    agrees()


def test_rebate_is_owed_by_the_difference_too(home: Enrollment) -> None:
    take(line("100.00"))
    take(line("150.00"))
    take(line("20.00", "R1", kind="rebate"))
    assert list(Rebate.objects.order_by("id").values_list("amount_minor", flat=True)) == [6_000, 3_000, 2_000]
    agrees()


def test_one_line_costs_few_statements(home: Enrollment, django_assert_max_num_queries: Any) -> None:
    take(line("1.00"))
    with django_assert_max_num_queries(36):  # 15 of them open, close and settle
        take(line("1.00", "E2"))


# --- Reversal -----------------------------------------------------------------------------------------------------------


def test_a_reversed_import_leaves_what_was_before_and_its_file_is_new_again(home: Enrollment) -> None:
    take(line("100.00"), line("50.00", "E2"))
    wrong = take(line("70.00"), line("10.00", "E3"), line("50.00", "E2", at="HQ-2"))
    assert (earned("HQ-1"), earned("HQ-2")) == (3_200, 2_000)
    done = reverse(wrong)
    assert (done.status, done.reversal_reason, earned("HQ-1"), earned("HQ-2")) == (
        "reversed",
        "The wrong month.",
        6_000,
        0,
    )
    kinds = Entry.objects.filter(key=f"import:{wrong.pk}:reversed").values_list("kind", "amount_minor").order_by("id")
    assert sorted(kinds) == [("reversal", 2_000), ("reversal", 2_800)]
    agrees()
    again = take(line("70.00"), line("10.00", "E3"), line("50.00", "E2", at="HQ-2"))
    assert (again.new, again.changed, earned("HQ-1"), earned("HQ-2")) == (1, 2, 3_200, 2_000)
    reverse(again)
    assert (earned("HQ-1"), earned("HQ-2")) == (6_000, 0)
    agrees()


def test_an_import_that_a_later_one_corrected_is_reversed_after_that_one(home: Enrollment) -> None:
    first = take(line("100.00"))
    second = take(line("120.00"))
    with pytest.raises(WrongStatus, match=f"import {second.pk} came later and brought the line E1"):
        reverse(first)
    reverse(second)
    assert earned() == 4_000
    reverse(first)
    assert (earned(), Rebate.objects.count()) == (0, 4)
    agrees()
    with pytest.raises(WrongStatus, match="reversed"):
        reverse(first)


def test_an_import_is_not_reversed_without_a_reason_nor_after_a_deadline(home: Enrollment) -> None:
    done = take(line("100.00"))
    with pytest.raises(Invalid, match="Say why"):
        reverse(done, " ")
    make.set_clock(make.DEADLINE)
    with pytest.raises(WrongStatus, match=r"FY24-H1 in MCI CSP indirect reseller was 2024-08-14.*adjustment"):
        reverse(done)
    assert earned() == 4_000


# --- By a worker --------------------------------------------------------------------------------------------------------


def test_a_large_import_is_committed_and_reversed_by_a_worker(home: Enrollment, settings: Any) -> None:
    settings.IMPORT_LINES_AT_ONCE = 1
    checked = check("E1,HQ-1,mci-csp-reseller,2023-08-15,1.00,USD", "E2,HQ-1,mci-csp-reseller,2023-08-15,2.00,USD")
    asked = commit_import(checked.pk, by=make.vendor("finance"), at=clock.now())
    assert (asked.status, asked.asked_for, earned()) == ("running", "commit", 0)
    with pytest.raises(WrongStatus):
        commit_import(checked.pk, by=make.vendor("finance"), at=clock.now())
    assert jobs.commit_imports(clock.now()).worked == 1
    done = Import.objects.get(pk=checked.pk)
    assert (done.status, done.asked_for, done.committed_by, earned()) == (
        "committed",
        "",
        make.vendor("finance"),
        120,
    )
    asked = reverse(done)
    assert (asked.status, asked.asked_for, earned()) == ("committed", "reverse", 120)
    assert jobs.commit_imports(clock.now()).worked == 1
    assert (Import.objects.get(pk=checked.pk).status, earned()) == ("reversed", 0)
    agrees()


def test_what_a_worker_finds_otherwise_than_shown_waits_for_somebody_to_look(home: Enrollment, settings: Any) -> None:
    settings.IMPORT_LINES_AT_ONCE = 0
    checked = check("E1,HQ-1,mci-csp-reseller,2023-08-15,1.00,USD")
    commit_import(checked.pk, by=make.vendor("finance"), at=clock.now())
    take(line("1.00"))
    jobs.commit_imports(clock.now())
    held = Import.objects.get(pk=checked.pk)
    assert (held.status, held.asked_for, held.new, held.unchanged) == ("ready", "", 0, 1)
    assert "Nothing was posted" in held.failure


@pytest.mark.django_db(transaction=True)
def test_progress_is_seen_while_the_work_is_not_committed_and_never_goes_back(monkeypatch: Any) -> None:
    monkeypatch.setattr("funds.progress.QUIET", 0)
    monkeypatch.setattr("funds.progress.PAUSE", 0)
    delivery = Import.objects.create(
        format="incentives", status="queued", created_by=make.vendor("finance"), created_at=make.EARNING
    )
    outside = connection.copy()
    seen = []
    with telling(delivery.pk) as tell:
        for step, percent in (("Reading", 10), ("Judging", 60), ("Judging", 55)):
            tell(step, percent)
            with outside.cursor() as cursor:
                cursor.execute("SELECT step, percent FROM funds_importprogress")
                seen.append(cursor.fetchone())
        assert (progress_of(delivery), status_shown(delivery)) == (("Judging", 60), "running")
    outside.close()
    assert seen == [("Reading", 10), ("Judging", 60), ("Judging", 60)]
    assert (progress_of(delivery), status_shown(delivery)) == (("Waiting", 0), "queued")


# --- Notations ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amounts", "decimal", "taken"),
    [
        (["1234.50", "5.00"], ".", {"123450", "500"}),
        (["1,234.50", "1,000"], ".", {"123450", "100000"}),  # the first shows what the comma of the second is
        (["1.234,50", "1.000", "7"], ",", {"123450", "100000", "700"}),
        (["12,5", "-1.234.567,00"], ",", {"1250", "-123456700"}),
        (["1,000", "7"], ".", {"700"}),
        (["1.234,50", "1,234.50"], ".", {"123450"}),
        (["1.23.456,00", "5,00"], ",", {"500"}),
    ],
)
def test_amounts_are_read_in_the_notation_that_the_file_shows(
    home: Enrollment, amounts: list[str], decimal: str, taken: set[str]
) -> None:
    rows = [f'E{n},HQ-1,mci-csp-reseller,2023-08-15,"{amount}",USD' for n, amount in enumerate(amounts)]
    done = commit_import(check(*rows).pk, by=make.vendor("finance"), at=clock.now())
    assert done.decimal == decimal
    assert {str(minor) for minor in Earning.objects.values_list("amount_minor", flat=True)} == taken
    assert done.rejected == len(amounts) - len(taken)


def test_an_id_that_a_spreadsheet_made_a_number_of_is_rejected_with_a_hint(home: Enrollment) -> None:
    (row,) = rejected_lines(check("1.23E+17,HQ-1,mci-csp-reseller,2023-08-15,1.00,USD").pk)
    assert (row["problem"], row["field"]) == ("invalid", "external_id")
    assert "spreadsheet" in row["message"]


# --- Rates --------------------------------------------------------------------------------------------------------------


def rate(base: str, quote: str, on: str, value: str) -> None:
    ExchangeRate.objects.create(
        base=base, quote=quote, on=date.fromisoformat(on), rate=Decimal(value), source="ECB", loaded_at=make.EARNING
    )


def test_a_line_in_another_currency_is_converted_at_the_last_rate_before_its_day(home: Enrollment) -> None:
    rate("EUR", "USD", "2023-08-10", "1.10")
    rate("EUR", "USD", "2023-08-16", "2.00")  # later than the day
    rate("USD", "JPY", "2023-08-15", "145.5")
    done = take(
        line("100.00", kind="coop", currency="EUR"),
        line("0.05", "half", kind="coop", currency="EUR"),  # 0.055 is rounded half-even: 0.06
        line("1000", "yen", kind="coop", currency="JPY"),  # 1000 / 145.5 = 6.8729
        line("1.00", "old", kind="coop", currency="EUR", on="2023-08-18", amount_text="1.00"),
        line("1.00", "none", kind="coop", currency="CHF"),
        line("1.00", "too old", kind="coop", currency="EUR", on="2023-08-09"),
    )
    found = {
        name: (minor, str(value), on, source)
        for name, minor, value, on, source in Earning.objects.values_list(
            "external_id", "fund_amount_minor", "rate", "rate_on", "rate_source"
        )
    }
    assert found == {
        "E1": (11_000, "1.10000000", date(2023, 8, 10), "ECB"),
        "half": (6, "1.10000000", date(2023, 8, 10), "ECB"),
        "yen": (687, "0.00687285", date(2023, 8, 15), "ECB"),
        "old": (200, "2.00000000", date(2023, 8, 16), "ECB"),
    }
    assert [(row["line_no"], row["problem"]) for row in rejected_lines(done.pk)] == [
        (4, "currency_mismatch"),
        (5, "currency_mismatch"),
    ]
    assert "no rate between the two for 2023-08-09" in rejected_lines(done.pk)[1]["message"]


def test_a_rate_that_comes_later_does_not_make_a_correction_of_the_same_line(home: Enrollment) -> None:
    rate("EUR", "USD", "2023-08-10", "1.10")
    take(line("100.00", currency="EUR"))
    rate("EUR", "USD", "2023-08-14", "1.20")
    assert take(line("100.00", currency="EUR")).unchanged == 1
    assert take(line("100.01", currency="EUR")).changed == 1
    assert Earning.objects.get(version=2).fund_amount_minor == 12_001
