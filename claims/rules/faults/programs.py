"""What may be wrong with the money side of a catalog: calendars, amounts, programs with their splits and thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from claims.rules.faults.shape import DAYS, Faults, Row, Spec, check_amount, check_row, check_unique, read_day
from claims.rules.faults.spans import check_spans, span_of
from coop.lib import money

CALENDAR: Spec = {
    "first_month": ("month", True),
    "months": ("months", True),
    "claims_open_after_days": ("count", True),
    "days_to_settle": ("count", True),
    "days_to_claim": ("count", True),
    "days_to_cure": ("count", True),
}
PROGRAM: Spec = {
    "code": ("code", True),
    "name": ("long name", True),
    "currency": ("currency", True),
    "time_zone": ("zone", True),
    "calendar": ("code", True),
    "plan_approval": ("plan approval", True),
    "holiday_country": ("country", False),
    "minimum_payment": ("amount", False),
    "four_eyes": ("amount", False),
    "discontinued_on": ("day", False),
    "splits": ("rows", True),
    "thresholds": ("rows", False),
    "approvers": ("rows", False),
    "example": ("flag", False),
    **DAYS,
}
SPLIT: Spec = {"coop_percent": ("percent", True), "example": ("flag", False), **DAYS}
THRESHOLD: Spec = {"amount": ("amount", True), "example": ("flag", False), **DAYS}
APPROVER: Spec = {"title": ("title", True), "example": ("flag", False), **DAYS}
AMOUNTS = ("minimum_payment", "four_eyes")


def check_calendars(faults: Faults, catalog: Row) -> None:
    for code, row in catalog["calendars"].items():
        if isinstance(row, Mapping):
            check_row(faults, f"calendars.{code}", row, CALENDAR)
        else:
            faults.add(f"calendars.{code}", "invalid", f"The calendar “{code}” must be a table.")


def check_amounts(faults: Faults, catalog: Row) -> None:
    """The smallest payment and the amount of the second person, by currency."""
    for name, by_currency in catalog.get("amounts", {}).items():
        place = f"amounts.{name}"
        if name not in AMOUNTS or not isinstance(by_currency, Mapping):
            faults.add(
                place, "unknown_field", f"There is no amount “{name}” by currency. There are: {', '.join(AMOUNTS)}."
            )
            continue
        for currency, text in by_currency.items():
            if currency == "example":
                continue
            if not money.is_currency(currency):
                faults.add(
                    f"{place}.{currency}", "unknown_code", f"“{currency}” is not the code of a current currency."
                )
            check_amount(faults, f"{place}.{currency}", text, currency)


def check_programs(faults: Faults, catalog: Row) -> None:
    check_unique(faults, "programs", catalog["programs"])
    for index, row in enumerate(catalog["programs"]):
        place = f"programs.{row.get('code', index)}"
        if check_row(faults, place, row, PROGRAM):
            check_program(faults, place, row, catalog)


def check_program(faults: Faults, place: str, row: Row, catalog: Row) -> None:
    """What is wrong with a program whose own fields are in order."""
    span = span_of(row)
    if row["calendar"] not in catalog["calendars"]:
        faults.add(f"{place}.calendar", "unknown_code", f"There is no calendar “{row['calendar']}” in this catalog.")
    for name in AMOUNTS:
        if name in row:
            check_amount(faults, f"{place}.{name}", row[name], row["currency"])
    ended, last = read_day(row.get("discontinued_on")), read_day(row.get("valid_to"))
    if ended and (last is None or last > ended):
        faults.add(
            f"{place}.discontinued_on",
            "dates_out_of_order",
            "A discontinued program takes no earnings after that day: close it with valid_to.",
        )
    for index, split in enumerate(row["splits"]):
        check_row(faults, f"{place}.splits.{index}", split, SPLIT)
    if not row["splits"]:
        faults.add(f"{place}.splits", "gap", "No split is given: say which share of an earning is co-op.")
    check_spans(faults, f"{place}.splits", row["splits"], "splits|split", span)
    thresholds = row.get("thresholds", [])
    for index, threshold in enumerate(thresholds):
        if check_row(faults, f"{place}.thresholds.{index}", threshold, THRESHOLD):
            check_amount(faults, f"{place}.thresholds.{index}.amount", threshold["amount"], row["currency"])
    check_spans(faults, f"{place}.thresholds", thresholds, "thresholds|threshold", span)
    check_approvers(faults, place, row.get("approvers", []))


def check_approvers(faults: Faults, place: str, approvers: list[Any]) -> None:
    """Titles may come and go, but none is named twice on a day."""
    by_title: dict[Any, list[Row]] = {}
    for index, row in enumerate(approvers):
        if check_row(faults, f"{place}.approvers.{index}", row, APPROVER):
            by_title.setdefault(row["title"], []).append(row)
    for title, rows in by_title.items():
        for problem in check_twice(rows):
            faults.add(f"{place}.approvers.{title}", "overlap", f"The title “{title}” is named twice {problem}.")


def check_twice(rows: list[Row]) -> list[str]:
    """The days on which more than one of the rows holds, in words."""
    spans = [span for row in rows if (span := span_of(row))]
    return [shared.words for i, a in enumerate(spans) for b in spans[i + 1 :] if (shared := a.common(b))]
