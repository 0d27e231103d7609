"""Saying what the columns of a file mean, once: it is remembered for every file with the same header."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from coop.lib.errors import NotFound, Refused
from coop.lib.nudge import nudge
from coop.lib.web import now
from funds.files import guess
from funds.files.columns import REQUIRED
from funds.files.samples import first_rows
from funds.models import Import
from funds.operations.imports import map_columns, needs_mapping
from funds.web.imports import find_import, revision_of
from partners.permissions import require_role
from partners.states import FINANCE
from partners.web.request import PersonRequest

# What a column can fill, as a person calls it.
FIELDS = {
    "external_id": "The line's id",
    "location_code": "The location's id",
    "program_code": "The program, by code or name",
    "earned_text": "The day it was earned",
    "amount_text": "The amount",
    "currency": "The currency of the amount",
    "kind": "Rebate or co-op (the report is split already)",
    "lever": "The lever",
    "reason_code": "The reason code",
    "settled_amount_text": "The vendor's own amount in the program's currency",
    "rate_text": "The exchange rate",
    "rate_on_text": "The day of the exchange rate",
}
LONGEST_SAMPLE = 40


class MappingForm(forms.Form):
    """One choice a column: which field it fills. A column that fills none is kept with the line all the same."""

    def __init__(self, columns: list[str], *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.columns = columns
        guessed = {name: field for field, name in guess(columns).items()}
        choices = [
            ("", "Not needed"),
            ("Needed", [(field, FIELDS[field]) for field in REQUIRED]),
            ("May be there", [(field, label) for field, label in FIELDS.items() if field not in REQUIRED]),
        ]
        for number, name in enumerate(columns):
            self.fields[f"column-{number}"] = forms.ChoiceField(
                label=f"{name or 'A column without a name'} is",
                choices=choices,
                required=False,
                initial=guessed.get(name, ""),
            )

    def clean(self) -> dict[str, Any]:
        """Refuse a field that two columns fill, at the second of them, and say which needed ones no column fills."""
        found: dict[str, str] = {}
        for place, name in self.chosen():
            field = self.cleaned_data.get(place)
            if field and field in found:
                self.add_error(
                    place, f"{FIELDS[field]} is filled by the column {found[field]} already. Choose one of them."
                )
            elif field:
                found[field] = name
        missing = [FIELDS[field] for field in REQUIRED if field not in found]
        if missing:
            raise forms.ValidationError(f"Say which column holds: {'; '.join(missing)}.")
        self.mapping = found
        return self.cleaned_data

    def chosen(self) -> list[tuple[str, str]]:
        return [(f"column-{number}", name) for number, name in enumerate(self.columns)]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def import_map(request: PersonRequest, import_id: int) -> HttpResponse:
    """The columns of a file with their first values; a POST says what they mean and has the file checked."""
    delivery = find_import(request, import_id)
    require_role(request.user, FINANCE, to="say what the columns of an import mean")
    if not needs_mapping(delivery):
        if request.method == "POST":
            return redirect("import", import_id)
        raise NotFound("The columns of this import are understood, so there is nothing to say of them.")
    form = MappingForm(delivery.columns, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and say(request, delivery, form):
        nudge("coop.check_imports")
        return redirect("import", import_id)
    rows = samples(delivery)
    context = {
        "delivery": delivery,
        "form": form,
        "columns": [
            (name, [row[number][:LONGEST_SAMPLE] for row in rows if number < len(row)], form[place])
            for number, (place, name) in enumerate(form.chosen())
        ],
        "crumbs": [
            {"label": "Imports", "url": reverse("imports")},
            {"label": str(delivery), "url": reverse("import", args=[delivery.pk])},
        ],
    }
    return render(request, "funds/import_map.html", context, status=400 if form.errors else 200)


def say(request: PersonRequest, delivery: Import, form: MappingForm) -> bool:
    """Whether the mapping was taken; what is wrong with it stands in the form otherwise."""
    revision = revision_of(request)
    try:
        map_columns(delivery.pk, mapping=form.mapping, revision=revision, by=request.user, at=now(request))
    except Refused as refusal:
        if refusal.code != "invalid":
            raise
        for message in [error.message for error in refusal.errors] or [refusal.message]:
            form.add_error(None, message)
        return False
    return True


def samples(delivery: Import) -> list[list[str]]:
    with delivery.file.open("rb") as file:
        return first_rows(file, delivery.columns)
