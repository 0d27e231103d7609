# ruff: noqa: RUF001 - digits of other scripts are here on purpose
"""Earnings come in, in both forms, and whatever is wrong with them is said at its place and posts nothing."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from coop.lib import clock
from coop.lib.errors import Invalid, LookAgain, NotAllowed, NotFound, Stale, TooLarge, WrongStatus
from funds.checks import check_ledger
from funds.files import open_sheet
from funds.judging.lines import cells_of
from funds.models import Earning, Enrollment, Entry, Fund, Import, StagedLine
from funds.operations.deliveries import check_import, waiting
from funds.operations.earnings import commit_import, discard_import, rejected_lines, take_lines
from funds.operations.enrollments import update_enrollment
from funds.operations.imports import receive_file
from funds.operations.settlement import expire_period, settle_period
from funds.queries.effects import effects_of
from partners.models import Event
from tests import factories as make

pytestmark = pytest.mark.django_db

SPLIT_HEADER = (
    "earningId,participantId,participantName,partnerCountryCode,programName,earningType,lever,earningDate,earningAmount,"
    "transactionCurrency,earningAmountUSD,earningExchangeRate,exchangeRateDate,reasonCode"
)
PLAIN_HEADER = "external_id,location,program,earned_on,amount,currency"


@pytest.fixture(autouse=True)
def files_in_a_folder_of_this_test(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def enrollment(db: None) -> Enrollment:
    """A location named HQ-1 in the reseller program; the clock stands in December 2023, when FY24 H1 is earned."""
    make.set_clock(make.EARNING)
    return make.make_enrollment(make.make_location(external_id="HQ-1"))


def plain(external_id: str = "E1", amount: str = "100.00", **more: str) -> str:
    """One line of the smaller form."""
    line = {
        "external_id": external_id,
        "location": "HQ-1",
        "program": "mci-csp-reseller",
        "earned_on": "2023-08-15",
        "amount": amount,
        "currency": "USD",
        **more,
    }
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow([line[name] for name in PLAIN_HEADER.split(",")])
    return out.getvalue()


def split(
    external_id: str, kind: str, amount: str, currency: str = "USD", usd: str = "", rate: str = "", on: str = ""
) -> str:
    """One line of the vendor's report."""
    return (
        f"{external_id},HQ-1,Northwind,US,MCI CSP indirect reseller,{kind},Core,2023-08-15T00:00:00Z,{amount},{currency},"
        f"{usd},{rate},{on},"
    )


def table(*rows: str, header: str = PLAIN_HEADER) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def receive(data: bytes, filename: str = "earnings.csv") -> Import:
    return receive_file(filename=filename, file=io.BytesIO(data), by=make.vendor("finance"), at=clock.now())


def check(data: bytes) -> Import:
    checked = check_import(receive(data).id, at=clock.now())
    assert checked is not None
    return checked


def commit(delivery: Import) -> Import:
    return commit_import(delivery.id, by=make.vendor("finance"), at=clock.now())


def bring(data: bytes) -> Import:
    return commit(check(data))


def problems(delivery: Import) -> list[tuple[int, str, str]]:
    return [(line["line_no"], line["problem"], line["field"]) for line in rejected_lines(delivery.id)]


def nothing_was_posted() -> bool:
    return not (Earning.objects.exists() or Fund.objects.exists() or Entry.objects.exists())


# --- Both forms -------------------------------------------------------------------------------------------------------


def test_a_plain_file_is_split_by_the_program(enrollment: Enrollment) -> None:
    done = bring(table(plain("E1", "25000.00"), plain("E2", "8.88")))
    fund = Fund.objects.get()
    assert (done.format, done.status, done.new, done.lines) == ("incentives", "committed", 2, 2)
    assert (fund.earned_minor, fund.available_minor, fund.estimated_minor) == (1_000_355, 1_000_355, 1_000_355)
    assert done.totals == [
        {
            "program": "mci-csp-reseller",
            "currency": "USD",
            "amount": "25008.88",
            "coop": "10003.55",
            "rebate": "15005.33",
        }
    ]


def test_the_vendors_report_is_split_already_and_is_not_split_again(enrollment: Enrollment) -> None:
    rows = [
        split("R1", "Rebate", "60.00"),
        split("C1", "Coop", "40.00"),
        split("C2", "Co-op", "0.01"),
        split("F1", "Fee", "5.00"),
        split("S1", "SELL", "7.00"),
    ]
    done = bring(table(*rows, header=SPLIT_HEADER))
    assert (done.format, done.new, done.rejected) == ("partner_center", 5, 0)
    assert Fund.objects.get().earned_minor == 4_001
    assert dict(Earning.objects.values_list("external_id", "coop_minor")) == {
        "R1": 0,
        "C1": 4000,
        "C2": 1,
        "F1": 0,
        "S1": 0,
    }


def test_rebate_alone_makes_no_fund(enrollment: Enrollment) -> None:
    bring(table(split("R1", "Rebate", "60.00"), header=SPLIT_HEADER))
    assert Earning.objects.count() == 1
    assert not Fund.objects.exists()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        (
            "other order",
            b"currency,amount,program,earned_on,external_id,location\nUSD,1.00,mci-csp-reseller,2023-08-15,E1,HQ-1\n",
        ),
        ("other case", table(plain("E1", "1.00"), header=PLAIN_HEADER.upper())),
        (
            "spaces and dashes",
            table(plain("E1", "1.00"), header="External ID, location ,PROGRAM,earned-on,Amount,currency"),
        ),
        ("byte order mark", b"\xef\xbb\xbf" + table(plain("E1", "1.00"))),
        ("tabs", table(plain("E1", "1.00")).replace(b",", b"\t")),
        ("Windows line ends", table(plain("E1", "1.00")).replace(b"\n", b"\r\n")),
        ("old Mac line ends", table(plain("E1", "1.00")).replace(b"\n", b"\r")),
        ("extra columns", table(plain("E1", "1.00") + ",x,y", header=PLAIN_HEADER + ",customerName,workload")),
        ("blank lines", table("", plain("E1", "1.00"), "", ",,,,,")),
        ("quoted cells", table('"E1","HQ-1","mci-csp-reseller","2023-08-15","1.00","USD"')),
        ("spaces around", table(" E1 , HQ-1 , mci-csp-reseller , 2023-08-15 , 1.00 , USD ")),
        ("the program by name in another case", table(plain("E1", "1.00", program="mci csp INDIRECT reseller"))),
    ],
)
def test_order_case_extra_columns_marks_and_tabs_do_not_matter(enrollment: Enrollment, name: str, data: bytes) -> None:
    done = bring(data)
    assert (done.new, done.rejected) == (1, 0), problems(done)
    assert Fund.objects.get().earned_minor == 40


def test_what_is_not_understood_is_kept_with_the_line(enrollment: Enrollment) -> None:
    bring(table(plain("E1", "1.00") + ",=1+1,Contoso", header=PLAIN_HEADER + ",note,customerName"))
    line = Earning.objects.get()
    (cells,) = cells_of(line.delivery, [line.line_no]).values()
    assert dict(zip(line.delivery.columns, cells, strict=True)).items() >= {
        ("note", "=1+1"),
        ("customerName", "Contoso"),
    }


def test_a_line_in_another_currency_brings_the_vendors_own_amount_rate_and_day(enrollment: Enrollment) -> None:
    bring(table(split("C1", "Coop", "36.90", "EUR", "40.00", "1.084", "2023-08-14"), header=SPLIT_HEADER))
    line = Earning.objects.get()
    assert (line.currency, line.amount_minor, line.fund_currency, line.coop_minor) == ("EUR", 3_690, "USD", 4_000)
    assert (str(line.rate), line.rate_on) == ("1.08400000", date(2023, 8, 14))


@pytest.mark.parametrize(
    ("currency", "amount", "coop"),
    [("JPY", "1001", 400), ("JPY", "-1001", -400), ("KWD", "1.001", 400), ("KWD", "33.333", 13_333)],
)
def test_currencies_keep_their_own_decimals(currency: str, amount: str, coop: int) -> None:
    make.set_clock(make.EARNING)
    make.load_catalog("mci-csp-reseller", currency=currency, thresholds=[])
    make.make_enrollment(make.make_location(external_id="HQ-1"))
    done = bring(table(plain("E1", amount, currency=currency)))
    assert done.rejected == 0, rejected_lines(done.id)
    assert Fund.objects.get().earned_minor == coop
    assert Fund.objects.get().currency == currency


# --- Whole files that cannot be used ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (b"", "no_rows", "empty"),
        (b" \n\t\n", "no_rows", "empty"),
        (b"PK\x03\x04 a workbook", "not_a_table", "damaged"),
        (b"\x1f\x8b zipped", "damaged", "gzip cannot unpack it"),
        (b"%PDF-1.7", "not_a_table", "Export the report as CSV"),
        (table(plain("E\x001")), "not_a_table", "not a text file"),
        (table(plain("E1")).replace(b",", b"|"), "one_column", "commas, semicolons or tabs"),
        (b"a,b,c\n1,2,3\n", "missing_column", "external_id"),
        (b"<html><table><tr><td>earningId</td></tr></table></html>", "not_a_table", "web page"),
        (table(plain("E1"), header=PLAIN_HEADER + ",earningAmount"), "duplicate_column", "twice"),
        (table(plain("E1"), header=PLAIN_HEADER.replace("currency", "curency")), "missing_column", "currency"),
    ],
)
def test_what_is_wrong_with_the_file_as_a_whole_refuses_it_at_once(
    enrollment: Enrollment, data: bytes, code: str, words: str
) -> None:
    with pytest.raises(Invalid) as caught:
        receive(data)
    assert code in {error.code for error in caught.value.errors}
    assert words in caught.value.message
    assert not Import.objects.exists()


def test_all_missing_columns_are_named_together(enrollment: Enrollment) -> None:
    with pytest.raises(Invalid) as caught:
        receive(b"external_id,amount,amount\nE1,1.00,1.00\n")
    assert {(error.field, error.code) for error in caught.value.errors} == {
        ("columns.amount", "duplicate_column"),
        ("columns.location_code", "missing_column"),
        ("columns.program_code", "missing_column"),
        ("columns.earned_text", "missing_column"),
        ("columns.currency", "missing_column"),
    }


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (table(plain("E1"), '"E2,HQ-1,mci-csp-reseller,2023-08-15,1.00,USD'), "Line 3"),
        (table('E1,"HQ"-1,mci-csp-reseller,2023-08-15,1.00,USD'), "Line 2"),
        (table("x" * 140_000), "Line 2"),
        (PLAIN_HEADER.encode() + b"\n\n,,,,,\n", "no lines"),
    ],
)
def test_a_file_that_breaks_in_the_middle_fails_with_the_line_and_keeps_nothing(
    enrollment: Enrollment, data: bytes, words: str
) -> None:
    failed = check(data)
    assert failed.status == "failed"
    assert words in failed.failure
    assert not StagedLine.objects.exists()
    assert nothing_was_posted()
    with pytest.raises(WrongStatus):
        commit(failed)
    assert waiting() == []  # it is not tried for ever


def test_a_file_that_is_too_large_is_refused_before_it_is_read(enrollment: Enrollment, settings: Any) -> None:
    settings.IMPORT_MAX_BYTES = 50
    with pytest.raises(TooLarge, match="At most 50"):
        receive(table(plain("E1")))


@pytest.mark.parametrize("who", ["manager", "program", "auditor"])
def test_only_finance_brings_earnings(enrollment: Enrollment, who: str) -> None:
    person, at = make.vendor(who), clock.now()
    waiting_import = check(table(plain("E1")))
    for attempt in (
        lambda: receive_file(filename="x.csv", file=io.BytesIO(table(plain("E1"))), by=person, at=at),
        lambda: take_lines([], by=person, at=at),
        lambda: commit_import(waiting_import.id, by=person, at=at),
        lambda: discard_import(waiting_import.id, by=person, at=at),
    ):
        with pytest.raises((NotAllowed, NotFound)):
            attempt()
    assert nothing_was_posted()


# --- Lines that cannot be taken ---------------------------------------------------------------------------------------

FAULTS: list[tuple[str, dict[str, str], str, str, str]] = [
    ("no id", {"external_id": ""}, "required", "external_id", "the id of the line"),
    ("no location", {"location": ""}, "required", "location", "the location"),
    ("no program", {"program": ""}, "required", "program", "the program"),
    ("no day", {"earned_on": ""}, "required", "earned_on", "the day"),
    ("no amount", {"amount": ""}, "required", "amount", "the amount"),
    ("no currency", {"currency": ""}, "required", "currency", "the currency"),
    ("a long id", {"external_id": "E" * 81}, "too_long", "external_id", "80 characters"),
    ("an id with a control character", {"external_id": "E\x071"}, "too_long", "external_id", "cannot be printed"),
    ("an unknown program", {"program": "mci-csp-resellers"}, "unknown_program", "program", "mci-csp-resellers"),
    ("an unknown location", {"location": "HQ-2"}, "unknown_location", "location", "HQ-2"),
    ("a location in another case", {"location": "hq-1"}, "unknown_location", "location", "hq-1"),
    ("a day that there is not", {"earned_on": "2023-09-31"}, "date_format", "earned_on", "2023-09-31"),
    ("a day without a leap year", {"earned_on": "2023-02-29"}, "date_format", "earned_on", "2023-02-29"),
    ("the day zero", {"earned_on": "0000-01-01"}, "date_format", "earned_on", "0000-01-01"),
    ("a day the English way", {"earned_on": "05/01/2023"}, "date_format", "earned_on", "Write it as 2023-10-31"),
    ("a day without dashes", {"earned_on": "20230815"}, "date_format", "earned_on", "20230815"),
    ("a week", {"earned_on": "2023-W33-2"}, "date_format", "earned_on", "2023-W33-2"),
    ("a short day", {"earned_on": "2023-8-15"}, "date_format", "earned_on", "2023-8-15"),
    ("a day of a spreadsheet", {"earned_on": "45153"}, "date_format", "earned_on", "45153"),
    ("a day in other digits", {"earned_on": "٢٠٢٣-٠٨-١٥"}, "date_format", "earned_on", "is not a day"),
    ("today", {"earned_on": "today"}, "date_format", "earned_on", "today"),
    ("the end of time", {"earned_on": "infinity"}, "date_format", "earned_on", "infinity"),
    ("a currency in small letters", {"currency": "usd"}, "unknown_currency", "currency", "three capital letters"),
    ("a currency that was", {"currency": "DEM"}, "unknown_currency", "currency", "DEM"),
    ("a dollar sign", {"amount": "$5.00"}, "amount_format", "amount", "$5.00"),
    ("thousands that may be ones", {"amount": "1,000"}, "amount_format", "amount", "1000.00"),
    ("thousands of two digits", {"amount": "1,00.00"}, "amount_format", "amount", "1,00.00"),
    ("a decimal comma", {"amount": "1.000,00"}, "amount_format", "amount", "1.000,00"),
    ("an exponent", {"amount": "1e2"}, "amount_format", "amount", "1e2"),
    ("an underscore", {"amount": "1_000"}, "amount_format", "amount", "1_000"),
    ("other digits", {"amount": "١٢٣"}, "amount_format", "amount", "is not an amount"),
    ("wide digits", {"amount": "１２３"}, "amount_format", "amount", "is not an amount"),
    ("not a number", {"amount": "NaN"}, "amount_format", "amount", "NaN"),
    ("without end", {"amount": "Infinity"}, "amount_format", "amount", "Infinity"),
    ("a plus", {"amount": "+5"}, "amount_format", "amount", "+5"),
    ("half an amount", {"amount": ".5"}, "amount_format", "amount", ".5"),
    ("the other half", {"amount": "5."}, "amount_format", "amount", "5."),
    ("brackets", {"amount": "(5.00)"}, "amount_format", "amount", "(5.00)"),
    ("a minus behind", {"amount": "5.00-"}, "amount_format", "amount", "5.00-"),
    ("another minus", {"amount": "−5"}, "amount_format", "amount", "−5"),
    ("a space inside", {"amount": "1 000"}, "amount_format", "amount", "1 000"),
    ("minus zero", {"amount": "-0.00"}, "amount_format", "amount", "-0.00"),
    ("twelve digits", {"amount": "999999999999"}, "amount_format", "amount", "999999999999"),
    ("three decimals of a dollar", {"amount": "1.005"}, "too_many_decimals", "amount", "never rounded"),
    ("three decimals that are zeros", {"amount": "1.000"}, "too_many_decimals", "amount", "USD has (2)"),
    ("nothing", {"amount": "0.00"}, "must_not_be_zero", "amount", "Leave the line out"),
    ("another currency", {"currency": "EUR"}, "currency_mismatch", "currency", "in USD, this line is in EUR"),
    ("before the program's periods", {"earned_on": "2019-06-30"}, "no_period", "earned_on", "no earning period"),
    ("the first day there is", {"earned_on": "0001-01-01"}, "no_period", "earned_on", "no earning period"),
    ("the last day there is", {"earned_on": "9999-12-31"}, "no_period", "earned_on", "no earning period"),
    ("a closed period", {"earned_on": "2022-12-31"}, "period_closed", "earned_on", "FY23-H1 was 2023-08-14"),
    ("before the enrollment", {"earned_on": "2023-01-31"}, "not_enrolled", "earned_on", "was not enrolled"),
]


def test_every_fault_of_a_line_is_named_at_its_field_all_together_and_none_is_posted() -> None:
    make.set_clock(make.EARNING)
    make.make_enrollment(make.make_location(external_id="HQ-1"), starts_on=date(2023, 7, 1))
    rows = [plain(**{"external_id": f"E{n}", **change}) for n, (_, change, *_) in enumerate(FAULTS)]
    checked = check(table(*rows))
    found = rejected_lines(checked.id)
    assert [line["line_no"] for line in found] == list(range(2, len(FAULTS) + 2))
    for line, (name, _, code, field, words) in zip(found, FAULTS, strict=True):
        assert (line["problem"], line["field"]) == (code, field), (name, line)
        assert words in line["message"], (name, line["message"])
        assert line["message"][-1] == "."
        assert len(line["cells"]) == 6, "the line as it was sent is kept"
    assert (checked.status, checked.new, checked.rejected) == ("ready", 0, len(FAULTS))
    done = commit(checked)
    assert (done.new, done.rejected) == (0, len(FAULTS))
    assert nothing_was_posted()
    assert len(rejected_lines(done.id)) == len(FAULTS)  # they can still be downloaded


def test_a_fault_is_the_lines_own_and_good_lines_beside_it_are_taken(enrollment: Enrollment) -> None:
    done = bring(table(plain("E1", "10.00"), plain("E2", "ten"), plain("E3", "20.00")))
    assert (done.new, done.rejected, problems(done)) == (2, 1, [(3, "amount_format", "amount")])
    assert Fund.objects.get().earned_minor == 1_200
    assert not StagedLine.objects.exclude(outcome="rejected").exists()


def test_a_line_with_too_few_or_too_many_cells_says_so(enrollment: Enrollment) -> None:
    """The usual cause is a comma inside a number or a name: which cell is which is then unknown."""
    done = bring(table("E1,HQ-1,mci-csp-reseller,2023-08-15,1,000.00,USD", "E2,HQ-1,mci-csp-reseller"))
    assert problems(done) == [(2, "cell_count", "line"), (3, "cell_count", "line")]
    assert "7 cells" in rejected_lines(done.id)[0]["message"]
    assert "6 columns" in rejected_lines(done.id)[0]["message"]
    assert "3 cells" in rejected_lines(done.id)[1]["message"]
    assert nothing_was_posted()


def test_a_cell_beyond_measure_rejects_its_line(enrollment: Enrollment) -> None:
    done = bring(table(plain("E1", location="x" * 5_000)))
    assert problems(done) == [(2, "too_long", "line")]


@pytest.mark.parametrize("kind", ["Bonus", "", "Coop;Rebate"])
def test_an_unknown_type_in_the_vendors_report_rejects_the_line(enrollment: Enrollment, kind: str) -> None:
    done = bring(table(split("C1", kind, "40.00"), header=SPLIT_HEADER))
    assert problems(done) == [(2, "invalid", "kind")]


@pytest.mark.parametrize(
    ("usd", "rate", "on", "fault"),
    [
        ("", "1.1", "2023-08-14", ("currency_mismatch", "currency")),
        ("40.001", "1.1", "2023-08-14", ("currency_mismatch", "currency")),
        ("-40.00", "1.1", "2023-08-14", ("currency_mismatch", "currency")),
        ("forty", "1.1", "2023-08-14", ("currency_mismatch", "currency")),
        ("40.00", "one", "2023-08-14", ("invalid", "rate")),
        ("40.00", "1.1", "infinity", ("invalid", "rate_on")),
        ("40.00", "1.1", "14/08/2023", ("invalid", "rate_on")),
        ("40.00", "1.1", "today", ("invalid", "rate_on")),
    ],
)
def test_a_foreign_line_without_a_usable_amount_rate_or_day_is_rejected(
    enrollment: Enrollment, usd: str, rate: str, on: str, fault: tuple[str, str]
) -> None:
    done = bring(table(split("C1", "Coop", "36.90", "EUR", usd, rate, on), header=SPLIT_HEADER))
    assert problems(done) == [(2, *fault)]


def test_an_id_that_stands_twice_in_a_file_rejects_both_lines_and_names_both(enrollment: Enrollment) -> None:
    done = bring(table(plain("E1", "1.00"), plain("E2", "1.00"), plain("E1", "1.00"), plain("E1", "2.00")))
    assert problems(done) == [(line, "duplicate_in_file", "external_id") for line in (2, 4, 5)]
    assert all("in lines 2, 4, 5" in line["message"] for line in rejected_lines(done.id))
    assert Fund.objects.get().earned_minor == 40


def test_a_value_shown_in_a_message_is_cut_short(enrollment: Enrollment) -> None:
    done = bring(table(plain("E1", amount="x" * 4_000)))
    assert len(rejected_lines(done.id)[0]["message"]) < 200


# --- Sent again -------------------------------------------------------------------------------------------------------


def test_the_same_file_again_changes_nothing(enrollment: Enrollment) -> None:
    data = table(plain("E1", "10.00"), plain("E2", "20.00"))
    bring(data)
    before = list(Entry.objects.values_list("id", flat=True))
    again = bring(data)
    assert (again.new, again.unchanged, again.rejected, again.totals) == (0, 2, 0, [])
    assert list(Entry.objects.values_list("id", flat=True)) == before
    assert Fund.objects.get().earned_minor == 1_200


@pytest.mark.parametrize(
    ("change", "coop"),
    [
        ({"amount": "10.01"}, 400),
        ({"earned_on": "2023-08-16"}, 400),
        ({"amount": "-10.00"}, -400),
        ({"amount": "0"}, 0),
    ],
)
def test_a_known_id_with_other_content_is_a_correction_and_posts_the_difference(
    enrollment: Enrollment, change: dict[str, str], coop: int
) -> None:
    bring(table(plain("E1", "10.00")))
    again = bring(table(plain(**{"external_id": "E1", "amount": "10.00", **change})))
    assert (again.new, again.changed, again.rejected) == (0, 1, 0)
    assert Fund.objects.get().earned_minor == coop
    versions = Earning.objects.order_by("version").values_list("version", "coop_minor", "coop_change_minor")
    assert list(versions) == [(1, 400, 400), (2, coop, coop - 400)]
    assert check_ledger().differences == []


def test_a_known_line_whose_amount_in_the_funds_currency_changed_is_a_correction(enrollment: Enrollment) -> None:
    """The vendor converted anew: taken as unchanged, the difference would be lost without a word."""
    bring(table(split("C1", "Coop", "36.90", "EUR", "40.00", "1.084", "2023-08-14"), header=SPLIT_HEADER))
    again = bring(table(split("C1", "Coop", "36.90", "EUR", "41.00", "1.111", "2023-08-14"), header=SPLIT_HEADER))
    assert (again.changed, Fund.objects.get().earned_minor) == (1, 4_100)


def test_a_line_that_was_taken_is_unchanged_also_after_its_deadline_and_its_enrollment(enrollment: Enrollment) -> None:
    bring(table(plain("E1", "10.00")))
    update_enrollment(
        enrollment.id, {"ends_on": date(2023, 8, 1)}, by=make.vendor(), at=clock.now()
    )  # ended before the day it was earned on
    again = bring(table(plain("E1", "10.00"), plain("E2", "10.00")))
    assert (again.unchanged, problems(again)) == (1, [(3, "not_enrolled", "earned_on")])
    make.set_clock(make.DEADLINE)
    late = bring(table(plain("E1", "10.00"), plain("E2", "10.00")))
    assert (late.unchanged, problems(late)) == (1, [(3, "period_closed", "earned_on")])


def test_two_partners_may_use_the_same_id_in_two_deliveries(enrollment: Enrollment) -> None:
    make.make_enrollment(make.make_location(make.make_partner("Contoso"), external_id="HQ-9"))
    bring(table(plain("E1", "10.00")))
    assert bring(table(plain("E1", "20.00", location="HQ-9"))).new == 1
    assert sorted(Fund.objects.values_list("earned_minor", flat=True)) == [400, 800]


# --- Between check and commit -----------------------------------------------------------------------------------------


def test_what_came_out_otherwise_than_was_shown_is_not_posted_but_shown_anew(enrollment: Enrollment) -> None:
    checked = check(table(plain("E1", "10.00"), plain("E2", "20.00")))
    assert checked.new == 2
    bring(table(plain("E2", "20.00")))  # somebody else brought one of the two
    with pytest.raises(LookAgain, match="Nothing was posted"):
        commit(checked)
    assert Fund.objects.get().earned_minor == 800
    checked.refresh_from_db()
    assert (checked.status, checked.new, checked.unchanged) == ("ready", 1, 1)
    assert [(row["new"], row["coop_amount"]) for row in effects_of(checked)] == [(1, "4.00")]
    done = commit(checked)  # this time it is what was shown
    assert (done.new, done.unchanged) == (1, 1)
    assert Fund.objects.get().earned_minor == 1_200


def test_what_changed_since_the_check_without_touching_the_lines_does_not_hold_them_up(enrollment: Enrollment) -> None:
    checked = check(table(plain("E1", "10.00")))
    bring(table(plain("E2", "20.00")))
    make.make_enrollment(make.make_location(external_id="HQ-7"))
    assert commit(checked).new == 1


def test_what_was_in_time_at_the_check_is_held_back_at_a_commit_after_the_deadline(enrollment: Enrollment) -> None:
    checked = check(table(plain("E1", "10.00")))
    make.set_clock(make.DEADLINE)
    with pytest.raises(LookAgain):
        commit(checked)
    assert problems(checked) == [(2, "period_closed", "earned_on")]
    assert nothing_was_posted()


def test_an_instant_that_a_slow_caller_read_before_the_deadline_does_not_let_money_in_after_it(
    enrollment: Enrollment,
) -> None:
    """The clock is read once more when the periods are held: else money would come into a fund that expired already."""
    make.set_clock(make.DEADLINE)
    done = take_lines([make.earning_line("HQ-1", "10.00")], by=make.vendor("finance"), at=make.LAST_INSTANT)
    assert (done.new, problems(done)) == (0, [(0, "period_closed", "earned_on")])
    assert nothing_was_posted()


def test_an_import_is_committed_once(enrollment: Enrollment) -> None:
    done = bring(table(plain("E1", "10.00")))
    with pytest.raises(WrongStatus, match="committed"):
        commit(done)
    with pytest.raises(WrongStatus):
        discard_import(done.id, by=make.vendor("finance"), at=clock.now())
    assert Entry.objects.count() == 1


def test_a_discarded_import_leaves_nothing(enrollment: Enrollment) -> None:
    checked = check(table(plain("E1", "10.00")))
    with pytest.raises(Stale):
        discard_import(checked.id, revision=1, by=make.vendor("finance"), at=clock.now())
    discard_import(checked.id, revision=checked.revision, by=make.vendor("finance"), at=clock.now())
    assert not StagedLine.objects.exists()
    with pytest.raises(WrongStatus, match="discarded"):
        commit(checked)
    assert nothing_was_posted()


def test_a_commit_that_fails_in_the_middle_leaves_nothing_and_can_be_repeated(enrollment: Enrollment) -> None:
    checked = check(table(plain("E1", "10.00")))
    with connection.cursor() as cursor:  # a disk that is full, a server that dies: the last statement fails
        cursor.execute(
            """CREATE FUNCTION pg_temp.no() RETURNS trigger LANGUAGE plpgsql AS $$
               BEGIN RAISE EXCEPTION 'disk full'; END $$;
               CREATE TRIGGER no BEFORE INSERT ON partners_event FOR EACH ROW WHEN (NEW.verb = 'import.committed')
                 EXECUTE FUNCTION pg_temp.no()"""
        )
    with pytest.raises(DatabaseError, match="disk full"):
        commit(checked)
    assert nothing_was_posted()
    assert StagedLine.objects.count() == 1
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER no ON partners_event")
    assert commit(checked).new == 1


# --- What is posted ---------------------------------------------------------------------------------------------------


def test_one_entry_a_fund_and_import_effective_on_the_last_day_earned(enrollment: Enrollment) -> None:
    other = make.make_enrollment(make.make_location(enrollment.partner, external_id="HQ-2"))
    rows = [plain(f"A{n}", "1.00", earned_on=f"2023-08-{n:02}") for n in range(1, 11)]
    rows += [plain(f"B{n}", "-1.00", location="HQ-2", earned_on="2023-09-01") for n in range(1, 4)]
    done = bring(table(*rows))
    entries = {entry.fund.enrollment_id: entry for entry in Entry.objects.all()}
    assert len(entries) == Entry.objects.count() == 2
    earned, taken = entries[enrollment.id], entries[other.id]
    assert (earned.kind, earned.amount_minor, earned.effective_on) == ("earning", 400, date(2023, 8, 10))
    assert (taken.kind, taken.amount_minor, taken.from_bucket) == ("clawback", 120, "available")
    assert (earned.reference_type, earned.reference, earned.actor) == ("import", str(done.id), make.vendor("finance"))
    assert Fund.objects.get(enrollment=other).available_minor == -120
    assert check_ledger().differences == []


def test_lines_of_one_fund_that_cancel_each_other_post_nothing(enrollment: Enrollment) -> None:
    bring(table(plain("E1", "10.00"), plain("E2", "-10.00")))
    assert Earning.objects.count() == 2
    assert Fund.objects.get().earned_minor == 0
    assert not Entry.objects.exists()
    assert check_ledger().differences == []


def test_a_fund_that_comes_after_the_threshold_test_is_tested_at_once(enrollment: Enrollment) -> None:
    half = make.period()
    settle_period(half.id, at=make.set_clock(half.settle_at))
    small = make.make_enrollment(make.make_location(external_id="HQ-2"))
    bring(table(plain("E1", "25000.00"), plain("E2", "24999.98", location="HQ-2")))
    qualified, converted = Fund.objects.get(enrollment=enrollment), Fund.objects.get(enrollment=small)
    assert (qualified.available_minor, qualified.converted_minor) == (1_000_000, 0)
    assert (converted.available_minor, converted.converted_minor) == (0, 999_999)
    assert qualified.settled_at == converted.settled_at == half.settle_at


def test_many_funds_that_come_late_cost_no_statement_each(enrollment: Enrollment) -> None:
    half = make.period()
    settle_period(half.id, at=make.set_clock(half.settle_at))

    def statements(locations: int, start: int) -> int:
        for n in range(locations):
            make.make_enrollment(make.make_location(enrollment.partner, external_id=f"X{start + n}"))
        rows = [plain(f"L{start + n}", "10.00", location=f"X{start + n}") for n in range(locations)]
        checked = check(table(*rows))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            commit(checked)
        return len(queries)

    assert statements(12, 100) == statements(2, 200)


def test_an_import_into_an_expired_period_is_refused_and_stays_so(enrollment: Enrollment) -> None:
    bring(table(plain("E1", "25000.00")))
    half = make.period()
    settle_period(half.id, at=make.set_clock(half.settle_at))
    expire_period(half.id, at=make.set_clock(half.claims_close_at))
    done = bring(table(plain("E2", "10.00")))
    assert problems(done) == [(2, "period_closed", "earned_on")]
    assert Fund.objects.get().expired_minor == 1_000_000


def test_each_step_leaves_one_event(enrollment: Enrollment) -> None:
    done = bring(table(plain("E1", "10.00")))
    verbs = Event.objects.about("import", done.id).order_by("id").values_list("verb", flat=True)
    assert list(verbs) == ["import.received", "import.checked", "import.committed"]


def test_two_checks_of_one_import_do_not_both_work(enrollment: Enrollment) -> None:
    delivery = receive(table(plain("E1")))
    assert check_import(delivery.id, at=clock.now()) is not None
    assert check_import(delivery.id, at=clock.now()) is None


# --- Many lines -------------------------------------------------------------------------------------------------------


def many(count: int, prefix: str) -> Iterator[str]:
    for n in range(count):
        day = date(2023, 7, 1) + timedelta(days=n % 180)
        yield f"{prefix}{n},HQ-1,mci-csp-reseller,{day},{n % 900 + 1}.{n % 100:02},USD"


def test_the_number_of_statements_does_not_grow_with_the_lines(enrollment: Enrollment) -> None:
    def statements(count: int, prefix: str) -> int:
        delivery = receive(table(*many(count, prefix)))
        with CaptureQueriesContext(connection) as queries:
            check_import(delivery.id, at=clock.now())
            commit(delivery)
        return len(queries)

    few = statements(5, "a")
    assert statements(500, "b") == few
    assert few < 120  # savepoints and the look-ups of this test included


@pytest.mark.slow
def test_ten_thousand_lines_take_seconds(enrollment: Enrollment) -> None:
    data = table(*many(10_000, "n"))
    started = time.monotonic()
    done = bring(data)
    assert (done.new, done.rejected) == (10_000, 0)
    assert (
        time.monotonic() - started < 30
    )  # about 3 on an idle machine; with the square of the lines it would be minutes
    expected = sum(Earning.objects.values_list("coop_minor", flat=True))
    assert Fund.objects.get().earned_minor == expected == Entry.objects.get().amount_minor
    assert check_ledger().differences == []


# --- The lines of a REST request --------------------------------------------------------------------------------------


def test_lines_of_a_request_are_numbered_from_zero_and_independent(enrollment: Enrollment) -> None:
    lines = [make.earning_line("HQ-1", amount) for amount in ("10.00", "oops", "20.00")]
    done = take_lines(lines, by=make.vendor("finance"), at=clock.now())
    assert (done.status, done.new, problems(done)) == ("committed", 2, [(1, "amount_format", "amount")])


def test_reading_is_pure_and_needs_no_database() -> None:
    sheet = open_sheet(io.BytesIO(table(plain("E1"), plain("E2"))))
    assert sheet.form == "incentives"
    assert [line_no for line_no, *_ in sheet.rows()] == [2, 3]


def test_an_instant_between_days_belongs_to_the_day_it_names(enrollment: Enrollment) -> None:
    done = bring(table(plain("E1", "1.00", earned_on="2023-12-31T23:59:59.999Z")))
    assert done.rejected == 0
    assert Earning.objects.get().earned_on == date(2023, 12, 31)
    assert isinstance(done.created_at, datetime)


def test_all_cells_of_a_line_that_are_wrong_are_said_together(enrollment: Enrollment) -> None:
    wrong = {"location": "nowhere", "amount": "1118.3O", "currency": "EURO", "earned_on": "31.10.2023"}
    (line,) = rejected_lines(check(table(plain("E1", **wrong))).id)
    assert (line["problem"], line["field"]) == ("unknown_location", "location, earned_on, currency, amount")
    for words in ("nowhere", "31.10.2023", "EURO", "1118.3O"):
        assert words in line["message"]


def test_a_line_may_have_an_amount_with_too_many_decimals_and_no_known_program(enrollment: Enrollment) -> None:
    (line,) = rejected_lines(check(table(plain("E1", "1.005", program="mci"))).id)
    assert line["field"] == "program, amount"
    assert "1.005 has more decimals than USD has (2). Amounts are never rounded." in line["message"]


def test_an_id_of_hexadecimal_digits_is_no_damaged_number(enrollment: Enrollment) -> None:
    checked = check(table(plain("31415926535897e93238462643383279")))
    assert (checked.new, checked.rejected) == (1, 0)
