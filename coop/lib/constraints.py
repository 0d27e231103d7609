"""Building blocks of database constraints."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import DateRangeField
from django.db.models import F, Func, Q, Value


def one_of(field: str, values: Any) -> Q:
    return Q(**{f"{field}__in": list(values)})


def whole_range(start: str, end: str) -> Func:
    """The closed range of days between two columns; an empty end is open."""
    return Func(F(start), F(end), Value("[]"), function="daterange", output_field=DateRangeField())
