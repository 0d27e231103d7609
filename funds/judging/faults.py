"""What can be wrong with a line, and the sentence that says it: what was seen, what is wanted, what to do. SQL texts.

The cells of a line are judged apart, so that all that is wrong with them is said together. Only a line whose cells can be
read is held against periods, enrollments and what is known.
"""

from __future__ import annotations

from funds.judging.amounts import WITH_COMMA, WITH_POINT, Notation, is_plain
from funds.queries.deadlines import own_of_partner

# PostgreSQL itself would also take "today", "infinity" and days in the order of some country.
TIME_OF_DAY = "(T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?Z?)?"
DAY = (
    f"({{0}} ~ '^[0-9]{{{{4}}}}-[0-9]{{{{2}}}}-[0-9]{{{{2}}}}{TIME_OF_DAY}$' AND left({{0}}, 4) <> '0000' "
    "AND pg_input_is_valid(left({0}, 10), 'date'))"
)
RATE = "({0} ~ '^[0-9]{{1,9}}([.][0-9]+)?$' AND {0} ~ '[1-9]')"

# Soft hyphens, joiners, marks of direction: characters without a shape of their own.
UNSEEN = r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
# An id of plain characters needs no closer look, and one like 1.23E+17 was an id before a spreadsheet read it as a number.
NUMBER_ID = "'^[0-9]([.,][0-9]+)?[eE][+]?[0-9][0-9]?[0-9]?$'"
PLAIN_ID = f"({{0}} ~ '^[!-~][ -~]*$' AND octet_length({{0}}) <= 80 AND {{0}} !~ {NUMBER_ID})"


def shown(text: str) -> str:
    """SQL for a value as a sentence shows it."""
    return f"left({text}, 50)"


# The id, asked only of lines that are at fault somewhere.
ID = f"""CASE
  WHEN a.id = '' THEN ARRAY['required', 'Missing: the id of the line.']
  WHEN length(a.id) > 80 OR a.id ~ '[[:cntrl:]]' THEN ARRAY['too_long',
    'The line''s id has more than 80 characters, or characters that cannot be printed.']
  WHEN a.id ~ '{UNSEEN}' OR a.id IS NOT NFKC NORMALIZED THEN ARRAY['invalid',
    'The line''s id holds characters that cannot be seen or that only look like others, so it could be another''s double. '
    'Write it with plain letters, digits and signs.']
  WHEN a.id ~ {NUMBER_ID} THEN ARRAY['invalid',
    '“' || {shown("a.id")} || '” is a number that a spreadsheet made of an id; its last digits are lost. '
    'Export the file anew and do not save it from a spreadsheet, or format the column as text before.']
  WHEN a.doubled IS NOT NULL THEN ARRAY['duplicate_in_file', 'The id ' || {shown("a.id")}
    || ' stands in this delivery more than once, in lines ' || a.doubled || '. Keep one of them.'] END"""

LOCATION = f"""CASE
  WHEN a.location = '' THEN ARRAY['required', 'Missing: the id of the location.']
  WHEN a.location_id IS NULL THEN ARRAY['unknown_location', 'There is no location with the id “' || {shown("a.location")}
    || '”. Add the partner''s location first, or correct the id.'] END"""

# Those that many lines share are asked of each combination once (h), and given on to its lines.
PROGRAM = f"""CASE
  WHEN h.program = '' THEN ARRAY['required', 'Missing: the program.']
  WHEN h.program_id IS NULL THEN ARRAY['unknown_program', 'There is no program “' || {shown("h.program")}
    || '”. Use its code or its full name from the catalog.'] END"""
KIND = f"""CASE WHEN h.kind NOT IN ('incentive', 'rebate', 'coop') THEN ARRAY['invalid', '“' || {shown("h.kind")}
  || '” is not a kind of earning. Use incentive, rebate or coop.'] END"""
EARNED = f"""CASE
  WHEN h.earned = '' THEN ARRAY['required', 'Missing: the day it was earned on.']
  WHEN h.earned_on IS NULL THEN ARRAY['date_format', '“' || {shown("h.earned")} || '” is not a day. Write it as 2023-10-31.'
    || CASE WHEN h.earned ~ '^[0-9]{{5}}([.][0-9]+)?$'
       THEN ' A spreadsheet made a number of it: format the column as text.' ELSE '' END] END"""
CURRENCY = f"""CASE
  WHEN h.currency = '' THEN ARRAY['required', 'Missing: the currency.']
  WHEN h.places IS NULL THEN ARRAY['unknown_currency', '“' || {shown("h.currency")}
    || '” is not the code of a current currency. Use three capital letters, for example USD.'] END"""
SHARED_FAULTS = {"program": PROGRAM, "kind": KIND, "earned_on": EARNED, "currency": CURRENCY}

# The order in which faults are said; what is missing comes first. A field is blamed once.
MISSING_FIRST = ("external_id", "location", "program", "earned_on", "amount", "currency")
THEN = ("external_id", "kind", "program", "location", "earned_on", "currency", "amount")


def amount(notation: Notation) -> str:
    """The amount, asked only of lines that are at fault somewhere."""
    plain = notation.plain("a.amount")
    wanted = "Write digits and at most one point, for example 4200.00."
    if notation.decimal == ",":
        wanted = "This file writes amounts with a decimal comma: write 4200,00 or 4.200,00."
    return f"""CASE
  WHEN a.amount = '' THEN ARRAY['required', 'Missing: the amount.']
  WHEN NOT {is_plain(plain)} AND a.amount ~ {WITH_POINT} AND a.amount ~ {WITH_COMMA} AND strpos(a.amount, ',') > 0
    THEN ARRAY['amount_format', '“' || {shown("a.amount")} || '” can be read in two ways, and no other amount of the file says '
      'which is meant. Write it without separators, for example ' || replace(a.amount, ',', '') || '.00.']
  WHEN NOT {is_plain(plain)} OR {plain} ~ '^-[0.]+$'
    THEN ARRAY['amount_format', '“' || {shown("a.amount")} || '” is not an amount. {wanted}']
  WHEN a.places < length(split_part({plain}, '.', 2)) THEN ARRAY['too_many_decimals',
    {shown("a.amount")} || ' has more decimals than ' || a.currency || ' has (' || a.places || '). Amounts are never rounded.'
    || CASE WHEN a.amount ~ {WITH_POINT} AND a.amount ~ {WITH_COMMA}
       THEN ' If a thousand is meant, write it without a separator.' ELSE '' END] END"""


def of_cells(notation: Notation) -> str:
    """SQL for ARRAY[code of the first fault, all fields, all sentences] of a line (a) that is at fault."""
    faults = {
        "external_id": ID,
        "location": LOCATION,
        "amount": amount(notation),
        **{field: f"a.{field}_fault" for field in SHARED_FAULTS},
    }
    found = ", ".join(f"('{field}', {fault})" for field, fault in faults.items())
    missing, then = (", ".join(f"'{field}'" for field in order) for order in (MISSING_FIRST, THEN))
    place = f"""CASE WHEN f.fault[1] = 'required' THEN array_position(ARRAY[{missing}], f.field)
                ELSE 100 + array_position(ARRAY[{then}], f.field) END"""
    return f"""(SELECT ARRAY[(array_agg(f.fault[1] ORDER BY {place}))[1], string_agg(f.field, ', ' ORDER BY {place}),
                 string_agg(f.fault[2], ' ' ORDER BY {place})]
                FROM (VALUES {found}) AS f(field, fault) WHERE f.fault IS NOT NULL)"""


NO_MONEY = f"""'The program holds its money in ' || v.fund_currency || ', this line is in ' || v.currency
  || CASE WHEN v.settled <> '' THEN ', and the vendor''s own amount beside it, “' || {shown("v.settled")}
       || '”, cannot be used. Correct that amount, or send the line in ' || v.fund_currency || '.'
     ELSE '. There is no rate between the two for ' || v.earned_on || ' or the seven days before: load one, or send the line '
       'in ' || v.fund_currency || ', or with the vendor''s own amount in ' || v.fund_currency || ' beside it.' END"""
CLOSED = f"""'The claim deadline of ' || {{0}}.code || ' was '
  || coalesce({own_of_partner("own_close_on", period="{0}.id", partner="v.partner_id")}, {{0}}.claims_close_on)
  || '; the period is closed. Use an adjustment instead.'"""

# Code, field and sentence for a line (v) whose cells can be read. A line has one of these at most.
VERDICTS = {
    "bad_rate": ("invalid", "rate", f"""'“' || {shown("v.rate_text")} || '” is not an exchange rate. Write digits and at most '
      'one point, for example 1.0842.'"""),
    "bad_rate_on": ("invalid", "rate_on", f"'“' || {shown('v.rate_on_text')} || '” is not a day. Write it as 2023-10-31.'"),
    "no_money": ("currency_mismatch", "currency", NO_MONEY),
    "zero": ("must_not_be_zero", "amount", "'An earning of zero says nothing. Leave the line out.'"),
    "no_period": ("no_period", "earned_on", "'The program has no earning period on ' || v.earned_on || '. Correct the day.'"),
    "closed": ("period_closed", "earned_on", CLOSED.format("e")),
    "prior_closed": (
        "period_closed",
        "earned_on",
        "'This line was taken before, for ' || p.code || '. ' || " + CLOSED.format("p"),
    ),
    "not_enrolled": ("not_enrolled", "earned_on", f"""'The location ' || {shown("v.location")} || ' was not enrolled in '
      'this program on ' || v.earned_on || '. Enroll it from that day on, or correct the day: without enrollment nothing '
      'accrues.'"""),
}  # fmt: skip


def verdict(column: int) -> str:
    """SQL for the code (0), field (1) or sentence (2) of a verdict."""
    whens = " ".join(
        f"WHEN '{name}' THEN {said[column] if column == 2 else repr(said[column])}" for name, said in VERDICTS.items()
    )
    return f"CASE v.verdict {whens} END"
