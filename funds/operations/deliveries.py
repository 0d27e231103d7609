"""What workers do with imports: check what waits, and commit or reverse what is too large for a request.

Each import is one transaction. A worker that is killed at any point leaves nothing, and the next run begins anew.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from coop.lib.errors import Refused
from coop.lib.transitions import follow
from funds import states
from funds.files import open_sheet
from funds.judging.effects import judged_by
from funds.judging.lines import keep_file, source_of_file
from funds.models import Import
from funds.operations.earnings import post_import
from funds.operations.posting import judge_lines
from funds.operations.reversal import reverse_import, take_back
from funds.progress import Tell, telling
from partners import events

__all__ = ["asked_for", "check_import", "reverse_import", "waiting", "work_on"]


def waiting() -> list[int]:
    """Ids of imports that wait to be checked."""
    return list(Import.objects.filter(status="queued").order_by("id").values_list("id", flat=True))


def asked_for() -> list[int]:
    """Ids of imports that a worker is to commit or reverse."""
    return list(Import.objects.exclude(asked_for="").order_by("asked_at", "id").values_list("id", flat=True))


@transaction.atomic
def check_import(import_id: int, *, at: datetime) -> Import | None:
    """Keep and judge the lines of a queued import: nothing is posted. None if another worker has it or had it.

    A file that breaks in the middle (quotes, no lines) makes the import fail with the sentence; none of it is kept.
    """
    delivery = Import.objects.select_for_update(skip_locked=True).filter(id=import_id, status="queued").first()
    if delivery is None:
        return None
    delivery.status = follow(states.IMPORTS, "run", delivery.status, what=f"import {delivery}")
    try:
        with transaction.atomic(), telling(import_id) as tell:
            _check(delivery, at=at, tell=tell)
    except Refused as refusal:
        delivery.status, delivery.failure = "failed", refusal.message
    delivery.revision += 1
    delivery.save()
    events.record(
        "import.failed" if delivery.status == "failed" else "import.checked",
        delivery,
        by=None,
        at=at,
        new=delivery.new,
        changed=delivery.changed,
        rejected=delivery.rejected,
        failure=delivery.failure,
    )
    return delivery


def _check(delivery: Import, *, at: datetime, tell: Tell) -> None:
    with delivery.file.open("rb") as file:
        sheet = open_sheet(file, mapping=delivery.mapping or None)
        keep_file(delivery, sheet, lambda share: tell("Reading", 40 * share))
        delivery.remark = sheet.remark
    # Before the lines are judged: what changes meanwhile makes another fingerprint at the commit.
    delivery.checked_against = judged_by()
    tell("Judging", 40)
    judge_lines(delivery, source_of_file(delivery), at=at)
    tell("Judging", 95)
    delivery.status = follow(states.IMPORTS, "check", delivery.status, what=f"import {delivery}")


@transaction.atomic
def work_on(import_id: int, *, at: datetime) -> Import | None:
    """Commit or reverse an import as somebody asked. None if another worker has it or had it.

    What an operation refuses at this point is kept with the import as its failure, for whoever asked.
    """
    found = Import.objects.select_for_update(skip_locked=True, of=("self",)).select_related("asked_by")
    delivery = found.filter(id=import_id).exclude(asked_for="").first()
    if delivery is None or delivery.asked_by is None:
        return None
    asked, by = delivery.asked_for, delivery.asked_by
    try:
        with transaction.atomic(), telling(import_id) as tell:
            if asked == "commit":
                post_import(delivery, by=by, at=at, tell=tell)
            else:
                take_back(delivery, by=by, at=at, tell=tell)
    except Refused as refusal:
        delivery.refresh_from_db()
        if asked == "commit":
            delivery.status = follow(states.IMPORTS, "hold_back", delivery.status, what=f"import {delivery}")
        delivery.asked_for, delivery.failure = "", refusal.message
        delivery.revision += 1
        delivery.save()
        events.record(f"import.{asked}_refused", delivery, by=by, at=at, vendor_only=True, failure=delivery.failure)
    return delivery
