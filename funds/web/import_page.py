"""One import: how far a worker is with it, what it would do or did to each fund, and which lines were not taken."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from coop.lib import money
from coop.lib.dates import show_day, show_instant
from coop.lib.web import asked_number, asked_text
from funds.downloads import csv_download
from funds.models import Import
from funds.operations.imports import needs_mapping
from funds.queries.effects import changed_lines, progress_of, rejected_lines, status_shown, summary_of
from funds.queries.import_effects import effects_page
from funds.queries.vendor import program_names, sums_text
from funds.states import IMPORT_FORMATS
from funds.web.imports import find_import, lines_text, status_words
from partners.models import Person
from partners.states import FINANCE
from partners.web.request import PersonRequest

SHOWN = 50
CHANGED_SHOWN = 25
LOOK_LABELS = {
    "crosses": "Crosses the threshold",
    "late": "Late: the period is already tested",
    "below": "Below zero after",
    "new": "New funds",
}
CROSSINGS = {"up": "Reaches the threshold of", "down": "Falls below the threshold of"}
# What a worker is doing, and the page's name for it.
WORK = {"commit": "Posting every line", "reverse": "Taking every line back", "": "Checking every line"}


class LookForm(forms.Form):
    """Which funds to show."""

    look = forms.ChoiceField(label="Funds", choices=[("", "All of them"), *LOOK_LABELS.items()], required=False)


@login_required
@require_safe
def import_page(request: PersonRequest, import_id: int) -> HttpResponse:
    """One import in whatever state it is."""
    delivery = find_import(request, import_id)
    status = status_shown(delivery)
    waiting = status in ("queued", "running") or bool(delivery.asked_for)
    text, tone = status_words(delivery)
    acts = request.user.role == FINANCE
    context = {
        "delivery": delivery,
        "status_text": "Being checked" if status == "running" and not delivery.asked_for else text,
        "status_tone": tone,
        "form_name": IMPORT_FORMATS.get(delivery.format, ""),
        "steps": steps(delivery, status),
        "may_act": acts,
        "can_commit": acts and delivery.status == "ready" and any_posted(delivery),
        "can_discard": acts and delivery.status in ("queued", "ready", "failed") and status != "running",
        "actions": [{"label": "Reverse", "url": reverse("import-reverse", args=[delivery.pk])}]
        if acts and delivery.status == "committed" and not delivery.asked_for
        else [],
        "crumbs": [{"label": "Imports", "url": reverse("imports")}],
        "history": history(delivery),
    }
    if waiting:
        context |= working(delivery)
    elif status == "failed":
        context["unmapped"] = needs_mapping(delivery)
    elif status != "discarded":
        context |= diff(request, delivery)
    return render(request, "funds/import.html", context)


def steps(delivery: Import, status: str) -> list[dict[str, str]]:
    """Where an import is on its way; the columns are a step only where somebody had to explain them."""
    labels = ["Upload", "Columns", "Check", "Look and commit", "Done"]
    at = {"queued": 2, "running": 2, "failed": 2, "ready": 3, "committed": 5, "reversed": 5}.get(status, 0)
    if delivery.asked_for == "commit":
        at = 3
    if not delivery.mapping and not (status == "failed" and needs_mapping(delivery)):
        labels.remove("Columns")
        at -= 1
    elif status == "failed":
        at = 1
    return [
        {"label": label, "state": "past" if index < at else "current" if index == at else ""}
        for index, label in enumerate(labels)
    ]


def working(delivery: Import) -> dict[str, Any]:
    """What a page shows while a worker is at it."""
    step, percent = progress_of(delivery)
    return {
        "working": WORK[delivery.asked_for],
        "percent": percent,
        "step": f"{step}, {percent} %" if percent else "Waits for a worker",
    }


def history(delivery: Import) -> list[dict[str, Any]]:
    """Who did what with it, the newest first."""
    begun = "uploaded it" if delivery.filename else "sent its lines"
    found: list[tuple[str, Person | None, datetime]] = [(begun, delivery.created_by, delivery.created_at)]
    if delivery.committed_at:
        found.append(("committed it", delivery.committed_by, delivery.committed_at))
    if delivery.asked_for and delivery.asked_at:
        what = {"commit": "asked to commit it", "reverse": "asked to reverse it"}[delivery.asked_for]
        found.append((what, delivery.asked_by, delivery.asked_at))
    if delivery.reversed_at:
        found.append((f"reversed it: {delivery.reversal_reason}", delivery.reversed_by, delivery.reversed_at))
    return [
        {"what": what, "who": by.name if by else "The system", "at": at, "shown": show_instant(at)}
        for what, by, at in reversed(found)
    ]


# --- The difference that it makes -------------------------------------------------------------------------------------


def diff(request: PersonRequest, delivery: Import) -> dict[str, Any]:
    """Counts, sums by program, effects a fund, corrected and rejected lines."""
    done = delivery.status != "ready"
    summary = summary_of(delivery)
    asked = request.GET.get("look", "")
    look = asked if asked in LOOK_LABELS else ""
    page = effects_page(delivery, look=look, after=asked_text(request, "after"))
    here = reverse("import", args=[delivery.pk])
    kept = {"look": look} if look else {}
    programs = program_names()
    return {
        "done": done,
        "figures": figures(delivery),
        "looks": looks(summary, here),
        "look": look,
        "filters": LookForm(initial={"look": look}),
        "active": [{"label": LOOK_LABELS[look], "url": f"{here}#effects"}] if look else [],
        "totals": [shown_total(row, programs) for row in delivery.totals],
        "effects": shown_effects(page.effects),
        "effects_text": f"{len(page.effects)} of {funds_text(counted(summary, look))}",
        "effects_next": f"{here}?{urlencode({**kept, 'after': page.after})}#effects" if page.after else "",
        "effects_first": f"{here}?{urlencode(kept)}#effects" if not page.first else "",
        "rejected": rejected_lines(delivery.pk, limit=SHOWN) if delivery.rejected else [],
        "rejected_number": f"{delivery.rejected:,}",
        "shown": SHOWN,
        "nothing": not any_posted(delivery),
        "nothing_text": nothing_text(delivery),
        "commit_label": commit_label(delivery),
        **corrections(request, delivery, here, programs),
    }


def counted(summary: dict[str, Any], look: str) -> int:
    """How many funds there are of those that are asked for."""
    names = {"late": "late", "below": "overdrawn", "new": "new_funds"}
    if look == "crosses":
        return int(summary["crossing_up"] + summary["crossing_down"])
    return int(summary[names.get(look, "funds")])


def any_posted(delivery: Import) -> int:
    """How many lines it posts."""
    return delivery.new + delivery.changed


def nothing_text(delivery: Import) -> str:
    if delivery.unchanged and not delivery.rejected:
        return (
            "Every line of this file is known already, with the same content. Committing it is not needed: discard it."
        )
    return "No line of this file is new or changed. Discard it, or mend the rejected lines and upload them."


def corrections(request: PersonRequest, delivery: Import, here: str, programs: dict[str, str]) -> dict[str, Any]:
    """A page of the lines that correct a known one."""
    if not delivery.changed:
        return {}
    rows = changed_lines(delivery, after=asked_number(request, "changed") or -1, limit=CHANGED_SHOWN + 1)
    more = len(rows) > CHANGED_SHOWN
    return {
        "changed": [shown_change(row, programs) for row in rows[:CHANGED_SHOWN]],
        "changed_next": f"{here}?changed={rows[CHANGED_SHOWN - 1]['line_no']}#changed" if more else "",
    }


def figures(delivery: Import) -> list[dict[str, Any]]:
    posted = {"ready": "To be posted", "reversed": "Posted to the funds, and taken back"}
    rejected = "Not taken, each with its reason" if delivery.rejected else "Every line can be read"
    return [
        {"label": "New", "amount": f"{delivery.new:,}", "hint": posted.get(delivery.status, "Posted to the funds")},
        {
            "label": "Changed",
            "amount": f"{delivery.changed:,}",
            "hint": "Known with other content: the difference counts",
        },
        {"label": "Unchanged", "amount": f"{delivery.unchanged:,}", "hint": "Known already, taken once"},
        {
            "label": "Rejected",
            "amount": f"{delivery.rejected:,}",
            "hint": rejected,
            "tone": "problem" if delivery.rejected else "",
            "url": "#rejected" if delivery.rejected else "",
        },
    ]


def looks(summary: dict[str, Any], here: str) -> list[dict[str, str]]:
    """What stands out, in words, each with the way to its funds."""
    said = {
        "crosses": crossing_text(summary["crossing_up"], summary["crossing_down"]),
        "late": f"{funds_text(summary['late'])} of periods whose threshold is tested already"
        if summary["late"]
        else "",
        "below": f"{funds_text(summary['overdrawn'])} below zero after it" if summary["overdrawn"] else "",
        "new": funds_text(summary["new_funds"], "new ") if summary["new_funds"] else "",
    }
    return [{"text": text, "url": f"{here}?look={look}#effects"} for look, text in said.items() if text]


def funds_text(number: int, kind: str = "") -> str:
    return f"{number:,} {kind}fund{'' if number == 1 else 's'}"


def crossing_text(up: int, down: int) -> str:
    parts = [f"{funds_text(up)} reach{'es' if up == 1 else ''} the threshold"] if up else []
    parts += (
        [f"{funds_text(down)} fall{'s' if down == 1 else ''} below {'it' if up else 'the threshold'}"] if down else []
    )
    return ", ".join(parts)


def commit_label(delivery: Import) -> str:
    """ "Commit 8,412 lines (+1,284,330.10 USD)": what the button does, in numbers; rebate and co-op together."""
    amounts = [(row["currency"], money.from_text(row["amount"], row["currency"])) for row in delivery.totals]
    sign = "" if any(minor < 0 for _, minor in amounts) else "+"
    return f"Commit {lines_text(any_posted(delivery))} ({sign}{sums_text(amounts)})"


def show(text: str, currency: str) -> str:
    """An amount of the wire for people."""
    return money.display(money.from_text(text, currency), currency)


def signed(text: str, currency: str) -> str:
    """The same with its sign, for what changes."""
    return ("" if text.startswith("-") else "+") + show(text, currency)


def shown_total(row: dict[str, str], programs: dict[str, str]) -> dict[str, str]:
    amounts = {key: show(row[key], row["currency"]) for key in ("amount", "rebate", "coop")}
    return {"program": programs.get(row["program"], row["program"]), **amounts}


def shown_effects(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Effects as a table shows them, with what stands out of each in words."""
    rows = []
    for row in found:
        currency = row["currency"]
        holds = bool(row["fund"]) or row["new_fund"]
        notes = [f"{CROSSINGS[row['crossing']]} {show(row['threshold'], currency)}"] if row["crossing"] else []
        notes += ["Late: the period is already tested"] if row["late"] else []
        notes += ["Below zero: nobody can claim from it"] if row["overdrawn"] else []
        rows.append(
            {
                "partner": row["partner_name"],
                "location": row["location_name"],
                "program": row["program_name"],
                "period": row["earning_period_code"],
                "fund": row["fund"],
                "new_fund": row["new_fund"],
                "lines": f"{row['lines']:,}",
                "before": show(row["before"], currency) if holds else "",
                "change": signed(row["change"], currency) if holds else "Rebate only",
                "rebate": signed(row["rebate_amount"], currency),
                "after": show(row["after"], currency) if holds else "",
                "notes": notes,
            }
        )
    return rows


def shown_change(row: dict[str, Any], programs: dict[str, str]) -> dict[str, Any]:
    """A corrected line: both amounts, and what else differs."""
    before, after = row["before"], row["now"]
    others = {
        "program": lambda side: programs.get(side["program"], side["program"]),
        "location": lambda side: f"Location {side['location']}",
        "kind": lambda side: side["kind"].capitalize(),
        "earned_on": lambda side: show_day(as_day(side["earned_on"])),
    }
    differing = [name for name in others if before[name] != after[name]]
    return {
        "line_no": row["line_no"],
        "id": row["external_id"],
        "before": show(before["amount"], before["currency"]),
        "after": show(after["amount"], after["currency"]),
        "before_more": ", ".join(others[name](before) for name in differing),
        "after_more": ", ".join(others[name](after) for name in differing),
        "coop": difference(before, after),
        "moved": row["moved"],
    }


def as_day(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


def difference(before: dict[str, Any], after: dict[str, Any]) -> str:
    """By how much the co-op changes, where both are in one currency."""
    currency = after["fund_currency"]
    if before["fund_currency"] != currency:
        return ""
    minor = money.from_text(after["coop"], currency) - money.from_text(before["coop"], currency)
    return f"{'' if minor < 0 else '+'}{money.display(minor, currency)}"


@login_required
@require_safe
def import_errors(request: PersonRequest, import_id: int) -> StreamingHttpResponse:
    """Every line that was not taken, as it was sent, with the line's number, the column and the reason before it."""
    delivery = find_import(request, import_id)
    return csv_download(rejected_rows(delivery), f"import-{delivery.pk}-rejected.csv")


def rejected_rows(delivery: Import) -> Iterator[list[str]]:
    yield ["line", "column", "reason", *delivery.columns]
    for row in rejected_lines(delivery.pk):
        yield [str(row["line_no"]), row["field"], row["message"], *(cell or "" for cell in row["cells"] or [])]
