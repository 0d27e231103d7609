"""What a page saves in one go: a line together with its file, a proof in place of another, a line with all its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction

from claims.models import Claim, ClaimLine, Document
from claims.operations.documents import add_document, line_of, remove_document, require_kind, task_of_kind
from claims.operations.drafting import add_line, change_line, lock_line
from claims.operations.duplicates import look_for_duplicates
from claims.operations.files import hold
from claims.operations.opening import lock_open_claim, touched
from claims.queries.guests import documents_for
from claims.queries.reuse import reusable
from coop.lib.errors import NotFound
from partners.models import Person


@dataclass(frozen=True)
class Upload:
    """A file as it came: the name that its owner gave it, and its bytes."""

    filename: str
    data: bytes


@transaction.atomic
def save_line(
    claim_id: int,
    line_id: int | None,
    values: Mapping[str, Any],
    upload: Upload | None = None,
    *,
    revision: int | None = None,
    by: Person,
    at: datetime,
) -> ClaimLine:
    """Add a line (`line_id` None, `values` with its kind) or change one, with its file; both or neither.

    Raises what add_line, change_line and add_document raise.
    """
    if line_id is None:
        line = add_line(claim_id, **values, revision=revision, by=by, at=at)
    else:
        line = change_line(claim_id, line_id, values, revision=revision, by=by, at=at)
    if upload is not None:
        add_document(
            claim_id, kind=line.kind, filename=upload.filename, data=upload.data, line_id=line.pk, by=by, at=at
        )
    return line


@transaction.atomic
def remove_line(claim_id: int, line_id: int, *, revision: int | None = None, by: Person, at: datetime) -> Claim:
    """Take a line out of an open claim together with the files that belong to it alone.

    A file that stayed behind would count as evidence for every other line of its kind. Raises NotFound, NotAllowed, Stale,
    WrongStatus.
    """
    claim, line = lock_line(claim_id, line_id, by=by, revision=revision)
    for document_id in list(line.documents.values_list("id", flat=True)):
        claim = remove_document(claim_id, document_id, by=by, at=at)
    line.delete()
    touched(claim, "claim.line_removed", by=by, at=at, line=str(line_id))
    return claim


@transaction.atomic
def put_proof(
    claim_id: int,
    kind: str,
    *,
    upload: Upload | None = None,
    url: str = "",
    note: str = "",
    dated_on: date | None = None,
    replace: bool = False,
    revision: int | None = None,
    by: Person,
    at: datetime,
) -> Document:
    """Give a proof of one kind; with `replace` the documents of that kind that were there before go.

    Raises what add_document raises.
    """
    claim = lock_open_claim(claim_id, by=by, revision=revision, task=task_of_kind(kind))
    earlier = list(documents_for(by, claim).filter(kind=kind, line__isnull=True).values_list("id", flat=True))
    document = add_document(
        claim_id,
        kind=kind,
        filename=upload.filename if upload else "",
        data=upload.data if upload else None,
        url=url,
        note=note,
        dated_on=dated_on,
        by=by,
        at=at,
    )
    for document_id in earlier if replace else []:
        remove_document(claim_id, document_id, by=by, at=at)
    return document


@transaction.atomic
def date_document(
    claim_id: int, document_id: int, day: date | None, *, revision: int | None = None, by: Person, at: datetime
) -> Document:
    """Say which day stands on a document of an open claim. Raises NotFound, NotAllowed, Stale, WrongStatus."""
    kind = Document.objects.filter(id=document_id, claim_id=claim_id).values_list("kind", flat=True).first()
    claim = lock_open_claim(claim_id, by=by, revision=revision, task=task_of_kind(kind) if kind else "")
    document = documents_for(by, claim).filter(id=document_id).first()
    if document is None:
        raise NotFound("There is no such document in this claim.")
    document.dated_on = day
    document.save()
    touched(claim, "claim.document_dated", by=by, at=at, document=str(document.pk), kind=document.kind)
    return document


@transaction.atomic
def reuse_document(
    claim_id: int,
    source_id: int,
    *,
    kind: str,
    line_id: int | None = None,
    note: str = "",
    revision: int | None = None,
    by: Person,
    at: datetime,
) -> Document:
    """Offer a file of an earlier claim of the same partner once more: the same bytes, without sending them again.

    A CSR that was signed in the product is of its line alone and is not used again. Raises NotFound, NotAllowed, Stale,
    WrongStatus, Invalid.
    """
    claim = lock_open_claim(claim_id, by=by, revision=revision)
    source = reusable(claim, kind).filter(id=source_id).first()
    if source is None:
        raise NotFound("There is no such file to use again.")
    require_kind(claim, kind, line_id, has_file=True, url="")
    document = Document.objects.create(
        claim=claim,
        line_id=line_id,
        kind=kind,
        stored=hold(source.stored),
        filename=source.filename,
        dated_on=source.dated_on,
        note=note[:500],
        reused_from=source,
        uploaded_by=by,
        created_at=at,
    )
    touched(
        claim,
        "claim.document_added",
        by=by,
        at=at,
        document=str(document.pk),
        kind=kind,
        sha256=document.sha256,
        **line_of(document),
        reused_from=source.claim.number,
    )
    look_for_duplicates(claim, at)
    return document
