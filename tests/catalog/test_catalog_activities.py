"""The shipped rules, read without a database: do they ask for what the programs ask for, from when on?"""

import tomllib
from datetime import date
from pathlib import Path

import pytest

from claims.rules.book import Case, read_book
from claims.rules.kinds.evidence import asked_metrics, asked_proofs

CATALOG = tomllib.loads((Path(__file__).resolve().parents[2] / "catalog.toml").read_text(encoding="utf-8"))
BOOK = read_book(CATALOG)
ACTIVITIES = {activity["code"]: activity for activity in CATALOG["activities"]}
CATEGORIES = {category["code"]: category for category in CATALOG["categories"]}
FY24 = date(2024, 3, 4)


def valid_on(rows: list[dict], day: date) -> list[dict]:
    """The rows that hold on a day; both ends are inclusive, no valid_to means no end."""
    return [row for row in rows if row["valid_from"] <= day <= row.get("valid_to", date.max)]


def category_on(activity: str, day: date) -> str:
    [row] = valid_on(ACTIVITIES[activity]["categories"], day)
    return row["category"]


def case(activity: str, day: date = FY24, *, program: str = "mci-csp-reseller", country: str = "DE") -> Case:
    country_class = BOOK.class_of(country, day)
    return Case(program, activity, category_on(activity, day), country, country_class, "P-1", day)


def proofs(activity: str, day: date = FY24, program: str = "mci-csp-reseller") -> set[str]:
    return {proof.code for proof in asked_proofs(BOOK, case(activity, day, program=program))}


def offered(activity: str, day: date, program: str) -> bool:
    rules = BOOK.of_kind("activity_offered", case(activity, day, program=program))
    return all(rule.params["offered"] for rule in rules)


@pytest.mark.parametrize("code", sorted(set(ACTIVITIES) - {"exams-tuition", "partner-program"}))
def test_every_activity_that_an_invoice_does_not_prove_asks_for_proof_on_its_first_day(code):
    assert proofs(code, ACTIVITIES[code]["valid_from"])


@pytest.mark.parametrize("code", ACTIVITIES)
def test_every_activity_and_rule_is_described_in_sentences(code):
    texts = [ACTIVITIES[code]["description"], *(rule.sentence for rule in BOOK.of_kind("results", case(code)))]
    assert all(text[0].isupper() and text.endswith(".") for text in texts if text)


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("telemarketing", {"calls", "successful-contacts"}),
        ("seminar", {"registered-guests"}),
        ("trade-show", {"visitors"}),
        ("direct-mail", {"estimated-reach"}),
        ("print-advertising", {"estimated-reach"}),
        ("exams-tuition", {"attendees", "cost-per-person"}),
    ],
)
def test_an_activity_asks_for_its_results(code, wanted):
    assert wanted <= {metric.code for metric in asked_metrics(BOOK, case(code))}


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("print-advertising", {"final-piece"}),
        ("digital-advertising", {"ad-screenshot", "landing-page-url"}),
        ("direct-mail", {"final-piece", "proof-of-distribution"}),
        ("syndicated-content", {"url", "screenshots"}),
        ("telemarketing", {"call-script", "call-log"}),
        ("customer-offer", {"offer-terms"}),
        ("spiff", {"rules-terms"}),
        ("on-site-champ", {"deliverables-sample"}),
        ("proof-of-concept", {"materials"}),
        ("employee-purchase", {"url", "screenshots"}),
        ("vendor-conference", {"registration", "itinerary"}),
        ("product-seeding", {"system-specification", "proof-of-delivery"}),
    ],
)
def test_an_activity_asks_for_its_proofs(code, wanted):
    assert proofs(code) == wanted


def test_tv_and_radio_came_with_fy24_for_surface_alone():
    assert ACTIVITIES["tv-radio"]["valid_from"] == date(2023, 7, 1)
    assert offered("tv-radio", FY24, "surface-adr")
    assert not offered("tv-radio", FY24, "mci-csp-reseller")


def test_employee_purchase_is_not_for_surface_distributors():
    assert offered("employee-purchase", FY24, "surface-adr")
    assert not offered("employee-purchase", FY24, "surface-add")


def test_telemarketing_asks_for_a_call_log_from_fy24_on_and_says_that_this_is_an_example():
    assert proofs("telemarketing", date(2023, 6, 30)) == {"call-script"}
    assert proofs("telemarketing", date(2023, 7, 1)) == {"call-script", "call-log"}
    [log] = [proof for proof in asked_proofs(BOOK, case("telemarketing")) if proof.code == "call-log"]
    assert log.example


def test_trade_shows_moved_to_demand_generation_with_fy25():
    assert category_on("trade-show", date(2024, 6, 30)) == "market-development"
    assert category_on("trade-show", date(2024, 7, 1)) == "demand-generation"


def test_partner_readiness_became_partner_skilling_with_fy25():
    names = CATEGORIES["partner-readiness"]["names"]
    assert [row["name"] for row in valid_on(names, date(2024, 6, 30))] == ["Partner Readiness"]
    assert [row["name"] for row in valid_on(names, date(2024, 7, 1))] == ["Partner Skilling"]


@pytest.mark.parametrize(
    ("activity", "program", "figures"),
    [
        ("syndicated-content", "mci-csp-reseller", [(None, "18750.00")]),
        ("customer-offer", "mci-csp-reseller", [("25", None)]),
        ("customer-offer", "surface-adr", [("100", None)]),
        ("spiff", "mci-csp-reseller", [("25", None)]),
        ("spiff", "surface-add", [("100", None)]),
        ("on-site-champ", "mci-csp-reseller", [("50", None)]),
        ("on-site-champ", "surface-adr", [("100", None)]),
        ("vendor-conference", "mci-csp-reseller", [(None, "5000.00"), (None, "45000.00")]),
        ("product-seeding", "mci-csp-reseller", [("10", "3000.00")]),
        ("telemarketing", "mci-csp-reseller", []),
    ],
)
def test_the_limits_are_the_published_ones(activity, program, figures):
    rules = BOOK.of_kind("limit", case(activity, program=program))
    assert [(rule.params.get("percent"), rule.params.get("amount")) for rule in rules] == figures


def test_countries_are_in_one_class_and_what_no_source_publishes_is_marked_as_an_example():
    assert all(row["example"] for row in CATALOG["country_classes"])
    assert BOOK.class_of("KR", date(2023, 6, 30)) == "class-c"
    assert BOOK.class_of("KR", date(2023, 7, 1)) == "class-b"
    assert BOOK.class_of("ZZ", FY24) == ""


def test_reasons_are_there_for_every_decision():
    for subject, decision in [
        ("plan", "approve_less"), ("plan", "return"), ("plan", "decline"), ("claim", "approve_less"),
        ("claim", "return"), ("claim", "decline"), ("claim", "dispute"), ("document", "return"), ("document", "decline"),
    ]:  # fmt: skip
        offered_here = [row for row in CATALOG["reasons"] if subject in row["for"] and decision in row["decisions"]]
        assert len(offered_here) >= 2, (subject, decision)


def test_solution_areas_changed_with_fy26():
    names = {
        day.year: [row["name"] for row in valid_on(CATALOG["solution_areas"], day)] for day in (FY24, date(2025, 7, 1))
    }
    assert names[2024] == ["Modern Work", "Security", "Business Applications", "Azure"]
    assert names[2025] == ["Security", "Cloud & AI Platforms", "AI Business Solutions"]
