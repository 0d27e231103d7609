"""The home of finance: what waits, what is owed, what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from coop.lib import money
from coop.lib.web import now
from funds.operations.payments import READERS
from funds.queries.vendor import (
    failed_payments,
    funds_below_zero,
    imports_in_progress,
    liability,
    runs_in_progress,
    sums_text,
    waiting_to_pay,
)
from partners.permissions import require_role
from partners.states import FINANCE
from partners.web.request import PersonRequest

RUN_STATUSES = {
    "draft": ("Waits for approval", "attention"),
    "approved": ("Approved, to be exported", "active"),
    "exported": ("With the bank", "active"),
    "settled": ("Settled", "done"),
    "cancelled": ("Cancelled", "locked"),
}
IMPORT_STATUSES = {
    "queued": ("Waits to be checked", "active"),
    "running": ("Being checked", "active"),
    "ready": ("Checked, to be committed", "attention"),
    "committed": ("Committed", "done"),
    "failed": ("Failed", "problem"),
    "discarded": ("Discarded", "locked"),
    "reversed": ("Reversed", "locked"),
}
SHOWN = 5
# Where finance looks closer: name of the page, icon, label, and what it is for.
LINKS = (
    (
        "reconciliations",
        "check",
        "Reconciliation",
        "Hold the vendor's own report of what was earned or paid against our books",
    ),
    (
        "adjustments",
        "rules",
        "Adjustments",
        "Corrections, rollovers and write-offs, with their reasons and their second person",
    ),
    (
        "rates",
        "ledger",
        "Exchange rates",
        "What a currency was worth on a day, for earnings in another one than the fund's",
    ),
)


@login_required
@require_safe
def finance(request: PersonRequest) -> HttpResponse:
    require_role(request.user, *READERS, to="see the pages of finance")
    number, waiting = waiting_to_pay()
    runs, imports = list(runs_in_progress()[:SHOWN]), list(imports_in_progress(request.user)[:SHOWN])
    failed = list(failed_payments(request.user)[: SHOWN + 1])
    below = list(funds_below_zero(request.user)[: SHOWN + 1])
    owed = liability(request.user)
    acts = request.user.role == FINANCE
    context = {
        "figures": [
            figure("Waiting to be paid", waiting, f"{number} amount{'' if number == 1 else 's'} in no run yet"),
            figure("Runs in progress", str(len(runs)), "Prepared, approved or with the bank", reverse("payment-runs")),
            figure("Imports in progress", str(len(imports)), "Not committed yet", reverse("imports")),
            exception("Failed payments", failed, "They wait for another run", "#failed"),
            exception("Funds below zero", below, "Nothing can be claimed from them", "#below"),
        ],
        "tasks": [*run_tasks(runs, request.user.pk, acts=acts), *import_tasks(imports)],
        "failed": failed[:SHOWN],
        "below": below[:SHOWN],
        "more_below": len(below) > SHOWN,
        "liability": owed,
        "owed": sums_text((row["currency"], row["owed"]) for row in owed),
        "estimated": sums_text((row["currency"], row["estimated"]) for row in owed)
        if any(row["estimated"] for row in owed)
        else "",
        "links": [
            {"url": reverse(name), "icon": icon, "label": label, "text": text} for name, icon, label, text in LINKS
        ],
        "acts": acts,
        "at": now(request),
        "nothing_to_pay": not number,
    }
    return render(request, "funds/finance.html", context)


def figure(label: str, amount: str, hint: str, url: str = "", tone: str = "") -> dict[str, Any]:
    return {"label": label, "amount": amount, "hint": hint, "url": url, "tone": tone}


def exception(label: str, found: Sequence[Any], hint: str, url: str) -> dict[str, Any]:
    """How many there are of what should not be; found holds one more than is shown where there are many."""
    if not found:
        return figure(label, "0", "None")
    number = str(len(found)) if len(found) <= SHOWN else f"More than {SHOWN}"
    return figure(label, number, hint, url, tone="problem")


def run_tasks(runs: Sequence[Any], person_id: int, *, acts: bool) -> list[dict[str, Any]]:
    """The runs that somebody must go on with, and who."""
    tasks = []
    for run in runs:
        status, tone = RUN_STATUSES[run.status]
        hint = f"Prepared by {run.prepared_by.name}"
        if run.status == "draft" and run.prepared_by_id == person_id and acts:
            hint, tone = "You prepared it, so another person of finance approves it", "active"
        tasks.append(
            {
                "label": str(run),
                "url": reverse("payment-run", args=[run.pk]),
                "hint": hint,
                "amount": totals_text(run),
                "status": status,
                "tone": tone,
            }
        )
    return tasks


def import_tasks(imports: Sequence[Any]) -> list[dict[str, Any]]:
    return [
        {
            "label": str(delivery),
            "url": reverse("import", args=[delivery.pk]),
            "hint": f"{delivery.new:,} new lines, {delivery.rejected:,} rejected" if delivery.status == "ready" else "",
            "status": IMPORT_STATUSES[delivery.status][0],
            "tone": IMPORT_STATUSES[delivery.status][1],
        }
        for delivery in imports
    ]


def totals_text(run: Any) -> str:
    """The run's sums as a text for people."""
    return sums_text((row["currency"], money.from_text(row["amount"], row["currency"])) for row in run.totals)
