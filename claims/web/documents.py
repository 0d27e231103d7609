"""The files of a claim: their content, and taking one out."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from claims import states
from claims.models import Claim, Document
from claims.operations.documents import GONE, remove_document
from claims.web.access import closed_for_writing, own_claim
from coop.lib.errors import NotFound
from coop.lib.web import now
from partners.web.request import PersonRequest

# What a browser may show by itself; everything else is downloaded.
SHOWN = ("application/pdf", "image/png", "image/jpeg")


@login_required
@require_safe
def document_content(request: PersonRequest, document_id: int) -> HttpResponseBase:
    """The bytes of a document as they came. `?download=1` saves it even where the browser could show it.

    Raises NotFound, also for documents of claims that the reader may not see.
    """
    visible = Claim.objects.visible_to(request.user)
    found = Document.objects.select_related("stored").filter(id=document_id, claim__in=visible, stored__isnull=False)
    document = found.first()
    if document is None or document.stored is None:
        raise NotFound("There is no such document.")
    if document.stored.deleted_at is not None:
        raise NotFound(GONE)
    try:
        content = document.stored.file.open("rb")
    except FileNotFoundError as missing:
        raise NotFound("The file of this document is not here any more.") from missing
    download = request.GET.get("download") == "1" or document.media_type not in SHOWN
    return FileResponse(content, as_attachment=download, filename=document.filename, content_type=document.media_type)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def document_remove(request: PersonRequest, claim_id: int, document_id: int) -> HttpResponse:
    """Ask, then take a document out of an open claim."""
    claim = own_claim(request, claim_id)
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
