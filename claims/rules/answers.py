"""The kinds of answers that activities ask for, and what counts as one."""

from __future__ import annotations

from datetime import date

from claims.rules.facts import Metric
from coop.lib import money

YES, NO = "yes", "no"

WANTED = {
    "count": "a whole number",
    "money": "an amount such as 120.00",
    "text": "a short answer",
    "yes_no": "yes or no",
    "confirmed": "yes",
    "activities": "the codes of activities, with commas between them",
    "day": "a day such as 2024-03-01",
}


def is_result(metric: Metric, text: str, currency: str) -> bool:
    """Whether a text answers a metric: digits for a count, an amount of the currency for money, anything for text.

    Several activities are parted by commas; each must be one of the metric's choices.
    """
    if metric.kind == "count":
        return text.isascii() and text.isdigit()
    if metric.kind == "money":
        return money.is_amount(text, currency)
    if metric.kind == "yes_no":
        return text in (YES, NO)
    if metric.kind == "confirmed":
        return text == YES
    if metric.kind == "day":
        return day_of(text) is not None
    if metric.kind == "activities":
        return bool(parts(text)) and (not metric.choices or set(parts(text)) <= set(metric.choices))
    return bool(text)


def day_of(text: str) -> date | None:
    """The day that a text names as year, month and day; None if it names none."""
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def parts(text: str) -> list[str]:
    """The codes in an answer of the kind "activities"."""
    return [code.strip() for code in text.split(",") if code.strip()]
