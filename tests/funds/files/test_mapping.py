"""Columns in other words: said once, remembered for every file with the same header."""

from __future__ import annotations

import gzip as gz
import hashlib
import io
from pathlib import Path
from typing import Any

import pytest

from coop import jobs
from coop.lib import clock
from coop.lib.errors import Invalid, NotAllowed, Stale, TooLarge, WrongStatus
from funds.files import UnknownColumns
from funds.models import ColumnMapping, Import
from funds.operations.imports import map_columns, needs_mapping, receive_file
from partners.models import Event
from tests import factories as make
from tests.funds.files.bad_files import GOOD, gzip

pytestmark = pytest.mark.django_db

NAMES = ["Beleg", "Standort", "Programm", "Tag", "Betrag", "Waehrung"]
FIELDS = ["external_id", "location_code", "program_code", "earned_text", "amount_text", "currency"]
MAPPING = dict(zip(FIELDS, NAMES, strict=True))
GERMAN = ";".join(NAMES).encode() + b"\nE1;HQ-1;mci-csp-reseller;2023-08-15;5.00;USD\n"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path
    make.set_clock(make.EARNING)
    make.make_enrollment(make.make_location(external_id="HQ-1"))
    return tmp_path


def receive(data: bytes = GERMAN, **more: Any) -> Import:
    return receive_file(
        filename="juni.csv", file=io.BytesIO(data), **{"by": make.vendor("finance"), "at": clock.now(), **more}
    )


def checked(delivery: Import) -> Import:
    jobs.check_imports(clock.now())
    return Import.objects.get(id=delivery.pk)


def say(delivery: Import, mapping: dict[str, str] = MAPPING, **more: Any) -> Import:
    return map_columns(delivery.pk, mapping=mapping, **{"by": make.vendor("finance"), "at": clock.now(), **more})


def test_a_mapping_is_used_and_remembered_for_the_next_file_with_the_same_header() -> None:
    first = checked(receive(mapping=MAPPING))
    assert (first.status, first.new, first.mapping) == ("ready", 1, MAPPING)
    again = checked(receive(GERMAN.replace(b"E1", b"E2")))
    assert (again.status, again.new, again.mapping) == ("ready", 1, MAPPING)
    with pytest.raises(UnknownColumns):
        receive(GERMAN.replace(b"Betrag", b"Summe"))


def test_a_file_that_nobody_understands_is_kept_until_somebody_says_what_it_means(place: Path) -> None:
    kept = receive(keep_unmapped=True)
    assert (kept.status, kept.columns) == ("failed", NAMES)
    assert "earningId or external_id" in kept.failure
    assert needs_mapping(kept)
    assert checked(kept).status == "failed"  # no worker takes it
    said = say(kept, revision=1)
    assert (said.status, said.failure, said.revision) == ("queued", "", 2)
    assert checked(said).new == 1
    assert Event.objects.filter(verb="import.mapped").count() == 1
    assert ColumnMapping.objects.get().saved_by == make.vendor("finance")


def test_what_is_wrong_with_a_mapping_is_said_all_together_and_the_file_waits_on() -> None:
    kept = receive(keep_unmapped=True)
    with pytest.raises(Invalid) as caught:
        say(kept, {**MAPPING, "amount_text": "Summe", "amounts": "Tag", "rate_text": "Tag"})
    assert {(error.field, error.code) for error in caught.value.errors} == {
        ("mapping.amount_text", "unknown_column"),
        ("mapping.amounts", "unknown_field"),
        ("mapping.rate_text", "duplicate_column"),
    }
    assert needs_mapping(Import.objects.get(id=kept.pk))
    assert not ColumnMapping.objects.exists()


def test_only_a_file_that_was_not_understood_can_be_mapped_and_only_by_finance() -> None:
    kept = receive(keep_unmapped=True)
    with pytest.raises(NotAllowed):
        say(kept, by=make.vendor("auditor"))
    with pytest.raises(Stale):
        say(kept, revision=7)
    say(kept)
    with pytest.raises(WrongStatus):
        say(kept)
    broken = checked(receive(GOOD + b'"'))
    assert (broken.status, needs_mapping(broken)) == ("failed", False)
    with pytest.raises(WrongStatus):
        say(broken)


def test_a_better_mapping_takes_the_place_of_the_one_before() -> None:
    receive(mapping=MAPPING)
    receive(mapping={**MAPPING, "earned_text": "Betrag", "amount_text": "Tag"})
    assert ColumnMapping.objects.get().mapping["amount_text"] == "Tag"


def test_a_file_is_kept_as_it_was_sent_with_its_hash(place: Path) -> None:
    for data, suffix in ((GOOD, ".csv"), (gzip(), ".csv.gz")):
        kept = receive(data)
        assert kept.file.name.endswith(suffix)
        with kept.file.open("rb") as file:
            assert file.read() == data
        assert kept.sha256 == hashlib.sha256(data).hexdigest()


def test_what_is_too_large_for_a_page_is_sent_to_the_command_and_gzip_counts_unpacked(
    settings: Any, place: Path
) -> None:
    settings.IMPORT_MAX_BYTES = 120
    for data in (GOOD, gz.compress(GOOD)):
        with pytest.raises(TooLarge, match=r"manage\.py import_earnings FILE"):
            receive(data)
    assert receive(gzip()).status == "queued"
    assert len([path for path in place.rglob("*") if path.is_file()]) == 1
