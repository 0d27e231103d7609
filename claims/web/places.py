"""Where a thing of a claim is mended: the page and field for what a rule or a reviewer names."""

from __future__ import annotations

from django.urls import reverse

from claims.models import Claim

ABOUT = ("activity", "activity_from", "activity_to", "country", "title", "solution_area")


def task_of(field: str) -> str:
    """Which task of the hub a field belongs to: about, lines, proof, results, or "" for none."""
    first, _, _ = field.partition(".")
    if first in ABOUT:
        return "about"
    return {"lines": "lines", "documents": "proof", "metrics": "results"}.get(first, "")


def line_of(field: str) -> int | None:
    """The line that `lines.17` or `lines.17.amount` names."""
    first, _, rest = field.partition(".")
    number = rest.partition(".")[0]
    return int(number) if first == "lines" and number.isascii() and number.isdigit() else None


def field_of(field: str) -> str:
    """The name of the form field on the page where it is mended: `lines.17.invoiced_on` is invoiced_on there."""
    first, _, rest = field.partition(".")
    if first == "lines":
        return rest.partition(".")[2]
    return rest if first in ("documents", "metrics") else first


def place_of(claim: Claim, field: str) -> str:
    """The address where a field of an open claim is changed; empty where no page can change it.

    A document is named by its kind, or by its number; lines and documents must be loaded for one to be found.
    """
    task, name = task_of(field), field_of(field)
    if task == "about":
        return f"{reverse('claim-about', args=[claim.pk])}#id_{name}"
    if task == "lines":
        line = line_of(field)
        if line is None or line not in {known.pk for known in claim.lines.all()}:
            return reverse("claim-lines", args=[claim.pk])
        return reverse("claim-line", args=[claim.pk, line]) + f"#id_{name.replace('details.', 'detail_', 1) or 'file'}"
    if task == "proof":
        return place_of_document(claim, name)
    if task == "results":
        return f"{reverse('claim-results', args=[claim.pk])}#id_{name}"
    return ""


def place_of_document(claim: Claim, name: str) -> str:
    known = {str(document.pk): document for document in claim.documents.all()}.get(name)
    if known is not None and known.line_id:
        return reverse("claim-line", args=[claim.pk, known.line_id])
    kind = known.kind if known else name
    if kind in ("invoice", "csr"):
        return reverse("claim-lines", args=[claim.pk])
    return f"{reverse('claim-proof', args=[claim.pk])}#proof-{kind}"
