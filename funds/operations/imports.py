"""Earnings files: taken in and kept for a worker (funds.operations.deliveries); committing is in funds.operations.earnings.

What a file is and what its columns mean is told here and now; its lines are looked at by the worker.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import IO

from django.conf import settings
from django.core.files.base import File
from django.db import transaction

from coop.lib.errors import NotFound, TooLarge, WrongStatus, check_revision
from coop.lib.transitions import follow
from funds import states
from funds.files import Packed, Sheet, UnknownColumns, fingerprint, open_sheet, understand
from funds.models import ColumnMapping, Import
from partners import events
from partners.models import Person
from partners.permissions import require_role
from partners.states import FINANCE

SUFFIXES = {b"\x1f\x8b": ".csv.gz", b"PK": ".xlsx"}


class Hashed(File):  # type: ignore[type-arg]
    """A file that is hashed while it is stored, block by block."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self.sha256 = hashlib.sha256()

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        self.seek(0)
        while block := self.read(chunk_size or self.DEFAULT_CHUNK_SIZE):
            self.sha256.update(block)
            yield block


@transaction.atomic
def receive_file(
    *,
    filename: str,
    file: IO[bytes],
    mapping: Mapping[str, str] | None = None,
    keep_unmapped: bool = False,
    max_bytes: int | None = None,
    by: Person,
    at: datetime,
) -> Import:
    """Keep an earnings file for a worker to check. What is wrong with the file as a whole is refused here and now.

    `mapping` ({staged field: name of a column}) is remembered for every file with the same header. A file whose columns are
    not understood is refused, or with `keep_unmapped` kept as failed until `map_columns` says what they mean. Of gzip the
    unpacked size counts. Raises NotAllowed, TooLarge, Invalid.
    """
    require_role(by, FINANCE, to="import earnings")
    require_size(file, settings.IMPORT_MAX_BYTES if max_bytes is None else max_bytes)
    delivery = Import(filename=filename[-200:], created_by=by, created_at=at)
    try:
        _read_columns(delivery, open_sheet(file, mapping=mapping, recall=remembered))
    except UnknownColumns as unknown:
        if not keep_unmapped:
            raise
        delivery.status, delivery.format = "failed", "incentives"
        delivery.columns, delivery.failure = unknown.columns, unknown.message
    if mapping and delivery.status == "queued":
        _remember(delivery, by=by, at=at)
    _store(delivery, file)
    events.record("import.received", delivery, by=by, at=at, filename=delivery.filename, sha256=delivery.sha256)
    return delivery


@transaction.atomic
def map_columns(
    import_id: int, *, mapping: Mapping[str, str], revision: int | None = None, by: Person, at: datetime
) -> Import:
    """Say what the columns of a kept file mean; the file waits to be checked then, and the mapping is remembered.

    Raises NotAllowed, NotFound, Stale, WrongStatus, Invalid with all that is wrong with the mapping.
    """
    delivery = Import.objects.select_for_update().filter(id=import_id).first()
    if delivery is None:
        raise NotFound("There is no such import.")
    require_role(by, FINANCE, to="import earnings")
    check_revision(revision, delivery.revision)
    if not needs_mapping(delivery):
        raise WrongStatus("The columns of this import are understood, so there is nothing to say of them.")
    status = follow(states.IMPORTS, "map", delivery.status, what=f"import {delivery}")
    with delivery.file.open("rb") as file:
        _read_columns(delivery, open_sheet(file, mapping=mapping))
    delivery.status, delivery.failure = status, ""
    delivery.revision += 1
    delivery.save()
    _remember(delivery, by=by, at=at)
    events.record("import.mapped", delivery, by=by, at=at, mapping=delivery.mapping)
    return delivery


def needs_mapping(delivery: Import) -> bool:
    """Whether a failed import failed because nobody has said yet what its columns mean."""
    if delivery.status != "failed" or not delivery.columns:
        return False
    try:
        understand(delivery.columns, delivery.mapping)
    except UnknownColumns:
        return True
    return False


def require_size(file: IO[bytes], limit: int) -> None:
    """Unpacks gzip to its end, so that a file that is cut off or explodes is refused here. Raises TooLarge, Invalid."""
    packed = Packed(file)
    size = 0
    for block in packed.blocks() if packed.is_gzip else ():
        size += len(block)
        if size > limit:
            break
    if max(packed.size, size) > limit:
        raise TooLarge(
            f"At most {limit:,} bytes are taken here{', unpacked' if packed.is_gzip else ''}, and the file has more. Split it, "
            "or have it imported on the server: manage.py import_earnings FILE."
        )


def remembered(header: str) -> dict[str, str] | None:
    """The mapping that was said for a header, by its fingerprint."""
    return ColumnMapping.objects.filter(header=header).values_list("mapping", flat=True).first()


def _read_columns(delivery: Import, sheet: Sheet) -> None:
    delivery.status = "queued"
    delivery.format, delivery.columns, delivery.mapping = sheet.form, sheet.columns, sheet.mapping
    delivery.remark = sheet.remark


def _remember(delivery: Import, *, by: Person, at: datetime) -> None:
    said = {"mapping": delivery.mapping, "saved_by": by, "saved_at": at}
    ColumnMapping.objects.update_or_create(header=fingerprint(delivery.columns), defaults=said)


def _store(delivery: Import, file: IO[bytes]) -> None:
    file.seek(0)
    suffix = SUFFIXES.get(file.read(2), ".csv")
    hashed = Hashed(file)
    delivery.file.save(f"earnings{suffix}", hashed, save=False)
    delivery.sha256 = hashed.sha256.hexdigest()
    try:
        delivery.save()
    except BaseException:
        delivery.file.storage.delete(str(delivery.file.name))
        raise
