"""The statements that match a report (table `reported`) with our books (table `ours`), both of one transaction.

`ours` holds one row for each record of ours that the report names or should name: `line_no` is the report's line, empty
where the report is silent.
"""

from __future__ import annotations

from typing import NamedTuple


class Statements(NamedTuple):
    prepare: tuple[str, ...]
    scope: str
    ours: str
    write: tuple[str, ...]
    matched: str


_PROGRAMS = """UPDATE reported r SET program_id = p.id FROM funds_program p
  WHERE r.program <> '' AND (p.code = lower(r.program) OR lower(p.name) = lower(r.program))"""

# An id that stands in the report twice says two things of one record: neither can be compared.
_DOUBLES = """UPDATE reported r SET problem = 'The id stands in the report more than once, in lines '
    || array_to_string(d.line_nos[1:10], ', ') || '. It can be compared only where it stands once.'
  FROM (SELECT key, bank_reference, place, array_agg(line_no ORDER BY line_no) AS line_nos FROM reported
        WHERE problem = '' GROUP BY 1, 2, 3 HAVING count(*) > 1) d
  WHERE r.problem = '' AND (r.key, r.bank_reference, r.place) = (d.key, d.bank_reference, d.place)"""

_UNREADABLE = """INSERT INTO funds_reconciledline (reconciliation_id, line_no, outcome, key, currency, theirs_minor,
    ours_minor, message, record_type, record)
  SELECT %(id)s, line_no, 'unreadable', key, '', NULL, NULL, problem, '', ''
  FROM reported WHERE problem <> '' ORDER BY line_no"""

# What the report covers: for each program and earning period the days from its first line to its last. A day that no period
# of its program holds is a slip of the pen and covers nothing.
SCOPE_OF_EARNED = """CREATE TEMP TABLE scope ON COMMIT DROP AS
  SELECT r.program_id, e.id AS earning_period_id, min(r.day) AS first, max(r.day) AS last
  FROM reported r JOIN funds_earningperiod e ON e.program_id = r.program_id AND r.day BETWEEN e.earn_from AND e.earn_to
  WHERE r.problem = '' GROUP BY 1, 2"""
# A list of payments may name no program: then it covers the payments of all.
SCOPE_OF_PAID = """CREATE TEMP TABLE scope ON COMMIT DROP AS
  SELECT r.program_id, NULL::bigint AS earning_period_id, min(r.day) AS first, max(r.day) AS last
  FROM reported r WHERE r.problem = '' AND r.day IS NOT NULL GROUP BY 1"""
SCOPE = """SELECT p.code AS program, e.code AS earning_period, s.first, s.last
  FROM scope s LEFT JOIN funds_program p ON p.id = s.program_id LEFT JOIN funds_earningperiod e ON e.id = s.earning_period_id
  ORDER BY p.name, s.first"""

# What is ours of the report's lines, and what should stand in it by what it covers but does not. The highest version of an
# earning that was known at that instant is what held then.
OURS_OF_EARNED = """CREATE TEMP TABLE ours ON COMMIT DROP AS
  WITH latest AS (
    SELECT r.line_no AS at_line, k.* FROM reported r JOIN LATERAL (
      SELECT * FROM funds_earning k WHERE k.partner_id = r.partner_id AND k.external_id = r.key
        AND k.created_at <= %(known_at)s ORDER BY k.version DESC LIMIT 1) k ON r.problem = ''
    UNION ALL
    SELECT NULL, k.* FROM scope s JOIN funds_earning k ON k.program_id = s.program_id
      AND k.earning_period_id = s.earning_period_id AND k.earned_on BETWEEN s.first AND s.last
    WHERE k.created_at <= %(known_at)s AND NOT k.withdrawn
      AND NOT EXISTS (SELECT 1 FROM funds_earning n WHERE n.partner_id = k.partner_id AND n.external_id = k.external_id
                        AND n.version > k.version AND n.created_at <= %(known_at)s)
      AND NOT EXISTS (SELECT 1 FROM reported r WHERE r.partner_id = k.partner_id AND r.key = k.external_id))
  SELECT l.at_line AS line_no, l.external_id AS key, l.currency,
    CASE WHEN l.withdrawn THEN 0 ELSE l.amount_minor END AS amount_minor, l.withdrawn, l.kind, l.program_id, l.earned_on,
    CASE WHEN f.id IS NULL THEN 'import' ELSE 'fund' END AS record_type, coalesce(f.id, l.delivery_id)::text AS record
  FROM latest l LEFT JOIN funds_fund f ON f.partner_id = l.partner_id AND f.enrollment_id = l.enrollment_id
    AND f.earning_period_id = l.earning_period_id AND f.currency = l.fund_currency"""

# A payment that was sent and has not come back, as it was known then; the log says when each of these was learned.
OURS_OF_PAID = """CREATE TEMP TABLE ours ON COMMIT DROP AS
  WITH sent AS (
    SELECT p.id, p.currency, p.amount_minor, p.bank_reference, p.program_id, p.sent_on, o.external_id AS place
    FROM funds_payment p JOIN partners_partner o ON o.id = p.partner_id
    WHERE p.sent_on IS NOT NULL AND (
      SELECT e.verb FROM partners_event e WHERE e.subject_type = 'payment' AND e.subject = p.id::text
        AND e.verb IN ('payment.sent', 'payment.returned') AND e.at <= %(known_at)s
      ORDER BY e.id DESC LIMIT 1) = 'payment.sent'),
  named AS (
    SELECT r.line_no, s.* FROM sent s JOIN reported r ON r.problem = ''
      AND CASE WHEN r.key <> '' THEN r.key = s.id::text
               ELSE r.bank_reference = s.bank_reference AND r.place IN ('', s.place) END)
  SELECT line_no, id::text AS key, currency, amount_minor, place, program_id, 'payment' AS record_type, id::text AS record
  FROM named
  UNION ALL
  SELECT NULL, s.id::text, s.currency, s.amount_minor, s.place, s.program_id, 'payment', s.id::text FROM sent s
  WHERE s.id NOT IN (SELECT id FROM named) AND EXISTS (
    SELECT 1 FROM scope c WHERE coalesce(c.program_id, s.program_id) = s.program_id AND s.sent_on BETWEEN c.first AND c.last)"""

_MISSING_THERE = """INSERT INTO funds_reconciledline (reconciliation_id, line_no, outcome, key, currency, theirs_minor,
    ours_minor, message, record_type, record)
  SELECT %(id)s, NULL, 'missing_there', o.key, o.currency, NULL, o.amount_minor,
    'It is in our books but not in the report.', o.record_type, o.record
  FROM ours o WHERE o.line_no IS NULL ORDER BY o.key"""

# In what a reported earning differs from ours; empty where it does not.
_DIFFERS = """concat_ws(' ',
    CASE WHEN r.currency <> o.currency THEN 'The report is in ' || r.currency || ', ours in ' || o.currency || '.'
         WHEN r.amount_minor <> o.amount_minor THEN 'The amounts differ.' END,
    CASE WHEN r.day <> o.earned_on THEN 'The report says earned on ' || r.day || ', we say ' || o.earned_on || '.' END,
    CASE WHEN r.kind <> '' AND r.kind <> o.kind THEN 'The report says ' || r.kind || ', we say ' || o.kind || '.' END,
    CASE WHEN r.program_id IS DISTINCT FROM o.program_id THEN 'The report says the program “' || left(r.program, 60)
      || '”, we say ' || (SELECT name FROM funds_program p WHERE p.id = o.program_id) || '.' END)"""

EARNED = Statements(
    prepare=(
        _DOUBLES,
        _PROGRAMS,
        """UPDATE reported r SET partner_id = l.partner_id FROM partners_location l WHERE l.external_id = r.place""",
    ),
    scope=SCOPE_OF_EARNED,
    ours=OURS_OF_EARNED,
    write=(
        f"""INSERT INTO funds_reconciledline (reconciliation_id, line_no, outcome, key, currency, theirs_minor,
              ours_minor, message, record_type, record)
            SELECT %(id)s, r.line_no, CASE WHEN o.line_no IS NULL OR o.withdrawn THEN 'missing_here' ELSE 'different' END,
              r.key, r.currency, r.amount_minor, CASE WHEN o.currency = r.currency AND NOT o.withdrawn THEN o.amount_minor END,
              CASE WHEN o.withdrawn THEN 'It was here and was taken back.'
                   WHEN r.partner_id IS NULL THEN 'There is no location “' || left(r.place, 60) || '” here.'
                   WHEN o.line_no IS NULL THEN 'No line of this partner has this id.'
                   ELSE {_DIFFERS} END, coalesce(o.record_type, ''), coalesce(o.record, '')
            FROM reported r LEFT JOIN ours o ON o.line_no = r.line_no
            WHERE r.problem = '' AND (o.line_no IS NULL OR o.withdrawn OR {_DIFFERS} <> '') ORDER BY r.line_no""",
        _MISSING_THERE,
        _UNREADABLE,
    ),
    matched=f"""SELECT count(*) FROM reported r JOIN ours o ON o.line_no = r.line_no
                WHERE NOT o.withdrawn AND {_DIFFERS} = ''""",
)

# One line of a report may stand for several payments that the bank booked together: they are compared by their sum.
_BOOKED = """SELECT line_no, min(record_type) AS record_type, min(record::bigint)::text AS record, count(*) AS payments,
    sum(amount_minor)::bigint AS amount_minor, min(currency) AS currency, count(DISTINCT currency) AS currencies,
    string_agg(DISTINCT place, ', ') AS place
  FROM ours WHERE line_no IS NOT NULL GROUP BY line_no"""
_PAID_DIFFERS = """concat_ws(' ',
    CASE WHEN NOT r.paid THEN 'The report says that it did not reach the partner; we say sent.'
         WHEN b.currencies > 1 OR r.currency <> b.currency
           THEN 'The report is in ' || r.currency || ', ours in ' || b.currency || '.'
         WHEN r.amount_minor <> b.amount_minor THEN 'The amounts differ.' END,
    CASE WHEN r.place <> '' AND r.place <> b.place THEN 'The report names the partner “' || left(r.place, 60)
      || '”, we paid ' || b.place || '.' END,
    CASE WHEN b.payments > 1 AND r.amount_minor <> b.amount_minor
      THEN 'Ours is the sum of ' || b.payments || ' payments.' END)"""

PAID = Statements(
    prepare=(_DOUBLES, _PROGRAMS),
    scope=SCOPE_OF_PAID,
    ours=OURS_OF_PAID,
    write=(
        f"""INSERT INTO funds_reconciledline (reconciliation_id, line_no, outcome, key, currency, theirs_minor,
              ours_minor, message, record_type, record)
            SELECT %(id)s, r.line_no, CASE WHEN b.line_no IS NULL THEN 'missing_here' ELSE 'different' END,
              coalesce(nullif(r.key, ''), r.bank_reference), r.currency, r.amount_minor,
              CASE WHEN b.currency = r.currency AND b.currencies = 1 THEN b.amount_minor END,
              CASE WHEN b.line_no IS NULL THEN 'The report says that it was paid; we know of no such payment that was sent.'
                   ELSE {_PAID_DIFFERS} END, coalesce(b.record_type, ''), coalesce(b.record, '')
            FROM reported r LEFT JOIN ({_BOOKED}) b ON b.line_no = r.line_no
            WHERE r.problem = '' AND (b.line_no IS NULL AND r.paid OR b.line_no IS NOT NULL AND {_PAID_DIFFERS} <> '')
            ORDER BY r.line_no""",
        _MISSING_THERE,
        _UNREADABLE,
    ),
    # A payment that both say was not made agrees too.
    matched=f"""SELECT count(*) FROM reported r LEFT JOIN ({_BOOKED}) b ON b.line_no = r.line_no
                WHERE r.problem = '' AND CASE WHEN b.line_no IS NULL THEN NOT r.paid ELSE {_PAID_DIFFERS} = '' END""",
)

TOTALS = """SELECT currency, coalesce(sum(theirs), 0) AS theirs, coalesce(sum(ours), 0) AS ours FROM (
    SELECT currency, amount_minor AS theirs, NULL::bigint AS ours FROM reported WHERE problem = ''
    UNION ALL
    SELECT currency, NULL, amount_minor FROM ours) s GROUP BY currency ORDER BY currency"""
