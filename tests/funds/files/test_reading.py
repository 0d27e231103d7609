"""The two ways through a text file agree, whatever stands in it, and neither needs much memory."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from coop.lib.errors import Invalid, TooLarge
from funds.files import Sheet, UnknownColumns, decode, fingerprint, guess, open_sheet, unpacking
from funds.files.workbooks import number_text
from tests.funds.files.bad_files import HEADER, LINE, gzip_bomb, workbook, workbook_of_two_sheets

Rows = list[list[str]]
GOOD = f"{HEADER}\n{LINE}\n"
# What files are made of where they go wrong.
PIECES = st.sampled_from(
    [
        "a",
        "5.00",
        "é",
        "Ω",
        " ",
        '"',
        '""',
        '","',
        ",",
        ",,",
        ";",
        "\t",
        "\n",
        "\r",
        "\r\n",
        "\n\n",
        '"\n',
        "'",
        "\\.",
        "x" * 40,
    ]
)
TEXTS = st.lists(PIECES, max_size=40).map("".join)
CELLS = st.text(st.sampled_from(["a", "é", '"', ",", "\n", "\r", " ", "5"]), max_size=6)


def sheet_of(text: str | bytes, **more: Any) -> Sheet:
    return open_sheet(io.BytesIO(text if isinstance(text, bytes) else text.encode()), **more)


def copied(sheet: Sheet, chunks: Iterator[bytes]) -> Rows:
    """The chunks as PostgreSQL reads them."""
    names = ", ".join(f"c{n} text" for n in range(len(sheet.columns)))
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.copied")
        cursor.execute(f"CREATE TEMP TABLE copied (line_no serial, {names})")
        columns = ", ".join(f"c{n}" for n in range(len(sheet.columns)))
        delimiter = {"\t": "E'\\t'"}.get(sheet.delimiter, f"'{sheet.delimiter}'")
        with cursor.copy(f"COPY copied ({columns}) FROM STDIN (FORMAT csv, DELIMITER {delimiter})") as copy:
            for chunk in chunks:
                copy.write(chunk)
        cursor.execute("SELECT * FROM copied ORDER BY line_no")
        return [[cell or "" for cell in row[1:]] for row in cursor.fetchall()]


def patient(sheet: Sheet) -> tuple[list[int], Rows, list[str]]:
    rows = list(sheet.rows())
    return [row[0] for row in rows], [row[1] or [] for row in rows], [row[2] for row in rows]


@pytest.mark.django_db
@pytest.mark.parametrize("block", [5, 64, 256 * 1024])
@given(text=TEXTS)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_goes_to_copy_is_read_by_it_as_the_patient_way_reads_it(
    monkeypatch: pytest.MonkeyPatch, block: int, text: str
) -> None:
    monkeypatch.setattr(unpacking, "BLOCK", block)
    whole = f"{HEADER}\n{LINE}\n{text}"
    try:
        expected = patient(sheet_of(whole))
    except Invalid:
        expected = None
    try:
        sheet = sheet_of(whole)
        chunks = sheet.chunks()
    except Invalid:
        assert expected is None
        return
    if chunks is None:
        return
    assert expected is not None
    numbers, rows, problems = expected
    assert not any(problems)
    assert numbers == list(range(2, len(rows) + 2))
    assert copied(sheet, chunks) == rows


@given(
    rows=st.lists(st.lists(CELLS, min_size=6, max_size=6), min_size=1, max_size=8), end=st.sampled_from(["\n", "\r\n"])
)
@settings(deadline=None)
def test_cells_come_back_as_they_were_written(rows: Rows, end: str) -> None:
    wanted = [row for row in rows if any(cell.strip() for cell in row)]
    assume(wanted)
    written = "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) + end for row in rows)
    assert patient(sheet_of(f"{HEADER}{end}{written}"))[1] == wanted


@pytest.mark.django_db
def test_plain_files_take_the_quick_way() -> None:
    quoted = '"E1","HQ-1","mci-csp-reseller","2023-08-15","5.00","USD"'
    named = 'E2,HQ-1,"Smith, ""Jo"" & Co",2023-08-15,5.00,USD'
    for text in (GOOD, GOOD.replace("\n", "\r\n"), GOOD.replace("\n", "\r"), f"{HEADER}\n{quoted}\n{named}"):
        sheet = sheet_of(text)
        chunks = sheet.chunks()
        assert chunks is not None
        assert copied(sheet, chunks) == patient(sheet)[1]


def test_numbers_of_lines_are_those_of_a_spreadsheet() -> None:
    text = f'{HEADER}\n{LINE}\n\n"E2","HQ\n1",p,2023-08-15,1,USD\n{LINE}\n'
    assert patient(sheet_of(text))[0] == [2, 4, 5]
    assert [row[0] for row in sheet_of(workbook()).rows()] == [2, 4]


# --- Columns --------------------------------------------------------------------------------------------------------------


def test_a_mapping_says_what_names_do_not() -> None:
    text = "Beleg;Standort;Programm;Tag;Betrag;Währung\nE1;HQ-1;p;2023-08-15;5.00;USD\n"
    with pytest.raises(UnknownColumns) as caught:
        sheet_of(text)
    assert caught.value.columns == ["Beleg", "Standort", "Programm", "Tag", "Betrag", "Währung"]
    assert len(caught.value.errors) == 6
    names = ["external_id", "location_code", "program_code", "earned_text", "amount_text", "currency"]
    mapping = dict(zip(names, caught.value.columns, strict=True))
    sheet = sheet_of(text, mapping=mapping)
    assert (sheet.fields, sheet.form) == ({name: place for place, name in enumerate(names)}, "incentives")
    recalled = sheet_of(text, recall={fingerprint(sheet.columns): mapping}.get)
    assert recalled.mapping == mapping


def test_a_mapping_goes_before_the_names() -> None:
    sheet = sheet_of(f"{HEADER},gross\n{LINE},6.00\n", mapping={"amount_text": "Gross"})
    assert sheet.fields["amount_text"] == 6


@pytest.mark.parametrize(
    ("mapping", "code"),
    [
        ({"amount_text": "nothing"}, "unknown_column"),
        ({"amounts": "amount"}, "unknown_field"),
        ({"amount_text": "amount", "settled_amount_text": "Amount"}, "duplicate_column"),
    ],
)
def test_a_mapping_that_leads_nowhere_is_refused(mapping: dict[str, str], code: str) -> None:
    with pytest.raises(UnknownColumns) as caught:
        sheet_of(GOOD, mapping=mapping)
    assert code in {error.code for error in caught.value.errors}


def test_the_same_names_in_another_order_have_the_same_fingerprint() -> None:
    assert fingerprint(["Earning Id", "amount"]) == fingerprint(["AMOUNT", "earning_id"])
    assert fingerprint(["a", "b"]) != fingerprint(["a", "c"])
    assert guess(["Amount", "Betrag"]) == {"amount_text": "Amount"}


# --- Encodings and workbooks ----------------------------------------------------------------------------------------------


def test_another_encoding_is_told_to_the_sender() -> None:
    sheet = sheet_of(f"{HEADER},lever\n{LINE},Müller\n".encode("cp1252"))
    assert patient(sheet)[1][0][6] == "Müller"
    assert sheet.encoding == "Windows-1252"
    assert "check names with accents" in sheet.remark
    plain = sheet_of(GOOD)
    patient(plain)
    assert (plain.encoding, plain.remark) == ("UTF-8", "")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("block", [1, 7, 64])
def test_letters_that_lie_across_blocks_are_whole(monkeypatch: pytest.MonkeyPatch, encoding: str, block: int) -> None:
    monkeypatch.setattr(unpacking, "BLOCK", block)
    text = f"{HEADER},lever\n" + f"{LINE},Größe für Müller\n" * 9
    assert decode(text.encode(encoding)) == text


def test_the_sheet_that_was_left_out_is_named() -> None:
    assert sheet_of(workbook_of_two_sheets()).remark == (
        "Only the sheet “Lines” of the workbook was read; left out: “Sheet”."
    )


def test_days_and_numbers_of_a_workbook_are_plain_texts() -> None:
    _, rows, _ = patient(sheet_of(workbook()))
    assert rows == [
        ["E1", "HQ-1", "mci-csp-reseller", "2023-08-15", "5", "USD"],
        ["E2", "HQ-1", "mci-csp-reseller", "2023-08-16", "6.00", "USD"],
    ]


@given(cents=st.integers(-99_999_999_999, 99_999_999_999))
def test_no_cent_of_a_workbook_is_lost_to_binary_fractions(cents: int) -> None:
    """As Excel computes and keeps them: a double, of which fifteen digits count."""
    assert Decimal(number_text(cents / 100)) == Decimal(cents).scaleb(-2)
    assert number_text(0.1 + 0.2) == "0.3"


# --- Size -----------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="the kernel does not tell the memory of a process here"
)
def test_three_hundred_megabytes_need_a_few_either_way() -> None:
    """In a process of its own, whose memory is its own."""
    child = subprocess.run([sys.executable, "-m", "tests.funds.files.reader_child"], capture_output=True, check=True)
    quick, lines, megabytes = map(int, child.stdout.split())
    assert quick == 300_000_000 // 52 * 52
    assert lines == 20_000_000 // 52
    assert megabytes < 100


def test_a_bomb_is_refused_long_before_its_end() -> None:
    sheet = sheet_of(gzip_bomb())
    with pytest.raises(TooLarge, match="200 times"):
        sheet.chunks()
    assert sheet.share_read() <= 1
    with pytest.raises(TooLarge, match="more than 1,000 bytes"):
        sheet_of(gzip.compress(GOOD.encode() * 50), max_bytes=1_000).chunks()
