"""Days that no calendar of a program reaches."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from coop.lib.forms import DayField


@pytest.mark.parametrize("text", ["0001-01-01", "1999-12-31", "2101-01-01", "9999-12-31"])
def test_a_page_takes_no_day_that_the_api_would_not_take(text: str) -> None:
    with pytest.raises(ValidationError, match="from 2000 to 2100"):
        DayField().clean(text)
