"""Fields for what activities ask to be answered or reported, one for each kind of answer; and answers as text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms

from claims.rules.answers import NO, YES, day_of, parts
from claims.rules.facts import Metric
from coop.lib.forms import DayField
from coop.lib.web import whole_number

HINTS = {
    "count": "A whole number, for example 250. Write 0 if there was none.",
    "money": "An amount without its currency, for example 120.00",
    "text": "In a few sentences, with numbers where you have them",
}


class CountField(forms.CharField):
    """A whole number as people write it: 1250 or 1,250. Anything else goes on as it is, for the operation to refuse."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value) or ""
        plain = text.replace(",", "")
        number = whole_number(plain)
        return plain if number is not None and f"{number:,}" == text else text


def answer_field(metric: Metric, names: Mapping[str, str], *, short: bool = False) -> forms.Field:
    """The field for an answer; any may be left open in a draft. `names` are those of the activities to choose among.

    With `short`, a text is one line: what is asked for beside a line or a piece of work.
    """
    common: dict[str, Any] = {"label": metric.name, "required": False}
    hint = metric.hint or ("" if short else HINTS.get(metric.kind, ""))
    if metric.kind == "count":
        number = forms.TextInput(attrs={"inputmode": "numeric"})
        return CountField(**common, help_text=metric.hint or HINTS["count"], max_length=20, widget=number)
    if metric.kind == "money":
        return forms.CharField(**common, help_text=metric.hint or HINTS["money"], max_length=80)
    if metric.kind == "day":
        return DayField(**common, help_text=hint)
    if metric.kind == "yes_no":
        choices = [(YES, "Yes"), (NO, "No")]
        return forms.ChoiceField(**common, help_text=hint, choices=choices, widget=forms.RadioSelect)
    if metric.kind == "confirmed":
        return forms.BooleanField(**common, help_text=hint)
    if metric.kind == "activities":
        offered = [(code, names.get(code, code)) for code in metric.choices]
        many = forms.CheckboxSelectMultiple()
        return forms.MultipleChoiceField(**common, help_text=hint, choices=offered, widget=many)
    widget = forms.TextInput() if short else forms.Textarea(attrs={"rows": 4})
    return forms.CharField(**common, help_text=hint, max_length=500 if short else 2000, widget=widget)


def text_of_answer(metric: Metric, given: Any) -> str:
    """What a field took, as operations keep it: text, and nothing as an empty one."""
    if metric.kind == "confirmed":
        return YES if given else ""
    if isinstance(given, date):
        return given.isoformat()
    if isinstance(given, list | tuple):
        return ",".join(given)
    return "" if given is None else str(given)


def answer_of_text(metric: Metric, text: str) -> Any:
    """A kept answer as its field takes it."""
    if metric.kind == "confirmed":
        return text == YES
    if metric.kind == "day":
        return day_of(text) or text
    return parts(text) if metric.kind == "activities" else text


def said_answer(metric: Metric, text: str, names: Mapping[str, str]) -> str:
    """A kept answer for people: "Yes", the names of activities."""
    if metric.kind in ("yes_no", "confirmed"):
        return {YES: "Yes", NO: "No"}.get(text, text)
    return ", ".join(names.get(code, code) for code in parts(text)) if metric.kind == "activities" else text
