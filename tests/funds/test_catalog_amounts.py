"""The two amounts of a program that come from the catalog: when a payment goes out, and when two people are needed."""

import pytest

from funds.models import Program
from funds.operations.catalog import load_programs
from tests.factories import RESELLER, load_catalog, shipped_catalog

pytestmark = pytest.mark.django_db


def amounts(code: str = RESELLER) -> tuple[int, int]:
    program = Program.objects.get(code=code)
    return program.minimum_payment_minor, program.four_eyes_minor


def test_a_program_has_the_amounts_of_its_currency():
    load_catalog()
    assert amounts() == (200_00, 1000_00)


def test_a_program_may_name_its_own():
    load_catalog(minimum_payment="50.00", four_eyes="0.00")
    assert amounts() == (50_00, 0)


def test_a_program_in_another_currency_is_not_given_an_amount_of_dollars():
    load_catalog(currency="JPY", thresholds=[])
    assert amounts() == (0, 0)


def test_a_changed_amount_is_said():
    load_catalog()
    catalog = shipped_catalog()
    programs = [{**p, "four_eyes": "500.00"} for p in catalog["programs"] if p["code"] == RESELLER]
    assert load_programs({**catalog, "programs": programs, "fiscal_years": [2023, 2024]}) == [
        f"changed program {RESELLER}: four_eyes_minor"
    ]
    assert amounts() == (200_00, 500_00)
