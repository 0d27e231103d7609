"""Checking staged earnings lines with set-based statements.

Each statement looks at all lines of one import at once; lines are never judged one at a time in Python. What is wrong
with the cells of a line is all said together: `problem` is the code of the first fault, `field` names every cell at fault,
`message` says of each what was seen, what is wanted and what to do. Only a line whose cells can be read is held against
periods and enrollments.
"""

from __future__ import annotations

from datetime import datetime

from coop.lib import money
from coop.lib.db import execute, rows

# Active currencies with their decimals, as a table; its two parameters are CODES and PLACES.
CODES = sorted([*money.TWO_DECIMALS, *money.NO_DECIMALS, *money.THREE_DECIMALS])
PLACES = [money.decimals(code) for code in CODES]
KNOWN_CURRENCIES = "unnest(%s::text[], %s::int[]) AS c(code, places)"

# PostgreSQL itself would also take "today", "infinity" and days in the order of some country.
TIME_OF_DAY = "(T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?Z?)?"
DAY = (
    f"{{0}} ~ '^[0-9]{{{{4}}}}-[0-9]{{{{2}}}}-[0-9]{{{{2}}}}{TIME_OF_DAY}$' AND left({{0}}, 4) <> '0000' "
    "AND pg_input_is_valid(left({0}, 10), 'date')"
)
RATE = "s.rate_text ~ '^[0-9]{1,9}([.][0-9]+)?$'"

# Soft hyphens, joiners, marks of direction: characters without a shape of their own.
UNSEEN = r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"

SHOWN = "left(coalesce({}, ''), 50)"


def reject(import_id: int, condition: str, problem: str, field: str, message: str, *params: object) -> None:
    """Mark the lines, neither rejected nor known so far, for which the condition holds. `message` is an SQL text."""
    execute(
        f"""UPDATE funds_stagedline AS s SET outcome = 'rejected', problem = %s, field = %s, message = {message}
            WHERE s.import_id = %s AND s.problem = '' AND s.outcome IS DISTINCT FROM 'unchanged' AND ({condition})""",
        [problem, field, import_id, *params],
    )


def reject_cell(import_id: int, condition: str, problem: str, field: str, message: str, *params: object) -> None:
    """Mark the lines whose cell is at fault, those too that have another cell at fault: both are said.

    A cell is blamed once, and a line that could not be read as such (its field is "line") has no cell to blame.
    """
    execute(
        f"""UPDATE funds_stagedline AS s SET outcome = 'rejected',
              problem = CASE s.problem WHEN '' THEN %s ELSE s.problem END,
              field = concat_ws(', ', nullif(s.field, ''), %s),
              message = concat_ws(' ', nullif(s.message, ''), {message})
            WHERE s.import_id = %s AND s.field <> 'line' AND %s <> ALL (string_to_array(s.field, ', ')) AND ({condition})""",
        [problem, field, import_id, field, *params],
    )


def check(import_id: int, *, at: datetime) -> None:
    """Resolve, read and judge every staged line; fills the resolved columns and the outcome."""
    _require_columns(import_id)
    _resolve_program_and_location(import_id)
    _read_day_and_amount(import_id)
    # Before the period is looked at: a line that was taken stays "unchanged" when it is sent again after the deadline.
    compare_with_known(import_id)
    _find_period_and_enrollment(import_id, at=at)
    _split(import_id)
    execute(
        "UPDATE funds_stagedline SET outcome = 'new' WHERE import_id = %s AND problem = '' AND outcome IS NULL",
        [import_id],
    )


def _require_columns(import_id: int) -> None:
    for column, field, what in (
        ("external_id", "external_id", "the id of the line"),
        ("location_code", "location", "the id of the location"),
        ("program_code", "program", "the program"),
        ("earned_text", "earned_on", "the day it was earned on"),
        ("amount_text", "amount", "the amount"),
        ("currency", "currency", "the currency"),
    ):
        reject_cell(import_id, f"coalesce(s.{column}, '') = ''", "required", field, f"'Missing: {what}.'")
    reject_cell(
        import_id,
        "length(s.external_id) > 80 OR s.external_id ~ '[[:cntrl:]]'",
        "too_long",
        "external_id",
        "'The line''s id has more than 80 characters, or characters that cannot be printed.'",
    )
    # Two ids that look the same are one line that would be paid twice.
    reject_cell(
        import_id,
        f"s.external_id ~ '{UNSEEN}' OR s.external_id IS NOT NFKC NORMALIZED",
        "invalid",
        "external_id",
        "'The line''s id holds characters that cannot be seen or that only look like others, so it could be another''s "
        "double. Write it with plain letters, digits and signs.'",
    )
    # Grouped once and joined: asked for each line, the question would cost the square of the lines.
    execute(
        """UPDATE funds_stagedline s SET outcome = 'rejected', problem = 'duplicate_in_file', field = 'external_id',
             message = 'The id ' || left(s.external_id, 50) || ' stands in this delivery more than once, in lines '
               || array_to_string(d.line_nos[1:10], ', ') || '. Keep one of them.'
           FROM (SELECT external_id, array_agg(line_no ORDER BY line_no) AS line_nos FROM funds_stagedline
                 WHERE import_id = %s AND external_id <> '' GROUP BY external_id HAVING count(*) > 1) d
           WHERE s.import_id = %s AND s.problem = '' AND s.external_id = d.external_id""",
        [import_id, import_id],
    )
    reject_cell(
        import_id,
        "s.kind IS NULL OR s.kind NOT IN ('incentive', 'rebate', 'coop')",
        "invalid",
        "kind",
        f"'“' || {SHOWN.format('s.kind')} || '” is not a kind of earning. Use incentive, rebate or coop.'",
    )


def _resolve_program_and_location(import_id: int) -> None:
    execute(
        """UPDATE funds_stagedline s SET program_id = p.id, fund_currency = p.currency FROM funds_program p
           WHERE s.import_id = %s
             AND (p.code = lower(s.program_code) OR lower(p.name) = lower(s.program_code))""",
        [import_id],
    )
    execute(
        """UPDATE funds_stagedline s SET location_id = l.id, partner_id = l.partner_id FROM partners_location l
           WHERE s.import_id = %s AND l.external_id = s.location_code""",
        [import_id],
    )
    reject_cell(
        import_id,
        "s.program_id IS NULL",
        "unknown_program",
        "program",
        f"'There is no program “' || {SHOWN.format('s.program_code')} || '”. Use its code or its full name from the catalog.'",
    )
    reject_cell(
        import_id,
        "s.location_id IS NULL",
        "unknown_location",
        "location",
        f"'There is no location with the id “' || {SHOWN.format('s.location_code')} || "
        "'”. Add the partner''s location first, or correct the id.'",
    )


def _read_day_and_amount(import_id: int) -> None:
    reject_cell(
        import_id,
        f"NOT ({DAY.format('s.earned_text')})",
        "date_format",
        "earned_on",
        f"'“' || {SHOWN.format('s.earned_text')} || '” is not a day. Write it as 2023-10-31.'",
    )
    reject_cell(
        import_id,
        "s.currency <> ALL (%s::text[])",
        "unknown_currency",
        "currency",
        f"'“' || {SHOWN.format('s.currency')} || "
        "'” is not the code of a current currency. Use three capital letters, for example USD.'",
        CODES,
    )
    plain = r"'^-?(0|[1-9][0-9]{0,10})([.][0-9]+)?$'"
    reject_cell(
        import_id,
        f"s.amount_text !~ {plain} OR length(s.amount_text) > 40 OR s.amount_text ~ '^-[0.]+$'",
        "amount_format",
        "amount",
        f"'“' || {SHOWN.format('s.amount_text')} || "
        "'” is not an amount. Write digits and at most one point, for example 4200.00.'",
    )
    for places, currencies in ((0, money.NO_DECIMALS), (2, money.TWO_DECIMALS), (3, money.THREE_DECIMALS)):
        reject_cell(
            import_id,
            f"s.currency = ANY (%s::text[]) AND length(split_part(s.amount_text, '.', 2)) > {places}",
            "too_many_decimals",
            "amount",
            f"s.amount_text || ' has more decimals than ' || s.currency || ' has ({places}). Amounts are never rounded.'",
            list(currencies),
        )
    execute(
        f"""UPDATE funds_stagedline s SET earned_on = left(s.earned_text, 10)::date,
              amount_minor = (s.amount_text::numeric * power(10::numeric, c.places))::bigint
            FROM {KNOWN_CURRENCIES} WHERE s.import_id = %s AND s.problem = '' AND c.code = s.currency""",
        [CODES, PLACES, import_id],
    )
    reject(
        import_id,
        "s.amount_minor = 0",
        "must_not_be_zero",
        "amount",
        "'An earning of zero says nothing. Leave the line out.'",
    )
    for text, readable, field, wanted in (
        ("s.rate_text", RATE, "rate", "an exchange rate. Write digits and at most one point, for example 1.0842"),
        ("s.rate_on_text", DAY.format("s.rate_on_text"), "rate_on", "a day. Write it as 2023-10-31"),
    ):
        reject(
            import_id,
            f"s.currency <> s.fund_currency AND coalesce({text}, '') <> '' AND NOT ({readable})",
            "invalid",
            field,
            f"'“' || {SHOWN.format(text)} || '” is not {wanted}.'",
        )
    # In the vendor's report a line in another currency brings its own amount in the program's currency, with the rate.
    execute(
        f"""UPDATE funds_stagedline s SET
              fund_amount_minor = (s.settled_amount_text::numeric * power(10::numeric, c.places))::bigint,
              rate = CASE WHEN {RATE} THEN round(s.rate_text::numeric, 8) END,
              rate_on = CASE WHEN {DAY.format("s.rate_on_text")} THEN left(s.rate_on_text, 10)::date END
            FROM {KNOWN_CURRENCIES} WHERE s.import_id = %s AND s.problem = '' AND c.code = s.fund_currency
              AND s.currency <> s.fund_currency AND s.settled_amount_text ~ {plain}
              AND length(split_part(s.settled_amount_text, '.', 2)) <= c.places
              AND sign(s.settled_amount_text::numeric) = sign(s.amount_minor)""",
        [CODES, PLACES, import_id],
    )
    execute(
        """UPDATE funds_stagedline s SET fund_amount_minor = amount_minor
           WHERE s.import_id = %s AND s.problem = '' AND s.currency = s.fund_currency""",
        [import_id],
    )
    reject(
        import_id,
        "s.fund_amount_minor IS NULL",
        "currency_mismatch",
        "currency",
        "'The program holds its money in ' || s.fund_currency || ', this line is in ' || s.currency || "
        "'. Send it in ' || s.fund_currency || ', or with the vendor''s own amount in ' || s.fund_currency || ' beside it.'",
    )


def _find_period_and_enrollment(import_id: int, *, at: datetime) -> None:
    execute(
        """UPDATE funds_stagedline s SET earning_period_id = e.id FROM funds_earningperiod e
           WHERE s.import_id = %s AND s.problem = '' AND e.program_id = s.program_id
             AND s.earned_on BETWEEN e.earn_from AND e.earn_to""",
        [import_id],
    )
    reject(
        import_id,
        "s.earning_period_id IS NULL",
        "no_period",
        "earned_on",
        "'The program has no earning period on ' || s.earned_on || '. Correct the day.'",
    )
    reject_closed(import_id, at=at)
    execute(
        """UPDATE funds_stagedline s SET enrollment_id = n.id FROM funds_enrollment n
           WHERE s.import_id = %s AND s.problem = '' AND n.location_id = s.location_id AND n.program_id = s.program_id
             AND n.starts_on <= s.earned_on AND (n.ends_on IS NULL OR n.ends_on >= s.earned_on)""",
        [import_id],
    )
    reject(
        import_id,
        "s.enrollment_id IS NULL",
        "not_enrolled",
        "earned_on",
        "'The location ' || left(s.location_code, 50) || ' was not enrolled in this program on ' || s.earned_on || "
        "'. Enroll it from that day on, or correct the day: without enrollment nothing accrues.'",
    )


def reject_closed(import_id: int, *, at: datetime) -> None:
    """Reject the lines of periods whose claim deadline has passed."""
    reject(
        import_id,
        "(SELECT e.claims_close_at FROM funds_earningperiod e WHERE e.id = s.earning_period_id) <= %s",
        "period_closed",
        "earned_on",
        "(SELECT 'The claim deadline of ' || e.code || ' was ' || e.claims_close_on || '; the period is closed. "
        "Use an adjustment instead.' FROM funds_earningperiod e WHERE e.id = s.earning_period_id)",
        at,
    )


def _split(import_id: int) -> None:
    """Co-op of an unsplit incentive by the split of its day; a line that is already split is taken as it is."""
    execute(
        """UPDATE funds_stagedline s SET coop_minor = CASE s.kind
             WHEN 'coop' THEN s.fund_amount_minor
             WHEN 'rebate' THEN 0
             ELSE coop_share(s.fund_amount_minor, coalesce((
               SELECT p.coop_bp FROM funds_programsplit p WHERE p.program_id = s.program_id
                 AND p.valid_from <= s.earned_on AND (p.valid_to IS NULL OR p.valid_to >= s.earned_on)), 0)::int)
             END
           WHERE s.import_id = %s AND s.problem = ''""",
        [import_id],
    )


def compare_with_known(import_id: int) -> None:
    """Judge the lines whose id was taken before: the same content is unchanged, any other a conflict.

    One statement, so one snapshot: asked in two, a delivery that commits in between would turn equal lines into conflicts.
    """
    execute(
        f"""UPDATE funds_stagedline s SET
              outcome = CASE WHEN found.same THEN 'unchanged' ELSE 'rejected' END,
              problem = CASE WHEN found.same THEN '' ELSE 'conflict_with_existing' END,
              field = CASE WHEN found.same THEN '' ELSE 'external_id' END,
              message = CASE WHEN found.same THEN '' ELSE 'The id ' || left(s.external_id, 50)
                || ' is known with other content: ' || found.known
                || '. A line that was taken is never changed: send the correction as a line of its own.' END
            FROM (
              SELECT l.line_no,
                (k.location_id, k.program_id, k.kind, k.earned_on, k.amount_minor, k.currency, k.fund_amount_minor)
                  = (l.location_id, l.program_id, l.kind, l.earned_on, l.amount_minor, l.currency, l.fund_amount_minor) AS same,
                round(k.amount_minor / power(10::numeric, c.places), c.places) || ' ' || k.currency || ', earned on '
                  || k.earned_on AS known
              FROM funds_stagedline l
              JOIN funds_earning k ON k.partner_id = l.partner_id AND k.external_id = l.external_id
              JOIN {KNOWN_CURRENCIES} ON c.code = k.currency
              WHERE l.import_id = %s AND l.problem = '' AND l.outcome IS NULL) found
            WHERE s.import_id = %s AND s.line_no = found.line_no""",
        [CODES, PLACES, import_id, import_id],
    )


def counts(import_id: int) -> dict[str, int]:
    """Number of lines by outcome."""
    found = dict(
        rows(
            "SELECT outcome, count(*) FROM funds_stagedline WHERE import_id = %s GROUP BY outcome",
            [import_id],
        )
    )
    return {name: int(found.get(name, 0)) for name in ("new", "unchanged", "rejected")}
