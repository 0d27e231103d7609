"""Ways to break the shipped catalog: each changes a copy of it, and says the faults, as (place, code), that must be told."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

Catalog = dict[str, Any]
Broken = tuple[str, Callable[[Catalog], Any], list[tuple[str, str]]]


def row(catalog: Catalog, section: str, code: str) -> dict[str, Any]:
    return next(found for found in catalog[section] if found["code"] == code)


def rule(catalog: Catalog, which: str, **changes: Any) -> dict[str, Any]:
    found = row(catalog, "rules", which)
    for name, value in changes.items():
        found[name] = value
    return found


def without(catalog: Catalog, code: str) -> None:
    catalog["rules"] = [found for found in catalog["rules"] if found["code"] != code]


def another(catalog: Catalog, which: str, **changes: Any) -> None:
    """A copy of a rule with changes, added behind it."""
    catalog["rules"].append({**row(catalog, "rules", which), **changes})


def split(catalog: Catalog, days: int) -> None:
    """Cut the last split of a program in two, so many days apart."""
    splits = row(catalog, "programs", "hosting")["splits"]
    splits[-1]["valid_to"] = date(2025, 6, 30)
    splits.append({"valid_from": date(2025, 6, 30) + timedelta(days), "coop_percent": "50"})


SPIFF, FIRST = "rules.limit.spiff/1", date(2019, 7, 1)
NEXT = {"valid_from": date(2027, 7, 1)}

BROKEN: list[Broken] = [
    ("a section that is not known", lambda c: c.update(extras=[]), [("extras", "unknown_section")]),
    ("a section that is missing", lambda c: c.pop("categories"), [("categories", "required")]),
    ("another format", lambda c: c.update(format=3), [("format", "invalid")]),
    ("rules that are no list", lambda c: c.update(rules="none"), [("rules", "invalid")]),
    ("years the wrong way round", lambda c: c.update(fiscal_years=[2027, 2020]), [("fiscal_years", "invalid")]),
    (
        "a kind of rule that is not known",
        lambda c: rule(c, "limit.spiff", code="cap.spiff"),
        [("rules.cap.spiff/1.code", "unknown_code")],
    ),
    (
        "a field that is not known",
        lambda c: rule(c, "limit.spiff", colour="red"),
        [(f"{SPIFF}.colour", "unknown_field")],
    ),
    (
        "a rule without its sentence",
        lambda c: rule(c, "limit.spiff").pop("sentence"),
        [(f"{SPIFF}.sentence", "required")],
    ),
    (
        "a program that is not there",
        lambda c: rule(c, "limit.spiff", programs=["moon"]),
        [(f"{SPIFF}.programs", "unknown_code")],
    ),
    (
        "an activity that is not there",
        lambda c: rule(c, "limit.spiff", activities=["moon"]),
        [(f"{SPIFF}.activities", "unknown_code")],
    ),
    (
        "a category that is not there",
        lambda c: rule(c, "limit.spiff", categories=["moon"]),
        [(f"{SPIFF}.categories", "unknown_code")],
    ),
    (
        "a class that is not there",
        lambda c: rule(c, "limit.spiff", country_classes=["moon"]),
        [(f"{SPIFF}.country_classes", "unknown_code")],
    ),
    (
        "a country that is none",
        lambda c: rule(c, "limit.spiff", countries=["Germany"]),
        [(f"{SPIFF}.countries", "invalid")],
    ),
    (
        "a figure that is missing",
        lambda c: rule(c, "invoice_date", params={}),
        [("rules.invoice_date/1.params.days_after_use", "required")],
    ),
    (
        "a percentage as a number",
        lambda c: rule(c, "limit.spiff", params={"percent": 25}),
        [(f"{SPIFF}.params.percent", "invalid")],
    ),
    (
        "more than 100 percent",
        lambda c: rule(c, "limit.spiff", params={"percent": "125"}),
        [(f"{SPIFF}.params.percent", "invalid")],
    ),
    (
        "a figure that its kind does not take",
        lambda c: rule(c, "limit.spiff")["params"].update(moons=2),
        [(f"{SPIFF}.params.moons", "unknown_field")],
    ),
    (
        "an amount without its currency",
        lambda c: rule(c, "limit.spiff", params={"amount": "5.00"}),
        [(f"{SPIFF}.params.amount", "required")],
    ),
    (
        "three decimals of a dollar",
        lambda c: rule(c, "limit.spiff", params={"amount": "5.005", "currency": "USD"}),
        [(f"{SPIFF}.params.amount", "invalid")],
    ),
    (
        "a currency that is none",
        lambda c: rule(c, "limit.spiff", params={"amount": "5.00", "currency": "XYZ"}),
        [(f"{SPIFF}.params.currency", "invalid")],
    ),
    ("a limit that says nothing", lambda c: rule(c, "limit.spiff", params={}), [(f"{SPIFF}.params", "required")]),
    (
        "a kind of answer that is none",
        lambda c: rule(c, "results.trade-show.visitors")["params"].update(kind="song"),
        [("rules.results.trade-show.visitors/1.params.kind", "invalid")],
    ),
    (
        "a proof without its name",
        lambda c: rule(c, "proof_of_execution.spiff.rules-terms", params={"any_of": [{"code": "x"}]}),
        [("rules.proof_of_execution.spiff.rules-terms/1.params.any_of.0.name", "required")],
    ),
    (
        "a last day before the first",
        lambda c: rule(c, "limit.spiff", valid_to=date(2019, 6, 30)),
        [(f"{SPIFF}.valid_to", "dates_out_of_order")],
    ),
    ("a day that is none", lambda c: rule(c, "limit.spiff", valid_from="1 July"), [(f"{SPIFF}.valid_from", "invalid")]),
    ("a version twice", lambda c: another(c, "limit.spiff"), [(SPIFF, "duplicate")]),
    (
        "two versions at a time",
        lambda c: another(c, "limit.spiff", version=2, **NEXT),
        [("rules.limit.spiff/2", "overlap")],
    ),
    (
        "a day between versions",
        lambda c: (another(c, "limit.spiff", version=2, **NEXT), rule(c, "limit.spiff", valid_to=date(2027, 6, 29))),
        [("rules.limit.spiff/2", "gap")],
    ),
    (
        "versions that fall",
        lambda c: (
            another(c, "limit.spiff", version=1, **NEXT),
            rule(c, "limit.spiff", valid_to=date(2027, 6, 30), version=2),
        ),
        [(SPIFF, "version")],
    ),
    (
        "two rules that answer one question",
        lambda c: another(c, "limit.spiff", code="limit.bonus", slot="limit.spiff"),
        [("rules.limit.bonus/1", "overlap")],
    ),
    (
        "kinds mixed in one question",
        lambda c: another(c, "allowance", code="allowance.spiff", slot="limit.spiff", activities=["seminar"]),
        [("rules.allowance.spiff/1", "slot")],
    ),
    ("nothing that asks for money evidence", lambda c: without(c, "money_evidence"), [("rules.money_evidence", "gap")]),
    (
        "a window that opens late",
        lambda c: rule(c, "claim_window", valid_from=date(2021, 1, 1)),
        [("rules.claim_window", "gap")],
    ),
    (
        "an example that comes out otherwise",
        lambda c: rule(c, "limit.spiff")["examples"][2].update(outcome="passed"),
        [(f"{SPIFF}.examples.2", "example_failed")],
    ),
    (
        "an example of facts that there are not",
        lambda c: rule(c, "limit.spiff")["examples"].append({"outcome": "passed", "facts": {"moon": 1}}),
        [(f"{SPIFF}.examples.3", "example_failed")],
    ),
    (
        "a rule without examples",
        lambda c: rule(c, "limit.spiff", examples=[]),
        [(SPIFF, "example_missing"), (SPIFF, "example_missing")],
    ),
    (
        "a program twice",
        lambda c: c["programs"].append(row(c, "programs", "hosting")),
        [("programs.hosting", "duplicate")],
    ),
    (
        "a calendar that is not there",
        lambda c: row(c, "programs", "hosting").update(calendar="moon"),
        [("programs.hosting.calendar", "unknown_code")],
    ),
    (
        "a time zone that is none",
        lambda c: row(c, "programs", "hosting").update(time_zone="Mars"),
        [("programs.hosting.time_zone", "invalid")],
    ),
    (
        "an approval that is none",
        lambda c: row(c, "programs", "hosting").update(plan_approval="maybe"),
        [("programs.hosting.plan_approval", "invalid")],
    ),
    ("splits that overlap", lambda c: split(c, 0), [("programs.hosting.splits.1", "overlap")]),
    ("a day without a split", lambda c: split(c, 2), [("programs.hosting.splits", "gap")]),
    (
        "a split that begins late",
        lambda c: row(c, "programs", "hosting")["splits"][0].update(valid_from=date(2020, 1, 1)),
        [("programs.hosting.splits", "gap")],
    ),
    (
        "a threshold that ends",
        lambda c: row(c, "programs", "hosting")["thresholds"][0].update(valid_to=date(2025, 6, 30)),
        [("programs.hosting.thresholds", "gap")],
    ),
    (
        "a threshold below zero",
        lambda c: row(c, "programs", "hosting")["thresholds"][0].update(amount="-1.00"),
        [("programs.hosting.thresholds.0.amount", "invalid")],
    ),
    (
        "a title that is none",
        lambda c: row(c, "programs", "surface-adr")["approvers"][0].update(title="king"),
        [("programs.surface-adr.approvers.0.title", "invalid")],
    ),
    (
        "a title twice",
        lambda c: row(c, "programs", "surface-adr")["approvers"][0].update(title="pdm"),
        [("programs.surface-adr.approvers.pdm", "overlap")],
    ),
    ("13 months", lambda c: c["calendars"]["half-year"].update(months=13), [("calendars.half-year.months", "invalid")]),
    (
        "a smallest payment of another coin",
        lambda c: c["amounts"]["minimum_payment"].update(ABC="1.00"),
        [("amounts.minimum_payment.ABC", "unknown_code")],
    ),
    (
        "an activity of no category",
        lambda c: row(c, "activities", "spiff").update(categories=[]),
        [("activities.spiff.categories", "gap")],
    ),
    (
        "an activity in two categories",
        lambda c: row(c, "activities", "spiff")["categories"].append(
            {"category": "demand-generation", "valid_from": date(2026, 1, 1)}
        ),
        [("activities.spiff.categories.1", "overlap")],
    ),
    (
        "an activity of a category that is not there",
        lambda c: row(c, "activities", "spiff")["categories"][0].update(category="moon"),
        [("activities.spiff.categories.0.category", "unknown_code")],
    ),
    (
        "a category that has no name for a day",
        lambda c: row(c, "categories", "partner-readiness")["names"][0].update(valid_to=date(2024, 6, 29)),
        [("categories.partner-readiness.names", "gap")],
    ),
    (
        "a reason for nothing",
        lambda c: row(c, "reasons", "other").update(decisions=["sing"]),
        [("reasons.other.decisions", "invalid")],
    ),
    (
        "a country in two classes",
        lambda c: row(c, "country_classes", "class-b")["members"].append({"country": "DE", "valid_from": FIRST}),
        [("country_classes.class-b.members.DE", "overlap")],
    ),
    (
        "a solution area twice",
        lambda c: c["solution_areas"].append(row(c, "solution_areas", "azure")),
        [("solution_areas.azure", "duplicate")],
    ),
]
