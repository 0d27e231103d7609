"""The lines and documents of one claim. They have no revision of their own: If-Match and ETag are the claim's."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import FileResponse
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from claims.api import serializers as shapes
from claims.api.claims import NO_CLAIM
from claims.models import Claim, ClaimLine, Document
from claims.operations import documents, drafting, evidence
from claims.permissions import invited_to
from claims.storage import page_of
from coop.lib.api import filters
from coop.lib.api.parsers import FormParser, StrictJSONParser
from coop.lib.api.views import ApiViewSet, ListMixin, RetrieveMixin, act
from coop.lib.errors import Gone, Invalid, NotFound
from partners.states import AGENCY

# Whatever the bytes are, a browser saves them: it neither shows them nor runs anything in them.
CONTENT_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}

PAGE = {"page": filters.Filter(filters.read_id, None, {"type": "string"})}


class OfClaim(ListMixin, RetrieveMixin, ApiViewSet):
    """What belongs to the claim of the address."""

    write_scope = "claims:write"

    @property
    def claim_id(self) -> int:
        return int(self.kwargs["claim_id"])

    def claim(self) -> Claim:
        """Raises NotFound for a claim that the person may not know of."""
        found: Claim = self.require_visible(Claim.objects.visible_to(self.person), self.claim_id, NO_CLAIM)
        return found

    def answer_with_claim(self, record: Any) -> Response:
        """The record, read again with its claim, whose revision is the ETag."""
        record = self.get_queryset().select_related("claim").get(pk=record.pk)
        return self.answer(record, revision=record.claim.revision)

    def gone(self, claim: Claim) -> Response:
        return Response(status=204, headers={"ETag": f'"{claim.revision}"'})

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One of those that you may see."""
        return self.answer_with_claim(self.get_object())


class LineViewSet(OfClaim):
    """Invoices, and in-house work that is certified by a CSR."""

    queryset = ClaimLine.objects.all()
    serializer_class = shapes.LineOut
    missing = "There is no such line in this claim."

    def get_queryset(self) -> QuerySet[Any]:
        return ClaimLine.objects.filter(claim=self.claim()).select_related("claim")

    @act(takes=shapes.LineIn, status=201)
    def create(self, request: Request, claim_id: str) -> Response:
        """Add a line to an open claim."""
        taken = self.take(currency=self.claim().currency)
        line = drafting.add_line(
            self.claim_id,
            amount_minor=taken.pop("amount"),
            cost_minor=taken.pop("cost", None),
            **taken,
            revision=self.revision,
            by=self.person,
            at=self.at,
        )
        return self.answer_with_claim(line)

    @act(takes=shapes.LineIn)
    def partial_update(self, request: Request, claim_id: str, pk: str) -> Response:
        """Change a line of an open claim."""
        changes = self.take(partial=True, currency=self.get_object().claim.currency)
        if "amount" in changes:
            changes["amount_minor"] = changes.pop("amount")
        if "cost" in changes:
            changes["cost_minor"] = changes.pop("cost")
        line = drafting.change_line(self.claim_id, int(pk), changes, revision=self.revision, by=self.person, at=self.at)
        return self.answer_with_claim(line)

    @act(status=204)
    def destroy(self, request: Request, claim_id: str, pk: str) -> Response:
        """Take a line out of an open claim."""
        self.get_object()
        claim = evidence.remove_line(self.claim_id, int(pk), revision=self.revision, by=self.person, at=self.at)
        return self.gone(claim)


class DocumentViewSet(OfClaim):
    """The files and links that back a claim. The bytes are kept exactly as they came."""

    queryset = Document.objects.all()
    serializer_class = shapes.DocumentOut
    missing = "There is no such document in this claim."
    max_upload = settings.DOCUMENT_MAX_BYTES
    parser_classes = [FormParser, StrictJSONParser]
    filters = {"kind": filters.by_text("kind")}

    def claim(self) -> Claim:
        """Also for a guest who was asked to do a task of the claim. Raises NotFound."""
        known = invited_to(self.person) if self.person.role == AGENCY else Claim.objects.visible_to(self.person)
        found: Claim = self.require_visible(known, self.claim_id, NO_CLAIM)
        return found

    def get_queryset(self) -> QuerySet[Any]:
        return Document.objects.visible_to(self.person).filter(claim=self.claim()).select_related("stored")

    @act(takes=shapes.DocumentIn, status=201)
    def create(self, request: Request, claim_id: str) -> Response:
        """Add a file, a link, or a file of an earlier claim (`reused_from`), to an open claim."""
        self.claim()
        taken = self.take()
        file = taken.get("file")
        if taken.get("reused_from") is not None:
            return self.answer_with_claim(self.reuse(taken))
        document = documents.add_document(
            self.claim_id,
            kind=taken["kind"],
            filename=(file.name or "") if file is not None else "",
            data=file.read() if file is not None else None,
            url=taken.get("url", ""),
            line_id=taken.get("line"),
            note=taken.get("note", ""),
            dated_on=taken.get("dated_on"),
            revision=self.revision,
            by=self.person,
            at=self.at,
        )
        if document.stored:
            name = str(document.stored.file.name)
            self.undo.append(lambda: documents.drop_bytes_without_row(name))
        return self.answer_with_claim(document)

    def reuse(self, taken: dict[str, Any]) -> Document:
        """Raises Invalid where a file or a link came too."""
        if taken.get("file") is not None or taken.get("url"):
            raise Invalid.field("reused_from", "Give a file, an address, or an earlier document, and only one of them.")
        return evidence.reuse_document(
            self.claim_id,
            taken["reused_from"],
            kind=taken["kind"],
            line_id=taken.get("line"),
            note=taken.get("note", ""),
            revision=self.revision,
            by=self.person,
            at=self.at,
        )

    @act(status=204)
    def destroy(self, request: Request, claim_id: str, pk: str) -> Response:
        """Take a document out of an open claim."""
        self.get_object()
        claim = documents.remove_document(self.claim_id, int(pk), revision=self.revision, by=self.person, at=self.at)
        return self.gone(claim)

    @action(detail=True, methods=["get"])
    @act(gives="image/png", query=PAGE)
    def preview(self, request: Request, claim_id: str, pk: str) -> FileResponse:
        """One page of a document's preview, counted from 1 (`page`, by default the first)."""
        stored = self.get_object().stored
        if stored is None:
            raise NotFound("This document is a link; it has no preview.")
        if stored.deleted_at is not None:
            raise Gone(documents.GONE)
        page = page_of(stored, int(self.asked.get("page", 1)))
        return FileResponse(page, content_type="image/png", headers=CONTENT_HEADERS)

    @action(detail=True, methods=["get"])
    @act(gives="application/octet-stream")
    def content(self, request: Request, claim_id: str, pk: str) -> FileResponse:
        """The bytes of a document, to be saved."""
        document = self.get_object()
        if document.stored is None:
            raise NotFound("This document is a link; it has no bytes here.")
        if document.stored.deleted_at is not None:
            raise Gone(documents.GONE)
        return FileResponse(
            document.stored.file.open("rb"),
            as_attachment=True,
            filename=document.filename,
            content_type=document.media_type,
            headers=CONTENT_HEADERS,
        )
