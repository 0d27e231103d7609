"""What the components in templates/_components cannot say in the template language: shares, outcomes, ids.

Load it with `{% load components %}`. Nothing here reads the database or the clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import template
from django.forms.boundfield import BoundField
from django.utils.safestring import SafeString

register = template.Library()

GROUPED = {"radioselect", "checkboxselectmultiple"}


def _part_of(item: Any, name: str) -> Any:
    """The part of a mapping or of an object, as templates look it up; None where there is none."""
    return item.get(name) if isinstance(item, dict) else getattr(item, name, None)


@register.filter
def stacked(parts: Iterable[Any]) -> list[dict[str, Any]]:
    """Place the parts of a fund bar side by side: each part with `start` and `share`, in percent of the sum.

    A part has `key`, `label` and `minor` (an amount in minor units). Parts that are zero or negative have no
    length and are left out: the table beside the bar still shows them. Positions are text, ready for an SVG
    attribute.
    """
    shown = [part for part in parts if _part_of(part, "minor") > 0]
    total = sum(_part_of(part, "minor") for part in shown)
    placed = []
    before = 0
    for part in shown:
        minor = _part_of(part, "minor")
        placed.append(
            {
                "key": _part_of(part, "key"),
                "label": _part_of(part, "label"),
                "start": f"{before * 100 / total:.3f}%",
                "share": f"{minor * 100 / total:.3f}%",
            }
        )
        before += minor
    return placed


@register.filter
def with_outcome(findings: Iterable[Any], outcome: str) -> list[Any]:
    """The findings (objects or mappings) that have this outcome: failed, person, warning or passed."""
    return [finding for finding in findings if _part_of(finding, "outcome") == outcome]


@register.filter
def control_id(field: BoundField) -> str:
    """The id of the control that a link to this field should reach; of a group of choices, the first."""
    if field.widget_type in GROUPED:
        return f"{field.auto_id}_0"
    return field.id_for_label


@register.filter
def control(field: BoundField) -> SafeString:
    """The field's own HTML, always tied to its hint and its error, file inputs included."""
    described = [f"{field.auto_id}_helptext"] if field.help_text else []
    described += [f"{field.auto_id}_found"] if getattr(field, "findings", None) else []
    described += [f"{field.auto_id}_error"] if field.errors else []
    if field.widget_type in GROUPED or not described:
        return field.as_widget()
    return field.as_widget(attrs={"aria-describedby": " ".join(described)})


@register.filter
def is_group(field: BoundField) -> bool:
    """Whether the field is a group of choices, which needs a fieldset and a legend."""
    return field.widget_type in GROUPED


@register.filter
def all_errors(forms: Sequence[Any]) -> list[dict[str, str]]:
    """Every error of some forms as `text` and `href`, in the order of the page, for an error summary."""
    found = []
    for form in forms:
        found += [{"text": text, "href": ""} for text in form.non_field_errors()]
        for field in form:
            found += [{"text": text, "href": f"#{control_id(field)}"} for text in field.errors]
    return found


@register.filter
def as_list(item: Any) -> list[Any]:
    """One thing as a list of it, for an include that takes several."""
    return [item] if item else []


@register.filter
def beside(columns: Sequence[Any], cells: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Each column of a simple table with its cell of one row. Raises ValueError when their numbers differ."""
    return list(zip(columns, cells, strict=True))


@register.simple_tag
def number_and_currency(amount: Any, currency: str | None = "") -> dict[str, str]:
    """The two parts of an amount, which are set in different sizes.

    The currency comes separately or, as the `money` filter gives it, at the end: "4,200.00 USD".
    """
    text = str(amount)
    if currency or " " not in text:
        return {"number": text, "currency": currency or ""}
    number, _, last = text.rpartition(" ")
    return {"number": number, "currency": last}
