"""Text that people write and others read: what makes it unfit to be stored and shown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from coop.lib.errors import FieldError, Invalid

COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)  # the code of a country

# Characters that turn the direction of the text around them; a name that holds one reads as another.
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def text_fault(text: str, *, one_line: bool = True) -> str:
    """What makes a text unfit to be stored and shown; empty when nothing does."""
    for letter in text:
        category = unicodedata.category(letter)
        if category == "Cs":
            return "The text holds half of a character pair. Take it out."
        if category == "Cc" and (one_line or letter not in "\n\r\t"):
            return "The text holds a control character, such as a line break or a NUL. Take it out."
        if one_line and letter in TURNING:
            return "The text holds a character that turns its direction around. Take it out."
    return ""


def require_fit_text(values: Mapping[str, Any], names: Iterable[str]) -> None:
    """Refuse those of the named values, each one line of text, that are unfit. Raises Invalid with all of them."""
    found = [(name, text_fault(str(values.get(name) or ""))) for name in names]
    errors = [FieldError(name, "invalid", fault) for name, fault in found if fault]
    if errors:
        raise Invalid(errors=errors)
