"""Files and links that back a claim. The bytes are kept exactly as they came; the name on disk is ours."""

from __future__ import annotations

import hashlib
import unicodedata
from datetime import date, datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction

from claims import states
from claims.models import Claim, Document, StoredFile
from claims.operations.opening import lock_open_claim, touched
from claims.queries import document_kinds
from claims.queries.guests import documents_for, lines_added_by
from coop.lib.errors import FieldError, Invalid, NotFound, TooLarge, UnsupportedMediaType
from partners.models import Person
from partners.states import AGENCY

# What is said of bytes that were kept as long as they had to be.
GONE = "The file was deleted 24 months after the activity; its hash is kept."
ACCEPTED = "PDF, PNG, JPEG, TXT or CSV"


@transaction.atomic
def add_document(
    claim_id: int,
    *,
    kind: str,
    filename: str = "",
    data: bytes | None = None,
    url: str = "",
    line_id: int | None = None,
    note: str = "",
    dated_on: date | None = None,
    revision: int | None = None,
    by: Person,
    at: datetime,
) -> Document:
    """Add a file (`filename` and `data`) or a link (`url`) to an open claim, as evidence of money or as a proof.

    The type is told by ending and content, never by what the client says it is. Raises NotFound, NotAllowed, Stale,
    WrongStatus, TooLarge, UnsupportedMediaType, Invalid.
    """
    claim = lock_open_claim(claim_id, by=by, revision=revision, task=task_of_kind(kind))
    if line_id is not None and by.role == AGENCY and line_id not in lines_added_by(by, claim):
        raise NotFound("There is no such line in this claim.")
    require_kind(claim, kind, line_id, has_file=data is not None, url=url)
    document = Document(
        claim=claim,
        line_id=line_id,
        kind=kind,
        note=note[:500],
        dated_on=dated_on,
        uploaded_by=by,
        created_at=at,
    )
    if data is not None:
        document.filename = clean_name(filename)
        document.stored = store(data, media_type(document.filename, data), at=at)
    else:
        document.url = url
    document.save()
    touched(
        claim,
        "claim.document_added",
        by=by,
        at=at,
        document=str(document.pk),
        kind=kind,
        sha256=document.sha256,
    )
    return document


def task_of_kind(kind: str) -> str:
    """The task of the hub that documents of a kind belong to."""
    return kind if kind in states.MONEY_EVIDENCE else "proof"


@transaction.atomic
def remove_document(claim_id: int, document_id: int, *, revision: int | None = None, by: Person, at: datetime) -> Claim:
    """Take a document out of an open claim. Raises NotFound, NotAllowed, Stale, WrongStatus."""
    kind = Document.objects.filter(id=document_id, claim_id=claim_id).values_list("kind", flat=True).first()
    claim = lock_open_claim(claim_id, by=by, revision=revision, task=task_of_kind(kind) if kind else "")
    document = documents_for(by, claim).filter(id=document_id).first()
    if document is None:
        raise NotFound("There is no such document in this claim.")
    sha256, stored = document.sha256, document.stored
    document.delete()
    if stored is not None:
        forget_unused(stored)
    touched(claim, "claim.document_removed", by=by, at=at, document=str(document_id), sha256=sha256)
    return claim


def store(data: bytes, media_type: str, *, at: datetime) -> StoredFile:
    """The bytes, kept once: whoever sends the same bytes again gets the file that is there."""
    sha256 = hashlib.sha256(data).hexdigest()
    known = StoredFile.objects.select_for_update().filter(sha256=sha256).first()
    if known is not None and known.deleted_at is None:
        return known
    file = known or StoredFile(sha256=sha256, created_at=at)
    file.media_type, file.size, file.deleted_at, file.preview = media_type, len(data), None, "waiting"
    file.file.save(f"documents/{sha256[:2]}/{sha256}", ContentFile(data), save=False)
    file.save()
    return file


def drop_bytes_without_row(name: str) -> None:
    """Delete bytes whose row was rolled back, for a door that only tried."""
    if not StoredFile.objects.filter(file=name).exists():
        StoredFile._meta.get_field("file").storage.delete(name)


def forget_unused(stored: StoredFile) -> None:
    """Delete a file that no document names any more."""
    if Document.objects.filter(stored=stored).exists():
        return
    storage, name = stored.file.storage, str(stored.file.name)
    stored.delete()
    # After the commit: a file without a row is litter, a row without its file would be a lost proof.
    transaction.on_commit(lambda: storage.delete(name))


def require_kind(claim: Claim, kind: str, line_id: int | None, *, has_file: bool, url: str) -> None:
    """Refuse a document that does not say what it is, all faults at once. Raises Invalid."""
    errors = []
    kinds = document_kinds(claim)
    if claim.documents.count() >= settings.DOCUMENTS_PER_CLAIM:
        errors.append(
            FieldError(
                "file",
                "too_many",
                f"A claim holds {settings.DOCUMENTS_PER_CLAIM} documents at most. Join files, or remove one.",
            )
        )
    if kind not in kinds:
        said = ", ".join(kinds)
        errors.append(
            FieldError(
                "kind",
                "invalid",
                f"“{kind[:40]}” is not asked for by {claim.activity.name}. Use one of: {said}.",
            )
        )
    if line_id is not None and not claim.lines.filter(id=line_id).exists():
        errors.append(FieldError("line", "not_found", "There is no such line in this claim."))
    if not has_file and not url:
        errors.append(FieldError("file", "required", "Choose a file, or give the address of a page."))
    if url and not is_address(url):
        errors.append(
            FieldError("url", "invalid", "Give a full address that begins with https://, of at most 500 characters.")
        )
    if has_file and url:
        errors.append(FieldError("url", "invalid", "Give a file or an address, not both."))
    if errors:
        raise Invalid(errors=errors)


def is_address(url: str) -> bool:
    """Whether this is the full address of a page, fit to be shown as a link."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:  # brackets that are not closed, and the like
        return False
    return known and len(url) <= 500 and url.isprintable() and " " not in url


def clean_name(filename: str) -> str:
    """The name that people see: no path, no characters that cannot be printed or that turn the text around."""
    last = filename.replace("\\", "/").rpartition("/")[2]
    shown = "".join(letter for letter in last if unicodedata.category(letter)[0] != "C").strip().rstrip(".")
    stem, dot, ending = shown.rpartition(".")
    return f"{stem[:100]}{dot}{ending[:10]}" if dot else shown[:110]


def media_type(filename: str, data: bytes) -> str:
    """The media type of a file, told by its ending and confirmed by its content.

    Raises TooLarge, UnsupportedMediaType, Invalid (empty).
    """
    if not data:
        raise Invalid.field("file", "The file is empty. Choose the file once more.", "empty")
    if len(data) > settings.DOCUMENT_MAX_BYTES:
        raise TooLarge(
            f"The file has {len(data):,} bytes; at most {settings.DOCUMENT_MAX_BYTES:,} are taken. Make it smaller or split it."
        )
    ending = filename.rpartition(".")[2].lower() if "." in filename else ""
    if ending not in states.DOCUMENT_TYPES:
        raise UnsupportedMediaType(f"Files ending in “.{ending[:10]}” are not accepted. Send it as {ACCEPTED}.")
    name, first_bytes = states.DOCUMENT_TYPES[ending]
    if not data.startswith(first_bytes) or (not first_bytes and not is_text(data)):
        raise UnsupportedMediaType(
            f"The file is named “.{ending}” but its content is something else. Open it, save it as {ACCEPTED}, and upload that."
        )
    return name


def is_text(data: bytes) -> bool:
    try:
        return "\x00" not in data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
