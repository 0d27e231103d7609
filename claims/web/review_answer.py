"""What a reviewer entered so far: the forms of a review, together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.forms import Form

from claims.letters import DECLINE, RETURN
from claims.models import Claim
from claims.web.review_forms import DocumentForm, LineForm, NoteForm, reason_choices
from partners.web.request import PersonRequest


@dataclass(frozen=True)
class Answer:
    """The decisions on the lines and documents, and the words on the whole."""

    lines: list[LineForm]
    documents: list[DocumentForm]
    note: NoteForm

    @property
    def forms(self) -> list[Form]:
        """Every form that was sent or has to be."""
        return [*self.lines, *(form for form in self.documents if form.is_bound), self.note]

    @property
    def bound(self) -> list[Form]:
        """The decisions that were sent."""
        return [form for form in (*self.lines, *self.documents) if form.is_bound]

    def at_revision(self, revision: int) -> Answer:
        """The same words for the claim as it stands now."""
        sent: Any = self.note.data
        return replace(self, note=NoteForm({**sent.dict(), "revision": revision} if self.note.is_bound else None))


def answer_of(request: PersonRequest, claim: Claim, *, fresh: bool = False) -> Answer:
    """The forms of a review, filled from what was sent; without it, with what is known, or where `fresh` with nothing."""

    def sent(prefix: str) -> Any:
        return request.POST if any(name.startswith(prefix) for name in request.POST) else None

    of_lines = reason_choices("claim", "approve_less", RETURN, DECLINE)
    of_documents = reason_choices("document", RETURN, DECLINE)
    return Answer(
        [LineForm(sent("line-"), claim=claim, line=line, reasons=of_lines, fresh=fresh) for line in claim.lines.all()],
        [
            DocumentForm(sent(f"doc-{document.pk}-"), document=document, reasons=of_documents)
            for document in claim.documents.all()
        ],
        NoteForm(request.POST if "revision" in request.POST else None, initial={"revision": claim.revision}),
    )
