"""The command that imports a file without a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from funds.management.commands import import_earnings
from funds.models import ColumnMapping, Earning, Fund, Import
from tests import factories as make
from tests.funds.files.bad_files import GOOD, cut_gzip, gzip_bomb, workbook

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def place(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A location HQ-1 in the reseller program, and one person of finance."""
    settings.MEDIA_ROOT = tmp_path / "kept"
    monkeypatch.setattr(import_earnings, "LOOK", 0.01)
    make.set_clock(make.EARNING)
    make.make_enrollment(make.make_location(external_id="HQ-1"))
    make.vendor("finance")


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def runs(data: bytes, *arguments: str, name: str = "june.csv") -> str:
        file = tmp_path / name
        file.write_bytes(data)
        call_command("import_earnings", str(file), *arguments)
        return capsys.readouterr().out

    return runs


def test_a_file_is_checked_and_what_it_would_change_is_said(run: Any) -> None:
    said = run(GOOD + b"E3,HQ-9,mci-csp-reseller,2023-08-15,5.00,USD\n")
    delivery = Import.objects.get()
    for words in (
        f"june.csv is import {delivery.pk}: 190 bytes. Incentives to be split.",
        "3 lines: 2 new, 0 changed, 0 unchanged, 1 rejected",
        "mci-csp-reseller: 11.00 USD of earnings, co-op 4.40, rebate 6.60",
        "1 fund: 1 new, 0 reach their threshold, 0 fall below it, 0 late, 0 end below zero",
        "line 4: There is no location with the id “HQ-9”",
        f"Nothing was posted. Look at it and commit or discard it on its page: /imports/{delivery.pk}/",
    ):
        assert words in said
    assert delivery.status == "ready"
    assert not Earning.objects.exists()


def test_with_commit_it_is_posted_and_a_second_time_changes_nothing(run: Any) -> None:
    assert "Committed: 2 lines are posted." in run(workbook(), "--commit", name="june.xlsx")
    assert Fund.objects.get().earned_minor == 440
    assert "2 lines: 0 new, 0 changed, 2 unchanged, 0 rejected" in run(workbook(), "--commit", name="june.xlsx")
    assert Fund.objects.get().earned_minor == 440


def test_a_large_file_is_posted_here_too_and_not_left_to_a_worker(run: Any, settings: Any) -> None:
    settings.IMPORT_LINES_AT_ONCE = 1
    assert "Committed: 2 lines are posted." in run(GOOD, "--commit")
    assert Import.objects.get().status == "committed"


def test_columns_may_be_mapped_on_the_way(run: Any) -> None:
    text = GOOD.replace(b"amount", b"Betrag").replace(b"currency", b"W\xc3\xa4hrung")
    with pytest.raises(CommandError, match="earningAmount or amount"):
        run(text)
    assert "2 new" in run(text, "--mapping", "amount_text=Betrag", "currency=Währung")
    assert ColumnMapping.objects.count() == 1
    with pytest.raises(CommandError, match="FIELD=COLUMN"):
        run(text, "--mapping", "Betrag")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (cut_gzip(), "cut off"),
        (gzip_bomb(), "200 times"),
        (GOOD + b'"', "Line 4: a quote is opened and never closed"),
        (b"", "The file is empty"),
        (b"%PDF-1.7", "PDF"),
    ],
    ids=["cut off", "a bomb", "a quote", "empty", "a PDF"],
)
def test_what_is_refused_ends_the_command_with_the_sentence(run: Any, data: bytes, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        run(data, "--commit")
    assert not Earning.objects.exists()


def test_the_command_takes_files_that_no_page_takes(run: Any, settings: Any) -> None:
    settings.IMPORT_MAX_BYTES = 10
    assert "2 new" in run(GOOD)
    settings.IMPORT_COMMAND_MAX_BYTES = 10
    with pytest.raises(CommandError, match="At most 10 bytes"):
        run(GOOD)


def test_somebody_of_finance_imports_and_is_named_where_there_are_several(run: Any) -> None:
    make.vendor("finance2")
    with pytest.raises(CommandError, match="--user EMAIL"):
        run(GOOD)
    with pytest.raises(CommandError, match="No active person of finance"):
        run(GOOD, "--user", "auditor@vendor.example")
    run(GOOD, "--user", "finance2@vendor.example")
    assert Import.objects.get().created_by == make.vendor("finance2")


def test_a_file_that_is_not_there_is_said_to_be_missing() -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_earnings", "/nowhere/june.csv")
