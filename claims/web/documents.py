"""The files of a claim: their content, and taking one out."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from claims import states
from claims.models import Document, StoredFile
from claims.operations.documents import GONE, remove_document, task_of_kind
from claims.storage import blocks_of, page_of
from claims.web.access import claim_to_work_on, closed_for_writing
from claims.web.papers import size
from coop.lib.dates import show_day
from coop.lib.errors import Gone, NotFound
from coop.lib.web import now
from partners.states import AGENCY
from partners.web.request import PersonRequest

# What a browser may show by itself; everything else is downloaded.
SHOWN = ("application/pdf", "image/png", "image/jpeg")
# A browser runs nothing of what it is given here, whatever the bytes are. A PDF is left to its viewer, which has own rules.
NOTHING_RUNS = "default-src 'none'; sandbox"
PAGES_SHOWN = 10


def known_document(request: PersonRequest, document_id: int) -> Document:
    """A document that the reader may see. Raises NotFound, in the same words for what is not there."""
    found = Document.objects.visible_to(request.user).select_related("stored", "claim__partner", "line", "uploaded_by")
    document = found.filter(id=document_id).first()
    if document is None:
        raise NotFound("There is no such document.")
    return document


def stored_of(document: Document) -> StoredFile:
    """Raises NotFound for a link, Gone for bytes that were deleted."""
    if document.stored is None:
        raise NotFound("There is no such document.")
    if document.stored.deleted_at is not None:
        raise Gone(GONE)
    return document.stored


@login_required
@require_safe
def document_content(request: PersonRequest, document_id: int) -> HttpResponseBase:
    """The bytes of a document as they came. `?download=1` saves it even where the browser could show it.

    Raises NotFound, also for documents of claims that the reader may not see.
    """
    document = known_document(request, document_id)
    stored = stored_of(document)
    try:
        content = stored.file.open("rb")
    except FileNotFoundError as missing:
        raise NotFound("The file of this document is not here any more.") from missing
    download = request.GET.get("download") == "1" or stored.media_type not in SHOWN
    headers = {"X-Content-Type-Options": "nosniff"}
    if download or stored.media_type != "application/pdf":
        headers["Content-Security-Policy"] = NOTHING_RUNS
    return FileResponse(
        content, as_attachment=download, filename=document.filename, content_type=stored.media_type, headers=headers
    )


@login_required
@require_safe
def document_page(request: PersonRequest, document_id: int, page: int) -> HttpResponseBase:
    """One page of a document's preview as PNG: our own drawing of it, without what else the file held."""
    stored = stored_of(known_document(request, document_id))
    headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": NOTHING_RUNS}
    return FileResponse(page_of(stored, page), content_type="image/png", headers=headers)


@login_required
@require_safe
def document_preview(request: PersonRequest, document_id: int) -> HttpResponse:
    """How a document looks, and what is known of it."""
    document = known_document(request, document_id)
    context = {
        "document": document,
        "preview": preview_of(document),
        "facts": facts_of(document),
        "crumbs": crumbs_of(request, document),
        "content_url": content_url(document),
    }
    return render(request, "claims/documents/preview.html", context)


def preview_of(document: Document) -> dict[str, Any]:
    """What `claims/documents/_preview.html` shows: pages, or text, or the sentence that says why there is neither."""
    stored = document.stored
    if stored is None:
        return {
            "state": "link",
            "sentence": "This is a link. What it shows may change; open it to look.",
            "url": document.url,
        }
    state = "gone" if stored.deleted_at is not None else stored.preview
    sentences = {
        "gone": GONE,
        "waiting": "The preview is being made. Look again in a moment, or download the file.",
        "none": stored.preview_note or "There is no preview of this file. Download it to look at it.",
        "failed": stored.preview_note or "There is no preview of this file. Download it to look at it.",
    }
    pages = stored.pages if state == "ready" else 0
    return {
        "state": state,
        "name": str(document),
        "sentence": sentences.get(state, ""),
        "pages": [
            {"number": number, "url": reverse("document-page", args=[document.pk, number])}
            for number in range(1, pages + 1)
        ],
        "blocks": blocks_of(stored),
        "cut": pages == PAGES_SHOWN,
        "url": content_url(document),
    }


def content_url(document: Document) -> str:
    """Where the bytes are, while there are some; the address of a link."""
    stored = document.stored
    if stored is None:
        return document.url
    return "" if stored.deleted_at is not None else reverse("document-content", args=[document.pk])


def facts_of(document: Document) -> list[dict[str, str]]:
    rows = [
        {"key": "Claim", "value": f"{document.claim.number}, {document.claim.partner.name}"},
        {"key": "Given", "value": f"{show_day(document.created_at.date())} by {document.uploaded_by.name}"},
    ]
    if document.note:
        rows.append({"key": "Note", "value": document.note})
    if document.dated_on:
        rows.append({"key": "Day on it", "value": show_day(document.dated_on)})
    if document.stored is not None:
        rows.append({"key": "Size", "value": size(document.size)})
        rows.append({"key": "SHA-256", "value": document.sha256})
    return rows


def crumbs_of(request: PersonRequest, document: Document) -> list[dict[str, str]]:
    """A guest has no page of the claim to go back to."""
    if request.user.role == AGENCY:
        return [{"label": "Home", "url": reverse("home")}]
    page = "review" if request.user.is_vendor else "claim"
    return [{"label": document.claim.number, "url": reverse(page, args=[document.claim_id])}]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def document_remove(request: PersonRequest, claim_id: int, document_id: int) -> HttpResponse:
    """Ask, then take a document out of an open claim."""
    kind = Document.objects.filter(id=document_id, claim_id=claim_id).values_list("kind", flat=True).first()
    claim = claim_to_work_on(request, claim_id, task_of_kind(kind or ""))
    if not claim.is_open:
        return closed_for_writing(request, claim)
    document = next((document for document in claim.documents.all() if document.pk == document_id), None)
    if document is None:
        raise NotFound("There is no such document in this claim.")
    back = reverse("claim-proof", args=[claim.pk])
    if document.line_id:
        back = reverse("claim-line", args=[claim.pk, document.line_id])
    elif document.kind in states.MONEY_EVIDENCE:
        back = f"{reverse('claim-lines', args=[claim.pk])}?kind={document.kind}"
    if request.method == "POST":
        remove_document(claim.pk, document.pk, by=request.user, at=now(request))
        messages.success(request, f"{document} is taken out of the claim.")
        return redirect(back)
    return render(request, "claims/document_remove.html", {"claim": claim, "document": document, "back": back})
