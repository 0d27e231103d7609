"""Fields and glue for the forms of pages: amounts as people write them, and refusals beside the field they concern."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from coop.lib import money
from coop.lib.dates import FIRST_YEAR, LAST_YEAR
from coop.lib.errors import Refused

GROUPED = re.compile(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?", re.ASCII)


class AmountField(forms.Field):
    """An amount above zero as people write it (4200, 4200.00 or 4,200.00), read as minor units of `currency`.

    Groups are read only where they are whole: 4,20 could mean two things, so it is refused and not guessed.
    """

    widget = forms.TextInput

    def __init__(self, *, currency: str = "USD", **options: Any) -> None:
        self.currency = currency
        super().__init__(**options)
        self.widget.attrs.update({"inputmode": "decimal", "autocomplete": "off"})

    def to_python(self, value: Any) -> int | None:
        text = str(value or "").strip()
        if not text:
            return None
        plain = text.replace(",", "") if GROUPED.fullmatch(text) else text
        try:
            minor = money.to_minor(plain, self.currency)
        except money.AmountError as error:
            if error.code != "amount_format":
                raise ValidationError(str(error), error.code) from error
            example, _, _ = money.display(4_200 * 10 ** money.decimals(self.currency), self.currency).partition(" ")
            raise ValidationError(
                f"“{text[:40]}” cannot be read as an amount. Write it like {example}: digits, "
                "with a point before the decimals, without a currency.",
                error.code,
            ) from error
        if minor <= 0:
            raise ValidationError("Enter an amount above zero.", "must_be_positive")
        return minor


class DayField(forms.DateField):
    """A day, chosen in the browser's calendar or written as 2024-03-31 or 31 Mar 2024."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}))
        options.setdefault("input_formats", ["%Y-%m-%d", "%d %b %Y", "%d %B %Y"])
        super().__init__(**options)
        self.error_messages["invalid"] = (
            "This day cannot be read. Write it as 2024-03-31, or choose it in the calendar."
        )

    def to_python(self, value: Any) -> date | None:
        day: date | None = super().to_python(value)
        if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise ValidationError(f"Enter a day from {FIRST_YEAR} to {LAST_YEAR}.", "out_of_range")
        return day


def add_refusal(form: forms.Form, refusal: Refused, places: Mapping[str, str] | None = None) -> None:
    """Show a refusal in a form that was valid: each field error at its field, the rest in the error summary.

    `places` says which form field an error's field is ("line" -> "file"); its entry "" is for a refusal without field
    errors. Fields that the form does not have go to the summary.
    """
    places = places or {}
    found = [(error.field, error.message) for error in refusal.errors] or [("", refusal.message)]
    for place, message in found:
        name = places.get(place, place)
        form.add_error(name if name in form.fields else None, message)
