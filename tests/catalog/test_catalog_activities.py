"""The shipped activities, read with tomllib alone: do they ask for what the programs ask for, from when on?"""

import tomllib
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

CATALOG = tomllib.loads((Path(__file__).resolve().parents[2] / "catalog.toml").read_text(encoding="utf-8"))
PROGRAMS = {program["code"] for program in CATALOG["programs"]}
ACTIVITIES = {activity["code"]: activity for activity in CATALOG["activities"]}
CATEGORIES = {category["code"]: category for category in CATALOG["categories"]}

LAST_DAY = date(2027, 6, 30)  # of fiscal year 2027
SURFACE = {"surface-add", "surface-adr"}


def valid_on(rows: list[dict], day: date) -> list[dict]:
    """The rows that hold on a day; both ends are inclusive, no valid_to means no end."""
    return [row for row in rows if row["valid_from"] <= day <= row.get("valid_to", date.max)]


def category_on(activity: str, day: date) -> str:
    [row] = valid_on(ACTIVITIES[activity]["categories"], day)
    return row["category"]


def proofs_on(activity: str, day: date) -> set[str]:
    return {proof["code"] for proof in valid_on(ACTIVITIES[activity]["proofs"], day)}


def limit_rules() -> list[tuple[str, dict]]:
    return [
        (code, rule) for code, activity in ACTIVITIES.items() for rule in activity.get("limits", {}).get("rules", [])
    ]


@pytest.mark.parametrize("code", ACTIVITIES)
def test_an_activity_has_exactly_one_category_on_each_of_its_days(code):
    activity = ACTIVITIES[code]
    day = activity["valid_from"]
    while day <= LAST_DAY:
        assert category_on(code, day) in CATEGORIES
        day += timedelta(days=1)


@pytest.mark.parametrize("code", ACTIVITIES)
def test_every_activity_asks_for_proof_from_its_first_day_on(code):
    assert proofs_on(code, ACTIVITIES[code]["valid_from"])
    assert all(proof["valid_from"] >= ACTIVITIES[code]["valid_from"] for proof in ACTIVITIES[code]["proofs"])
    assert any(proof.get("required", True) for proof in ACTIVITIES[code]["proofs"])


@pytest.mark.parametrize("code", ACTIVITIES)
def test_every_activity_and_proof_is_described_in_sentences(code):
    activity = ACTIVITIES[code]
    texts = [activity["description"], *(proof["hint"] for proof in activity["proofs"])]
    assert all(text[0].isupper() and text.endswith(".") for text in texts)


@pytest.mark.parametrize("code", ACTIVITIES)
def test_a_group_of_proofs_offers_a_choice(code):
    grouped = [proof for proof in ACTIVITIES[code]["proofs"] if "group" in proof]
    for proof in grouped:
        choices = {other["code"] for other in grouped if other["group"] == proof["group"]}
        assert len(choices) >= 2, f"{proof['group']} leaves no choice"
        assert proof.get("required", True)


@pytest.mark.parametrize(
    ("code", "metrics"),
    [
        ("tv-radio", {"estimated-reach"}),
        ("print-advertising", {"estimated-reach"}),
        ("digital-advertising", {"results-summary"}),
        ("direct-mail", {"estimated-reach"}),
        ("website-search", {"results-summary"}),
        ("syndicated-content", {"results-summary"}),
        ("multi-touch", set()),
        ("telemarketing", {"calls", "successful-contacts"}),
        ("seminar", {"registered-guests"}),
        ("trade-show", {"visitors"}),
        ("customer-offer", {"results-summary"}),
        ("spiff", {"results-summary"}),
        ("on-site-champ", set()),
        ("proof-of-concept", set()),
        ("employee-purchase", set()),
        ("partner-program", set()),
        ("exams-tuition", {"attendees", "cost-per-person"}),
        ("internal-training", {"attendees"}),
        ("vendor-conference", set()),
        ("product-seeding", set()),
    ],
)
def test_an_activity_asks_for_its_metrics(code, metrics):
    rows = ACTIVITIES[code].get("metrics", [])
    assert {row["code"] for row in rows} == metrics
    assert len(rows) == len(metrics)
    assert all(row["kind"] in {"count", "text", "money"} for row in rows)


@pytest.mark.parametrize(
    ("code", "proofs"),
    [
        ("tv-radio", {"final-ad", "final-approval"}),
        ("print-advertising", {"final-piece"}),
        ("digital-advertising", {"ad-screenshot", "landing-page-url"}),
        ("direct-mail", {"final-piece", "proof-of-distribution"}),
        ("website-search", {"url", "screenshots", "statement-of-work"}),
        ("syndicated-content", {"url", "screenshots"}),
        ("multi-touch", {"proof-of-parts"}),
        ("telemarketing", {"call-script", "call-log"}),
        ("seminar", {"invitation-agenda", "photos", "slides"}),
        ("trade-show", {"invitation-agenda", "booth-photo"}),
        ("customer-offer", {"offer-terms"}),
        ("spiff", {"rules-terms"}),
        ("on-site-champ", {"deliverables-sample"}),
        ("proof-of-concept", {"materials"}),
        ("employee-purchase", {"url", "screenshots"}),
        ("partner-program", {"invoice"}),
        ("exams-tuition", {"invoice"}),
        ("internal-training", {"agenda", "vendor-content"}),
        ("vendor-conference", {"registration", "itinerary"}),
        ("product-seeding", {"system-specification", "proof-of-delivery"}),
    ],
)
def test_an_activity_asks_for_its_proofs(code, proofs):
    assert proofs_on(code, date(2024, 3, 4)) == proofs


def test_only_slides_and_the_statement_of_work_are_asked_for_sometimes():
    sometimes = {
        (code, proof["code"])
        for code, activity in ACTIVITIES.items()
        for proof in activity["proofs"]
        if not proof.get("required", True)
    }
    assert sometimes == {("seminar", "slides"), ("website-search", "statement-of-work")}


def test_tv_and_radio_came_with_fy24_for_surface_alone():
    activity = ACTIVITIES["tv-radio"]
    assert activity["valid_from"] == date(2023, 7, 1)
    assert set(activity["only_programs"]) == SURFACE


def test_employee_purchase_is_not_for_surface_distributors():
    assert ACTIVITIES["employee-purchase"]["except_programs"] == ["surface-add"]


def test_telemarketing_asks_for_a_call_log_from_fy24_on_and_says_that_this_is_an_example():
    assert proofs_on("telemarketing", date(2023, 6, 30)) == {"call-script"}
    assert proofs_on("telemarketing", date(2023, 7, 1)) == {"call-script", "call-log"}
    examples = {
        (code, proof["code"])
        for code, activity in ACTIVITIES.items()
        for proof in activity["proofs"]
        if proof.get("example")
    }
    assert examples == {("telemarketing", "call-log")}


def test_trade_shows_moved_to_demand_generation_with_fy25():
    assert category_on("trade-show", date(2024, 6, 30)) == "market-development"
    assert category_on("trade-show", date(2024, 7, 1)) == "demand-generation"


def test_partner_readiness_became_partner_skilling_with_fy25():
    names = CATEGORIES["partner-readiness"]["names"]
    assert [row["name"] for row in valid_on(names, date(2024, 6, 30))] == ["Partner Readiness"]
    assert [row["name"] for row in valid_on(names, date(2024, 7, 1))] == ["Partner Skilling"]


# --- limits -----------------------------------------------------------------------------------------


def test_the_limits_are_the_published_ones():
    assert {code for code, activity in ACTIVITIES.items() if "limits" in activity} == {
        "syndicated-content", "seminar", "trade-show", "customer-offer", "spiff", "on-site-champ",
        "internal-training", "vendor-conference", "product-seeding",
    }  # fmt: skip
    figures = [
        (code, rule["kind"], rule.get("percent"), rule.get("amount"), "only_programs" in rule)
        for code, rule in limit_rules()
    ]
    assert figures == [
        ("syndicated-content", "fixed", None, "18750.00", False),
        ("customer-offer", "percent_of_earned", "25", None, False),
        ("customer-offer", "percent_of_earned", "100", None, True),
        ("spiff", "percent_of_earned", "25", None, False),
        ("spiff", "percent_of_earned", "100", None, True),
        ("on-site-champ", "percent_of_earned", "50", None, False),
        ("on-site-champ", "percent_of_earned", "100", None, True),
        ("vendor-conference", "travel", None, "45000.00", False),
        ("product-seeding", "greater_of", "10", "3000.00", False),
    ]


def test_limit_amounts_are_text_with_two_decimals():
    amounts = [rule[key] for _, rule in limit_rules() for key in ("amount", "amount_per_person") if key in rule]
    assert all(isinstance(amount, str) and Decimal(amount).as_tuple().exponent == -2 for amount in amounts)


def test_every_limit_has_a_text_for_people():
    assert all(activity["limits"]["text"] for activity in ACTIVITIES.values() if "limits" in activity)


def test_scopes_name_programs_of_the_file_and_never_both_ways_at_once():
    scoped = [*ACTIVITIES.values(), *(rule for _, rule in limit_rules())]
    for row in scoped:
        assert not ("only_programs" in row and "except_programs" in row)
        assert set(row.get("only_programs", [])) | set(row.get("except_programs", [])) <= PROGRAMS
