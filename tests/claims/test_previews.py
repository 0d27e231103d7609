"""Previews: what the worker draws, what the confined process cannot do, and what becomes of files that it cannot read."""

from __future__ import annotations

import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from PIL import Image

from claims.files import confined, pictures, texts
from claims.models import Document, StoredFile
from claims.operations import previews
from claims.operations.documents import add_document
from claims.operations.sending import submit_claim
from claims.storage import blocks_of
from coop import jobs
from coop.lib import clock
from coop.story import papers as story
from funds.models import Fund
from tests import factories as make
from tests.claims import papers


def add(fund: Fund, name: str, data: bytes) -> Document:
    claim = make.make_draft(fund)
    return add_document(claim.id, kind="other", filename=name, data=data, by=claim.created_by, at=clock.now())


def drawn(document: Document) -> StoredFile:
    jobs.make_previews(clock.now())
    return StoredFile.objects.get(pk=document.stored_id)


# --- What is drawn --------------------------------------------------------------------------------------------------------


def test_a_pdf_is_drawn_page_by_page_for_those_who_may_see_it(fund: Fund, client: Client) -> None:
    claim = make.make_claim(fund)
    who = {"by": claim.created_by, "at": clock.now()}
    data = story.pdf("Invoice 17", ["4,000.00 USD"])
    document = add_document(claim.id, kind="other", filename="a.pdf", data=data, **who)
    stored = drawn(document)
    assert (stored.preview, stored.pages, stored.picture) == ("ready", 1, None)
    stranger = make.make_person(make.make_partner("Contoso"))
    address = f"/documents/{document.pk}/pages/1.png"
    for person, status in ((claim.created_by, 200), (make.vendor("manager"), 404), (stranger, 404)):
        client.force_login(person)
        answer = client.get(address)
        assert b"".join(answer)
        assert answer.status_code == status
        assert client.get(f"/documents/{document.pk}/preview/").status_code == status
    submit_claim(claim.id, **who)
    client.force_login(make.vendor("manager"))
    page = client.get(address)
    assert (page["Content-Type"], page["X-Content-Type-Options"]) == ("image/png", "nosniff")
    assert page["Content-Security-Policy"] == "default-src 'none'; sandbox"
    with Image.open(BytesIO(b"".join(page.streaming_content))) as picture:
        assert picture.width == 1000
        assert picture.convert("L").getextrema()[0] < 60, "the letters are black"
    assert client.get(f"/documents/{document.pk}/pages/2.png").status_code == 404
    assert f'src="{address}"' in client.get(f"/documents/{document.pk}/preview/").content.decode()


def test_a_picture_is_shown_small_upright_and_without_what_it_tells_beside(fund: Fund) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "SECRET-CAMERA"  # turned by a quarter; who made the camera
    photo = papers.drawing(0, 2400, 1200)
    document = add(fund, "a.jpg", papers.saved(photo, "JPEG", exif=exif))
    stored = drawn(document)
    assert stored.picture is not None
    with previews_page(stored) as page, Image.open(page) as picture:
        assert picture.size == (1000, 2000)
        assert not picture.info
        page.seek(0)
        assert b"SECRET" not in page.read()


def previews_page(stored: StoredFile) -> Any:
    return stored.file.storage.open(f"previews/{stored.sha256[:2]}/{stored.sha256}/1.png", "rb")


SHOWN = [
    ("a.docx", papers.document(), "<b>Fabrikam</b>"),
    ("a.xlsx", papers.workbook(), "2024-03-01"),
    ("a.pptx", papers.presentation(), "Spring campaign"),
    ("a.eml", papers.MAIL, "Grüße"),
]


def test_the_text_of_other_files_is_shown_as_text(fund: Fund, client: Client) -> None:
    documents = [add(fund, name, data) for name, data, _ in SHOWN]
    documents.append(add(fund, "a.csv", b"name,=1+1\n<script>alert(1)</script>,2\n"))
    documents.append(add(fund, "empty.txt", b" \n"))
    jobs.make_previews(clock.now())
    for document, (_, _, words) in zip(documents, SHOWN, strict=False):
        stored = StoredFile.objects.get(pk=document.stored_id)
        assert (stored.preview, stored.pages) == ("ready", 0), stored.preview_note
        assert words in str(blocks_of(stored))
    client.force_login(documents[0].uploaded_by)
    page = client.get(f"/documents/{documents[4].pk}/preview/").content.decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
    assert StoredFile.objects.get(pk=documents[5].stored_id).preview == "none"
    mail = str(blocks_of(StoredFile.objects.get(pk=documents[3].stored_id)))
    assert "invoice.pdf" in mail
    assert "alert" not in mail


def test_a_preview_of_text_is_bounded() -> None:
    said, _ = texts.render("text/csv", b"a,b,c\n" * 20_000)
    assert len(said["blocks"][0]["rows"]) == texts.MAX_ROWS
    said, _ = texts.render("text/plain", b"x" * 1_000_000)
    assert len(said["blocks"][0]["text"]) == texts.MAX_LETTERS
    said, _ = texts.render("text/csv", b'a,"b\n' * 3)
    assert said["blocks"]


# --- What is not ----------------------------------------------------------------------------------------------------------


def test_a_file_that_cannot_be_read_says_so_and_is_tried_once(fund: Fund, client: Client) -> None:
    broken = papers.image("PNG")
    document = add(fund, "a.png", broken[:400] + bytes(400) + broken[800:])
    stored = drawn(document)
    assert (stored.preview, stored.preview_tries) == ("failed", 1)
    client.force_login(document.uploaded_by)
    assert (
        "This picture cannot be drawn: it is damaged."
        in client.get(f"/documents/{document.pk}/preview/").content.decode()
    )
    assert previews.waiting() == []


def test_a_file_that_kills_its_process_is_given_up_after_three_tries(
    fund: Fund, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = add(fund, "a.txt", b"words")
    monkeypatch.setattr(confined, "PATIENCE", 0)
    for tries, state in ((1, "waiting"), (2, "waiting"), (3, "failed")):
        stored = drawn(document)
        assert (stored.preview_tries, stored.preview) == (tries, state)
    assert stored.preview_note == previews.GAVE_UP


def test_a_file_that_kills_its_worker_is_given_up_too(fund: Fund) -> None:
    document = add(fund, "a.txt", b"words")
    assert document.stored_id is not None
    assert [previews._begin_try(document.stored_id) for _ in range(4)] == [True, True, True, False]
    assert StoredFile.objects.get().preview == "failed"


@pytest.mark.django_db(transaction=True)
def test_a_second_worker_leaves_a_file_alone_that_the_first_is_drawing() -> None:
    document = add(make.make_fund(), "a.txt", b"words")
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute(f"BEGIN; SELECT pg_advisory_xact_lock({previews.AT_WORK})", [str(document.stored_id)])
        assert document.stored_id is not None
        assert previews.make_preview(document.stored_id, at=clock.now()) is False
        assert StoredFile.objects.get().preview_tries == 0
    finally:
        other.close()
    assert previews.make_preview(document.stored_id, at=clock.now()) is True
    assert previews.make_preview(document.stored_id, at=clock.now()) is False


# --- The confined process -------------------------------------------------------------------------------------------------

ESCAPES = """
import os, socket, sys
sys.path.insert(0, sys.argv[1])
from claims.files.confinement import confine
granted = confine()
def tried(name, act):
    try:
        act()
    except (OSError, MemoryError) as error:
        print(name, "refused")
    else:
        print(name, "done")
tried("memory", lambda: bytearray(2 * 1024**3))
tried("connect", lambda: socket.create_connection(("127.0.0.1", 1)))
tried("socket", lambda: socket.socket())
if "files" in granted:
    tried("read", lambda: open("/etc/hostname").read())
    tried("write", lambda: open("x", "w"))
    tried("run", lambda: os.execv("/bin/true", ["true"]))
print("secret", os.environ.get("SECRET_KEY"))
os.write(1, b"x" * 10)
"""


def test_the_confined_process_has_no_files_no_network_and_little_memory(tmp_path: Path) -> None:
    root = str(confined.ROOT)
    done = subprocess.run(
        [sys.executable, "-c", ESCAPES, root],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={},
        timeout=20,
        check=True,
    )
    assert "done" not in done.stdout
    assert done.stdout.count("refused") >= 3
    assert list(tmp_path.iterdir()) == []


AS_A_PLAIN_USER = """
import os, sys
sys.path.insert(0, sys.argv[1])
from claims.files import pictures, render
from claims.files.confinement import confine
pictures.ready("image/heic")
data = sys.stdin.buffer.read()
if os.getuid() == 0:
    os.setgid(65534), os.setuid(65534)
confine(threads="image/heic" in render.WITH_THREADS)
said, pages = pictures.render("image/heic", data)
print(said["picture"], len(pages))
"""


def test_a_picture_of_a_phone_is_drawn_for_a_plain_user_too() -> None:
    """Whoever runs this as root would not see that its decoder needs a thread, which the limit on processes forbids."""
    command = [sys.executable, "-c", AS_A_PLAIN_USER, str(confined.ROOT)]
    done = subprocess.run(command, input=papers.image("HEIF"), capture_output=True, timeout=20, check=False)
    assert done.stdout.split()[1:] == [b"1"], done.stderr
    assert confined.preview_of(BytesIO(papers.image("HEIF")), "image/heic").picture is not None


def test_a_process_that_does_not_end_is_ended() -> None:
    began = time.monotonic()
    with pytest.raises(confined.GaveUp, match="too long"):
        confined.ask("application/pdf", BytesIO(b"x"), patience=0.05)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"{}\n",
        b"[]\n",
        b"not json\n",
        b'{"lengths": [5]}\n',
        b'{"lengths": [4]}\nGIF8',
        b'{"lengths":[],"picture":"1"}\n',
    ],
)
def test_an_answer_that_our_program_would_not_give_is_not_believed(answer: bytes) -> None:
    with pytest.raises(confined.GaveUp):
        confined.read_answer(BytesIO(answer))


# --- Prints ---------------------------------------------------------------------------------------------------------------


def apart(one: Image.Image, other: Image.Image) -> int:
    first, second = pictures.print_of(one), pictures.print_of(other)
    assert first is not None
    assert second is not None
    return ((first ^ second) & (2**64 - 1)).bit_count()


def test_the_same_picture_is_recognised_however_it_was_saved_and_another_is_not() -> None:
    picture = papers.drawing(0)
    for again in (
        picture.resize((311, 233)),
        Image.open(BytesIO(papers.saved(picture, "JPEG", quality=25))),
        picture.convert("L").convert("RGB"),
        picture.crop((6, 4, 796, 597)),
    ):
        assert apart(picture, again) <= previews.ALIKE
    for seed in range(1, 6):
        assert apart(picture, papers.drawing(seed)) > 3 * previews.ALIKE


def test_a_picture_that_shows_nothing_has_no_print() -> None:
    spot = Image.new("RGB", (800, 600), "white")
    spot.paste((0, 0, 0), (0, 0, 90, 90))
    for blank in (Image.new("RGB", (800, 600), "white"), Image.new("RGB", (9, 9), (120, 121, 119)), spot):
        assert pictures.print_of(blank) is None
