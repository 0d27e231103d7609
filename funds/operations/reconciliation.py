"""Holding the vendor's own report against our books. It changes no money: it counts, sums and names what differs.

The report is copied into a table of this transaction and matched with a fixed number of statements, however long it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any, BinaryIO

from django.db import connection, transaction

from coop.lib.db import execute, named_rows, rows
from coop.lib.errors import Invalid, TooLarge
from coop.lib.money import to_text
from funds import states
from funds.models import Reconciliation
from funds.operations.reconciliation_sql import EARNED, PAID, SCOPE, TOTALS
from funds.reconciliation_files import Row, read_report
from partners import events
from partners.models import Person
from partners.permissions import require_role
from partners.states import FINANCE

MAX_BYTES = 50 * 1024 * 1024
COLUMNS = "line_no, key, problem, bank_reference, place, program, kind, day, currency, amount_minor, paid"


@transaction.atomic
def reconcile(
    *, kind: str, filename: str, file: BinaryIO, known_at: datetime | None = None, by: Person, at: datetime
) -> Reconciliation:
    """Compare a report of what was `earned` or `paid` with our books as they were known at `known_at` (by default, now).

    Raises NotAllowed, TooLarge, and Invalid for a file that is no such report.
    """
    require_role(by, FINANCE, to="reconcile reports")
    require_askable(kind, known_at, at=at)
    made = Reconciliation.objects.create(
        kind=kind,
        filename=filename[-200:],
        sha256=fingerprint(file),
        known_at=known_at or at,
        created_by=by,
        created_at=at,
    )
    _copy(read_report(kind, file))
    _match(made)
    execute("DROP TABLE reported, scope, ours")
    events.record(
        "reconciliation.made",
        made,
        by=by,
        at=at,
        vendor_only=True,
        kind=kind,
        filename=made.filename,
        **{name: getattr(made, name) for name in ("matched", *states.RECONCILED_OUTCOMES)},
    )
    return made


def require_askable(kind: str, known_at: datetime | None, *, at: datetime) -> None:
    if kind not in states.RECONCILIATION_KINDS:
        raise Invalid.field("kind", "Say what the report is about: earned or paid.")
    if known_at is not None and known_at > at:
        raise Invalid.field("known_at", "This instant has not come yet, so nobody knows what the books will say then.")


def fingerprint(file: BinaryIO) -> str:
    """SHA-256 of the whole file, read in blocks; it stands at its beginning again afterwards. Raises TooLarge."""
    found, size = hashlib.sha256(), 0
    file.seek(0)
    while block := file.read(1024 * 1024):
        size += len(block)
        found.update(block)
        if size > MAX_BYTES:
            raise TooLarge(f"The file has more than {MAX_BYTES:,} bytes. Split it.")
    file.seek(0)
    return found.hexdigest()


def _copy(lines: Iterable[Row]) -> None:
    """COPY the rows of the report into a table that lasts as long as this comparison."""
    execute(
        """CREATE TEMP TABLE reported (line_no int, key text, problem text, bank_reference text, place text, program text,
             kind text, day date, currency text, amount_minor bigint, paid boolean, partner_id bigint, program_id bigint)
           ON COMMIT DROP"""
    )
    with connection.cursor() as cursor, cursor.copy(f"COPY reported ({COLUMNS}) FROM STDIN") as copy:
        for row in lines:
            copy.write_row([getattr(row, name) for name in COLUMNS.split(", ")])


def _match(made: Reconciliation) -> None:
    """Find what the report covers and what is ours of it, write down what differs, and count."""
    statements = EARNED if made.kind == "earned" else PAID
    values = {"id": made.pk, "known_at": made.known_at}
    for statement in statements.prepare:
        execute(statement)
    execute("ANALYZE reported")  # it was just filled, and nobody else counts the rows of a table that is ours alone
    execute(statements.scope)
    execute(statements.ours, values)
    execute("ANALYZE ours")
    for statement in statements.write:
        execute(statement, values)
    found = dict(
        rows("SELECT outcome, count(*) FROM funds_reconciledline WHERE reconciliation_id = %s GROUP BY 1", [made.pk])
    )
    for name in states.RECONCILED_OUTCOMES:
        setattr(made, name, found.get(name, 0))
    [(made.matched,)] = rows(statements.matched)
    made.totals = [_total(row) for row in named_rows(TOTALS)]
    made.scope = _scope()
    made.save()


def _total(row: dict[str, Any]) -> dict[str, str]:
    currency = row["currency"]
    theirs, ours = int(row["theirs"]), int(row["ours"])
    return {
        "currency": currency,
        "theirs": to_text(theirs, currency),
        "ours": to_text(ours, currency),
        "difference": to_text(ours - theirs, currency),
    }


def _scope() -> list[dict[str, str]]:
    """What the report covers, by program and earning period: its first and last day. All programs where it names none."""
    return [
        {
            "program": row["program"] or "",
            "earning_period": row["earning_period"] or "",
            "first": row["first"].isoformat(),
            "last": row["last"].isoformat(),
        }
        for row in named_rows(SCOPE)
    ]
