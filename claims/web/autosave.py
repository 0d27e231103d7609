"""Saving while people write: what can be stored is stored, the rest is kept, and the page says so beside its button."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.http import HttpResponse, JsonResponse

from claims.models import Claim, ClaimLine, Plan, PlanActivity
from coop.lib import kept
from coop.lib.errors import Refused, Stale
from coop.lib.forms import add_refusal
from coop.lib.web import now
from partners.web.request import PersonRequest

OVERTAKEN = "Somebody saved here first. Nothing of yours is lost: press save to see both versions."


def saved_as_written(
    request: PersonRequest,
    claim: Claim | Plan,
    form: forms.Form,
    save: Callable[[int | None], Any],
    places: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Save the fields that can be read, keep the words of the others; answers with what the page says of it.

    `save` is called with the revision that was read and returns what it saved, with its new revision (a line: its claim's;
    an activity: its plan's).
    """
    form.is_valid()
    seen = form.cleaned_data.get("revision")
    try:
        revision = revision_of(save(seen))
    except Stale:
        kept.keep(request, request.POST)
        return kept.not_saved(OVERTAKEN, status=409)
    except Refused as refusal:
        kept.keep(request, request.POST)
        add_refusal(form, refusal, places)
        return JsonResponse({"message": f"{said_at(request, claim, 'Kept')}: {not_read(form)}"})
    if form.errors:
        kept.keep(request, request.POST, form.errors)
        return JsonResponse(
            {"message": f"{said_at(request, claim, 'Saved')}, but not {not_read(form)}", "revision": revision}
        )
    kept.forget(request)
    return JsonResponse({"message": said_at(request, claim, "Saved"), "revision": revision})


def kept_as_written(request: PersonRequest, claim: Claim) -> HttpResponse:
    """Keep the words of what is not a part of the claim yet, such as a new line: one saves it when it is complete."""
    kept.keep(request, request.POST)
    return JsonResponse(
        {"message": f"{said_at(request, claim, 'Kept')}. It becomes a part of the claim when you save."}
    )


def revision_of(record: Claim | ClaimLine | Plan | PlanActivity) -> int:
    if isinstance(record, PlanActivity):
        return Plan.objects.values_list("revision", flat=True).get(id=record.plan_id)
    if isinstance(record, ClaimLine):
        return Claim.objects.values_list("revision", flat=True).get(id=record.claim_id)
    return record.revision


def said_at(request: PersonRequest, claim: Claim | Plan, what: str) -> str:
    """ "Saved 10:42 UTC", by the program's clock."""
    zone = claim.fund.program.time_zone
    return f"{what} {now(request).astimezone(ZoneInfo(zone)):%H:%M} {zone}"


def not_read(form: forms.Form) -> str:
    """The fields that could not be read, each with its reason."""
    found = [
        f"“{form.fields[name].label}”: {' '.join(map(str, errors))}"
        if name in form.fields
        else " ".join(map(str, errors))
        for name, errors in form.errors.items()
    ]
    return " ".join(found)
