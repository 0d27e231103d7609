"""The file of a payment run, written and read back."""

import pytest

from coop.lib.errors import Invalid
from coop.lib.spreadsheets import neutral, plain
from funds.bank.table import export_csv, read_csv
from tests.factories import (
    make_approved_claim,
    make_approved_run,
    make_enrollment,
    make_fund,
    make_location,
    make_partner,
)


def problems(text: str) -> list[str]:
    with pytest.raises(Invalid) as refused:
        read_csv(text.encode())
    return [error.field for error in refused.value.errors]


@pytest.mark.django_db
def test_a_name_that_a_spreadsheet_would_run_is_neutralised() -> None:
    location = make_location(make_partner("=cmd|calc"))
    make_approved_claim(make_fund(enrollment=make_enrollment(location)))
    text = export_csv(make_approved_run())
    assert ",'=cmd|calc," in text
    assert read_csv(text.encode()) == []


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_neutralising_can_be_taken_back(start: str) -> None:
    assert neutral(f"{start}1") == f"'{start}1"
    assert plain(neutral(f"{start}1")) == f"{start}1"
    assert plain("'quoted'") == "'quoted'"


def test_columns_in_any_order_with_others_between_and_semicolons() -> None:
    results = read_csv(b"Status;note;Payment_ID;reason\nSENT;x;7;\n;;8;\nfailed;;9;Account closed\n")
    assert [(r.payment_id, r.status, r.failure) for r in results] == [(7, "sent", ""), (9, "failed", "Account closed")]


def test_every_fault_of_every_row_is_told_at_its_place() -> None:
    text = "payment_id,status,sent_on,reason\nx,sent,,\n7,paid,tomorrow,\n8,failed,,\n"
    assert problems(text) == ["rows.2.payment_id", "rows.3.status", "rows.3.sent_on", "rows.4.reason"]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "file"),
        ("payment_id,amount\n7,1\n", "columns.status"),
        ("payment_id,status,status\n7,sent,sent\n", "columns.status"),
        ('payment_id,status\n7,"sent\n', "file"),
        ("PK\x03\x04", "file"),
    ],
)
def test_a_file_that_is_not_the_runs_is_refused_as_a_whole(text: str, field: str) -> None:
    assert field in problems(text)


def test_an_id_with_a_digit_of_another_script_is_no_number() -> None:
    assert problems("payment_id,status\n\u0667,sent\n") == ["rows.2.payment_id"]
