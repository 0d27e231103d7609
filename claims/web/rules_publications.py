"""Publications of the catalog: what each changed, the difference between any two, and the catalog as a file."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from claims.models import Publication
from claims.queries.catalog import catalog_file, publication, publications
from claims.rules.changes import changes_between
from claims.web.rules import require_reader
from coop.lib.dates import show_day, show_instant
from coop.lib.web import asked_number
from partners.web.request import PersonRequest

PAGE = 20
SHOWN = 3  # sentences of each in the list


class CompareForm(forms.Form):
    """With which other publication one is compared."""

    to = forms.ChoiceField(label="Compare with")

    def __init__(self, *args: Any, others: list[Publication], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(str(other.pk), f"{other}, {show_day(other.published_at.date())}") for other in others]
        self.fields["to"].choices = choices  # type: ignore[attr-defined]


@login_required
@require_safe
def publication_list(request: PersonRequest) -> HttpResponse:
    """All publications, newest first: who, when, and what changed in sentences."""
    require_reader(request)
    before = asked_number(request, "before")
    found = publications() if before is None else publications().filter(id__lt=before)
    rows = list(found[: PAGE + 1])
    here = reverse("rules-publications")
    context = {
        "publications": [entry(row) for row in rows[:PAGE]],
        "crumbs": [{"label": "Rules", "url": reverse("rules")}, {"label": "Publications"}],
        "older_url": f"{here}?before={rows[PAGE - 1].pk}" if len(rows) > PAGE else "",
        "newer_url": here if before else "",
    }
    return render(request, "claims/rules/publications.html", context)


def entry(row: Publication) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": str(row),
        "when": row.published_at,
        "who": who(row),
        "note": row.note,
        "said": row.said[:SHOWN],
        "more": max(len(row.said) - SHOWN, 0),
    }


def who(row: Publication) -> str:
    """By whom it came out, in words."""
    by = row.published_by.name if row.published_by else "whoever runs this installation"
    return f"{by}, asked for by {row.requested_by.name}" if row.requested_by else by


@login_required
@require_safe
def publication_page(request: PersonRequest, publication_id: int) -> HttpResponse:
    """One publication, and what it changes against another one (by default the one before)."""
    require_reader(request)
    found = publication(publication_id, request.user)
    others = list(publications().exclude(id=found.pk)[:200])
    asked = asked_number(request, "to")
    before = next((other.pk for other in others if other.pk < found.pk), None)
    other_id = asked or before
    other = publication(other_id, request.user) if other_id else None
    older, newer = sorted((found, other), key=lambda row: row.pk) if other else (None, found)
    context = {
        "publication": found,
        "who": who(found),
        "other": other,
        "older": older,
        "newer": newer,
        "said": [change.sentence for change in changes_between(older.catalog, newer.catalog)] if older else found.said,
        "form": CompareForm(initial={"to": other_id}, others=others) if others else None,
        "published": show_instant(found.published_at),
        "crumbs": [
            {"label": "Rules", "url": reverse("rules")},
            {"label": "Publications", "url": reverse("rules-publications")},
            {"label": str(found)},
        ],
    }
    return render(request, "claims/rules/publication.html", context)


@login_required
@require_safe
def publication_file(request: PersonRequest, publication_id: int) -> HttpResponse:
    """The catalog of a publication as a file that can be loaded."""
    require_reader(request)
    found = publication(publication_id, request.user)
    return toml_download(catalog_file(found.catalog, f"publication {found.pk}"), f"catalog-{found.pk}.toml")


def toml_download(text: str, filename: str) -> HttpResponse:
    answer = HttpResponse(text, content_type="application/toml; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{filename}"'
    return answer
