"""The home of finance: exceptions first, and what is owed without what is only estimated."""

import re

import pytest
from django.urls import reverse

from tests.factories import CLAIMING, earn, make_enrollment, make_fund, set_clock
from tests.web.vendor.conftest import Enter, get_within_bound, words

pytestmark = pytest.mark.django_db


def test_an_estimate_is_told_apart_from_what_is_owed(enter: Enter) -> None:
    fund = make_fund()
    earn(fund.enrollment, "1000.00", on="2024-02-01")  # FY24 H2 earns now: 400.00 of co-op that nobody can claim yet
    page = words(get_within_bound(enter("finance"), reverse("finance")))
    assert "10,003.55 USD may still have to be paid" in page
    assert "Another 400.00 USD is an estimate" in page


def test_an_estimate_leads_to_its_entries_and_not_from_what_is_available(enter: Enter) -> None:
    fund = make_fund()
    earn(fund.enrollment, "1000.00", on="2024-02-01")
    html = enter("finance").get(reverse("finance")).content.decode()
    behind = f"{reverse('ledger')}?program={fund.program.code}&amp;period=FY24-H2"
    assert re.search(rf'data-label="Estimate"><a href="{re.escape(behind)}[^"]*bucket=available#entries">400.00', html)
    assert 'data-label="Available">0.00' in html


def test_a_fund_below_zero_is_an_exception_and_lessens_no_liability(enter: Enter) -> None:
    make_fund()
    lacking = make_fund("50000.00", enrollment=make_enrollment(), now=CLAIMING)
    set_clock(CLAIMING)
    earn(lacking.enrollment, "-60000.00")
    lacking.refresh_from_db()
    assert lacking.available_minor < 0
    page = words(get_within_bound(enter("finance"), reverse("finance")))
    assert "10,003.55 USD may still have to be paid" in page
    assert "Funds below zero 1 Nothing can be claimed from them" in page
    assert "Funds below zero lessen nothing here; the ledger subtracts them." in page
    assert f"Head office MCI CSP indirect reseller, FY24-H1 {lacking.show(lacking.available_minor)}" in page


def test_finance_finds_the_ways_on(enter: Enter) -> None:
    page = enter("finance").get(reverse("finance")).content.decode()
    assert reverse("reconciliations") in page
