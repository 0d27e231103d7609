"""Earnings files: taken in, then checked by a worker; committing is in funds.operations.earnings."""

from __future__ import annotations

import hashlib
from datetime import datetime

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction

from coop.lib.db import execute
from coop.lib.errors import Refused, TooLarge
from coop.lib.transitions import follow
from funds import reports, states
from funds.models import Import
from funds.operations.earnings import check_staged, stage
from partners import events
from partners.models import Person
from partners.permissions import require_role
from partners.states import FINANCE


@transaction.atomic
def receive_file(*, filename: str, data: bytes, by: Person, at: datetime) -> Import:
    """Keep an earnings file for a worker to check. What is wrong with the file as a whole is refused here and now.

    Raises NotAllowed, TooLarge, Invalid.
    """
    require_role(by, FINANCE, to="import earnings")
    if len(data) > settings.IMPORT_MAX_BYTES:
        raise TooLarge(f"The file has {len(data):,} bytes; at most {settings.IMPORT_MAX_BYTES:,} are taken. Split it.")
    form, _ = reports.read(data)
    delivery = Import(
        filename=filename[-200:],
        format=form,
        status="queued",
        sha256=hashlib.sha256(data).hexdigest(),
        created_by=by,
        created_at=at,
    )
    delivery.file.save("earnings.csv", ContentFile(data), save=False)
    delivery.save()
    events.record("import.received", delivery, by=by, at=at, filename=delivery.filename, sha256=delivery.sha256)
    return delivery


def waiting() -> list[int]:
    """Ids of imports that wait to be checked."""
    return list(Import.objects.filter(status="queued").order_by("id").values_list("id", flat=True))


@transaction.atomic
def check_import(import_id: int, *, at: datetime) -> Import | None:
    """Stage and judge a queued import: nothing is posted. None if another worker has it or had it.

    A file that breaks in the middle (quotes, no lines) makes the import fail with the sentence; none of it is kept.
    """
    delivery = Import.objects.select_for_update(skip_locked=True).filter(id=import_id, status="queued").first()
    if delivery is None:
        return None
    delivery.status = follow(states.IMPORTS, "run", delivery.status, what=f"import {delivery}")
    try:
        with transaction.atomic(), delivery.file.open("rb") as file:
            _, lines = reports.read(file.read())
            check_staged(delivery, lines=stage(delivery.id, lines), at=at)
    except Refused as refusal:
        delivery.status, delivery.failure = "failed", refusal.message
        execute("DELETE FROM funds_stagedline WHERE import_id = %s", [delivery.id])
    delivery.revision += 1
    delivery.save()
    verb = "import.failed" if delivery.status == "failed" else "import.checked"
    events.record(
        verb, delivery, by=None, at=at, new=delivery.new, rejected=delivery.rejected, failure=delivery.failure
    )
    return delivery
