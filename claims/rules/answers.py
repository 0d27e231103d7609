"""The kinds of answers that activities ask for, and what counts as one."""

from __future__ import annotations

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
}


def is_result(metric: Metric, text: str, currency: str) -> bool:
    """Whether a text answers a metric: digits for a count, an amount of the currency for money, anything for text."""
    if metric.kind == "count":
        return text.isascii() and text.isdigit()
    if metric.kind == "money":
        return money.is_amount(text, currency)
    if metric.kind == "yes_no":
        return text in (YES, NO)
    if metric.kind == "confirmed":
        return text == YES
    return bool(text)


def parts(text: str) -> list[str]:
    """The codes in an answer of the kind "activities"."""
    return [code.strip() for code in text.split(",") if code.strip()]
