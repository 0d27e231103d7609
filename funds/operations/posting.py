"""Posting the judged lines of a delivery: the earnings, the rebate, and one entry for each fund. Nothing line by line.

Callers have opened the transaction; it takes all or nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime

from django.db import IntegrityError, transaction

from coop.lib.db import broken_constraint, execute, rows
from coop.lib.errors import Busy
from funds.judging.effects import MOVED, note_balances, sum_up
from funds.judging.judge import judge
from funds.judging.lines import Source
from funds.ledger import post_selected
from funds.models import EarningPeriod, Import
from funds.operations.threshold import retest_funds, settle_locked_funds
from funds.progress import Tell, silent
from funds.queries.deadlines import own_of_partner
from partners.models import Person

# How often lines are judged anew because other deliveries were quicker.
TRIES = 5

SORT_IN_MEMORY = "SET LOCAL work_mem = '192MB'"


def judge_lines(delivery: Import, source: Source, *, at: datetime) -> None:
    """Judge all lines, and note on the import what they would do."""
    counted = judge(delivery, source, at=at)
    delivery.new, delivery.changed = counted["new"], counted["changed"]
    delivery.unchanged, delivery.rejected = counted["unchanged"], counted["rejected"]
    delivery.lines = sum(counted.values())
    delivery.decimal = source.notation.decimal
    sum_up(delivery)


def hold_periods(delivery: Import) -> None:
    """Share the rows of the periods touched, so that no sweep declares one complete while a fund is being added."""
    execute(
        """SELECT id FROM funds_earningperiod WHERE id IN (
             SELECT DISTINCT earning_period_id FROM funds_importeffect WHERE import_id = %s) ORDER BY id FOR SHARE""",
        [delivery.pk],
    )


# The partner's own deadline in the period of an effect (x), where it got an extension.
OWN_CLOSE_AT = own_of_partner("own_close_at", period="x.earning_period_id", partner="x.partner_id")
OWN_CLOSE_ON = own_of_partner("own_close_on", period="x.earning_period_id", partner="x.partner_id")


def has_closed(delivery: Import, *, at: datetime) -> bool:
    """Whether the claim deadline of a partner and period that the delivery touches has passed."""
    return bool(
        rows(
            f"""SELECT 1 FROM funds_importeffect x JOIN funds_earningperiod e ON e.id = x.earning_period_id
               WHERE x.import_id = %s AND e.claims_close_at <= %s AND ({OWN_CLOSE_AT} > %s) IS NOT TRUE LIMIT 1""",
            [delivery.pk, at, at],
        )
    )


def post_lines(
    delivery: Import, judge_again: Callable[[], None], *, by: Person, at: datetime, tell: Tell = silent
) -> None:
    """Post what was judged. `judge_again` is called when another delivery brought one of the lines meanwhile.

    Raises Busy if that happens again and again.
    """
    tell("Posting", 5)
    for _ in range(TRIES):
        try:
            with transaction.atomic():
                insert_earnings(delivery, at=at)
            break
        except IntegrityError as error:
            if broken_constraint(error) != "funds_earning_pkey":
                raise
            judge_again()
            hold_periods(delivery)
    else:
        raise Busy("Other deliveries bring the same lines at this moment. Try again.")
    tell("Posting", 70)
    owe_rebate(delivery, at=at)
    open_missing_funds(delivery, at=at)
    lock_funds(delivery)
    note_balances(delivery)
    post_entries(delivery, by=by, at=at)
    tell("Posting", 85)
    retest_late_funds(delivery, occasion=f"import:{delivery.pk}", at=at)
    # Rejected lines stay, for the file that gives them back with their reasons.
    execute("DELETE FROM funds_stagedline WHERE import_id = %s AND outcome <> 'rejected'", [delivery.pk])
    tell("Posting", 95)


EARNING = """partner_id, external_id, version, withdrawn, location_id, program_id, earning_period_id, enrollment_id,
  delivery_id, line_no, kind, earned_on, amount_minor, currency, fund_currency, fund_amount_minor, rebate_minor, coop_minor,
  rebate_change_minor, coop_change_minor, rate, rate_on, rate_source, lever, reason_code, created_at"""

TAKEN = f"""SELECT s.partner_id, s.external_id, s.version, false, s.location_id, s.program_id, s.earning_period_id,
    s.enrollment_id, s.import_id, s.line_no, s.kind, s.earned_on, s.amount_minor, s.currency, s.fund_currency,
    s.fund_amount_minor, s.fund_amount_minor - s.coop_minor, s.coop_minor,
    s.fund_amount_minor - s.coop_minor
      - CASE WHEN s.outcome = 'new' OR {MOVED} THEN 0 ELSE s.prior_fund_amount_minor - s.prior_coop_minor END,
    s.coop_minor - CASE WHEN s.outcome = 'new' OR {MOVED} THEN 0 ELSE s.prior_coop_minor END,
    s.rate, s.rate_on, s.rate_source, left(s.lever, 100), left(s.reason_code, 20), %(at)s::timestamptz
  FROM funds_stagedline s WHERE s.import_id = %(import)s AND s.outcome IN ('new', 'changed')"""

# What a line that leaves its fund leaves there: a version that holds nothing and takes back what was posted.
WITHDRAWN = """SELECT {k}.partner_id, {k}.external_id, {version}, true, {k}.location_id, {k}.program_id, {k}.earning_period_id,
    {k}.enrollment_id, {delivery}, {line_no}, {k}.kind, {k}.earned_on, 0, {k}.currency, {k}.fund_currency, 0, 0, 0,
    -{k}.rebate_minor, -{k}.coop_minor, NULL::numeric, NULL::date, '', {k}.lever, {k}.reason_code, %(at)s::timestamptz"""

LEFT_BEHIND = f"""{WITHDRAWN.format(k="k", version="s.version - 1", delivery="s.import_id", line_no="s.line_no")}
  FROM funds_stagedline s JOIN funds_earning k
    ON (k.partner_id, k.external_id, k.version) = (s.partner_id, s.external_id, s.version - 2)
  WHERE s.import_id = %(import)s AND s.outcome = 'changed' AND {MOVED}"""


def insert_earnings(delivery: Import, *, at: datetime) -> None:
    """Insert the new and changed lines in the order of their key, which is what a big index takes best."""
    if not (delivery.new or delivery.changed):
        return
    execute(SORT_IN_MEMORY)
    lines = TAKEN + (f" UNION ALL {LEFT_BEHIND}" if delivery.changed else "")
    execute(
        f"INSERT INTO funds_earning ({EARNING}) {lines} ORDER BY 1, 2, 3",
        {"import": delivery.pk, "at": at},
    )


def owe_rebate(delivery: Import, *, at: datetime, source: str = "import") -> None:
    """Note the cash that the partners are owed, or owe back."""
    sign = "-" if source == "reversal" else ""
    execute(
        f"""INSERT INTO funds_rebate (partner_id, program_id, enrollment_id, earning_period_id, currency, amount_minor, source,
              reference, effective_on, recorded_at)
            SELECT partner_id, program_id, enrollment_id, earning_period_id, currency, {sign}rebate_minor, %s, %s,
              last_earned_on, %s
            FROM funds_importeffect WHERE import_id = %s AND rebate_minor <> 0
            ORDER BY partner_id, enrollment_id, earning_period_id, currency""",
        [source, str(delivery.pk), at, delivery.pk],
    )


def open_missing_funds(delivery: Import, *, at: datetime) -> None:
    """Make a fund for each enrollment and period that has co-op for the first time. Rebate alone makes none.

    An extension that the partner got for the period counts for the new fund too.
    """
    own = ("own_close_on", "own_close_at", "own_cure_on", "own_cure_at")
    execute(
        f"""INSERT INTO funds_fund (partner_id, location_id, program_id, enrollment_id, earning_period_id, currency,
             earned_minor, adjustments_minor, available_minor, reserved_minor, in_review_minor, approved_minor, paid_minor,
             expired_minor, converted_minor, created_at, {", ".join(own)})
           SELECT partner_id, location_id, program_id, enrollment_id, earning_period_id, currency, 0,0,0,0,0,0,0,0,0, %s,
             {", ".join(own)}
           FROM funds_importeffect LEFT JOIN (
             SELECT partner_id, earning_period_id, {", ".join(f"max({name}) AS {name}" for name in own)} FROM funds_fund
             WHERE own_close_at IS NOT NULL GROUP BY 1, 2) o USING (partner_id, earning_period_id)
           WHERE import_id = %s AND holds_coop
           ORDER BY partner_id, enrollment_id, earning_period_id
           ON CONFLICT (partner_id, enrollment_id, earning_period_id, currency) DO NOTHING""",
        [at, delivery.pk],
    )


FUNDS_OF_IMPORT = """funds_fund f JOIN funds_importeffect x
  ON (f.partner_id, f.enrollment_id, f.earning_period_id, f.currency)
   = (x.partner_id, x.enrollment_id, x.earning_period_id, x.currency) AND x.import_id = %s AND x.holds_coop"""


def lock_funds(delivery: Import) -> None:
    """Lock the funds touched, in the order of their ids and as late as can be: claims wait for them."""
    execute(f"SELECT f.id FROM {FUNDS_OF_IMPORT} ORDER BY f.id FOR NO KEY UPDATE OF f", [delivery.pk])


def post_entries(delivery: Import, *, by: Person, at: datetime) -> int:
    """One entry for each fund: earned, or taken back where the lines of the fund sum to less than nothing.

    It is effective on the last day that its lines were earned on, so no balance of a past day shows money too early.
    """
    return post_selected(
        f"""SELECT f.id, f.partner_id, f.currency, CASE WHEN x.coop_minor > 0 THEN 'earning' ELSE 'clawback' END,
              CASE WHEN x.coop_minor > 0 THEN 'program' ELSE 'available' END,
              CASE WHEN x.coop_minor > 0 THEN 'available' ELSE 'program' END,
              abs(x.coop_minor), x.last_earned_on, %s, %s::bigint, 'import', %s::text, 'import:' || %s::text
            FROM {FUNDS_OF_IMPORT} WHERE x.coop_minor <> 0 ORDER BY f.id""",
        [at, by.pk, delivery.pk, delivery.pk, delivery.pk],
    )


def retest_late_funds(delivery: Import, *, occasion: str, at: datetime) -> None:
    """Lines that come after their period's threshold test: new funds are tested at once, tested ones once more."""
    late = rows(
        f"""SELECT f.earning_period_id, f.id, f.settled_at IS NOT NULL
            FROM {FUNDS_OF_IMPORT} JOIN funds_earningperiod e ON e.id = f.earning_period_id
            WHERE f.settled_at IS NOT NULL OR e.settled_at IS NOT NULL ORDER BY f.id""",
        [delivery.pk],
    )
    fresh: dict[int, list[int]] = defaultdict(list)
    tested: dict[int, list[int]] = defaultdict(list)
    for period_id, fund_id, was_tested in late:
        (tested if was_tested else fresh)[period_id].append(fund_id)
    for period in EarningPeriod.objects.select_related("program").filter(id__in=[*fresh, *tested]).order_by("id"):
        settle_locked_funds(period, fresh[period.pk], at=at)
        retest_funds(period, tested[period.pk], occasion=occasion, at=at)
