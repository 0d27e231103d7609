"""The shipped catalog, read with tomllib alone: is what people will review complete and free of contradictions?

No database and no Django here: what loading the file does is proven elsewhere.
"""

import tomllib
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from claims.rules.faults import faults_of

CATALOG = tomllib.loads((Path(__file__).resolve().parents[2] / "catalog.toml").read_text(encoding="utf-8"))
PROGRAMS = {program["code"]: program for program in CATALOG["programs"]}
ACTIVITIES = {activity["code"]: activity for activity in CATALOG["activities"]}
CATEGORIES = {category["code"]: category for category in CATALOG["categories"]}

FIRST_DAY = date(2019, 7, 1)  # of fiscal year 2020
LAST_DAY = date(2027, 6, 30)  # of fiscal year 2027
SURFACE = {"surface-add", "surface-adr"}
CSP_IN_MCI = {"mci-csp-direct", "mci-csp-provider", "mci-csp-reseller"}
CSP_BEFORE_MCI = {"csp-direct", "csp-reseller"}
MIXED_REALITY = {"mixed-reality-add", "mixed-reality-adr"}
UNPUBLISHED_SPLIT = (
    {"hosting", "iot", "oem-software", "distributor-software", "distributor-eduwins"} | SURFACE | MIXED_REALITY
)


def valid_on(rows: list[dict], day: date) -> list[dict]:
    """The rows that hold on a day; both ends are inclusive, no valid_to means no end."""
    return [row for row in rows if row["valid_from"] <= day <= row.get("valid_to", date.max)]


def percent_on(program: str, day: date) -> Decimal:
    [split] = valid_on(PROGRAMS[program]["splits"], day)
    return Decimal(split["coop_percent"])


def threshold_on(program: str, day: date) -> Decimal:
    [threshold] = valid_on(PROGRAMS[program]["thresholds"], day)
    return Decimal(threshold["amount"])


# --- completeness -----------------------------------------------------------------------------------


def test_the_file_has_no_faults():
    assert faults_of(CATALOG) == []


def test_the_file_covers_fiscal_years_2020_to_2027():
    assert CATALOG["format"] == 2
    assert CATALOG["fiscal_years"] == [2020, 2027]


def test_every_program_is_in_the_file_exactly_once():
    assert len(CATALOG["programs"]) == len(PROGRAMS)
    assert set(PROGRAMS) == CSP_IN_MCI | CSP_BEFORE_MCI | UNPUBLISHED_SPLIT | {"osu-m365"}


def test_every_activity_is_in_the_file_exactly_once():
    assert len(CATALOG["activities"]) == len(ACTIVITIES)
    assert set(ACTIVITIES) == {
        "tv-radio", "print-advertising", "digital-advertising", "direct-mail", "website-search",
        "syndicated-content", "multi-touch", "telemarketing", "seminar", "trade-show", "customer-offer", "spiff",
        "on-site-champ", "proof-of-concept", "employee-purchase", "partner-program", "exams-tuition",
        "internal-training", "vendor-conference", "product-seeding",
    }  # fmt: skip


def test_every_category_is_in_the_file_exactly_once():
    assert len(CATALOG["categories"]) == len(CATEGORIES)
    assert set(CATEGORIES) == {"demand-generation", "market-development", "partner-readiness"}


# --- dates ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", PROGRAMS)
def test_a_program_can_have_a_period_from_the_first_fiscal_year_on(code):
    assert PROGRAMS[code]["valid_from"] == FIRST_DAY
    assert PROGRAMS[code].get("valid_to", date.max) > FIRST_DAY


# --- the calendar -----------------------------------------------------------------------------------


def test_the_calendar_gives_the_dates_of_fy24_h1():
    rule = CATALOG["calendars"]["half-year"]
    earn_to, use_from, use_to = date(2023, 12, 31), date(2024, 1, 1), date(2024, 6, 30)
    last_day_to_claim = use_to + timedelta(days=rule["days_to_claim"])
    assert (rule["first_month"], rule["months"]) == (7, 6)
    assert use_from + timedelta(days=rule["claims_open_after_days"]) == date(2024, 2, 15)
    assert last_day_to_claim == date(2024, 8, 14)
    assert last_day_to_claim + timedelta(days=rule["days_to_cure"]) == date(2024, 9, 28)
    assert earn_to + timedelta(days=rule["days_to_settle"]) == date(2024, 1, 30)


@pytest.mark.parametrize("year", range(2020, 2029))
@pytest.mark.parametrize(("month", "day"), [(6, 30), (12, 31)])
def test_claims_open_the_day_after_the_deadline_before(year, month, day):
    rule = CATALOG["calendars"]["half-year"]
    last_day_of_use = date(year, month, day)
    next_first_day_of_use = last_day_of_use + timedelta(days=1)
    deadline_before = last_day_of_use + timedelta(days=rule["days_to_claim"])
    opens = next_first_day_of_use + timedelta(days=rule["claims_open_after_days"])
    assert opens == deadline_before + timedelta(days=1)


@pytest.mark.parametrize("year", range(2019, 2028))
@pytest.mark.parametrize(("month", "day"), [(6, 30), (12, 31)])
def test_the_threshold_is_tested_before_claims_open(year, month, day):
    rule = CATALOG["calendars"]["half-year"]
    last_day_of_earning = date(year, month, day)
    settled = last_day_of_earning + timedelta(days=rule["days_to_settle"])
    opens = last_day_of_earning + timedelta(days=1 + rule["claims_open_after_days"])
    assert last_day_of_earning < settled < opens


# --- programs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", sorted(CSP_IN_MCI))
def test_co_op_entered_mci_on_1_november_2022(code):
    assert percent_on(code, date(2022, 10, 31)) == 0
    assert percent_on(code, date(2022, 11, 1)) == 40
    assert percent_on(code, LAST_DAY) == 40
    assert threshold_on(code, date(2022, 12, 31)) == 10_000


@pytest.mark.parametrize("code", sorted(CSP_BEFORE_MCI))
def test_co_op_in_csp_ran_from_january_2020_until_mci(code):
    assert percent_on(code, date(2019, 12, 31)) == 0
    assert percent_on(code, date(2020, 1, 1)) == 40
    assert percent_on(code, date(2022, 10, 31)) == 40
    assert PROGRAMS[code]["valid_to"] == date(2022, 10, 31)
    assert threshold_on(code, date(2021, 9, 30)) == 4_000
    assert threshold_on(code, date(2021, 10, 1)) == 10_000


@pytest.mark.parametrize("code", sorted(UNPUBLISHED_SPLIT))
def test_a_split_that_no_source_publishes_is_marked_as_an_example(code):
    assert [(split["coop_percent"], split.get("example")) for split in PROGRAMS[code]["splits"]] == [("40", True)]
    assert [row["amount"] for row in PROGRAMS[code]["thresholds"]] == ["1500.00"]


@pytest.mark.parametrize("code", sorted(MIXED_REALITY))
def test_mixed_reality_ended_on_1_july_2023(code):
    assert PROGRAMS[code]["discontinued_on"] == date(2023, 7, 1)
    assert PROGRAMS[code]["valid_to"] == date(2023, 6, 30)


def test_only_mixed_reality_was_discontinued():
    assert {code for code, program in PROGRAMS.items() if "discontinued_on" in program} == MIXED_REALITY


def test_osu_m365_has_no_co_op_at_all():
    assert [split["coop_percent"] for split in PROGRAMS["osu-m365"]["splits"]] == ["0"]
    assert "thresholds" not in PROGRAMS["osu-m365"]


def test_only_surface_requires_approved_plans_and_names_who_may_approve():
    for code, program in PROGRAMS.items():
        titles = {row["title"] for row in program.get("approvers", [])}
        if code in SURFACE:
            assert (program["plan_approval"], titles) == ("required", {"gtm_manager", "pdm", "pcmm"})
        else:
            assert (program["plan_approval"], titles) == ("optional", set())


def test_every_program_holds_its_money_in_usd():
    assert {(program["currency"], program["time_zone"]) for program in PROGRAMS.values()} == {("USD", "UTC")}


# --- amounts of every program -------------------------------------------------------------------------


def test_payments_wait_below_200_dollars():
    assert CATALOG["amounts"]["minimum_payment"] == {"USD": "200.00"}


def test_the_amount_from_which_a_second_person_is_needed_is_marked_as_an_example():
    assert CATALOG["amounts"]["four_eyes"] == {"USD": "1000.00", "example": True}


def test_every_program_has_both_amounts_in_its_currency():
    for code, program in PROGRAMS.items():
        for name in ("minimum_payment", "four_eyes"):
            assert name in program or program["currency"] in CATALOG["amounts"][name], (code, name)
