"""What a reviewer says of the lines and documents of a claim: all of it is checked, then all of it is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from claims import states
from claims.models import Claim, ClaimLine, Document
from claims.queries.catalog import reasons_for
from coop.lib.errors import FieldError, Invalid

REASON_MAX = 1_000
OTHER = "other"  # the reason of the list that says nothing by itself
Fault = tuple[str, str, str]  # field, code, sentence


@dataclass(frozen=True)
class LineDecision:
    """What a reviewer says of one line. `approved_minor` counts for approve_less only; all but approve need a reason.

    The reason is one of the catalog's (`reason_code`), or words of the reviewer's own (`reason`), or both.
    """

    line_id: int
    decision: str
    approved_minor: int | None = None
    reason: str = ""
    reason_code: str = ""

    @property
    def words(self) -> str:
        return in_words("claim", self.decision, self.reason_code, self.reason)


@dataclass(frozen=True)
class DocumentDecision:
    """What a reviewer says of one document: accept, return or decline; the last two with a reason, as of a line."""

    document_id: int
    decision: str
    reason: str = ""
    reason_code: str = ""

    @property
    def words(self) -> str:
        return in_words("document", self.decision, self.reason_code, self.reason)


@dataclass(frozen=True)
class Fix:
    """One thing that the partner must mend, at its field."""

    field: str
    message: str


def in_words(subject: str, decision: str, code: str, text: str) -> str:
    """The reason as the partner reads it: the sentence of the list, then the reviewer's own words."""
    own = text.strip()
    if code in ("", OTHER):
        return own[:REASON_MAX]
    sentence = dict(reasons_for(subject, decision)).get(code, "")
    joined = own if own.startswith(sentence) else f"{sentence} {own}".strip()
    return joined[:REASON_MAX]


def place_of(document: Document) -> str:
    """The field on which the partner mends a document: its line's, or that of its kind."""
    return f"lines.{document.line_id}" if document.line_id else f"documents.{document.kind}"


def fix_of(document: Document, words: str) -> Fix:
    """A document to be returned as one thing to mend. Several may be of one kind, so it says which."""
    return Fix(place_of(document), f"“{document}”: {words}")


def record_decisions(
    claim: Claim, decisions: Sequence[LineDecision], documents: Sequence[DocumentDecision] = ()
) -> tuple[list[ClaimLine], list[Document]]:
    """Write the decisions on the claim's lines and documents; returns all of both. Raises Invalid with all that is wrong."""
    lines = {line.pk: line for line in claim.lines.all()}
    files = {document.pk: document for document in claim.documents.all()}
    errors = take_lines(claim, lines, decisions) + take_documents(claim, files, documents)
    if errors:
        raise Invalid(errors=errors)
    for line in lines.values():
        if line.decision:
            line.save()
    for said in documents:
        files[said.document_id].save()
    return list(lines.values()), list(files.values())


def take_lines(claim: Claim, lines: dict[int, ClaimLine], decisions: Sequence[LineDecision]) -> list[FieldError]:
    """Put the decisions into the lines, unsaved; returns what is wrong with them."""
    errors: list[FieldError] = []
    seen: set[int] = set()
    for index, said in enumerate(decisions):
        line = lines.get(said.line_id)
        place = f"decisions.{index}"
        if said.line_id in seen:
            errors.append(
                FieldError(f"{place}.id", "duplicate", f"Line {said.line_id} is decided twice. Decide it once.")
            )
        seen.add(said.line_id)
        if line is None:
            errors.append(FieldError(f"{place}.id", "not_found", f"Claim {claim.number} has no line {said.line_id}."))
            continue
        wrong = faults(claim, line, said)
        errors += [FieldError(f"{place}.{field}", code, message) for field, code, message in wrong]
        if wrong:
            continue
        line.decision, line.reason_code, line.reason = said.decision, said.reason_code, said.words
        line.approved_minor = {"approve": line.amount_minor, "approve_less": said.approved_minor}.get(said.decision, 0)
    return errors


def take_documents(claim: Claim, files: dict[int, Document], decisions: Sequence[DocumentDecision]) -> list[FieldError]:
    """Put the decisions into the documents, unsaved; returns what is wrong with them."""
    errors: list[FieldError] = []
    seen: set[int] = set()
    for index, said in enumerate(decisions):
        document = files.get(said.document_id)
        place = f"documents.{index}"
        if said.document_id in seen:
            message = f"Document {said.document_id} is decided twice. Decide it once."
            errors.append(FieldError(f"{place}.id", "duplicate", message))
        seen.add(said.document_id)
        if document is None:
            message = f"Claim {claim.number} has no document {said.document_id}."
            errors.append(FieldError(f"{place}.id", "not_found", message))
            continue
        wrong = document_faults(said)
        errors += [FieldError(f"{place}.{field}", code, message) for field, code, message in wrong]
        if not wrong:
            document.decision, document.reason_code, document.reason = said.decision, said.reason_code, said.words
    return errors


def faults(claim: Claim, line: ClaimLine, said: LineDecision) -> list[Fault]:
    """What is wrong with the decision on one line."""
    if said.decision not in states.DECISIONS:
        return [unknown(said.decision, states.DECISIONS)]
    wrong = reason_faults("claim", said.decision, said.reason_code, said.reason, plain="approve")
    full = {"approve": line.amount_minor, "return": 0, "decline": 0}.get(said.decision)
    if full is not None and said.approved_minor not in (None, full):
        wrong.append(
            (
                "approved_amount",
                "invalid",
                "An amount is given with approve_less only. Say approve_less to accept a part of the line.",
            )
        )
    amount = said.approved_minor
    if said.decision == "approve_less" and (amount is None or not 0 < amount < line.amount_minor):
        wrong.append(
            (
                "approved_amount",
                "invalid",
                f"Enter an amount above zero and below the {claim.show(line.amount_minor)} of this line.",
            )
        )
    return wrong


def document_faults(said: DocumentDecision) -> list[Fault]:
    """What is wrong with the decision on one document."""
    if said.decision not in states.DOCUMENT_DECISIONS:
        return [unknown(said.decision, states.DOCUMENT_DECISIONS)]
    return reason_faults("document", said.decision, said.reason_code, said.reason, plain="accept")


def unknown(decision: str, known: dict[str, str]) -> Fault:
    return ("decision", "invalid", f"“{decision[:40]}” is not a decision. Use {', '.join(known)}.")


def reason_faults(subject: str, decision: str, code: str, text: str, *, plain: str) -> list[Fault]:
    """What is wrong with a reason. The `plain` decision needs none."""
    if decision == plain:
        return []
    known = [known for known, _ in reasons_for(subject, decision)] if code else []
    if code and code not in known:
        fitting = f"Use one of: {', '.join(known)}." if known else "No reason of the list fits it: write your own."
        return [("reason_code", "invalid", f"“{code[:40]}” is not a reason for this decision. {fitting}")]
    if not in_words(subject, decision, code, text):
        return [
            (
                "reason",
                "required",
                "Say why: anything but a plain approval needs a reason that the partner can read.",
            )
        ]
    return []
