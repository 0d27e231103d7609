"""What tests of money share."""

from __future__ import annotations

import pytest

from funds.models import Fund
from tests import factories


@pytest.fixture
def fund(db: None) -> Fund:
    """10,003.55 USD of FY24 H1, settled; the clock stands at 4 March 2024."""
    return factories.make_fund()
