"""Taking earnings in: staged, checked, and then posted at once, one entry for each fund and import.

A file goes in two steps (checked, then committed by a person), the lines of a REST request in one. Both run the same
set-based statements (funds/staging.py). Nothing is posted line by line.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from coop.lib import clock
from coop.lib.db import execute, named_rows, rows
from coop.lib.errors import NotFound, check_revision
from coop.lib.money import to_text
from coop.lib.transitions import follow
from funds import staging, states
from funds.ledger import post_selected
from funds.models import EarningPeriod, Import
from funds.operations.settlement import retest_funds, settle_locked_funds
from partners import events
from partners.models import Person
from partners.permissions import require_role
from partners.states import FINANCE

# The columns of a staged line that come from outside, in the order in which they are copied.
FIELDS = (
    "external_id",
    "location_code",
    "program_code",
    "kind",
    "earned_text",
    "amount_text",
    "currency",
    "lever",
    "reason_code",
    "settled_amount_text",
    "rate_text",
    "rate_on_text",
)


# From so many lines on the planner is told how many there are. Telling it locks out whoever else would tell it, until the
# transaction ends, so the few lines of a request go without.
WORTH_COUNTING = 1_000


def stage(import_id: int, lines: Iterable[tuple[int, dict[str, Any], dict[str, str | None]]]) -> int:
    """COPY lines into staging. Each is (line number, line as it was sent, values by FIELDS). Returns how many.

    A line that could not be read into values has a `problem` and a `message` instead and is rejected as it stands.
    """
    count = 0
    columns = ("import_id", "line_no", "raw", "outcome", "problem", "field", "message", *FIELDS)
    with connection.cursor() as cursor, cursor.copy(f"COPY funds_stagedline ({', '.join(columns)}) FROM STDIN") as copy:
        for line_no, raw, values in lines:
            problem = values.get("problem") or ""
            fault = ("rejected", problem, "line", values.get("message")) if problem else (None, "", "", "")
            copy.write_row([import_id, line_no, json.dumps(raw), *fault, *(values.get(field) for field in FIELDS)])
            count += 1
    return count


@transaction.atomic
def take_lines(lines: Sequence[dict[str, str | None]], *, by: Person, at: datetime) -> Import:
    """Check and post the lines of one request. Lines are independent: bad ones are rejected, each with its reason, the
    good ones are taken. `lines` hold text by the names of FIELDS; line numbers are their indexes, from 0.

    Raises NotAllowed.
    """
    require_role(by, FINANCE, to="send earnings")
    delivery = Import.objects.create(format="incentives", status="running", created_by=by, created_at=at)
    staged = stage(delivery.id, ((index, dict(line), line) for index, line in enumerate(lines)))
    check_staged(delivery, lines=staged, at=at)
    _post(delivery, by=by, at=at)
    return delivery


def rejected_lines(import_id: int) -> list[dict[str, Any]]:
    """The lines that were not taken: line_no, problem, field, message, raw; in the order in which they were sent."""
    return named_rows(
        """SELECT line_no, problem, field, message, raw FROM funds_stagedline
           WHERE import_id = %s AND outcome = 'rejected' ORDER BY line_no""",
        [import_id],
    )


def check_staged(delivery: Import, *, lines: int, at: datetime) -> None:
    """Judge the staged lines, so many of them, and note counts and totals on the import."""
    if lines >= WORTH_COUNTING:
        execute("ANALYZE funds_stagedline")
    staging.check(delivery.id, at=at)
    note_counts(delivery)
    delivery.status = follow(states.IMPORTS, "check", delivery.status, what=f"import {delivery}")
    delivery.progress = 100
    delivery.save()


def note_counts(delivery: Import) -> None:
    """Note on the import how many lines are new, unchanged and rejected, and what the new ones add."""
    found = staging.counts(delivery.id)
    delivery.new, delivery.unchanged, delivery.rejected = found["new"], found["unchanged"], found["rejected"]
    delivery.lines = sum(found.values())
    delivery.totals = totals(delivery.id)


def totals(import_id: int) -> list[dict[str, str]]:
    """What the new lines add, by program and currency: amount, co-op and rebate as decimal strings."""
    found = rows(
        """SELECT p.code, s.fund_currency, sum(s.fund_amount_minor), sum(s.coop_minor)
           FROM funds_stagedline s JOIN funds_program p ON p.id = s.program_id
           WHERE s.import_id = %s AND s.outcome = 'new' GROUP BY p.code, s.fund_currency ORDER BY p.code""",
        [import_id],
    )
    return [
        {
            "program": code,
            "currency": currency,
            "amount": to_text(int(amount), currency),
            "coop": to_text(int(coop), currency),
            "rebate": to_text(int(amount - coop), currency),
        }
        for code, currency, amount, coop in found
    ]


@transaction.atomic
def commit_import(import_id: int, *, revision: int | None = None, by: Person, at: datetime) -> Import:
    """Post a checked import: all its new lines or, if anything fails, none.

    The lines are judged once more first, because hours may lie between check and commit. Raises NotFound, NotAllowed,
    Stale, WrongStatus.
    """
    delivery = lock_import(import_id, by=by, revision=revision)
    require_role(by, FINANCE, to="commit imports")
    follow(states.IMPORTS, "commit", delivery.status, what=f"import {delivery}")
    delivery.status = "running"
    execute(
        """UPDATE funds_stagedline SET outcome = NULL, problem = '', field = '', message = '', partner_id = NULL,
             location_id = NULL, program_id = NULL, enrollment_id = NULL, earning_period_id = NULL, fund_amount_minor = NULL
           WHERE import_id = %s AND field <> 'line'""",
        [delivery.id],
    )
    check_staged(delivery, lines=delivery.lines, at=at)
    _post(delivery, by=by, at=at)
    return delivery


@transaction.atomic
def discard_import(import_id: int, *, revision: int | None = None, by: Person, at: datetime) -> Import:
    """Drop an import that was not committed. Raises NotFound, NotAllowed, Stale, WrongStatus."""
    delivery = lock_import(import_id, by=by, revision=revision)
    require_role(by, FINANCE, to="discard imports")
    delivery.status = follow(states.IMPORTS, "discard", delivery.status, what=f"import {delivery}")
    delivery.revision += 1
    delivery.save()
    execute("DELETE FROM funds_stagedline WHERE import_id = %s", [delivery.id])
    events.record("import.discarded", delivery, by=by, at=at, filename=delivery.filename)
    return delivery


def lock_import(import_id: int, *, by: Person, revision: int | None) -> Import:
    delivery = Import.objects.visible_to(by).select_for_update(of=("self",)).filter(id=import_id).first()
    if delivery is None:
        raise NotFound("There is no such import.")
    check_revision(revision, delivery.revision)
    return delivery


def _post(delivery: Import, *, by: Person, at: datetime) -> None:
    """Insert the new lines, make the funds that are missing, and post one entry for each fund."""
    _hold_periods(delivery.id)
    # The periods are held now: what is open at this reading of the clock stays open until the money is posted.
    at = max(at, clock.now())
    staging.reject_closed(delivery.id, at=at)
    _insert_earnings(delivery.id, at=at)
    note_counts(delivery)
    _open_missing_funds(delivery.id, at=at)
    _post_entries(delivery.id, by=by, at=at)
    _test_late_funds(delivery.id, at=at)
    delivery.status = follow(states.IMPORTS, "commit", delivery.status, what=f"import {delivery}")
    delivery.committed_by, delivery.committed_at = by, at
    delivery.revision += 1
    delivery.save()
    # Rejected lines stay, for the file that gives them back with their reasons.
    execute("DELETE FROM funds_stagedline WHERE import_id = %s AND outcome <> 'rejected'", [delivery.id])
    events.record(
        "import.committed",
        delivery,
        by=by,
        at=at,
        filename=delivery.filename,
        lines=delivery.new,
        totals=delivery.totals,
    )


def _hold_periods(import_id: int) -> None:
    """Share the rows of the periods touched, so that no sweep declares one complete while a fund is being added."""
    execute(
        """SELECT id FROM funds_earningperiod WHERE id IN (
             SELECT DISTINCT earning_period_id FROM funds_stagedline WHERE import_id = %s AND outcome = 'new')
           ORDER BY id FOR SHARE""",
        [import_id],
    )


def _insert_earnings(import_id: int, *, at: datetime) -> None:
    """Insert the lines; one that another import inserted meanwhile is judged anew, and left out of the posting."""
    execute(
        """INSERT INTO funds_earning (partner_id, external_id, location_id, program_id, earning_period_id, enrollment_id,
             delivery_id, line_no, kind, earned_on, amount_minor, currency, fund_currency, fund_amount_minor,
             rebate_minor, coop_minor, rebate_change_minor, coop_change_minor, rate, rate_on, lever, reason_code, created_at)
           SELECT partner_id, external_id, location_id, program_id, earning_period_id, enrollment_id, import_id, line_no,
             kind, earned_on, amount_minor, currency, fund_currency, fund_amount_minor, fund_amount_minor - coop_minor,
             coop_minor, fund_amount_minor - coop_minor, coop_minor, rate, rate_on, left(coalesce(lever, ''), 100),
             left(coalesce(reason_code, ''), 20), %s
           FROM funds_stagedline WHERE import_id = %s AND outcome = 'new' ORDER BY partner_id, external_id
           ON CONFLICT (partner_id, external_id, version) DO NOTHING""",
        [at, import_id],
    )
    execute(
        """UPDATE funds_stagedline s SET outcome = NULL WHERE s.import_id = %s AND s.outcome = 'new' AND NOT EXISTS (
             SELECT 1 FROM funds_earning k WHERE k.partner_id = s.partner_id AND k.external_id = s.external_id
               AND k.delivery_id = s.import_id)""",
        [import_id],
    )
    staging.compare_with_known(import_id)


def _open_missing_funds(import_id: int, *, at: datetime) -> None:
    """Make a fund for each enrollment and period that has co-op for the first time. Rebate alone makes none."""
    execute(
        """INSERT INTO funds_fund (partner_id, location_id, program_id, enrollment_id, earning_period_id, currency,
             earned_minor, adjustments_minor, available_minor, reserved_minor, in_review_minor, approved_minor, paid_minor,
             expired_minor, converted_minor, created_at)
           SELECT partner_id, location_id, program_id, enrollment_id, earning_period_id, fund_currency, 0,0,0,0,0,0,0,0,0, %s
           FROM funds_stagedline WHERE import_id = %s AND outcome = 'new' AND coop_minor <> 0
           GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 4, 5
           ON CONFLICT (partner_id, enrollment_id, earning_period_id, currency) DO NOTHING""",
        [at, import_id],
    )
    execute(f"SELECT f.id FROM {FUNDS_OF_IMPORT} ORDER BY f.id FOR UPDATE OF f", [import_id])


FUNDS_OF_IMPORT = """funds_fund f JOIN (
    SELECT partner_id, enrollment_id, earning_period_id, fund_currency, sum(coop_minor)::bigint AS coop,
      max(earned_on) AS last_earned
    FROM funds_stagedline WHERE import_id = %s AND outcome = 'new' AND coop_minor <> 0 GROUP BY 1, 2, 3, 4) d
  ON (f.partner_id, f.enrollment_id, f.earning_period_id, f.currency)
   = (d.partner_id, d.enrollment_id, d.earning_period_id, d.fund_currency)"""


def _post_entries(import_id: int, *, by: Person, at: datetime) -> int:
    """One entry for each fund: earned, or taken back where the lines of the fund sum to less than nothing.

    It is effective on the last day that its lines were earned on, so no balance of a past day shows money too early.
    """
    return post_selected(
        f"""SELECT f.id, f.partner_id, f.currency, CASE WHEN d.coop > 0 THEN 'earning' ELSE 'clawback' END,
              CASE WHEN d.coop > 0 THEN 'program' ELSE 'available' END,
              CASE WHEN d.coop > 0 THEN 'available' ELSE 'program' END,
              abs(d.coop), d.last_earned, %s, %s::bigint, 'import', %s::text, 'import:' || %s::text
            FROM {FUNDS_OF_IMPORT} WHERE d.coop <> 0 ORDER BY f.id""",
        [at, by.id, import_id, import_id, import_id],
    )


def _test_late_funds(import_id: int, *, at: datetime) -> None:
    """Lines that come after their period's threshold test: new funds are tested at once, tested ones once more."""
    late = rows(
        f"""SELECT f.earning_period_id, f.id, f.settled_at IS NOT NULL
            FROM {FUNDS_OF_IMPORT} JOIN funds_earningperiod e ON e.id = f.earning_period_id
            WHERE f.settled_at IS NOT NULL OR e.settled_at IS NOT NULL ORDER BY f.id""",
        [import_id],
    )
    fresh: dict[int, list[int]] = defaultdict(list)
    tested: dict[int, list[int]] = defaultdict(list)
    for period_id, fund_id, was_tested in late:
        (tested if was_tested else fresh)[period_id].append(fund_id)
    for period in EarningPeriod.objects.select_related("program").filter(id__in=[*fresh, *tested]).order_by("id"):
        settle_locked_funds(period, fresh[period.id], at=at)
        retest_funds(period, tested[period.id], occasion=f"import:{import_id}", at=at)
