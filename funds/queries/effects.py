"""What an import would do, or did: for each fund, line by line, and as a whole; and how far a worker is with it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from coop.lib.db import named_rows
from coop.lib.money import to_text
from funds.models import Import, ImportProgress, StagedLine
from funds.operations.threshold import COUNTED

NEVER = datetime(1, 1, 1, tzinfo=UTC)

# An import's effects (x) with the period (e), the fund (f) where there is one, and what it held before: until the commit what
# it holds now, from then on what it held just before. `counted` is what the threshold test counts.
EFFECTS = f"""
  SELECT x.*, f.id AS fund_id, p.code AS program, p.name AS program_name, e.code AS period_code,
    coalesce(f.available_minor, 0) AS available_now,
    e.settled_at IS NOT NULL OR f.settled_at IS NOT NULL AS late, x.holds_coop AND x.made IS NOT FALSE AS new_fund,
    x.earned_minor AS earned_before, x.available_minor AS available_before, coalesce(t.amount_minor, 0) AS threshold_minor,
    CASE WHEN NOT x.holds_coop THEN ''
      WHEN x.counted < coalesce(t.amount_minor, 0) AND x.counted + x.coop_minor >= coalesce(t.amount_minor, 0) THEN 'up'
      WHEN x.counted >= coalesce(t.amount_minor, 0) AND x.counted + x.coop_minor < coalesce(t.amount_minor, 0) THEN 'down'
      ELSE '' END AS crossing,
    x.holds_coop AND x.available_minor + x.coop_minor < 0 AS overdrawn
  FROM (
    SELECT x.*, funds_fund.id AS of_fund, funds_fund.created_at = %(committed_at)s::timestamptz AS made,
      coalesce(CASE WHEN %(open)s THEN funds_fund.earned_minor ELSE x.earned_before_minor END, 0) AS earned_minor,
      coalesce(CASE WHEN %(open)s THEN funds_fund.available_minor ELSE x.available_before_minor END, 0) AS available_minor,
      coalesce({COUNTED} - CASE WHEN %(open)s THEN 0 ELSE funds_fund.earned_minor - x.earned_before_minor END, 0) AS counted
    FROM funds_importeffect x
    LEFT JOIN funds_fund ON (funds_fund.partner_id, funds_fund.enrollment_id, funds_fund.earning_period_id,
        funds_fund.currency) = (x.partner_id, x.enrollment_id, x.earning_period_id, x.currency)
    WHERE x.import_id = %(import)s) x
  JOIN funds_program p ON p.id = x.program_id
  JOIN funds_earningperiod e ON e.id = x.earning_period_id
  LEFT JOIN funds_fund f ON f.id = x.of_fund
  LEFT JOIN funds_programthreshold t ON t.program_id = x.program_id AND t.valid_from <= e.earn_to
    AND (t.valid_to IS NULL OR t.valid_to >= e.earn_to)"""


def params_of(delivery: Import) -> dict[str, Any]:
    done = delivery.status in ("committed", "reversed")
    return {"import": delivery.pk, "open": not done, "committed_at": delivery.committed_at if done else NEVER}


def effects_of(delivery: Import, *, limit: int | None = None, offset: int = 0) -> list[dict[str, Any]]:
    """One row for each enrollment and earning period that the import touches, with amounts as decimal strings.

    `before` and `after` are what is available without and with the import, `available` what is available at this moment;
    `crossing` says whether the co-op earned goes over the threshold ("up"), under it ("down") or neither (""); `late` that the
    period's threshold test is done. `fund` is empty where the commit would make a new one (`new_fund`); rebate alone makes
    none. What stands out comes first: overdrawn, crossing, late, then the largest.
    """
    found = named_rows(
        f"""SELECT * FROM ({EFFECTS}) s ORDER BY overdrawn DESC, crossing <> '' DESC, late DESC, abs(coop_minor) DESC,
              partner_id, enrollment_id, earning_period_id, currency {"LIMIT %(limit)s OFFSET %(offset)s" if limit else ""}""",
        {**params_of(delivery), "limit": limit, "offset": offset},
    )
    return [effect(row) for row in found]


def effect(row: dict[str, Any]) -> dict[str, Any]:
    currency = row["currency"]
    before, change = row["available_before"], row["coop_minor"]
    return {
        "fund": str(row["fund_id"]) if row["fund_id"] else None,
        "new_fund": row["new_fund"],
        "partner": str(row["partner_id"]),
        "location": str(row["location_id"]),
        "program": row["program"],
        "earning_period": str(row["earning_period_id"]),
        "earning_period_code": row["period_code"],
        "currency": currency,
        "lines": row["new"] + row["changed"],
        "new": row["new"],
        "changed": row["changed"],
        "amount": to_text(change + row["rebate_minor"], currency),
        "coop_amount": to_text(change, currency),
        "rebate_amount": to_text(row["rebate_minor"], currency),
        "earned_before": to_text(row["earned_before"], currency),
        "earned_after": to_text(row["earned_before"] + change, currency),
        "before": to_text(before, currency),
        "change": to_text(change, currency),
        "after": to_text(before + change, currency),
        "available": to_text(row["available_now"], currency),
        "threshold": to_text(row["threshold_minor"], currency),
        "crossing": row["crossing"],
        "late": row["late"],
        "overdrawn": row["overdrawn"],
    }


def summary_of(delivery: Import) -> dict[str, Any]:
    """The import in a few numbers: `counts` of lines, `totals` by program, and how many funds it touches, makes, lifts over
    their threshold (`crossing_up`) or takes under it (`crossing_down`), how many come late and how many end below zero.
    """
    (found,) = named_rows(
        f"""SELECT count(*) AS funds, count(*) FILTER (WHERE new_fund) AS new_funds,
              count(*) FILTER (WHERE crossing = 'up') AS crossing_up,
              count(*) FILTER (WHERE crossing = 'down') AS crossing_down, count(*) FILTER (WHERE late) AS late,
              count(*) FILTER (WHERE overdrawn) AS overdrawn FROM ({EFFECTS}) s""",
        params_of(delivery),
    )
    names = ("lines", "new", "changed", "unchanged", "rejected")
    return {"counts": {name: getattr(delivery, name) for name in names}, "totals": delivery.totals, **found}


def changed_lines(delivery: Import, *, after: int = -1, limit: int = 50) -> list[dict[str, Any]]:
    """Lines that correct a known one, beside what was known: from line number `after` on, in order.

    Each has line_no, external_id, and `before` and `now` with location, program, earned_on, kind, amount, currency, coop
    and fund_currency; `moved` says that it goes to another fund.
    """
    committed = delivery.status in ("committed", "reversed")
    lines = CORRECTED if committed else CORRECTING
    found = named_rows(
        f"""SELECT c.line_no, c.external_id, c.moved, {SIDE.format(side="k", location="kl", program="kp", prefix="before")},
              {SIDE.format(side="c", location="cl", program="cp", prefix="now")}
            FROM ({lines}) c
            JOIN funds_earning k ON (k.partner_id, k.external_id, k.version) = (c.partner_id, c.external_id, c.prior_version)
            JOIN partners_location kl ON kl.id = k.location_id JOIN partners_location cl ON cl.id = c.location_id
            JOIN funds_program kp ON kp.id = k.program_id JOIN funds_program cp ON cp.id = c.program_id
            ORDER BY c.line_no LIMIT %s""",
        [delivery.pk, after, limit],
    )
    return [_both_sides(row) for row in found]


SIDE = """{location}.external_id AS {prefix}_location, {program}.code AS {prefix}_program,
  {side}.earned_on AS {prefix}_earned_on, {side}.kind AS {prefix}_kind, {side}.amount_minor AS {prefix}_amount,
  {side}.currency AS {prefix}_currency, {side}.coop_minor AS {prefix}_coop, {side}.fund_currency AS {prefix}_fund_currency"""
KEPT = """line_no, external_id, partner_id, location_id, program_id, earned_on, kind, amount_minor, currency, coop_minor,
  fund_currency"""
CORRECTING = f"""SELECT {KEPT}, moved, version - CASE WHEN moved THEN 2 ELSE 1 END AS prior_version FROM (
    SELECT *, (prior_enrollment_id, prior_earning_period_id, prior_fund_currency)
      IS DISTINCT FROM (enrollment_id, earning_period_id, fund_currency) AS moved
    FROM funds_stagedline WHERE import_id = %s AND outcome = 'changed' AND line_no > %s) s"""
# After the commit: the version before, or the one before that where the line left another fund with a withdrawing version.
# A delivery's first version of a line is what it brought; a later one is its reversal.
CORRECTED = f"""SELECT {KEPT}, before.moved, version - CASE WHEN before.moved THEN 2 ELSE 1 END AS prior_version
  FROM (
    SELECT DISTINCT ON (partner_id, external_id) * FROM funds_earning
    WHERE delivery_id = %s AND line_no > %s AND version > 1 AND NOT withdrawn ORDER BY partner_id, external_id, version) e
  JOIN LATERAL (
    SELECT o.withdrawn AND o.delivery_id = e.delivery_id AS moved, o.withdrawn FROM funds_earning o
    WHERE (o.partner_id, o.external_id, o.version) = (e.partner_id, e.external_id, e.version - 1)) before
    ON before.moved OR NOT before.withdrawn"""


def _both_sides(row: dict[str, Any]) -> dict[str, Any]:
    sides = {
        side: {
            "location": row[f"{side}_location"],
            "program": row[f"{side}_program"],
            "earned_on": row[f"{side}_earned_on"],
            "kind": row[f"{side}_kind"],
            "amount": to_text(row[f"{side}_amount"], row[f"{side}_currency"]),
            "currency": row[f"{side}_currency"],
            "coop": to_text(row[f"{side}_coop"], row[f"{side}_fund_currency"]),
            "fund_currency": row[f"{side}_fund_currency"],
        }
        for side in ("before", "now")
    }
    return {"line_no": row["line_no"], "external_id": row["external_id"], "moved": row["moved"], **sides}


def rejected_lines(import_id: int, *, after: int = -1, limit: int | None = None) -> list[dict[str, Any]]:
    """The lines that were not taken: line_no, problem, field, message, and their `cells` by the import's `columns`; in the
    order in which they were sent, from line number `after` on.
    """
    found = StagedLine.objects.filter(import_id=import_id, outcome="rejected", line_no__gt=after).order_by("line_no")
    return [dict(row) for row in found.values("line_no", "problem", "field", "message", "cells")[:limit]]


def progress_of(delivery: Import) -> tuple[str, int]:
    """What a worker is doing with the import, in a word or two, and how many percent of it are done."""
    if delivery.status == "queued" or delivery.asked_for:
        found = ImportProgress.objects.filter(import_id=delivery.pk).values_list("step", "percent").first()
        return found or ("Waiting", 0)
    return ("Done", 100) if delivery.status != "running" else ("Waiting", 0)


def status_shown(delivery: Import) -> str:
    """The status as people see it: what a worker is at is running, whatever will come of it."""
    if delivery.status == "queued" and ImportProgress.objects.filter(import_id=delivery.pk).exists():
        return "running"
    return delivery.status
