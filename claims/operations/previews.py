"""Previews of files, and prints of pictures: made by a worker, each file in a confined process of its own.

A preview is a convenience: whatever becomes of it, the file itself is there and is what counts. It may be asked for twice,
by two workers at once, or by one that dies at it: the try is counted before it begins, and after the third nobody tries any
more.
"""

from __future__ import annotations

import json
from datetime import datetime

import structlog
from django.db import transaction

from claims.files import confined
from claims.models import Claim, StoredFile
from claims.operations.duplicates import look_for_duplicates
from claims.operations.files import put
from claims.storage import preview_folder
from coop.lib.db import execute, rows

log = structlog.get_logger()

MAX_TRIES = 3
ALIKE = 6  # bits of 64 in which the prints of the same picture may differ
GAVE_UP = "The preview took too long, or too much memory. Download the file to look at it."
NOTHING_TO_SHOW = "There is nothing in this file that can be shown here. Download it to look at it."
AT_WORK = "hashtextextended('preview ' || %s, 4)"
# Of pictures that are all alike, such as a logo, a reviewer learns as much from the nearest.
MOST_ALIKE = 50
# All prints are read through for each new one: a million of them take a fifth of a second, and a worker does it.
FIND_ALIKE = f"""
INSERT INTO claims_samepicture (stored_id, other_id)
SELECT GREATEST(id, %(id)s), LEAST(id, %(id)s) FROM claims_storedfile
WHERE picture IS NOT NULL AND id <> %(id)s AND bit_count((picture # %(picture)s)::bit(64)) <= {ALIKE}
ORDER BY bit_count((picture # %(picture)s)::bit(64)), id LIMIT {MOST_ALIKE}
ON CONFLICT DO NOTHING
"""


def waiting(limit: int = 100) -> list[int]:
    """Ids of the files that wait for their preview, the oldest first."""
    found = StoredFile.objects.filter(preview="waiting", deleted_at__isnull=True).order_by("id")
    return list(found.values_list("id", flat=True)[:limit])


def make_preview(stored_id: int, *, at: datetime) -> bool:
    """Draw a file, keep its pages or text, and look for pictures like it. False where another worker is at it, or was."""
    if not _begin_try(stored_id):
        return False
    with transaction.atomic():
        if not is_mine(stored_id):
            return False
        stored = StoredFile.objects.filter(id=stored_id, preview="waiting", deleted_at__isnull=True).first()
        if stored is None:
            return False
        try:
            with stored.file.open("rb") as file:
                preview = confined.preview_of(file, stored.media_type)
        except FileNotFoundError:
            preview = confined.Preview(failed="The file is missing in the store.")
        except confined.GaveUp as reason:
            log.warning("preview.gave_up", file=stored_id, reason=str(reason), tries=stored.preview_tries)
            if stored.preview_tries < MAX_TRIES:
                return False
            preview = confined.Preview(failed=GAVE_UP)
        keep_preview(stored_id, preview, at=at)
    return True


@transaction.atomic
def _begin_try(stored_id: int) -> bool:
    """Count a try before it begins, so that a file which kills its worker is not tried for ever."""
    if not is_mine(stored_id):
        return False
    waits = StoredFile.objects.select_for_update(no_key=True, skip_locked=True).filter(id=stored_id, preview="waiting")
    stored = waits.first()
    if stored is None:
        return False
    stored.preview_tries += 1
    if stored.preview_tries > MAX_TRIES:
        stored.preview, stored.preview_note = "failed", GAVE_UP
    stored.save(update_fields=["preview_tries", "preview", "preview_note"])
    return stored.preview == "waiting"


def is_mine(stored_id: int) -> bool:
    """Whether no other worker draws this file; none will until the end of the transaction."""
    return bool(rows(f"SELECT pg_try_advisory_xact_lock({AT_WORK})", [str(stored_id)])[0][0])


@transaction.atomic
def keep_preview(stored_id: int, preview: confined.Preview, *, at: datetime) -> None:
    """Keep what was drawn beside the file, and look anew at the claims that name a picture."""
    stored = StoredFile.objects.select_for_update(no_key=True).filter(id=stored_id, deleted_at__isnull=True).first()
    if stored is None:
        return
    folder = preview_folder(stored.sha256)
    for number, page in enumerate(preview.pages, 1):
        put(f"{folder}/{number}.png", page)
    if preview.blocks:
        put(f"{folder}/text.json", json.dumps(preview.blocks).encode())
    shown = bool(preview.pages or preview.blocks)
    stored.preview = "failed" if preview.failed else "ready" if shown else "none"
    stored.preview_note = preview.failed or ("" if shown else NOTHING_TO_SHOW)
    stored.pages, stored.picture = len(preview.pages), preview.picture
    stored.save()
    if preview.error:
        log.info("preview.failed", file=stored_id, error=preview.error)
    if stored.picture is not None:
        execute(FIND_ALIKE, {"id": stored.pk, "picture": stored.picture})
        for claim in claims_of(stored):
            look_for_duplicates(claim, at)


def claims_of(stored: StoredFile) -> list[Claim]:
    """The claims that name a file, locked: by id, as everybody does."""
    named = Claim.objects.filter(documents__stored=stored).values("id")
    return list(Claim.objects.select_for_update(no_key=True).filter(id__in=named).order_by("id"))
