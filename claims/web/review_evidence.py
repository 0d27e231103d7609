"""The evidence of a claim as a reviewer looks at it: files with their pages, and what else is known of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.urls import reverse

from claims import states
from claims.models import Claim, Document
from claims.queries import document_kinds
from claims.web.documents import preview_of
from claims.web.review_forms import DocumentForm

PREVIEWS = 12  # on the page itself; the rest are one click away


def evidence_of(claim: Claim, documents: Sequence[DocumentForm] = ()) -> list[dict[str, Any]]:
    """Each document with its pictures, its place in the claim, and the form that decides on it, where there is one."""
    kinds = document_kinds(claim)
    lines = {line.pk: str(line) for line in claim.lines.all()}
    forms = {form.document.pk: form for form in documents}
    return [
        {
            **file_row(document, kinds),
            "document": document,
            "line": lines.get(document.line_id or 0, ""),
            "form": forms.get(document.pk),
            "decided": states.DOCUMENT_DECISIONS.get(document.decision, ""),
            "reason": document.reason,
            "preview": preview_of(document) if place < PREVIEWS else None,
            "preview_url": reverse("document-preview", args=[document.pk]) if document.stored else "",
        }
        for place, document in enumerate(claim.documents.all())
    ]


def file_row(document: Document, kinds: dict[str, str]) -> dict[str, str]:
    """One piece of evidence for files.html: files are downloaded, links lead to the page."""
    return {
        "name": str(document),
        "url": document.url or f"{reverse('document-content', args=[document.pk])}?download=1",
        "kind": kinds.get(document.kind, document.kind),
        "size": "Link to a page of somebody else" if document.url else filesizeformat(document.size),
        "sha256": document.sha256,
        "added": document.note,
    }


def files_of_line(evidence: Iterable[dict[str, Any]], line_id: int) -> list[dict[str, Any]]:
    return [row for row in evidence if row["document"].line_id == line_id]
