"""Files as a way in: what they are served as, who reaches them, and what their names and contents can do."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from claims.models import Claim, Document, StoredFile
from claims.operations.documents import add_document
from claims.operations.invitations import invite
from claims.operations.sending import submit_claim
from coop.lib import clock
from funds.models import Fund
from tests import factories as make
from tests.api.client import api_of


@pytest.fixture(autouse=True)
def files_in_a_folder_of_this_test(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def add(claim: Claim, name: str, data: bytes, **more: Any) -> Document:
    values = {"by": claim.created_by, "at": clock.now(), "kind": "other", **more}
    return add_document(claim.id, filename=name, data=data, **values)


def test_nothing_that_a_file_holds_runs_in_the_readers_browser(fund: Fund, client: Client) -> None:
    draft = make.make_draft(fund)
    page = b"From: a@a.example\nTo: b@b.example\nContent-Type: text/html\n\n<script>alert(1)</script>"
    for name, data, kind in (
        ("x.eml", page, "message/rfc822"),
        ("x.txt", b"<html><script>alert(1)</script>", "text/plain"),
        ('x"; filename="evil.html.csv', b"<svg onload=alert(1)>", "text/csv"),
    ):
        document = add(draft, name, data)
        client.force_login(draft.created_by)
        answer = client.get(f"/documents/{document.pk}/content/")
        assert b"".join(answer.streaming_content) == data
        assert answer["Content-Type"] == kind
        assert answer["Content-Disposition"].startswith("attachment")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_knowing_the_bytes_opens_nobody_elses_document(fund: Fund, client: Client) -> None:
    """Content-addressed must not mean: who has the hash, or the same bytes, reads what others said of them."""
    theirs = add(make.make_draft(fund), "secret-name.pdf", make.PDF)
    mine = add(make.make_draft(make.make_fund()), "mine.pdf", make.PDF)
    assert mine.stored == theirs.stored
    client.force_login(mine.uploaded_by)
    for path in ("content/", "preview/", "pages/1.png"):
        assert client.get(f"/documents/{theirs.pk}/{path}").status_code == 404
    for path in (f"/media/{mine.stored.file.name}", f"/{mine.stored.file.name}", f"/documents/{mine.sha256}/content/"):
        assert client.get(path).status_code == 404
    assert "secret-name" not in client.get(f"/documents/{mine.pk}/preview/").content.decode()
    assert api_of(mine.uploaded_by).get(f"claims/{theirs.claim_id}/documents/{theirs.pk}/preview/").status == 404


def test_a_guest_reads_what_the_guest_gave_and_nothing_else(fund: Fund, client: Client) -> None:
    draft = make.make_draft(fund)
    who = {"by": draft.created_by, "at": clock.now()}
    theirs = add(draft, "theirs.pdf", make.PDF)
    guest = invite(draft.id, task="proof", email="nora@agency.example", name="Nora", **who).person
    own = add(draft, "own.pdf", make.PDF + b"1", kind="call-log", by=guest)
    client.force_login(guest)
    answer = client.get(f"/documents/{own.pk}/content/")
    assert b"".join(answer.streaming_content) == make.PDF + b"1"
    for path in ("content/", "preview/", "pages/1.png"):
        assert client.get(f"/documents/{theirs.pk}/{path}").status_code == 404
    assert set(Document.objects.visible_to(guest)) == {own}
    draft.invitations.update(revoked_at=clock.now())
    assert client.get(f"/documents/{own.pk}/content/").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_two_claims_that_repeat_each_other_and_are_sent_at_once_do_not_block_each_other() -> None:
    house = make.make_partner("Contoso")
    funds = [make.make_fund(enrollment=make.make_enrollment(make.make_location(house))) for _ in range(2)]
    claims = [make.make_draft(fund) for fund in funds]
    for claim in claims:
        make.add_invoice(claim, "10.00", supplier="Fabrikam", invoice_number="INV-7")
        make.complete(claim)
    start, failed = threading.Barrier(2), []

    def send(claim: Claim) -> None:
        try:
            start.wait(20)
            submit_claim(claim.id, by=claim.created_by, at=clock.now())
        except Exception as error:  # noqa: BLE001 - told below
            failed.append(error)
        finally:
            connection.close()

    senders = [threading.Thread(target=send, args=[claim]) for claim in claims]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert failed == []
    assert set(Claim.objects.values_list("status", flat=True)) == {"submitted"}


def test_names_that_lead_elsewhere_stay_names(fund: Fund, tmp_path: Path) -> None:
    draft = make.make_draft(fund)
    for name in ("../../../etc/cron.d/x.txt", "..\\..\\x.txt", "/etc/passwd.txt", "a\x00.txt", "x" * 5_000 + ".txt"):
        add(draft, name, b"x")
    assert StoredFile.objects.count() == 1
    assert [path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*") if path.is_file()] == ["documents"]
