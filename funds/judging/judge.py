"""The one statement that judges every line of a delivery and stages it with its outcome: new, changed, unchanged, rejected.

It reads in steps, each fenced off so that a value is worked out once. What many lines share (program, type, day, currency)
is resolved once for each combination, with period, split and rate; ids are looked for twice by their hashes, and only
suspects by their text; what is known of a line is its highest version. One statement is one snapshot: asked in several, a
delivery that commits in between would turn equal lines into corrections.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from coop.lib.db import execute, rows
from funds.judging import faults
from funds.judging.amounts import CURRENCIES, KNOWN_CURRENCIES, minor
from funds.judging.lines import SHARED, Source
from funds.models import Import
from funds.queries.deadlines import own_of_partner

VENDOR_REPORT = "vendor report"
# Of what the statement makes on its way there are no statistics, and without them a merge that sorts all lines looks cheap.
PLAN_FOR_MANY = "SET LOCAL enable_mergejoin = off; SET LOCAL jit = off; SET LOCAL work_mem = '64MB'"
# A rate counts for the day it is of and seven days more.
RATE_DAYS = 7


def judge(delivery: Import, source: Source, *, at: datetime) -> dict[str, int]:
    """Judge and stage all lines as of `at`; returns how many there are by outcome."""
    params = {**source.params, **CURRENCIES, "delivery": delivery.pk, "at": at}
    execute("DELETE FROM funds_stagedline WHERE import_id = %s", [delivery.pk])
    if delivery.filename:
        execute(PLAN_FOR_MANY)
    execute(f"INSERT INTO funds_stagedline ({', '.join(STAGED)}) {judgement(source)}", params)
    if delivery.filename:
        execute("SET LOCAL enable_mergejoin = on")
    found = dict(
        rows("SELECT outcome, count(*) FROM funds_stagedline WHERE import_id = %s GROUP BY outcome", [delivery.pk])
    )
    if found.get("rejected"):
        _keep_cells_of_rejected(delivery)
    return {name: int(found.get(name, 0)) for name in ("new", "changed", "unchanged", "rejected")}


def _keep_cells_of_rejected(delivery: Import) -> None:
    cells = ", ".join(f"l.c{n}" for n in range(1, len(delivery.columns) + 1))
    execute(
        f"""UPDATE funds_stagedline s SET cells = ARRAY[{cells}]::text[] FROM funds_sentline l
            WHERE s.import_id = %s AND s.outcome = 'rejected' AND l.import_id = s.import_id AND l.line_no = s.line_no""",
        [delivery.pk],
    )


# The columns of a staged line, and where the last step (v: the line, k: what is known, n: the enrollment) has them from.
TAKEN = "v.verdict IN ('new', 'changed')"
CHANGED = "v.verdict = 'changed'"
STAGED: Mapping[str, str] = {
    "import_id": "%(delivery)s",
    "line_no": "v.line_no",
    "external_id": "v.id",
    "partner_id": "v.partner_id",
    "location_id": "v.location_id",
    "program_id": "v.program_id",
    "enrollment_id": "v.enrollment_id",
    "earning_period_id": "v.earning_period_id",
    "kind": "v.kind",
    "earned_on": "v.earned_on",
    "amount_minor": "v.amount_minor",
    "currency": "v.currency",
    "fund_currency": "v.fund_currency",
    "fund_amount_minor": "v.fund_amount_minor",
    "coop_minor": f"""CASE WHEN {TAKEN} THEN CASE v.kind WHEN 'coop' THEN v.fund_amount_minor WHEN 'rebate' THEN 0
      ELSE coop_share(v.fund_amount_minor, v.coop_bp) END END""",
    "rate": "v.rate",
    "rate_on": "v.rate_on",
    "rate_source": "v.rate_source",
    "lever": "v.lever",
    "reason_code": "v.reason_code",
    # A line that moves to another fund ends there with a withdrawing version, and begins here with the next.
    "version": f"CASE WHEN {TAKEN} THEN coalesce(v.known_version, 0) + CASE WHEN v.moved THEN 2 ELSE 1 END END",
    "prior_location_id": f"CASE WHEN {CHANGED} THEN v.known_location_id END",
    "prior_program_id": f"CASE WHEN {CHANGED} THEN v.known_program_id END",
    "prior_enrollment_id": f"CASE WHEN {CHANGED} THEN v.known_enrollment_id END",
    "prior_earning_period_id": f"CASE WHEN {CHANGED} THEN v.known_period_id END",
    "prior_earned_on": f"CASE WHEN {CHANGED} THEN v.known_earned_on END",
    "prior_fund_currency": f"CASE WHEN {CHANGED} THEN v.known_fund_currency END",
    "prior_fund_amount_minor": f"CASE WHEN {CHANGED} THEN v.known_fund_amount_minor END",
    "prior_coop_minor": f"CASE WHEN {CHANGED} THEN v.known_coop_minor END",
    "outcome": "CASE WHEN v.verdict IN ('new', 'changed', 'unchanged') THEN v.verdict ELSE 'rejected' END",
    "problem": f"CASE WHEN v.fault IS NOT NULL THEN v.fault[1] ELSE coalesce({faults.verdict(0)}, '') END",
    "field": f"CASE WHEN v.fault IS NOT NULL THEN v.fault[2] ELSE coalesce({faults.verdict(1)}, '') END",
    "message": f"CASE WHEN v.fault IS NOT NULL THEN v.fault[3] ELSE coalesce({faults.verdict(2)}, '') END",
}


def judgement(source: Source) -> str:
    """The query that yields every line with its outcome, columns as in STAGED."""
    return f"""
WITH source AS NOT MATERIALIZED ({source.sql}),
  {_doubles()},
  {_heads(source)}
SELECT {", ".join(f"{sql} AS {name}" for name, sql in STAGED.items())}
FROM ({_verdicts(source)} OFFSET 0) v
LEFT JOIN funds_earningperiod e ON v.verdict = 'closed' AND e.id = v.earning_period_id
LEFT JOIN funds_earningperiod p ON v.verdict = 'prior_closed' AND p.id = v.known_period_id"""


def _doubles() -> str:
    """Ids that stand in the delivery more than once, with their lines."""
    return """suspects AS MATERIALIZED (
    SELECT hashtextextended(id, 0) AS hash FROM source WHERE id <> '' GROUP BY 1 HAVING count(*) > 1),
  doubles AS MATERIALIZED (
    SELECT id, array_to_string((array_agg(line_no ORDER BY line_no))[1:10], ', ') AS line_nos FROM source
    WHERE id <> '' AND unreadable IS NULL AND hashtextextended(id, 0) IN (SELECT hash FROM suspects)
    GROUP BY id HAVING count(*) > 1)"""


def _heads(source: Source) -> str:
    """Each combination of program, type, day and currency, resolved, with its faults."""
    said = ", ".join(f"{source.clean(f'd.{name}')} AS {name}" for name in SHARED)
    known = " ".join(f"WHEN '{word}' THEN '{kind}'" for word, kind in source.kinds.items())
    kind = f"CASE lower(t.kind) {known} ELSE t.kind END" if known else "t.kind"
    shared_faults = ", ".join(f"{fault} AS {field}_fault" for field, fault in faults.SHARED_FAULTS.items())
    raw = ", ".join(f"d.{name} AS {name}_raw" for name in SHARED)
    return f"""words AS MATERIALIZED (
    SELECT DISTINCT ON (word) word, id, currency FROM (
      SELECT code AS word, id, currency, 1 AS place FROM funds_program
      UNION ALL SELECT lower(name), id, currency, 2 FROM funds_program) w ORDER BY word, place, id),
  currencies AS MATERIALIZED (SELECT c.code, c.places FROM {KNOWN_CURRENCIES}),
  heads AS MATERIALIZED (
    SELECT h.*, {shared_faults},
      h.program_id IS NOT NULL AND h.kind IN ('incentive', 'rebate', 'coop') AND h.earned_on IS NOT NULL
        AND h.places IS NOT NULL AS readable
    FROM (
      SELECT {raw}, t.program, {kind} AS kind, t.earned, t.currency, w.id AS program_id, w.currency AS fund_currency,
        c.places, f.places AS fund_places, day.earned_on, e.id AS earning_period_id, e.claims_close_at <= %(at)s AS closed,
        coalesce(s.coop_bp, 0)::int AS coop_bp, r.rate AS table_rate, r.factor AS table_factor, r.rate_on AS table_rate_on,
        r.source AS table_source
      FROM (SELECT DISTINCT {", ".join(SHARED)} FROM source WHERE unreadable IS NULL) d
      CROSS JOIN LATERAL (SELECT {said}) t
      CROSS JOIN LATERAL (SELECT CASE WHEN {faults.DAY.format("t.earned")} THEN left(t.earned, 10)::date END AS earned_on) day
      LEFT JOIN words w ON w.word = lower(t.program)
      LEFT JOIN currencies c ON c.code = t.currency
      LEFT JOIN currencies f ON f.code = w.currency
      LEFT JOIN funds_earningperiod e ON e.program_id = w.id AND day.earned_on BETWEEN e.earn_from AND e.earn_to
      LEFT JOIN funds_programsplit s ON s.program_id = w.id AND s.valid_from <= day.earned_on
        AND (s.valid_to IS NULL OR s.valid_to >= day.earned_on)
      LEFT JOIN LATERAL (
        SELECT x."on" AS rate_on, x.source, CASE x.base WHEN t.currency THEN x.rate ELSE round(1 / x.rate, 8) END AS rate,
          CASE x.base WHEN t.currency THEN x.rate ELSE 1 / x.rate END AS factor
        FROM funds_exchangerate x
        WHERE t.currency <> w.currency AND x."on" <= day.earned_on AND x."on" >= day.earned_on - {RATE_DAYS}
          AND (x.base, x.quote) IN ((t.currency, w.currency), (w.currency, t.currency))
        ORDER BY x."on" DESC, x.base = t.currency DESC LIMIT 1) r ON true
    ) h)"""


def _cells(source: Source) -> str:
    """Every line with its own cells read, and what is wrong with any of its cells, in an array or NULL."""
    plain = source.notation.plain("s.amount")
    joined = " AND ".join(f"h.{name}_raw = s.{name}" for name in SHARED)
    heads = """h.program_id, h.kind, h.earned_on, h.currency, h.fund_currency, h.places, h.fund_places, h.earning_period_id,
      h.closed, h.coop_bp, h.table_rate, h.table_factor, h.table_rate_on, h.table_source, h.readable"""
    shared_faults = ", ".join(f"h.{field}_fault" for field in faults.SHARED_FAULTS)
    readable = f"""a.readable AND a.location_id IS NOT NULL AND a.amount_minor IS NOT NULL AND a.doubled IS NULL
      AND {faults.PLAIN_ID.format("a.id")}"""
    return f"""
  SELECT a.*, CASE WHEN a.unreadable IS NOT NULL THEN ARRAY[a.unreadable, 'line', a.complaint]
    WHEN ({readable}) IS NOT TRUE THEN {faults.of_cells(source.notation)} END AS fault
  FROM (
    SELECT s.line_no, s.unreadable, s.complaint, s.id, s.location, s.amount, s.settled, s.rate AS rate_text,
      s.rate_on AS rate_on_text, s.lever, s.reason_code, {heads}, {shared_faults}, l.id AS location_id, l.partner_id,
      d.line_nos AS doubled, {minor(plain, "h.places")} AS amount_minor
    FROM (SELECT * FROM source OFFSET 0) s
    LEFT JOIN heads h ON {joined}
    LEFT JOIN partners_location l ON l.external_id = s.location
    LEFT JOIN doubles d ON d.id = s.id
    OFFSET 0) a"""


def _money(source: Source) -> str:
    """The same with what the line is worth in the currency of its fund, by which rate, of which day and whose."""
    settled = source.notation.plain("c.settled")
    rate = source.notation.plain("c.rate_text")
    own = "c.currency = c.fund_currency"
    # The vendor's own amount may be in a currency that the column names, and the fund in another.
    brought = f"c.settled <> '' AND '{source.settled_in}' IN ('', c.fund_currency)"
    exact = "(c.amount_minor * c.table_factor * power(10::numeric, c.fund_places - c.places))"
    rounded = f"""(round({exact}) - CASE WHEN abs({exact} - trunc({exact})) = 0.5 AND trunc({exact}) %% 2 = 0
      THEN sign({exact}) ELSE 0 END)::bigint"""
    return f"""
  SELECT c.line_no, c.id, c.location, c.lever, c.reason_code, c.program_id, c.kind, c.earned_on, c.currency, c.fund_currency,
    c.earning_period_id, c.closed, c.coop_bp, c.location_id, c.partner_id, c.amount_minor, c.fault, c.settled, c.rate_text,
    c.rate_on_text,
    CASE WHEN c.fault IS NOT NULL THEN NULL WHEN {own} THEN c.amount_minor
      WHEN {brought} THEN {minor(settled, "c.fund_places")} ELSE {rounded} END AS fund_amount_minor,
    CASE WHEN c.fault IS NOT NULL OR {own} THEN NULL
      WHEN {brought} THEN CASE WHEN {faults.RATE.format(rate)} THEN round({rate}::numeric, 8) END ELSE c.table_rate END AS rate,
    CASE WHEN c.fault IS NOT NULL OR {own} THEN NULL
      WHEN {brought} THEN CASE WHEN {faults.DAY.format("c.rate_on_text")} THEN left(c.rate_on_text, 10)::date END
      ELSE c.table_rate_on END AS rate_on,
    CASE WHEN c.fault IS NOT NULL OR {own} THEN '' WHEN {brought} THEN '{VENDOR_REPORT}' ELSE c.table_source END AS rate_source,
    CASE WHEN c.fault IS NOT NULL OR {own} THEN NULL
      WHEN c.rate_text <> '' AND NOT {faults.RATE.format(rate)} THEN 'bad_rate'
      WHEN c.rate_on_text <> '' AND NOT {faults.DAY.format("c.rate_on_text")} THEN 'bad_rate_on' END AS money_fault
  FROM ({_cells(source)} OFFSET 0) c"""


def own_close_at(period: str) -> str:
    """The own deadline of a line's partner (m) in a period."""
    return own_of_partner("own_close_at", period=period, partner="m.partner_id")


def _verdicts(source: Source) -> str:
    """The same beside what is known of the line and its enrollment, with the verdict."""
    # What our own table gave stays as it was: a rate that came later is no news of the vendor's.
    same = f"""(k.location_id, k.program_id, k.kind, k.earned_on, k.amount_minor, k.currency)
        = (m.location_id, m.program_id, m.kind, m.earned_on, m.amount_minor, m.currency)
      AND (k.fund_amount_minor = m.fund_amount_minor
        OR k.rate_source NOT IN ('', '{VENDOR_REPORT}') AND m.rate_source NOT IN ('', '{VENDOR_REPORT}'))"""
    return f"""
  SELECT m.*, n.id AS enrollment_id, k.version AS known_version, k.location_id AS known_location_id,
    k.program_id AS known_program_id, k.enrollment_id AS known_enrollment_id, k.earning_period_id AS known_period_id,
    k.earned_on AS known_earned_on, k.fund_currency AS known_fund_currency, k.fund_amount_minor AS known_fund_amount_minor,
    k.coop_minor AS known_coop_minor,
    NOT k.withdrawn AND (k.enrollment_id, k.earning_period_id, k.fund_currency)
      <> (n.id, m.earning_period_id, m.fund_currency) AS moved,
    CASE WHEN m.fault IS NOT NULL THEN 'fault'
      WHEN m.money_fault IS NOT NULL THEN m.money_fault
      WHEN m.fund_amount_minor IS NULL
        OR m.rate_source = '{VENDOR_REPORT}' AND sign(m.fund_amount_minor) <> sign(m.amount_minor) THEN 'no_money'
      WHEN NOT k.withdrawn AND {same} THEN 'unchanged'
      WHEN m.amount_minor = 0 AND k.withdrawn IS NOT FALSE THEN 'zero'
      WHEN m.earning_period_id IS NULL THEN 'no_period'
      WHEN m.closed AND ({own_close_at("m.earning_period_id")} > %(at)s) IS NOT TRUE THEN 'closed'
      WHEN NOT k.withdrawn AND (SELECT o.claims_close_at FROM funds_earningperiod o WHERE o.id = k.earning_period_id) <= %(at)s
        AND ({own_close_at("k.earning_period_id")} > %(at)s) IS NOT TRUE THEN 'prior_closed'
      WHEN n.id IS NULL THEN 'not_enrolled'
      WHEN NOT k.withdrawn THEN 'changed' ELSE 'new' END AS verdict
  FROM ({_money(source)} OFFSET 0) m
  LEFT JOIN LATERAL (
    SELECT * FROM funds_earning o WHERE o.partner_id = m.partner_id AND o.external_id = m.id AND m.fault IS NULL
    ORDER BY o.version DESC LIMIT 1) k ON true
  LEFT JOIN funds_enrollment n ON n.location_id = m.location_id AND n.program_id = m.program_id AND m.fault IS NULL
    AND n.starts_on <= m.earned_on AND (n.ends_on IS NULL OR n.ends_on >= m.earned_on)"""
