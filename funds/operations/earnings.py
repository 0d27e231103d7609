"""Taking earnings in: what people and machines ask for. Lines are judged and posted in sets, one entry for each fund.

A file goes in two steps: a worker checks it (funds/operations/deliveries.py), a person looks at what it would do and commits
it. The lines of a request go in one. What was committed can be reversed (funds/operations/reversal.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction

from coop.lib import clock
from coop.lib.db import execute
from coop.lib.errors import LookAgain, NotFound, check_revision
from coop.lib.transitions import follow
from funds import states
from funds.judging.effects import judged_by, shown
from funds.judging.lines import keep_lines, source_of_file
from funds.models import Import
from funds.operations.posting import has_closed, hold_periods, judge_lines, post_lines
from funds.progress import Tell, silent
from funds.queries.effects import rejected_lines
from partners import events
from partners.models import Person
from partners.permissions import require_role
from partners.states import FINANCE

__all__ = ["commit_import", "discard_import", "rejected_lines", "take_lines"]


@transaction.atomic
def take_lines(lines: Sequence[Mapping[str, str | None]], *, by: Person, at: datetime) -> Import:
    """Check and post the lines of one request. Lines are independent: bad ones are rejected, each with its reason, the
    good ones are taken, and of a corrected one the difference is posted. `lines` hold text by the names of staged fields
    (funds/judging/lines.py, FIELDS); line numbers are their indexes, from 0.

    Raises NotAllowed.
    """
    require_role(by, FINANCE, to="send earnings")
    delivery = Import.objects.create(format="incentives", status="running", created_by=by, created_at=at)
    source = keep_lines(delivery, lines)
    judge_lines(delivery, source, at=at)
    hold_periods(delivery)
    # The periods are held now: what is open at this reading of the clock stays open until the money is posted.
    at = max(at, clock.now())
    if has_closed(delivery, at=at):
        judge_lines(delivery, source, at=at)
    post_lines(delivery, lambda: judge_lines(delivery, source, at=at), by=by, at=at)
    _note_commit(delivery, by=by, at=at)
    return delivery


class ShownOtherwise(Exception):
    """The lines were judged once more and came out otherwise than was shown."""


def commit_import(import_id: int, *, revision: int | None = None, by: Person, at: datetime) -> Import:
    """Post a checked import: exactly what its dry run showed, all of it or nothing.

    A large one is noted for a worker to post, and is `running` until then. If what the lines are judged by has changed since
    the check, they are judged once more; if that gives anything else than was shown, the import is `ready` again with what
    it would do now. Raises NotFound, NotAllowed, Stale, WrongStatus, and LookAgain in that last case.
    """
    with transaction.atomic():
        delivery = lock_import(import_id, by=by, revision=revision)
        require_role(by, FINANCE, to="commit imports")
        if delivery.lines > settings.IMPORT_LINES_AT_ONCE:
            delivery.status = follow(states.IMPORTS, "ask_commit", delivery.status, what=f"import {delivery}")
            return ask_worker(delivery, "commit", by=by, at=at)
        follow(states.IMPORTS, "commit", delivery.status, what=f"import {delivery}")
        post_import(delivery, by=by, at=at)
    require_committed(delivery)
    return delivery


def require_committed(delivery: Import) -> None:
    """Raises LookAgain."""
    if delivery.status == "ready":
        raise LookAgain(delivery.failure)


def ask_worker(delivery: Import, what: str, *, by: Person, at: datetime) -> Import:
    """Note that a worker is to commit or reverse an import."""
    delivery.asked_for, delivery.asked_by, delivery.asked_at = what, by, at
    delivery.revision += 1
    delivery.save()
    events.record(f"import.{what}_asked", delivery, by=by, at=at, vendor_only=True, filename=delivery.filename)
    return delivery


def post_import(delivery: Import, *, by: Person, at: datetime, tell: Tell = silent) -> None:
    """Post a locked, checked import, or hold it back: its status says which."""
    hold_periods(delivery)
    at = max(at, clock.now())
    wanted = shown(delivery)

    def judge_again() -> None:
        tell("Judging once more", 2)
        delivery.checked_against = judged_by()
        judge_lines(delivery, source_of_file(delivery), at=at)
        if shown(delivery) != wanted:
            raise ShownOtherwise

    try:
        with transaction.atomic():
            if has_closed(delivery, at=at) or judged_by() != delivery.checked_against:
                judge_again()
                hold_periods(delivery)
            post_lines(delivery, judge_again, by=by, at=at, tell=tell)
    except ShownOtherwise:
        _hold_back(delivery, by=by, at=at)
    else:
        _note_commit(delivery, by=by, at=at)


def _hold_back(delivery: Import, *, by: Person, at: datetime) -> None:
    """Keep what the lines would do now, for somebody to look at."""
    delivery.checked_against = judged_by()
    judge_lines(delivery, source_of_file(delivery), at=at)
    delivery.status = follow(states.IMPORTS, "hold_back", delivery.status, what=f"import {delivery}")
    delivery.failure = (
        "Nothing was posted: since this import was checked, programs, enrollments, rates, deadlines or known lines have "
        "changed, and its lines now come out otherwise than you were shown. Look at it once more and commit it then."
    )
    delivery.asked_for, delivery.asked_by, delivery.asked_at = "", None, None
    delivery.revision += 1
    delivery.save()
    events.record("import.held_back", delivery, by=by, at=at, vendor_only=True, filename=delivery.filename)


def _note_commit(delivery: Import, *, by: Person, at: datetime) -> None:
    delivery.status = follow(states.IMPORTS, "commit", delivery.status, what=f"import {delivery}")
    delivery.committed_by, delivery.committed_at = by, at
    delivery.asked_for, delivery.failure = "", ""
    delivery.revision += 1
    delivery.save()
    events.record(
        "import.committed",
        delivery,
        by=by,
        at=at,
        filename=delivery.filename,
        lines=delivery.new,
        corrected=delivery.changed,
        totals=delivery.totals,
    )


@transaction.atomic
def discard_import(import_id: int, *, revision: int | None = None, by: Person, at: datetime) -> Import:
    """Drop an import that was not committed. Raises NotFound, NotAllowed, Stale, WrongStatus."""
    delivery = lock_import(import_id, by=by, revision=revision)
    require_role(by, FINANCE, to="discard imports")
    delivery.status = follow(states.IMPORTS, "discard", delivery.status, what=f"import {delivery}")
    delivery.failure = ""
    delivery.revision += 1
    delivery.save()
    drop_lines(delivery)
    events.record("import.discarded", delivery, by=by, at=at, filename=delivery.filename)
    return delivery


def drop_lines(delivery: Import) -> None:
    """Forget all lines of an import that was not posted."""
    for table in ("funds_stagedline", "funds_importeffect", "funds_sentline"):
        execute(f"DELETE FROM {table} WHERE import_id = %s", [delivery.pk])


def lock_import(import_id: int, *, by: Person, revision: int | None) -> Import:
    """Raises NotFound, Stale."""
    delivery = Import.objects.visible_to(by).select_for_update(of=("self",)).filter(id=import_id).first()
    if delivery is None:
        raise NotFound("There is no such import.")
    check_revision(revision, delivery.revision)
    return delivery
