"""The catalogue of bad input (bad_inputs.yaml), each entry through the real import and where it fits through the API.

Whatever is wrong is answered with a code, a place and a sentence; and nothing reaches a fund.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from coop import jobs
from coop.lib import clock
from coop.lib.errors import Refused
from funds.files import open_sheet
from funds.models import Earning, Entry, Fund, Import, StagedLine
from funds.operations.earnings import rejected_lines
from funds.operations.imports import receive_file
from tests import factories as make
from tests.api.client import Api, api_of
from tests.funds.files.catalogue import (
    CATALOGUE,
    PLAIN,
    REPORT,
    BadFile,
    BadLine,
    as_csv,
    bad_files,
    bad_lines,
    bad_reports,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def place(tmp_path: Path, settings: Any) -> Path:
    """Where files are kept; a location HQ-1 in the reseller program, and HQ-3 in none, in December 2023."""
    settings.MEDIA_ROOT = tmp_path
    make.set_clock(make.EARNING)
    make.make_enrollment(make.make_location(external_id="HQ-1"))
    make.make_location(external_id="HQ-3")
    return tmp_path


def receive(data: bytes, filename: str = "earnings.csv") -> Import:
    return receive_file(filename=filename, file=io.BytesIO(data), by=make.vendor("finance"), at=clock.now())


def check(data: bytes, filename: str = "earnings.csv") -> Import:
    """Received, and looked at by the worker's job."""
    delivery = receive(data, filename)
    jobs.check_imports(clock.now())
    delivery.refresh_from_db()
    return delivery


def nothing_was_posted() -> bool:
    return not (Earning.objects.exists() or Fund.objects.exists() or Entry.objects.exists())


def kept_files(place: Path) -> list[Path]:
    return [path for path in place.rglob("*") if path.is_file()]


def is_a_sentence(text: str) -> bool:
    return len(text) > 15 and text[-1] in ".?" and text[0] == text[0].upper()


def test_the_catalogue_has_at_least_a_hundred_entries_and_each_its_own_name() -> None:
    names = [entry["name"] for entries in CATALOGUE.values() for entry in entries]
    assert len(names) >= 100
    assert len(names) == len(set(names))


# --- Lines ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lines", "columns"), [(bad_lines(), PLAIN), (bad_reports(), REPORT)], ids=["plain", "report"])
def test_each_bad_line_is_rejected_with_its_code_at_its_cell_and_the_good_ones_are_not(
    lines: list[BadLine], columns: list[str], subtests: Any
) -> None:
    checked = check(as_csv(lines, columns))
    found = {line["line_no"]: line for line in rejected_lines(checked.pk)}
    for number, line in enumerate(lines, start=2):
        with subtests.test(line.name):
            said = found.get(number, {"problem": "", "field": "", "message": ""})
            assert (said["problem"], said["field"]) == (line.code, line.column), said["message"]
            assert line.taken or is_a_sentence(said["message"]), said["message"]
            assert len(said["message"]) < 500
    assert (checked.status, checked.rejected) == ("ready", sum(not line.taken for line in lines))
    assert nothing_was_posted()


def test_the_api_answers_the_same_lines_with_the_same_codes_or_stricter_ones(subtests: Any) -> None:
    lines = [line for line in bad_lines() if line.api]
    sent = [{name: value for name, value in line.cells.items() if value or name != "lever"} for line in lines]
    answer = api_of(make.vendor("finance")).post("earnings/", {"lines": sent})
    assert answer.status == 200, answer
    found = {rejected["index"]: rejected for rejected in answer["rejected"]}
    for index, line in enumerate(lines):
        with subtests.test(line.name):
            assert line.api is not None
            assert found[index]["code"] in line.api.split(" or "), found[index]
            assert is_a_sentence(found[index]["message"])
    assert answer["created"] == 0
    assert nothing_was_posted()


def test_an_amount_that_is_no_text_is_refused_by_the_api() -> None:
    amounts: list[Any] = [0.30000000000000004, 1e22, 1.1, 100, True, [1], {}]
    line = {**bad_lines()[0].cells, "lever": "x"}
    answer = api_of(make.vendor("finance")).post("earnings/", {"lines": [{**line, "amount": each} for each in amounts]})
    assert [rejected["code"] for rejected in answer["rejected"]] == ["amount_format"] * len(amounts)
    assert nothing_was_posted()


# --- Files ----------------------------------------------------------------------------------------------------------------

FILES = bad_files()


def read_through(data: bytes) -> None:
    """Both ways through a file. Raises what is wrong with it."""
    sheet = open_sheet(io.BytesIO(data))
    chunks = sheet.chunks()
    for _ in chunks or ():
        pass
    for _ in sheet.rows():
        pass


@pytest.mark.parametrize("file", [file for file in FILES if file.when], ids=str)
def test_each_bad_file_is_refused_with_a_sentence_and_leaves_nothing(file: BadFile, place: Path) -> None:
    read = receive if file.when == "door" else read_through
    with pytest.raises(Refused) as caught:
        read(file.data)
    refusal = caught.value
    codes = {(error.field, error.code) for error in refusal.errors} or {("", refusal.code)}
    assert (file.column, file.code) in codes
    assert file.says in refusal.message
    assert is_a_sentence(refusal.message)
    if file.when == "check":
        failed = check(file.data, file.filename)
        assert (failed.status, failed.failure) == ("failed", refusal.message)
        assert len(kept_files(place)) == 1
    else:
        assert not Import.objects.exists()
        assert kept_files(place) == []
    assert not StagedLine.objects.exists()
    assert nothing_was_posted()


@pytest.mark.parametrize("file", [file for file in FILES if not file.when], ids=str)
def test_each_unusual_file_is_read_as_it_is_meant(file: BadFile) -> None:
    checked = check(file.data, file.filename)
    assert checked.status == "ready", checked.failure
    assert [line["problem"] for line in rejected_lines(checked.pk)] == file.rejected
    assert checked.new == file.new
    assert nothing_was_posted()


def test_the_api_refuses_the_same_files_with_the_same_codes(subtests: Any, place: Path) -> None:
    api = api_of(make.vendor("finance"))
    for file in FILES:
        if file.when:
            with subtests.test(file.name):
                refused_over_the_api(api, file)
    assert nothing_was_posted()


def refused_over_the_api(api: Api, file: BadFile) -> None:
    answer = api.upload("imports/", file.data, file.filename)
    if file.when == "door":
        assert answer.status == (413 if file.code == "too_large" else 400)
        assert answer.code == "too_large" if not file.column else answer.fields[file.column] == file.code
        assert file.says in str(answer.body)
        return
    assert answer.status == 202, answer
    jobs.check_imports(clock.now())
    failed = api.get(f"imports/{answer['id']}/")
    assert failed["status"] == "failed"
    assert file.says in failed["failure"]


def test_a_refused_file_changes_no_table(subtests: Any) -> None:
    """Not a row anywhere, beside what a sign-in or a key leaves."""
    make.vendor("finance")
    before = rows_of_all_tables()
    for file in FILES:
        if file.when == "door":
            with pytest.raises(Refused):
                receive(file.data, file.filename)
    assert rows_of_all_tables() == before


def rows_of_all_tables() -> dict[str, int]:
    counts = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            counts[table] = cursor.fetchone()[0]
    return counts
