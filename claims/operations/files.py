"""The bytes of documents: kept once, forgotten when nobody names them, deleted when they are old.

Whoever writes or deletes bytes first takes the lock of their name, and keeps it until the end of the transaction. So bytes
are never deleted under a row that is being written, and a row is never written for bytes that are being deleted. Deleting
goes in two steps: the row says it first, then the bytes go. Between the two a crash leaves litter, never a lost proof.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import datetime

from django.core.files.base import ContentFile
from django.db import transaction

from claims.models import Document, StoredFile
from claims.queries.retention import is_due
from claims.storage import (
    DOCUMENTS,
    PREVIEWS,
    files_in,
    folders_in,
    hash_of,
    is_whole,
    name_of,
    preview_folder,
    storage,
)
from coop.lib.db import execute, rows
from coop.lib.errors import Gone, NotFound
from coop.lib.nudge import nudge
from partners import events

# What is said of bytes that were kept as long as they had to be.
GONE = "The file was deleted 24 months after the activity; its hash is kept."
LOCK = "hashtextextended(%s, 4)"


def lock_bytes(name: str) -> None:
    """Wait for whoever writes or deletes these bytes. To be called inside a transaction, which holds the lock to its end."""
    execute(f"SELECT pg_advisory_xact_lock({LOCK})", [name])


def try_lock_bytes(name: str) -> bool:
    return bool(rows(f"SELECT pg_try_advisory_xact_lock({LOCK})", [name])[0][0])


# --- Keeping ------------------------------------------------------------------------------------------------------------


def store(data: bytes, media_type: str, *, at: datetime) -> StoredFile:
    """The bytes, kept once: whoever sends the same bytes again gets the file that is there. Inside a transaction."""
    sha256 = hashlib.sha256(data).hexdigest()
    name = name_of(sha256)
    lock_bytes(name)
    known = StoredFile.objects.filter(sha256=sha256).first()
    if known is not None and known.deleted_at is None:
        if not is_whole(str(known.file.name), sha256):
            put(str(known.file.name), data)  # they were lost, and here they are again
        return known
    if not is_whole(name, sha256):  # litter of somebody who did not get to the end may lie there
        put(name, data)
    file = known or StoredFile(sha256=sha256, created_at=at)
    file.media_type, file.size, file.deleted_at = media_type, len(data), None
    file.preview, file.preview_note, file.preview_tries, file.pages = "waiting", "", 0, 0
    file.file.name = name
    file.save()
    nudge("coop.make_previews")
    return file


def hold(stored: StoredFile | None) -> StoredFile:
    """A stored file to be named once more, which stays until the end of the transaction. Raises NotFound, Gone."""
    if stored is None:
        raise NotFound("This document is a link; it has no bytes here.")
    lock_bytes(name_of(stored.sha256))
    found = StoredFile.objects.filter(id=stored.pk, deleted_at__isnull=True).first()
    if found is None:
        raise Gone(GONE)
    return found


def put(name: str, data: bytes) -> None:
    """Write bytes under exactly this name, in place of what lies there."""
    place = storage()
    place.delete(name)
    kept = place.save(name, ContentFile(data))
    if kept != name:
        place.delete(kept)
        raise OSError(f"{name} cannot be written: something came in between.")


# --- Forgetting ---------------------------------------------------------------------------------------------------------


def forget_unused(stored: StoredFile) -> None:
    """Forget a file whose last document is taken out in this transaction, once that is committed."""
    stored_id = stored.pk
    transaction.on_commit(lambda: forget(stored_id), robust=True)


def forget(stored_id: int) -> bool:
    """Delete a stored file that no document names, row first. False while somebody names it, or is at work on it.

    A file that was kept as long as it had to be is not forgotten: its hash stays.
    """
    with transaction.atomic():
        found = StoredFile.objects.filter(id=stored_id).first()
        if found is None or not try_lock_bytes(name_of(found.sha256)):
            return False
        locked = StoredFile.objects.select_for_update(skip_locked=True).filter(id=stored_id).first()
        if locked is None or Document.objects.filter(stored=stored_id).exists():
            return False
        name, sha256 = str(locked.file.name), locked.sha256
        locked.delete()
    drop_bytes(name, sha256)
    return True


def drop_bytes(name: str, sha256: str) -> bool:
    """Delete the bytes and the preview of what has no row any more, or a row that says that they are deleted."""
    with transaction.atomic():
        if not try_lock_bytes(name_of(sha256)):
            return False
        row = StoredFile.objects.filter(sha256=sha256).first()
        if row is not None and row.deleted_at is None:
            return False
        storage().delete(name)
        for page in files_in(preview_folder(sha256)):
            storage().delete(page)
        delete_folder(preview_folder(sha256))
        if row is not None:
            StoredFile.objects.filter(id=row.pk).update(file="")
    return True


def drop_bytes_without_row(name: str) -> None:
    """Delete bytes whose row was rolled back, for a door that only tried."""
    drop_bytes(name, name.rpartition("/")[2])


def delete_folder(name: str) -> None:
    """Folders are of no interest; a storage that has some keeps no empty ones."""
    try:
        storage().delete(name)
    except OSError:  # not empty, or no folder
        return


# --- Retention ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def delete_old(stored_id: int, *, at: datetime) -> bool:
    """Say of a file that it is deleted, if no claim needs it any more (claims/queries/retention.py). The bytes go after it.

    The row with hash, size, type and print stays, so that the same evidence is recognised later. False where it is not due.
    """
    found = StoredFile.objects.filter(id=stored_id).first()
    if found is None:
        return False
    lock_bytes(name_of(found.sha256))
    locked = StoredFile.objects.select_for_update().get(id=stored_id)
    if locked.deleted_at is not None or not is_due(stored_id, at):
        return False
    locked.deleted_at, locked.preview, locked.pages, locked.preview_note = at, "none", 0, GONE
    locked.save()
    for document in Document.objects.filter(stored=stored_id).select_related("claim"):
        events.record(
            "claim.file_deleted",
            document.claim,
            by=None,
            at=at,
            number=document.claim.number,
            document=str(document.pk),
            sha256=locked.sha256,
        )
    name, sha256 = str(locked.file.name), locked.sha256
    transaction.on_commit(lambda: drop_bytes(name, sha256), robust=True)
    return True


def left_over() -> Iterator[tuple[str, str]]:
    """What is still there and should not be: bytes of rows that say they are deleted, and bytes without a row; (name, hash)."""
    for stored in StoredFile.objects.filter(deleted_at__isnull=False).exclude(file="").iterator():
        yield str(stored.file.name), stored.sha256
    for root in (DOCUMENTS, PREVIEWS):
        for folder in folders_in(root):
            yield from without_row(root, f"{root}/{folder}")


def without_row(root: str, folder: str) -> Iterator[tuple[str, str]]:
    named = {name.rpartition("/")[2]: name for name in files_in(folder)}
    if root == PREVIEWS:
        named |= {name: f"{DOCUMENTS}/{name[:2]}/{name}" for name in folders_in(folder)}
    found = [name for name in named if re.fullmatch("[0-9a-f]{64}", name)]
    known = set(StoredFile.objects.filter(sha256__in=found, deleted_at__isnull=True).values_list("sha256", flat=True))
    yield from ((named[sha256], sha256) for sha256 in found if sha256 not in known)


# --- Checking -----------------------------------------------------------------------------------------------------------


@transaction.atomic
def check_file(stored_id: int, *, at: datetime) -> str:
    """Read a file through and compare its hash; what is wrong with it, or nothing. Notes when it was last found whole."""
    stored = StoredFile.objects.filter(id=stored_id, deleted_at__isnull=True).first()
    if stored is None:
        return ""
    try:
        found = hash_of(str(stored.file.name))
    except FileNotFoundError:
        return f"file {stored.pk}: the bytes of {stored.sha256} are missing"
    if found != stored.sha256:
        return f"file {stored.pk}: the bytes of {stored.sha256} have the hash {found}"
    StoredFile.objects.filter(id=stored.pk).update(checked_at=at)
    return ""
