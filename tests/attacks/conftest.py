"""Somebody's money, to go after."""

from __future__ import annotations

import pytest

from claims.models import Claim
from funds.models import Fund
from tests import factories


@pytest.fixture
def fund(db: None) -> Fund:
    """10,003.55 USD of FY24 H1, settled; the clock stands at 4 March 2024."""
    return factories.make_fund()


@pytest.fixture
def claim(fund: Fund) -> Claim:
    """A claim of 4,000.00 USD that was sent."""
    return factories.make_sent_claim(fund, "4000.00")
