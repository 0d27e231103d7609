"""The lines and documents of a claim as pages show them."""

from __future__ import annotations

from django.urls import reverse

from claims.models import Claim, ClaimLine, Document
from claims.queries import document_kinds


def name_of(line: ClaimLine) -> str:
    """How people call a line: the supplier and the number of the invoice, or what was done."""
    if line.kind == "csr":
        return line.description or line.supplier or "In-house work"
    return ", ".join(part for part in (line.supplier, line.invoice_number) if part) or "Invoice"


def files(shown: Claim, *, may_remove: bool = False) -> list[dict[str, str]]:
    """The documents of a claim as `_components/files.html` takes them."""
    kinds = document_kinds(shown)
    lines = {line.pk: line for line in shown.lines.all()}
    return [file_row(document, kinds, lines, may_remove=may_remove) for document in shown.documents.all()]


def file_row(
    document: Document, kinds: dict[str, str], lines: dict[int, ClaimLine], *, may_remove: bool
) -> dict[str, str]:
    kind = kinds.get(document.kind, document.kind.replace("-", " ").capitalize())
    line = lines.get(document.line_id or 0)
    about = f"{kind}, {name_of(line)}" if line else kind
    remove = reverse("document-remove", args=[document.claim_id, document.pk]) if may_remove else ""
    return {
        "name": document.filename or document.url,
        "url": reverse("document-content", args=[document.pk]) if document.stored else document.url,
        "kind": about,
        "size": size(document.size) if document.stored else "a link",
        "added": f"“{document.note}”" if document.note else "",
        "sha256": "" if may_remove else document.sha256,  # no help to who is still choosing files
        "remove_url": remove,
    }


def size(number_of_bytes: int) -> str:
    """A file's size for people."""
    if number_of_bytes < 1024:
        return f"{number_of_bytes} bytes"
    if number_of_bytes < 1024 * 1024:
        return f"{number_of_bytes / 1024:.0f} KB"
    return f"{number_of_bytes / 1024 / 1024:.1f} MB"
