"""Loading programs, calendars, splits, thresholds and periods from the catalog. Safe to repeat; says what it changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import models, transaction

from coop.lib import money
from funds.models import Calendar, EarningPeriod, Program, ProgramSplit, ProgramThreshold
from funds.rules import generate_period


@transaction.atomic
def load_programs(catalog: Mapping[str, Any]) -> list[str]:
    """Load the money side of a catalog (format 2), which was found to be in order; returns a sentence for each change.

    Periods are only ever added: a stored date is a promise, and a changed rule does not change it.
    """
    said: list[str] = []
    rules = {
        code: {name: value for name, value in rule.items() if not isinstance(value, list)}
        for code, rule in catalog["calendars"].items()
    }
    put(said, Calendar, rules, "calendar")
    calendars = {calendar.code: calendar for calendar in Calendar.objects.all()}
    for row in catalog["programs"]:
        code = row["code"]
        program = put(said, Program, {code: program_values(row, catalog, calendars)}, "program")[code]
        replace_ranges(said, ProgramSplit, program, [split_values(split) for split in row.get("splits", [])])
        replace_ranges(
            said, ProgramThreshold, program, [threshold_values(t, program) for t in row.get("thresholds", [])]
        )
        add_periods(said, program, catalog["fiscal_years"])
    return said


def program_values(
    row: Mapping[str, Any], catalog: Mapping[str, Any], calendars: Mapping[str, Calendar]
) -> dict[str, Any]:
    return {
        "name": row["name"],
        "currency": row["currency"],
        "time_zone": row["time_zone"],
        "calendar": calendars[row["calendar"]],
        "plan_approval": row["plan_approval"],
        "holiday_country": row.get("holiday_country", "US"),
        "approvers": [{**plain_dates(approver)} for approver in row.get("approvers", [])],
        "minimum_payment_minor": amount_of("minimum_payment", row, catalog),
        "four_eyes_minor": amount_of("four_eyes", row, catalog),
        "valid_from": row["valid_from"],
        "valid_to": row.get("valid_to"),
        "discontinued_on": row.get("discontinued_on"),
        "example": row.get("example", False),
    }


def put(said: list[str], model: type[models.Model], rows: Mapping[str, Mapping[str, Any]], name: str) -> dict[str, Any]:
    """Make the rows with these codes have these values; note what was added or changed. Returns the rows by their code."""
    stored = {row.code: row for row in model._default_manager.filter(code__in=rows)}  # type: ignore[attr-defined]
    fresh = [model(code=code, **values) for code, values in rows.items() if code not in stored]
    added = {row.code: row for row in model._default_manager.bulk_create(fresh)}  # type: ignore[attr-defined]
    for code, values in rows.items():
        if code in added:
            said.append(f"added {name} {code}")
            continue
        changed = [field for field, value in values.items() if getattr(stored[code], field) != value]
        if changed:
            for field in changed:
                setattr(stored[code], field, values[field])
            stored[code].save(update_fields=changed)
            said.append(f"changed {name} {code}: {', '.join(changed)}")
    return {**stored, **added}


def replace_ranges(said: list[str], model: Any, program: Program, wanted: list[dict[str, Any]]) -> None:
    """Make a program's dated rows be exactly the wanted ones."""
    fields = list(wanted[0]) if wanted else ["valid_from"]
    stored = list(model.objects.filter(program=program).order_by("valid_from").values(*fields))
    wanted = sorted(wanted, key=lambda row: row["valid_from"])
    if stored == wanted:
        return
    model.objects.filter(program=program).delete()
    model.objects.bulk_create(model(program=program, **row) for row in wanted)
    kind = "splits" if model is ProgramSplit else "thresholds"
    said.append(f"{'changed' if stored else 'added'} {kind} of {program.code}")


def split_values(row: Mapping[str, Any]) -> dict[str, Any]:
    basis_points = Decimal(row["coop_percent"]) * 100
    if basis_points != int(basis_points):
        raise ValueError(f"coop_percent {row['coop_percent']} has more than two decimals")
    return {**dated(row), "coop_bp": int(basis_points)}


def threshold_values(row: Mapping[str, Any], program: Program) -> dict[str, Any]:
    return {**dated(row), "amount_minor": money.to_minor(row["amount"], program.currency)}


def amount_of(name: str, row: Mapping[str, Any], catalog: Mapping[str, Any]) -> int:
    """A program's own amount of this name, or the catalog's for its currency; in minor units, nothing where neither is said."""
    shipped = catalog.get("amounts", {}).get(name, {})
    return money.to_minor(row.get(name, shipped.get(row["currency"], "0")), row["currency"])


def dated(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "valid_from": row["valid_from"],
        "valid_to": row.get("valid_to"),
        "example": row.get("example", False),
    }


def plain_dates(row: Mapping[str, Any]) -> dict[str, Any]:
    """A catalog row as JSON: dates become text, lists and tables are walked."""
    return {name: plain(value) for name, value in row.items()}


def plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return plain_dates(value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def add_periods(said: list[str], program: Program, fiscal_years: list[int]) -> None:
    """Generate the periods that are missing, for halves that touch the program's validity."""
    rule = program.calendar.rule()
    known = set(EarningPeriod.objects.filter(program=program).values_list("code", flat=True))
    fresh = []
    for year in range(fiscal_years[0], fiscal_years[1] + 1):
        for part in range(1, 12 // rule.months + 1):
            dates = generate_period(rule, year, part, program.time_zone)
            touches = dates.earn_to >= program.valid_from and (
                program.valid_to is None or dates.earn_from <= program.valid_to
            )
            if touches and dates.code not in known:
                fresh.append(EarningPeriod(program=program, **vars(dates)))
    EarningPeriod.objects.bulk_create(fresh)
    if fresh:
        said.append(f"added {len(fresh)} earning periods of {program.code}: {fresh[0].code} to {fresh[-1].code}")
