"""The page of one claim: the task list while it is open, what became of it after sending."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from claims import rules, states
from claims.models import Claim, Invitation
from claims.permissions import may_write
from claims.queries import document_kinds, findings_of, kept_for
from claims.queries.book import book_for
from claims.queries.guests import people_on
from claims.queries.guidance import guidance_of
from claims.queries.partner import history_of
from claims.queries.vendor import decisions_of
from claims.web.access import claim_for, review_of
from claims.web.after import after_sending
from claims.web.decisions import decision_rows
from claims.web.duplicates import hints_for
from claims.web.history import timeline
from claims.web.papers import name_of
from claims.web.places import line_of, place_of
from claims.web.progress import Task, shown_findings, tasks_of
from claims.web.standing import deadline_of
from coop.lib.dates import show_day, show_deadline
from coop.lib.web import now
from funds.operations.holds import overdrawn_text
from funds.web.cards import opens
from funds.web.clocks import earned_in, time_left
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
    findings = findings_of(shown, at=at)
    asked = people_on(shown)
    to_mend = fixes(shown, events)
    tasks = [replace(task, people=owners(asked, task.key)) for task in tasks_of(shown, findings)]
    work, send = tasks[:-1], mended(tasks[-1], to_mend)
    closes = deadline_of(shown)
    left, tone = time_left(closes, at=at, zone=zone)
    return render(
        request,
        "claims/hub.html",
        {
            "claim": shown,
            "returned": shown.status == states.ACTION_REQUIRED,
            "fixes": to_mend,
            "primary": primary(send, to_mend),
            "tasks": [*work, send],
            "done": sum(task.done for task in work),
            "of": len(work),
            "of_text": str(len(work)),
            "send": send,
            "left": shown_findings(shown, rules.failed(findings)),
            "hints": [hint for hints in hints_for(shown).values() for hint in hints],
            "my_tasks": [
                {"one": one, "name": states.TASKS[one.task].lower()}
                for one in asked
                if one.person_id == request.user.pk and not one.done_at
            ],
            "plan": plan_facts(shown),
            "guidance": guidance_of(shown.fund, at, book_for(shown)),
            "figures": figures(shown, at),
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
            "decisions": decision_rows(decisions_of(shown)) if shown.sendings else [],
            "below_zero": overdrawn_text(shown.fund) if shown.fund.overdrawn and not shown.held_minor else "",
        },
    )


def mended(send: Task, to_mend: Sequence[dict[str, Any]]) -> Task:
    """The last task of a returned claim is not ready while what the reviewer asked for was not touched."""
    left = sum(not fix["touched"] for fix in to_mend)
    if not left or send.status != "Ready to send":
        return send
    return replace(send, hint="Mend first what the reviewer asked for", status=f"{left} to mend", tone="locked")


def primary(send: Task, to_mend: Sequence[dict[str, Any]]) -> dict[str, str]:
    """The one thing to do now: mend the first thing that nobody touched yet, else check and send."""
    left = [fix for fix in to_mend if not fix["touched"]]
    if left and left[0]["url"]:
        return {"label": f"Fix {len(left)} thing{'' if len(left) == 1 else 's'}", "url": left[0]["url"]}
    return {"label": send.label, "url": send.url}


def owners(asked: Sequence[Invitation], task: str) -> str:
    """Who was asked to do a task, and who did it: "Ben Adler, asked by Ana Ruiz"."""
    return "; ".join(
        f"{one.person.name}, {'done' if one.done_at else f'asked by {one.invited_by.name}'}"
        for one in asked
        if one.task == task
    )


def plan_facts(shown: Claim) -> dict[str, str] | None:
    """The activity of a plan that a claim is made on."""
    planned = shown.plan_activity
    if planned is None:
        return None
    return {"label": f"{planned.plan}: {planned.title}", "url": reverse("plan", args=[planned.plan_id])}


def figures(shown: Claim, at: datetime) -> list[dict[str, str]]:
    """The amount so far, what the fund has for it, and what would be left."""
    fund = shown.fund
    kept = kept_for(shown, at)
    there = max(fund.available_minor, 0) + kept
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
            "hint": f"{shown.show(kept - shown.held_minor)} of it is reserved by the plan"
            if kept > shown.held_minor
            else earned_in(fund.earning_period),
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
        serves_all = event.data.get("kind") in states.MONEY_EVIDENCE and "line" not in event.data
        return event.data.get("line") == str(line) or serves_all
    first, _, rest = field.partition(".")
    if first == "documents":
        return event.verb.startswith("claim.document") and event.data.get("kind", rest) == rest
    if event.verb == "claim.changed":
        return first in event.data.get("fields", [])
    return EDITED.get(event.verb) == first
