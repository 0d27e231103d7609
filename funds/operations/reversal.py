"""Reversing a committed import by entries of its own: what it brought is taken back, what it changed is as it was before.

Its lines get one more version each, so they can be delivered again; its entries and its rebate stay and are answered.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction

from coop.lib import clock
from coop.lib.db import broken_constraint, execute, rows
from coop.lib.errors import Busy, Invalid, WrongStatus
from coop.lib.transitions import follow
from funds import states
from funds.ledger import post_selected
from funds.models import Import
from funds.operations.earnings import ask_worker, lock_import
from funds.operations.posting import (
    EARNING,
    FUNDS_OF_IMPORT,
    OWN_CLOSE_AT,
    OWN_CLOSE_ON,
    SORT_IN_MEMORY,
    WITHDRAWN,
    hold_periods,
    lock_funds,
    owe_rebate,
    retest_late_funds,
)
from funds.progress import Tell, silent
from partners import events
from partners.models import Person
from partners.permissions import require_role
from partners.states import FINANCE


@transaction.atomic
def reverse_import(import_id: int, *, reason: str, revision: int | None = None, by: Person, at: datetime) -> Import:
    """Undo a committed import, all of it or nothing. A large one is noted for a worker, and stays `committed` until then.

    Raises NotFound, NotAllowed, Stale, WrongStatus (also where a later import builds on this one, or a deadline has passed
    for money of it) and Invalid without a reason.
    """
    delivery = lock_import(import_id, by=by, revision=revision)
    require_role(by, FINANCE, to="reverse imports")
    follow(states.IMPORTS, "reverse", delivery.status, what=f"import {delivery}")
    if delivery.asked_for:
        raise WrongStatus("This import is being reversed already. Wait until the worker has done it.")
    if not reason.strip():
        raise Invalid.field("reason", "Say why the import is reversed.", "required")
    delivery.reversal_reason = reason.strip()
    require_reversible(delivery, at=at)
    if delivery.new + delivery.changed > settings.IMPORT_LINES_AT_ONCE:
        return ask_worker(delivery, "reverse", by=by, at=at)
    take_back(delivery, by=by, at=at)
    return delivery


def require_reversible(delivery: Import, *, at: datetime) -> None:
    """Raises WrongStatus, saying what stands in the way."""
    later = rows(
        """SELECT d.id, d.filename, later.external_id
           FROM funds_earning mine
           JOIN funds_earning later ON later.partner_id = mine.partner_id AND later.external_id = mine.external_id
             AND later.version > mine.version AND later.delivery_id <> mine.delivery_id
           JOIN funds_import d ON d.id = later.delivery_id AND d.status <> 'reversed'
           WHERE mine.delivery_id = %s ORDER BY d.id DESC, later.external_id LIMIT 1""",
        [delivery.pk],
    )
    if later:
        number, filename, line = later[0]
        name = f"{number} ({filename})" if filename else str(number)
        raise WrongStatus(
            f"The import {name} came later and brought the line {line[:50]} of this one once more. Reverse that one first."
        )
    closed = rows(
        f"""SELECT p.name, e.code, coalesce({OWN_CLOSE_ON}, e.claims_close_on) FROM funds_importeffect x
           JOIN funds_earningperiod e ON e.id = x.earning_period_id JOIN funds_program p ON p.id = e.program_id
           WHERE x.import_id = %s AND e.claims_close_at <= %s AND ({OWN_CLOSE_AT} > %s) IS NOT TRUE
           ORDER BY e.claims_close_at, e.id LIMIT 1""",
        [delivery.pk, at, at],
    )
    if closed:
        program, code, day = closed[0]
        raise WrongStatus(
            f"The claim deadline of {code} in {program} was {day}: what is left of it has expired, so the import cannot be "
            "reversed as a whole. Use an adjustment for what was wrong."
        )


def take_back(delivery: Import, *, by: Person, at: datetime, tell: Tell = silent) -> None:
    """Reverse a locked import. Raises WrongStatus, Busy."""
    tell("Looking at later imports", 2)
    hold_periods(delivery)
    at = max(at, clock.now())
    require_reversible(delivery, at=at)
    tell("Taking the lines back", 10)
    try:
        with transaction.atomic():
            restore_earnings(delivery, at=at)
    except IntegrityError as error:
        if broken_constraint(error) != "funds_earning_pkey":
            raise
        raise Busy("Another delivery brings the same lines at this moment. Try again.") from None
    tell("Posting", 70)
    owe_rebate(delivery, at=at, source="reversal")
    lock_funds(delivery)
    post_entries(delivery, by=by, at=at)
    retest_late_funds(delivery, occasion=f"import:{delivery.pk}:reversed", at=at)
    tell("Posting", 95)
    delivery.status = follow(states.IMPORTS, "reverse", delivery.status, what=f"import {delivery}")
    delivery.reversed_by, delivery.reversed_at = by, at
    delivery.asked_for, delivery.failure = "", ""
    delivery.revision += 1
    delivery.save()
    events.record(
        "import.reversed",
        delivery,
        by=by,
        at=at,
        filename=delivery.filename,
        reason=delivery.reversal_reason,
        lines=delivery.new + delivery.changed,
        totals=delivery.totals,
    )


# The lines that an import brought: what is known of each now (k), and what was known before it (b), if anything.
TOUCHED = """(
    SELECT DISTINCT ON (partner_id, external_id) partner_id, external_id, version - 1 AS before_version, line_no
    FROM funds_earning WHERE delivery_id = %(import)s ORDER BY partner_id, external_id, version) t
  JOIN LATERAL (SELECT * FROM funds_earning WHERE partner_id = t.partner_id AND external_id = t.external_id
                ORDER BY version DESC LIMIT 1) k ON true
  LEFT JOIN funds_earning b ON b.partner_id = t.partner_id AND b.external_id = t.external_id
    AND b.version = t.before_version AND NOT b.withdrawn"""
SAME_FUND = """(b.enrollment_id, b.earning_period_id, b.fund_currency) IS NOT DISTINCT FROM
  (k.enrollment_id, k.earning_period_id, k.fund_currency)"""

GONE = f"""{WITHDRAWN.format(k="k", version="k.version + 1", delivery="%(import)s::bigint", line_no="t.line_no")}
  FROM {TOUCHED} WHERE NOT k.withdrawn AND NOT {SAME_FUND}"""
AS_BEFORE = f"""SELECT b.partner_id, b.external_id, k.version + CASE WHEN k.withdrawn OR {SAME_FUND} THEN 1 ELSE 2 END, false,
    b.location_id, b.program_id, b.earning_period_id, b.enrollment_id, %(import)s::bigint, t.line_no, b.kind, b.earned_on,
    b.amount_minor, b.currency, b.fund_currency, b.fund_amount_minor, b.rebate_minor, b.coop_minor,
    b.rebate_minor - CASE WHEN {SAME_FUND} THEN k.rebate_minor ELSE 0 END,
    b.coop_minor - CASE WHEN {SAME_FUND} THEN k.coop_minor ELSE 0 END,
    b.rate, b.rate_on, b.rate_source, b.lever, b.reason_code, %(at)s::timestamptz
  FROM {TOUCHED} WHERE b.version IS NOT NULL"""


def restore_earnings(delivery: Import, *, at: datetime) -> None:
    """Give every line of the import one more version: withdrawn if it was new, as it was before if it was a correction."""
    execute(SORT_IN_MEMORY)
    lines = f"{GONE} UNION ALL {AS_BEFORE}" if delivery.changed else GONE
    execute(
        f"INSERT INTO funds_earning ({EARNING}) {lines} ORDER BY 1, 2, 3",
        {"import": delivery.pk, "at": at},
    )


def post_entries(delivery: Import, *, by: Person, at: datetime) -> int:
    """For each fund the opposite of what the import posted, effective on the same day: that money never was there."""
    return post_selected(
        f"""SELECT f.id, f.partner_id, f.currency, 'reversal', CASE WHEN x.coop_minor < 0 THEN 'program' ELSE 'available' END,
              CASE WHEN x.coop_minor < 0 THEN 'available' ELSE 'program' END, abs(x.coop_minor), x.last_earned_on, %s,
              %s::bigint, 'import', %s::text, 'import:' || %s::text || ':reversed'
            FROM {FUNDS_OF_IMPORT} WHERE x.coop_minor <> 0 ORDER BY f.id""",
        [at, by.pk, delivery.pk, delivery.pk, delivery.pk],
    )
