"""Somebody saved first: what they did, both values side by side, and the reader's own input kept in the form."""

from __future__ import annotations

from typing import Any

from django import forms

from claims.models import Claim
from claims.queries.overtaken import overtaken
from claims.queries.partner import events_between
from claims.web.history import timeline
from partners.web.request import PersonRequest


def reading(claim: Claim, seen: int | None, part: str) -> int | None:
    """The revision to save on: what others changed elsewhere in the claim since it was read is no conflict."""
    return claim.revision if seen is not None and not overtaken(claim, seen, part) else seen


def conflict_of(request: PersonRequest, claim: Claim, form: forms.Form, *, seen: int) -> dict[str, Any]:
    """What `claims/_conflict.html` shows. `claim` is fresh, and `form` holds the input with the fresh values as initial."""
    return conflict_from(form, timeline(events_between(claim, request.user, seen=seen)))


def conflict_from(form: forms.Form, events: list[dict[str, Any]], *, what: str = "claim") -> dict[str, Any]:
    """The same from the events since the reading, told already; `what` names the record."""
    return {
        "what": what,
        "events": events,
        "rows": [
            {"label": form[name].label, "saved": shown(form, name, form[name].initial), "wrote": wrote(form, name)}
            for name in form.changed_data
            if not form[name].is_hidden and not isinstance(form.fields[name], forms.FileField)
        ],
    }


def wrote(form: forms.Form, name: str) -> str:
    return shown(form, name, form[name].data)


def shown(form: forms.Form, name: str, value: Any) -> str:
    """A value as the form's reader knows it: the label of a choice, a day as the field writes it."""
    field = form.fields[name]
    if isinstance(field, forms.ChoiceField):
        for key, label in list(field.choices):  # type: ignore[arg-type]
            options = label if isinstance(label, list | tuple) else [(key, label)]
            found = next((text for code, text in options if str(code) == str(value)), None)
            if found is not None:
                return str(found)
    return "" if value is None else str(value)


def with_revision(request: PersonRequest, claim: Claim) -> Any:
    """The input once more, now on top of the claim as it stands: saving it again is a decision, not an accident."""
    data = request.POST.copy()
    data["revision"] = str(claim.revision)
    return data
