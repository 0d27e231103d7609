"""What tests of claims share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from funds.models import Fund
from tests import factories


@pytest.fixture(autouse=True)
def files_in_a_folder_of_this_test(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def fund(db: None) -> Fund:
    """10,003.55 USD of FY24 H1, settled; the clock stands at 4 March 2024."""
    return factories.make_fund()
