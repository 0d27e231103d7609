"""The page of one claim: the task list while it is open, what became of it after sending."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from claims import states
from claims.letters import letter_of
from claims.models import Claim, ClaimLine, Document
from claims.permissions import may_write
from claims.queries import document_kinds, findings_of
from claims.queries.book import metrics_asked
from claims.queries.partner import history_of
from claims.web.access import claim_for, review_of
from claims.web.forms import country_name
from claims.web.history import timeline
from claims.web.paying import payment_facts
from claims.web.places import line_of, place_of
from claims.web.progress import tasks_of
from claims.web.standing import deadline_of, standing_of
from coop.lib.dates import show_day, show_deadline
from coop.lib.web import now
from funds.models import Payment
from funds.operations.holds import overdrawn_text
from funds.queries.funds import payments_for
from funds.web.cards import opens
from funds.web.clocks import earned_in, span, time_left
from partners.models import Event
from partners.web.request import PersonRequest


@login_required
@require_safe
def claim(request: PersonRequest, claim_id: int) -> HttpResponse:
    """The hub of an open claim, or what became of a claim that was sent; the vendor's people go to its review."""
    shown = claim_for(request, claim_id)
    if request.user.is_vendor:
        return redirect(review_of(shown))
    events = history_of(shown, request.user)
    if shown.is_open:
        return hub(request, shown, events)
    return after_sending(request, shown, events)


# --- While it is open -------------------------------------------------------------------------------------------------


def hub(request: PersonRequest, shown: Claim, events: list[Event]) -> HttpResponse:
    at = now(request)
    zone = shown.fund.program.time_zone
    tasks = tasks_of(shown, findings_of(shown, at=at))
    work, send = tasks[:-1], tasks[-1]
    closes = deadline_of(shown)
    left, tone = time_left(closes, at=at, zone=zone)
    return render(
        request,
        "claims/hub.html",
        {
            "claim": shown,
            "returned": shown.status == states.ACTION_REQUIRED,
            "fixes": fixes(shown, events),
            "tasks": tasks,
            "done": sum(task.done for task in work),
            "of": len(work),
            "of_text": str(len(work)),
            "send": send,
            "figures": figures(shown),
            "deadline": show_deadline(closes, zone),
            "deadline_left": left,
            "deadline_tone": tone,
            "late": at >= closes,
            "opens": opens(shown.fund) if at < shown.fund.earning_period.claims_open_at else "",
            "fund_name": earned_in(shown.fund.earning_period),
            "events": timeline(events),
            "may_write": may_write(request.user, shown),
            "first_visit": not shown.lines.all() and not shown.documents.all(),
            "since": show_day(shown.turn_since.date()),
            "below_zero": overdrawn_text(shown.fund) if shown.fund.overdrawn and not shown.held_minor else "",
        },
    )


def figures(shown: Claim) -> list[dict[str, str]]:
    """The amount so far, what the fund has for it, and what would be left."""
    fund = shown.fund
    there = max(fund.available_minor, 0) + shown.held_minor
    left = there - shown.claimed_minor
    over = left < 0
    return [
        {
            "label": "Claimed so far",
            "amount": shown.show(shown.claimed_minor),
            "hint": f"{shown.show(shown.held_minor)} of it is held"
            if shown.held_minor
            else "Nothing is held for a draft",
        },
        {
            "label": "In the fund for it",
            "amount": shown.show(there),
            "url": reverse("fund", args=[fund.pk]),
            "hint": earned_in(fund.earning_period),
        },
        {
            "label": "Left in the fund after sending" if not over else "More than there is",
            "amount": shown.show(abs(left)),
            "hint": "" if not over else "The fund is below zero" if fund.overdrawn else "Lower the lines by this much",
            "tone": "problem" if over else "",
        },
    ]


EDITED = {
    "claim.line_added": "lines",
    "claim.line_changed": "lines",
    "claim.line_removed": "lines",
    "claim.document_added": "documents",
    "claim.document_removed": "documents",
}


def fixes(shown: Claim, events: list[Event]) -> list[dict[str, Any]]:
    """What the reviewer asks to be mended, each with its place, and whether something was changed there since."""
    if not shown.returned_fixes:
        return []
    since = []
    for event in events:
        if event.verb == "claim.returned":
            break
        since.append(event)
    return [
        {
            "message": fix["message"],
            "url": place_of(shown, fix["field"]),
            "where": where(shown, fix["field"]),
            "touched": any(touches(event, fix["field"]) for event in since),
        }
        for fix in shown.returned_fixes
    ]


def where(shown: Claim, field: str) -> str:
    """The name of the thing that a fix is about."""
    line = next((line for line in shown.lines.all() if line.pk == line_of(field)), None)
    if line is not None:
        return name_of(line)
    first, _, rest = field.partition(".")
    if first == "documents":
        return document_kinds(shown).get(rest, "Documents")
    names = {"lines": "Invoices and in-house work", "metrics": "Results", "activity_from": "First day", "": "The claim"}
    return names.get(first, {"activity_to": "Last day"}.get(first, first.replace("_", " ").capitalize()))


def touches(event: Event, field: str) -> bool:
    """Whether an edit changed what the field names."""
    line = line_of(field)
    if line is not None:
        return event.data.get("line") == str(line) or event.verb.startswith("claim.document")
    first, _, rest = field.partition(".")
    if first == "documents":
        return event.verb.startswith("claim.document") and event.data.get("kind", rest) == rest
    if event.verb == "claim.changed":
        return first in event.data.get("fields", []) or first == "metrics"
    return EDITED.get(event.verb) == first


def name_of(line: ClaimLine) -> str:
    """How people call a line: the supplier and the number of the invoice, or what was done."""
    if line.kind == "csr":
        return line.description or line.supplier or "In-house work"
    return ", ".join(part for part in (line.supplier, line.invoice_number) if part) or "Invoice"


# --- After sending ----------------------------------------------------------------------------------------------------


def after_sending(request: PersonRequest, shown: Claim, events: list[Event]) -> HttpResponse:
    payment = payment_of(request, shown)
    standing = standing_of(shown, payment, at=now(request))
    return render(
        request,
        "claims/after.html",
        {
            "claim": shown,
            "standing": standing,
            "letter": letter_of(shown),
            "lines": [line_row(shown, line) for line in shown.lines.all()],
            "decided": shown.status in (states.APPROVED, states.PAID),
            "total": number(shown, shown.claimed_minor),
            "total_approved": number(shown, shown.approved_minor),
            "total_difference": number(shown, shown.claimed_minor - shown.approved_minor)
            if shown.claimed_minor != shown.approved_minor
            else "",
            "payment": payment_facts(shown, payment) if shown.status in (states.APPROVED, states.PAID) else [],
            "files": files(shown),
            "events": timeline(events),
            "may_withdraw": may_write(request.user, shown) and shown.status in states.CLAIMS["withdraw"],
            "facts": facts(shown),
            "was_sent": shown.sendings > 0,
        },
    )


def payment_of(request: PersonRequest, shown: Claim) -> Payment | None:
    if shown.status not in (states.APPROVED, states.PAID):
        return None
    return payments_for(request.user, "claim", [str(shown.pk)]).get(str(shown.pk))


def number(shown: Claim, minor: int) -> str:
    return shown.show(minor).rpartition(" ")[0]


def line_row(shown: Claim, line: ClaimLine) -> dict[str, str]:
    kind = states.LINE_KINDS[line.kind]
    dated = f", {show_day(line.invoiced_on)}" if line.invoiced_on else ""
    approved = line.approved_minor
    return {
        "name": name_of(line),
        "kind": f"{kind}{dated}",
        "amount": number(shown, line.amount_minor),
        "approved": "" if approved is None else number(shown, approved),
        "difference": number(shown, line.amount_minor - approved) if approved not in (None, line.amount_minor) else "",
    }


def facts(shown: Claim) -> list[dict[str, str]]:
    """What the claim says about the activity and its results."""
    dates = span(shown.activity_from, shown.activity_to)
    results = [{"key": metric.name, "value": shown.metrics.get(metric.code, "")} for metric in metrics_asked(shown)]
    return [
        {"key": "Activity", "value": shown.activity.name},
        {"key": "When", "value": dates},
        {"key": "Country", "value": country_name(shown.country)},
        {
            "key": "Fund",
            "value": f"{earned_in(shown.fund.earning_period)}, {shown.fund.program}",
            "url": reverse("fund", args=[shown.fund_id]),
        },
        *results,
    ]


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
