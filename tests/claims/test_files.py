"""What a file may be: sound ones of each kind, a catalogue of wrong ones, and where their bytes go."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from claims.files import types
from claims.models import Document, StoredFile
from claims.operations import documents, files
from claims.operations.documents import add_document, remove_document
from claims.operations.evidence import reuse_document
from claims.queries import retention
from claims.storage import name_of
from coop.lib import clock
from coop.lib.errors import Gone, NotFound, Refused, TooLarge
from funds.models import Fund
from partners.models import Person
from tests import factories as make
from tests.claims import papers
from tests.factories import PDF, PNG
from tests.funds.test_races import at_once, outcomes

LIMIT = 10 * 1024 * 1024


def given(person: Person) -> dict[str, Any]:
    return {"by": person, "at": clock.now()}


# --- Sound ones -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.pdf", PDF, "application/pdf"),
        ("a.PDF", PDF + b"\r\n" * 900, "application/pdf"),
        ("a.png", PNG, "image/png"),
        ("a.jpg", papers.image("JPEG"), "image/jpeg"),
        ("a.jpeg", papers.image("JPEG"), "image/jpeg"),
        ("IMG_1.HEIC", papers.image("HEIF"), "image/heic"),
        ("a.heif", papers.image("HEIF"), "image/heif"),
        ("a.docx", papers.document(), types.packages.DOCX),
        ("a.xlsx", papers.workbook(), types.packages.XLSX),
        ("a.pptx", papers.presentation(), types.packages.PPTX),
        ("a.csv", "Tag;Anrufe\n1. März;12\n".encode(), "text/csv"),
        ("a.txt", "\ufeffGrüße".encode(), "text/plain"),
        ("a.eml", papers.MAIL, "message/rfc822"),
        ("a.eml", papers.MAIL.replace(b"\n", b"\r\n"), "message/rfc822"),
        # Locked against changes only: it opens for everybody.
        ("a.pdf", papers.locked_pdf(to_open=False), "application/pdf"),
        # Two things at once is what its name says; it is never served as the other one.
        ("a.pdf", PDF + papers.zipped(a=b"x")[:900], "application/pdf"),
        ("a.txt", b"<script>alert(1)</script>", "text/plain"),
    ],
    ids=lambda value: value if isinstance(value, str) else "file",
)
def test_a_file_is_what_its_name_and_its_content_say(name: str, data: bytes, said: str) -> None:
    assert types.media_type(name, data, max_bytes=LIMIT) == said


# --- Wrong ones -----------------------------------------------------------------------------------------------------------

DOCUMENT, WORKBOOK = papers.document(), papers.workbook()
BOMB = papers.office("word/document.xml", word__media=b"\x00" * 20_000_000)
WRONG = [
    ("a.pdf", b"", "empty"),
    ("a.pdf", b"%PDF-1.7 " + b"x" * LIMIT, "too_large"),
    ("a.pdf", PDF[:-20], "damaged"),
    ("a.pdf", PDF[:100], "damaged"),
    ("a.pdf", b"%PDF-1.7", "damaged"),
    ("a.pdf", PDF + b"x" * 5_000, "damaged"),
    ("a.pdf", papers.locked_pdf(to_open=True), "encrypted"),
    ("a.pdf", b"\n" + PDF, "unsupported_media_type"),
    ("a.pdf", b"<html>" + PDF, "unsupported_media_type"),
    ("a.pdf", PNG, "unsupported_media_type"),
    ("a.pdf", b"MZ\x90\x00", "unsupported_media_type"),
    ("a.png", PDF, "unsupported_media_type"),
    ("a.png", papers.image("JPEG"), "unsupported_media_type"),
    ("a.png", PNG[:30], "damaged"),
    ("a.png", papers.image("PNG")[:-500], "damaged"),
    ("a.png", b"\x89PNG\r\n\x1a\n", "damaged"),
    ("a.png", papers.png_of(20_000, 20_000), "too_large"),
    ("a.png", papers.png_of(8_000, 7_501), "too_large"),
    ("a.png", papers.png_of(2**31 - 1, 2**31 - 1), "too_large"),
    ("a.png", papers.png_of(0, 0), "damaged"),
    ("a.jpg", PNG, "unsupported_media_type"),
    ("a.jpg", b"GIF89a" + b"\x00" * 20, "unsupported_media_type"),
    ("a.jpg", b"\xff\xd8\xff\xe0", "damaged"),
    ("a.jpg", papers.image("JPEG")[:2_000], "damaged"),
    ("a.heic", papers.image("JPEG"), "unsupported_media_type"),
    ("a.heic", papers.image("HEIF")[:-200], "damaged"),
    ("a.heic", b"\x00\x00\x00\x18ftypheic", "damaged"),
    ("a.heic", b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 12, "unsupported_media_type"),
    (
        "a.heic",
        b"\x00\x00\x00\x10ftypheic\x00\x00\x00\x00\x00\x00\x00\x14ispe\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00",
        "too_large",
    ),
    ("a.docx", DOCUMENT[:-100], "damaged"),
    ("a.docx", b"PK\x03\x04", "damaged"),
    ("a.docx", papers.zipped(readme=b"x"), "wrong_content"),
    ("a.docx", WORKBOOK, "wrong_content"),
    ("a.xlsx", DOCUMENT, "wrong_content"),
    ("a.docx", BOMB, "too_large"),
    ("a.docx", papers.many_parts(3_000), "too_large"),
    ("a.docx", papers.office("word/document.xml", word__vbaProject_bin=b"x"), "macros"),
    (
        "a.docx",
        papers.office("word/document.xml", b"<Types>application/vnd.ms-word.document.macroEnabled</Types>"),
        "macros",
    ),
    ("a.docx", types.OLE + b"\x00" * 600, "encrypted"),
    ("a.docm", DOCUMENT, "unsupported_media_type"),
    ("a.doc", types.OLE, "unsupported_media_type"),
    ("a.zip", papers.zipped(a=b"x"), "unsupported_media_type"),
    ("a.svg", b"<svg onload=alert(1)>", "unsupported_media_type"),
    ("a.html", b"<script>", "unsupported_media_type"),
    ("a.tiff", b"II*\x00", "unsupported_media_type"),
    ("a.exe", b"MZ", "unsupported_media_type"),
    ("a.pdf.exe", PDF, "unsupported_media_type"),
    ("a", PDF, "unsupported_media_type"),
    ("", PDF, "unsupported_media_type"),
    (".htaccess", b"x", "unsupported_media_type"),
    ("\u202efdp.exe", PDF, "unsupported_media_type"),
    ("a.txt", b"\xff\xfea\x00", "unsupported_media_type"),
    ("a.txt", b"a\x00b", "unsupported_media_type"),
    ("a.csv", b"\x80\x81", "unsupported_media_type"),
    ("a.csv", WORKBOOK, "unsupported_media_type"),
    ("a.eml", b"Dear all,\n\nno headers at all\n", "unsupported_media_type"),
    ("a.eml", b"Subject: x\n\nnobody sent it", "unsupported_media_type"),
    ("a.eml", PDF, "unsupported_media_type"),
    ("a.eml", papers.MAIL + b"x" * LIMIT, "too_large"),
]


@pytest.mark.parametrize(("name", "data", "code"), WRONG, ids=range(len(WRONG)))
def test_a_wrong_file_is_refused_with_what_to_do(name: str, data: bytes, code: str) -> None:
    with pytest.raises(Refused) as caught:
        types.media_type(types.clean_name(name), data, max_bytes=LIMIT)
    found = caught.value
    assert [error.code for error in found.errors] or [found.code] == [code]
    assert (found.errors[0].code if found.errors else found.code) == code
    assert found.message.endswith(".")


def test_the_page_says_before_the_upload_what_is_taken(fund: Fund, client: Any) -> None:
    claim = make.make_draft(fund)
    client.force_login(claim.created_by)
    page = client.get(f"/claims/{claim.pk}/lines/new/?kind=invoice").content.decode()
    assert f"{types.ACCEPTED}, up to 10 MB" in page
    assert f'accept="{types.ACCEPT}"' in page


def test_claims_and_organisations_have_a_limit(fund: Fund, settings: Any) -> None:
    claim = make.make_draft(fund)
    who = given(claim.created_by)
    add_document(claim.id, kind="other", filename="a.pdf", data=PDF, **who)
    settings.CLAIM_MAX_BYTES = 2 * len(PDF)
    with pytest.raises(TooLarge, match="files of this claim"):
        add_document(claim.id, kind="other", filename="b.pdf", data=PDF + b"12", **who)
    settings.CLAIM_MAX_BYTES, settings.PARTNER_MAX_BYTES = 10**9, 2 * len(PDF)
    other = make.make_draft(fund)
    with pytest.raises(TooLarge, match="files of all your claims"):
        add_document(other.id, kind="other", filename="b.pdf", data=PDF + b"12", **who)
    add_document(other.id, kind="other", filename="c.pdf", data=PDF, **who)


# --- Where the bytes are --------------------------------------------------------------------------------------------------


def kept(folder: Path) -> list[str]:
    """The bytes that lie there, by the beginning of their names."""
    return sorted(path.name[:12] for path in (folder / "documents").rglob("*") if path.is_file())


def test_bytes_are_kept_once_and_go_with_their_last_document(
    fund: Fund, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    claim = make.make_draft(fund)
    who = given(claim.created_by)
    with django_capture_on_commit_callbacks(execute=True):
        one = add_document(claim.id, kind="other", filename="a.pdf", data=PDF, **who)
        two = add_document(claim.id, kind="call-log", filename="b.pdf", data=PDF, **who)
    assert one.stored == two.stored
    assert kept(tmp_path) == [one.sha256[:12]]
    with django_capture_on_commit_callbacks(execute=True):
        remove_document(claim.id, one.id, **who)
    assert kept(tmp_path) == [one.sha256[:12]]
    with django_capture_on_commit_callbacks(execute=True):
        remove_document(claim.id, two.id, **who)
    assert kept(tmp_path) == []
    assert not StoredFile.objects.exists()


def test_what_was_not_committed_is_litter_and_is_swept(fund: Fund, tmp_path: Path) -> None:
    claim = make.make_draft(fund)
    with transaction.atomic():
        document = add_document(claim.id, kind="other", filename="a.pdf", data=PDF, **given(claim.created_by))
        transaction.set_rollback(True)
    assert kept(tmp_path) == [document.sha256[:12]]
    assert [name for name, _ in files.left_over()] == [name_of(document.sha256)]
    for found in list(files.left_over()):
        files.drop_bytes(*found)
    assert kept(tmp_path) == []
    assert list(files.left_over()) == []


def test_bytes_that_were_cut_off_by_a_crash_are_written_again(fund: Fund, tmp_path: Path) -> None:
    claim = make.make_draft(fund)
    who = given(claim.created_by)
    document = add_document(claim.id, kind="other", filename="a.pdf", data=PDF, **who)
    place = tmp_path / name_of(document.sha256)
    for damage in (b"half", None):
        place.unlink()
        if damage:
            place.write_bytes(damage)
        add_document(claim.id, kind="other", filename="again.pdf", data=PDF, **who)
        assert place.read_bytes() == PDF


def test_a_check_names_what_is_missing_or_was_changed(fund: Fund, tmp_path: Path) -> None:
    claim = make.make_draft(fund)
    who = given(claim.created_by)
    good, changed, lost = (
        add_document(claim.id, kind="other", filename="a.pdf", data=PDF + mark, **who) for mark in (b"1", b"2", b"3")
    )
    (tmp_path / name_of(changed.sha256)).write_bytes(PDF + b"4")
    (tmp_path / name_of(lost.sha256)).unlink()
    with pytest.raises(CommandError, match="3 files read: 2 differ"):
        call_command("check_files")
    assert StoredFile.objects.get(pk=good.stored_id).checked_at == clock.now()
    assert retention.to_check()[0] != good.stored_id
    assert len(retention.to_check()) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", ["upload", "reuse"])
def test_bytes_are_not_deleted_under_who_names_them(act: str, tmp_path: Path) -> None:
    """While one claim names the bytes again, in a transaction that takes its time, the other claim gives them up."""
    fund = make.make_fund()
    mine, theirs = make.make_draft(fund), make.make_draft(make.make_fund())
    document = add_document(mine.id, kind="other", filename="a.pdf", data=PDF, **given(mine.created_by))
    named, done = threading.Event(), threading.Event()
    target = theirs if act == "upload" else make.make_draft(fund)

    def name_again() -> None:
        with transaction.atomic():
            who = given(target.created_by)
            if act == "upload":
                add_document(target.id, kind="other", filename="b.pdf", data=PDF, **who)
            else:
                files.hold(document.stored)
                Document.objects.create(
                    claim=target, kind="other", stored=document.stored, uploaded_by=who["by"], created_at=who["at"]
                )
            named.set()
            done.wait(20)
        connection.close()

    writer = threading.Thread(target=name_again)
    writer.start()
    try:
        assert named.wait(20)
        Document.objects.filter(pk=document.pk).delete()
        assert files.forget(document.stored_id) is False
    finally:
        done.set()
        writer.join()
    assert files.forget(document.stored_id) is False
    assert kept(tmp_path) == [document.sha256[:12]]


@pytest.mark.django_db(transaction=True)
def test_two_who_send_the_same_bytes_at_once_share_them(tmp_path: Path) -> None:
    claims = [make.make_draft(make.make_fund()) for _ in range(4)]
    start, failed = threading.Barrier(4), []

    def send(claim: Any) -> None:
        try:
            start.wait(20)
            add_document(claim.id, kind="other", filename="a.pdf", data=PDF, **given(claim.created_by))
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
    stored = StoredFile.objects.get()
    assert stored.documents.count() == 4
    assert kept(tmp_path) == [stored.sha256[:12]]


@pytest.mark.django_db(transaction=True)
def test_two_files_at_once_do_not_both_take_the_last_room_of_an_organisation(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    partner = make.make_partner()
    make.set_clock(make.EARNING)
    funds = [make.make_fund(enrollment=make.make_enrollment(make.make_location(partner))) for _ in range(2)]
    claims = [make.make_draft(one) for one in funds]
    settings.PARTNER_MAX_BYTES = len(PDF) + 10

    def slowly(*args: Any, **more: Any) -> StoredFile:
        time.sleep(0.2)
        return files.store(*args, **more)

    monkeypatch.setattr(documents, "store", slowly)
    answers = at_once(
        lambda n=n, claim=claim: add_document(
            claim.pk, kind="other", filename="a.pdf", data=PDF + b"%d" % n, **given(claim.created_by)
        )
        for n, claim in enumerate(claims)
    )
    assert outcomes(answers) == {"done": 1, "too_large": 1}


def test_a_dry_run_leaves_no_bytes_and_takes_none_away(fund: Fund, tmp_path: Path) -> None:
    files.put(name_of("0" * 64), b"x")
    files.drop_bytes_without_row(name_of("0" * 64))
    assert kept(tmp_path) == []
    claim = make.make_draft(fund)
    document = add_document(claim.id, kind="other", filename="a.pdf", data=PDF, **given(claim.created_by))
    files.drop_bytes_without_row(name_of(document.sha256))
    assert kept(tmp_path) == [document.sha256[:12]]


def test_what_is_gone_is_not_named_again(fund: Fund) -> None:
    claim = make.make_draft(fund)
    document = add_document(claim.id, kind="other", filename="a.pdf", data=PDF, **given(claim.created_by))
    StoredFile.objects.update(deleted_at=clock.now())
    assert document.stored is not None
    with pytest.raises(Gone, match="deleted 24 months"):
        files.hold(document.stored)
    with pytest.raises(NotFound):
        reuse_document(make.make_draft(fund).id, document.id, kind="other", **given(claim.created_by))
