"""Files and links that back a claim. The bytes are kept exactly as they came; the name on disk is ours."""

from __future__ import annotations

from datetime import date, datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import Sum

from claims import states
from claims.files import types
from claims.files.types import ACCEPTED, clean_name
from claims.models import Claim, Document, StoredFile
from claims.operations.duplicates import look_for_duplicates
from claims.operations.files import GONE, drop_bytes_without_row, forget_unused, store
from claims.operations.opening import lock_open_claim, touched
from claims.queries import document_kinds
from claims.queries.guests import documents_for, lines_added_by
from coop.lib.db import execute
from coop.lib.errors import FieldError, Invalid, NotFound, TooLarge
from partners.models import Person
from partners.states import AGENCY

__all__ = ["ACCEPTED", "GONE", "add_document", "clean_name", "drop_bytes_without_row", "media_type", "remove_document"]


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
        require_room(claim, len(data))
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
        **line_of(document),
    )
    look_for_duplicates(claim, at)
    return document


def line_of(document: Document) -> dict[str, str]:
    """Whose evidence a document is, as its events say it; nothing where it serves all lines of its kind."""
    return {"line": str(document.line_id)} if document.line_id else {}


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
    stored = document.stored
    about = {"kind": document.kind, "sha256": document.sha256, **line_of(document)}
    document.delete()
    if stored is not None:
        forget_unused(stored)
    touched(claim, "claim.document_removed", by=by, at=at, document=str(document_id), **about)
    return claim


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


def media_type(filename: str, data: bytes) -> str:
    """The media type of a file, told by its ending and confirmed by its content.

    Raises TooLarge, UnsupportedMediaType, Invalid (empty, damaged, encrypted).
    """
    return types.media_type(filename, data, max_bytes=settings.DOCUMENT_MAX_BYTES)


def require_room(claim: Claim, size: int) -> None:
    """Refuse a file that is more than a claim or a partner may keep; one file of a partner is counted at a time.

    Raises TooLarge.
    """
    execute("SELECT pg_advisory_xact_lock(hashtextextended('files of partner ' || %s, 4))", [str(claim.partner_id)])
    of_claim = claim.documents.aggregate(sum=Sum("stored__size"))["sum"] or 0
    if of_claim + size > settings.CLAIM_MAX_BYTES:
        raise TooLarge(
            f"The files of this claim have {show_size(of_claim)}, and {show_size(settings.CLAIM_MAX_BYTES)} are its limit. "
            "Send a smaller file, or remove one."
        )
    kept = StoredFile.objects.filter(documents__claim__partner=claim.partner_id, deleted_at__isnull=True).distinct()
    of_partner = kept.aggregate(sum=Sum("size"))["sum"] or 0
    if of_partner + size > settings.PARTNER_MAX_BYTES:
        raise TooLarge(
            f"The files of all your claims have {show_size(of_partner)}, and {show_size(settings.PARTNER_MAX_BYTES)} are the "
            "limit of an organisation. Remove what drafts do not need, or ask the vendor for more room."
        )


def show_size(size: int) -> str:
    return f"{size / 1024**2:,.1f} MB"
