"""What the rules find wrong, at the field that mends it, in the words that the API has too, before and after sending."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from django import forms

from claims import rules
from claims.models import Claim
from claims.web.places import field_of


def mark(
    form: forms.Form, findings: Iterable[rules.Finding], name_of: Callable[[str], str] = field_of
) -> list[rules.Finding]:
    """Put each finding that failed or warns at its field of the form; returns those for which the form has no field.

    `name_of` says which field of the form a finding's field is.
    """
    left = []
    for found in findings:
        if found.outcome not in (rules.FAILED, rules.WARNING):
            continue
        name = name_of(found.field)
        if name in form.fields:
            field: Any = form[name]
            field.findings = [*getattr(field, "findings", []), said(found, field)]
        else:
            left.append(found)
    return left


def said(found: rules.Finding, field: Any = None) -> dict[str, Any]:
    """A finding as `_components/found.html` takes it; `missing` where nothing was given yet, which is no fault."""
    missing = field is not None and not field.value()
    return {**asdict(found), "missing": missing}


def here(
    findings: Iterable[rules.Finding], form: forms.Form, name_of: Callable[[str], str] = field_of
) -> list[dict[str, Any]]:
    """The list at the top of a page: what was given and cannot be, each with a link to its field."""
    listed = []
    for found in findings:
        name = name_of(found.field)
        if found.outcome != rules.FAILED or name not in form.fields or not form[name].value():
            continue
        listed.append({**asdict(found), "rule": "", "url": f"#{anchor_of(form, name)}"})
    return listed


def anchor_of(form: forms.Form, name: str) -> str:
    """The id that a link to a field leads to."""
    field = form[name]
    return (
        f"{field.auto_id}_0" if field.widget_type in ("radioselect", "checkboxselectmultiple") else field.id_for_label
    )


def without_others(claim: Claim, findings: Iterable[rules.Finding]) -> list[rules.Finding]:
    """Findings that a reader of this claim may see: a guest hears nothing of money, other claims or the fund."""
    if not getattr(claim, "for_guest", False):
        return list(findings)
    return [found for found in findings if found.field not in ("", "lines") and not found.kind.startswith("duplicate")]
