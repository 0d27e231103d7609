"""Keys of the people of a sandbox, for tests of the API."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from claims.models import Claim
from funds.models import Fund
from tests import factories
from tests.api.client import Api, api_of


@pytest.fixture
def fund(db: None) -> Fund:
    """10,003.55 USD of FY24 H1, settled; the clock stands at 4 March 2024."""
    return factories.make_fund()


@pytest.fixture
def draft(fund: Fund) -> Claim:
    """A complete draft of 4,000.00 USD."""
    return factories.make_claim(fund)


@pytest.fixture
def vendor(db: None) -> Callable[[str], Api]:
    """The client of one of the vendor's people: program, finance, finance2, manager, auditor..."""
    return lambda who: api_of(factories.vendor(who))


@pytest.fixture
def finance(vendor: Callable[[str], Api]) -> Api:
    return vendor("finance")


@pytest.fixture
def program(vendor: Callable[[str], Api]) -> Api:
    return vendor("program")


@pytest.fixture
def manager(vendor: Callable[[str], Api]) -> Api:
    return vendor("manager")


@pytest.fixture
def partner(fund: Fund) -> Api:
    """The client of the marketer whose partner has the fund."""
    return api_of(factories.marketer_of(fund.partner))
