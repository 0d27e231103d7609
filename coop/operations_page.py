"""The operators' page: what ran, what is due, what failed and why, and asking for a run."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from claims.models import Claim, Plan
from coop.jobs import BY_NAME
from coop.jobs.asking import ask_for_run
from coop.jobs.heartbeat import mark_killed
from coop.jobs.standing import HELD, Alive, Standing, processes, standings, waiting
from coop.lib.dates import show_instant
from coop.lib.errors import NotFound
from coop.lib.models import JobRun
from coop.lib.web import now
from funds.models import Fund, Import
from partners.models import Person
from partners.permissions import require_role
from partners.states import AUDITOR, FINANCE, PROGRAM_ADMIN
from partners.web.request import PersonRequest

SHOWN = 12  # runs
READERS = (PROGRAM_ADMIN, AUDITOR, FINANCE)
STATUS = {  # words and tone
    "running": ("Running", "active"),
    "failing": ("Fails", "problem"),
    "late": ("Did not look", "problem"),
    "asked": ("Asked for", "active"),
    "quiet": ("In order", "done"),
    "new": ("Not looked yet", "draft"),
}
RUN_TONES = {"asked": "active", "running": "active", "done": "done", "failed": "problem", "killed": "problem"}
# Where a record that failed is shown, by the first word of its name ("claim 41").
PAGES: dict[str, tuple[Any, str]] = {
    "claim": (Claim, "review"),
    "plan": (Plan, "plan-review"),
    "import": (Import, "import"),
    "fund": (Fund, "fund"),
}


@login_required
@require_safe
def operations(request: PersonRequest) -> HttpResponse:
    require_role(request.user, *READERS, to="see how the system runs")
    mark_killed()
    at = now(request)
    every, alive, waits = standings(at), processes(), waiting(at)
    context = {
        "at": at,
        "problems": problems(every, alive, waits),
        "rows": [row_of(one) for one in every],
        "alive": [fact(one) for one in alive] + told(waits),
        "runs": [run_row(run) for run in JobRun.objects.all()[:SHOWN]],
        "may_run": request.user.role == PROGRAM_ADMIN,
    }
    return render(request, "operations/operations.html", context)


@login_required
@require_safe
def operations_run(request: PersonRequest, run_id: int) -> HttpResponse:
    """One run: how it went, and each record that failed with the reason."""
    require_role(request.user, *READERS, to="see how the system runs")
    mark_killed()
    run = JobRun.objects.filter(id=run_id).first()
    if run is None:
        raise NotFound("There is no such run. Runs are kept for 90 days.")
    job = BY_NAME.get(run.job)
    context = {
        "run": run,
        "row": run_row(run),
        "job": job,
        "facts": run_facts(run),
        "failures": [shown_failure(failure, request.user) for failure in run.failures],
        "more": max(run.failed - len(run.failures), 0),
        "may_run": request.user.role == PROGRAM_ADMIN and job is not None and run.status in ("failed", "killed"),
    }
    return render(request, "operations/run.html", context)


@login_required
@require_POST
def operations_ask(request: PersonRequest, name: str) -> HttpResponse:
    """Ask for a run of a job. A worker takes it within seconds."""
    ask_for_run(name, by=request.user, at=now(request))
    messages.success(request, f"“{BY_NAME[name].label}” was asked for. A worker begins within seconds.")
    return redirect("operations")


# --- How it is shown --------------------------------------------------------------------------------------------------


def row_of(one: Standing) -> dict[str, Any]:
    """One job in the table."""
    text, tone = STATUS[one.status]
    running = one.running
    return {
        "job": one.job,
        "status": text,
        "tone": tone,
        "looked": ago(one.looked),
        "due": "" if one.due is None else f"{one.due:,}",
        "progress": how_far(running) if running else "",
        "running": running if running and running.total else None,
        "done": min(running.worked, running.total) if running and running.total else 0,
        "failed_run": one.last_failed if one.failing else None,
        "why": first_reason(one.last_failed) if one.failing else "",
        "waits": one.asked is not None or running is not None,
    }


def how_far(run: JobRun) -> str:
    """E.g. "12,000 of 500,000"."""
    return f"{run.worked:,} of {run.total:,}" if run.total else f"{run.worked:,} so far"


def run_row(run: JobRun) -> dict[str, Any]:
    job = BY_NAME.get(run.job)
    return {
        "run": run,
        "label": job.label if job else run.job,
        "status": run.get_status_display(),
        "tone": RUN_TONES[run.status],
        "when": shown(run.ended_wall or run.heartbeat_wall),
        "did": how_far(run) if run.status == "running" else f"{run.worked:,}",
        "by": run.asked_by or "The timetable",
        "why": first_reason(run) if run.status in ("failed", "killed") else "",
    }


def run_facts(run: JobRun) -> list[dict[str, Any]]:
    """How a run went, as rows for the facts of its page."""
    ended = {"running": "Still running", "asked": "Not begun"}.get(run.status) or shown(run.ended_wall)
    return [
        {"key": "Asked for by", "value": run.asked_by or "The timetable"},
        {"key": "Worked up to", "value": show_instant(run.at) if run.at else "Not begun"},
        {"key": "Began", "value": shown(run.began_wall)},
        {"key": "Ended", "value": ended},
        {"key": "Last sign of life", "value": shown(run.heartbeat_wall)},
        {"key": "Done", "value": how_far(run) if run.status == "running" else f"{run.worked:,}"},
        {"key": "Failed", "value": f"{run.failed:,}"},
        *({"key": "Note", "value": note} for note in run.notes if not run.failures),
    ]


def first_reason(run: JobRun | None) -> str:
    if run is None:
        return ""
    if run.status == "killed":
        return "The worker died in the middle. What it left is found by the next run."
    if not run.failures:
        return f"{run.failed:,} failed."
    first = run.failures[0]
    more = f" And {run.failed - 1:,} more." if run.failed > 1 else ""
    return f"{first['record'].capitalize()}: {first['error'].rstrip('.')}.{more}"


def problems(every: list[Standing], alive: list[Alive], waits: dict[str, Any]) -> list[dict[str, str]]:
    """What somebody should look into, in sentences, with the run where there is one; empty when all is well."""
    said = [f"{one.name}: no sign of life for two minutes. Is it running?" for one in alive if one.silent]
    said += [f"{one.job.label} did not look {one.job.how_often}, as it should." for one in every if one.late]
    said += [HELD] if settings.OUTGOING_HELD else []
    for what, title in (("mails", "mail"), ("deliveries", "delivery to a webhook")):
        if stuck := waits[f"{what}_stuck"]:
            said.append(f"{stuck:,} {what if stuck > 1 else title} should have been tried ten minutes ago.")
    failing = [
        {
            "text": f"{one.job.label} fails. {first_reason(one.last_failed)}",
            "url": reverse("operations-run", args=[one.last_failed.pk]) if one.last_failed else "",
        }
        for one in every
        if one.failing
    ]
    return [*({"text": text, "url": ""} for text in said), *failing]


def fact(one: Alive) -> dict[str, str]:
    return {"key": one.name, "value": f"Seen {shown(one.seen_wall)}" if one.seen_wall else "Never seen"}


def told(waits: dict[str, Any]) -> list[dict[str, str]]:
    """What waits to be told, mailed and delivered, as rows."""
    untold = waits["untold"]
    oldest = f", the oldest for {waits['oldest_untold']:,} seconds" if untold else ""
    return [
        {"key": "Events to be told", "value": f"{untold:,}{oldest}"},
        {"key": "Mails", "value": f"{waits['mails']:,} waiting, {waits['mails_failed']:,} given up"},
        {
            "key": "Webhooks",
            "value": f"{waits['deliveries']:,} waiting, {waits['deliveries_failed']:,} given up in the last day",
        },
    ]


def shown_failure(failure: dict[str, str], person: Person) -> dict[str, str]:
    """A failure with the name and the page of its record, where the reader may see that; else as it was kept."""
    found = re.fullmatch(r"(\w+) (\d+)", failure["record"])
    model, page = PAGES.get(found[1], (None, "")) if found else (None, "")
    record = model.objects.visible_to(person).filter(id=int(found[2])).first() if found and model else None
    if found is None or record is None:
        return {"name": failure["record"].capitalize(), "error": failure["error"], "url": ""}
    return {
        "name": f"{found[1].capitalize()} {record}",
        "error": failure["error"],
        "url": reverse(page, args=[record.pk]),
    }


def ago(seconds: int | None) -> str:
    """E.g. "16 seconds ago", "3 hours ago"."""
    if seconds is None:
        return "Never"
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}s ago"
    return "1 second ago" if seconds == 1 else f"{max(seconds, 0)} seconds ago"


def shown(wall: datetime | None) -> str:
    return show_instant(wall) if wall else ""
