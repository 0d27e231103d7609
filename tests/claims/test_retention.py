"""How long files are kept: 24 months from the activity's last day, and as long as anybody needs them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from claims import states
from claims.models import Claim, Document, StoredFile
from claims.operations import files
from claims.operations.documents import GONE, add_document
from claims.operations.review import reject_claim
from claims.operations.sending import withdraw_claim
from claims.queries.retention import due_to_delete
from claims.storage import name_of
from coop import jobs
from coop.lib import clock
from funds.models import Fund
from partners.models import Event
from tests import factories as make
from tests.api.client import api_of
from tests.factories import PDF

LAST = date(2024, 3, 2)  # of the activity
STILL_KEPT = datetime(2026, 3, 2, 23, 59, tzinfo=UTC)
DUE = datetime(2026, 3, 3, tzinfo=UTC)


def document_in(claim: Claim, mark: bytes = b"") -> Document:
    who = {"by": claim.created_by, "at": clock.now()}
    return add_document(claim.id, kind="other", filename="a.pdf", data=PDF + mark, **who)


def rejected(fund: Fund) -> tuple[Claim, Document]:
    claim = make.make_claim(fund)
    document = document_in(claim)
    make.submit_claim(claim.id, by=claim.created_by, at=clock.now())
    reject_claim(claim.id, reason="Not covered.", by=make.vendor("manager"), at=clock.now())
    return claim, document


def test_a_file_is_kept_24_months_to_the_day_and_then_only_its_hash(
    fund: Fund, tmp_path: Path, client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    claim, document = rejected(fund)
    place = tmp_path / name_of(document.sha256)
    files.put(f"previews/{document.sha256[:2]}/{document.sha256}/1.png", b"x")
    for at, worked in ((STILL_KEPT, False), (DUE, True)):
        assert place.exists()
        with django_capture_on_commit_callbacks(execute=True):
            assert bool(jobs.delete_files(at).worked) is worked
    assert not place.exists()
    assert not (tmp_path / "previews").exists() or not list((tmp_path / "previews").rglob("*.png"))
    stored = StoredFile.objects.get(pk=document.stored_id)
    assert (stored.deleted_at, stored.sha256, stored.size, stored.media_type) == (
        DUE,
        document.sha256,
        len(PDF),
        "application/pdf",
    )
    assert Event.objects.filter(verb="claim.file_deleted", subject=str(claim.pk)).count() == claim.documents.count()
    person = claim.created_by
    client.force_login(person)
    for page in ("content/", "preview/"):
        answer = client.get(f"/documents/{document.pk}/{page}")
        assert GONE in answer.content.decode()
        assert answer.status_code == (200 if page == "preview/" else 410)
    said = api_of(person).get(f"claims/{claim.pk}/documents/{document.pk}/content/")
    assert (said.status, said.code, said["detail"]) == (410, "gone", GONE)
    assert jobs.delete_files(DUE).worked == 0, "a second run finds nothing"


def test_the_latest_claim_that_names_a_file_counts(fund: Fund) -> None:
    rejected(fund)
    later = make.make_claim(fund, activity_from=date(2024, 3, 1), activity_to=date(2024, 6, 30))
    document = document_in(later)
    Claim.objects.filter(pk=later.pk).update(status=states.WITHDRAWN, turn_since=datetime(2024, 7, 1, tzinfo=UTC))
    assert document.stored_id not in due_to_delete(datetime(2026, 7, 1, tzinfo=UTC))
    assert document.stored_id in due_to_delete(datetime(2026, 7, 3, tzinfo=UTC))


NEEDED = [
    states.DRAFT,
    states.SUBMITTED,
    states.IN_REVIEW,
    states.ACTION_REQUIRED,
    states.DISPUTED,
    states.APPROVED,
]


@pytest.mark.parametrize("status", NEEDED)
def test_a_file_that_somebody_needs_is_kept_however_old_it_is(fund: Fund, status: str) -> None:
    claim, document = rejected(fund)
    other = make.make_draft(fund)
    document_in(other)
    values: dict[str, Any] = {"status": status}
    if status in states.HOLDING:
        values["held_minor"] = 1
    if status == states.DISPUTED:
        values |= {
            "dispute": "No.",
            "disputed_by": claim.created_by,
            "disputed_at": clock.now(),
            "first_decided_by": make.vendor("manager"),
        }
    Claim.objects.filter(pk=other.pk).update(**values)
    found = due_to_delete(datetime(2040, 1, 1, tzinfo=UTC))
    assert document.stored_id not in found
    assert found, "the other files of the first claim are due"


def test_what_was_declined_late_is_kept_while_it_can_be_disputed(fund: Fund) -> None:
    claim, document = rejected(fund)
    Claim.objects.filter(pk=claim.pk).update(turn_since=datetime(2026, 3, 1, tzinfo=UTC))
    assert document.stored_id not in due_to_delete(datetime(2026, 3, 20, tzinfo=UTC))
    assert document.stored_id in due_to_delete(datetime(2026, 4, 2, tzinfo=UTC))


def test_a_paid_claim_keeps_its_files_from_the_activity_and_a_withdrawn_one_from_its_end(fund: Fund) -> None:
    paid = make.make_claim(fund, "300.00")
    document = document_in(paid, b"1")
    make.submit_claim(paid.id, by=paid.created_by, at=clock.now())
    make.approve_claim(paid.id, by=make.vendor("manager"), at=clock.now())
    assert document.stored_id not in due_to_delete(DUE), "approved is not paid yet"
    make.pay_all()
    assert document.stored_id in due_to_delete(DUE)
    withdrawn = make.make_claim(fund, "300.00")
    kept = document_in(withdrawn, b"2")
    withdraw_claim(withdrawn.id, by=withdrawn.created_by, at=make.set_clock(datetime(2024, 5, 10, tzinfo=UTC)))
    assert kept.stored_id not in due_to_delete(datetime(2026, 5, 10, 12, tzinfo=UTC))
    assert kept.stored_id in due_to_delete(datetime(2026, 5, 11, 0, 1, tzinfo=UTC))


def test_a_job_that_was_killed_between_its_two_steps_is_finished_by_the_next(fund: Fund, tmp_path: Path) -> None:
    _, document = rejected(fund)
    assert document.stored_id is not None
    assert files.delete_old(document.stored_id, at=DUE) is True  # and here it dies: what follows the commit never runs
    place = tmp_path / name_of(document.sha256)
    assert place.exists()
    assert (name_of(document.sha256), document.sha256) in list(files.left_over())
    jobs.delete_files(DUE)
    assert not place.exists()
    assert StoredFile.objects.get(pk=document.stored_id).file.name == ""
    assert files.delete_old(document.stored_id, at=DUE) is False


def test_the_same_bytes_sent_again_are_there_again_and_known(fund: Fund, tmp_path: Path) -> None:
    claim, document = rejected(fund)
    assert document.stored_id is not None
    files.delete_old(document.stored_id, at=DUE)
    again = document_in(make.make_draft(fund))
    assert again.stored_id == document.stored_id
    assert again.stored is not None
    assert again.stored.deleted_at is None
    for found in list(files.left_over()):
        files.drop_bytes(*found)
    assert (tmp_path / name_of(document.sha256)).read_bytes() == PDF
    assert claim.documents.get(pk=document.pk).stored_id == again.stored_id


def test_a_file_that_lost_its_last_document_is_forgotten_by_the_job(fund: Fund, tmp_path: Path) -> None:
    document = document_in(make.make_draft(fund))
    Document.objects.filter(pk=document.pk).delete()  # and the worker that should forget the bytes dies
    assert jobs.delete_files(clock.now()).worked == 1
    assert not StoredFile.objects.exists()
    assert not (tmp_path / name_of(document.sha256)).exists()
