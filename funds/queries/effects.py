"""What an import does, or did, to each fund."""

from __future__ import annotations

from typing import Any

from coop.lib.db import named_rows
from coop.lib.money import to_text
from funds.models import Import

# Before the commit the staged lines say what would come; after it the earnings that were taken say what came.
STAGED = "FROM funds_stagedline l WHERE l.import_id = %s AND l.outcome = 'new'"
TAKEN = "FROM funds_earning l WHERE l.delivery_id = %s"


def effects_of(delivery: Import) -> list[dict[str, Any]]:
    """One row for each enrollment and earning period that the import touches, with amounts as decimal strings.

    `fund` is empty where the commit would make a new one. Rebate alone makes no fund.
    """
    lines = TAKEN if delivery.status == "committed" else STAGED
    found = named_rows(
        f"""SELECT d.*, f.id AS fund, p.code AS program, e.code AS earning_period_code,
              coalesce(f.available_minor, 0) AS available_minor
            FROM (SELECT l.partner_id, l.location_id, l.program_id, l.enrollment_id, l.earning_period_id, l.fund_currency,
                    count(*) AS lines, sum(l.fund_amount_minor)::bigint AS amount_minor, sum(l.coop_minor)::bigint AS coop_minor
                  {lines} GROUP BY 1, 2, 3, 4, 5, 6) d
            JOIN funds_program p ON p.id = d.program_id JOIN funds_earningperiod e ON e.id = d.earning_period_id
            LEFT JOIN funds_fund f ON f.partner_id = d.partner_id AND f.enrollment_id = d.enrollment_id
              AND f.earning_period_id = d.earning_period_id AND f.currency = d.fund_currency
            ORDER BY d.partner_id, d.enrollment_id, d.earning_period_id""",
        [delivery.pk],
    )
    return [effect(row) for row in found]


def effect(row: dict[str, Any]) -> dict[str, Any]:
    currency = row["fund_currency"]
    return {
        "fund": str(row["fund"]) if row["fund"] else None,
        "partner": str(row["partner_id"]),
        "location": str(row["location_id"]),
        "program": row["program"],
        "earning_period": str(row["earning_period_id"]),
        "earning_period_code": row["earning_period_code"],
        "currency": currency,
        "lines": row["lines"],
        "amount": to_text(row["amount_minor"], currency),
        "coop_amount": to_text(row["coop_minor"], currency),
        "rebate_amount": to_text(row["amount_minor"] - row["coop_minor"], currency),
        "available": to_text(row["available_minor"], currency),
    }
