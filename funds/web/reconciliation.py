"""Reconciliation: the vendor's own report is held against our books, and what differs is listed with a way to our record."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from coop.lib import money
from coop.lib.dates import end_of_day, show_day
from coop.lib.errors import NotFound, Refused
from coop.lib.forms import DayField, add_refusal
from coop.lib.web import asked_number, now
from funds.downloads import csv_download
from funds.models import ReconciledLine, Reconciliation
from funds.operations.payments import READERS
from funds.operations.reconciliation import reconcile
from funds.queries.reconciliation import lines_page
from funds.queries.vendor import program_names
from funds.states import RECONCILED_OUTCOMES, RECONCILIATION_KINDS
from partners.permissions import require_role
from partners.states import FINANCE
from partners.web.request import PersonRequest

PAGE = 25
TONES = {"different": "attention", "missing_here": "problem", "missing_there": "attention", "unreadable": "draft"}
EXPLAINED = {
    "different": "Both have it, and say different things",
    "missing_here": "In the report, not in our books",
    "missing_there": "In our books, not in the report",
    "unreadable": "Could not be compared",
}


class ReportForm(forms.Form):
    """The vendor's report, and as of when our books are asked."""

    kind = forms.ChoiceField(
        label="What the report is about",
        choices=list(RECONCILIATION_KINDS.items()),
        widget=forms.RadioSelect,
        error_messages={"required": "Say what the report is about", "invalid_choice": "Say what the report is about"},
    )
    file = forms.FileField(
        label="The vendor's report",
        help_text="Earned: the earnings report with its ids and amounts. Paid: payment_id or bank_reference, currency, "
        "amount, status and sent_on; the file of a payment run does as well.",
        error_messages={"required": "Choose the report", "empty": "The file is empty. Choose the report once more."},
    )
    known_on = DayField(
        label="As our books were known at the end of",
        help_text="The whole day counts, in UTC. Empty means now.",
        required=False,
    )

    def known_at(self, at: datetime) -> datetime | None:
        """The end of the day that was chosen; a day that is not over yet means now."""
        day: date | None = self.cleaned_data["known_on"]
        if day is None or day == at.date():
            return None
        return end_of_day(day, "UTC")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def reconciliations(request: PersonRequest) -> HttpResponse:
    """The comparisons that were made, newest first; a POST makes one."""
    require_role(request.user, *READERS, to="see reconciliations")
    at = now(request)
    form = (
        ReportForm(request.POST, request.FILES) if request.method == "POST" else ReportForm(initial={"kind": "earned"})
    )
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = reconcile(
                kind=given["kind"],
                filename=given["file"].name,
                file=given["file"],
                known_at=form.known_at(at),
                by=request.user,
                at=at,
            )
        except Refused as refusal:
            if refusal.code == "not_allowed":
                raise
            places = {error.field: "file" for error in refusal.errors} | {"": "file", "known_at": "known_on"}
            add_refusal(form, refusal, places)
        else:
            return redirect("reconciliation", made.pk)
    before = asked_number(request, "before")
    found = Reconciliation.objects.visible_to(request.user).select_related("created_by")
    found = found if before is None else found.filter(id__lt=before)
    rows = list(found[: PAGE + 1])
    here = reverse("reconciliations")
    context = {
        "form": form,
        "rows": [(made, RECONCILIATION_KINDS[made.kind], *verdict(made)) for made in rows[:PAGE]],
        "may_act": request.user.role == FINANCE,
        "older_url": f"{here}?before={rows[PAGE - 1].pk}" if len(rows) > PAGE else "",
        "newer_url": here if before else "",
        "crumbs": [{"label": "Finance", "url": reverse("finance")}],
    }
    return render(request, "funds/reconciliations.html", context, status=400 if form.errors else 200)


def verdict(made: Reconciliation) -> tuple[str, str]:
    """In words, and their tone, whether both sides agree."""
    number = sum(getattr(made, name) for name in RECONCILED_OUTCOMES)
    return (f"{number:,} to look at", "attention") if number else ("Everything agrees", "done")


def find(request: PersonRequest, made_id: int) -> Reconciliation:
    """Raises NotAllowed, NotFound."""
    require_role(request.user, *READERS, to="see reconciliations")
    made = Reconciliation.objects.visible_to(request.user).select_related("created_by").filter(id=made_id).first()
    if made is None:
        raise NotFound("There is no such reconciliation.")
    return made


@login_required
@require_safe
def reconciliation(request: PersonRequest, made_id: int) -> HttpResponse:
    """One comparison: how many agree, the sums of both sides, and what does not match."""
    made = find(request, made_id)
    asked = request.GET.get("outcome", "")
    outcome = asked if asked in RECONCILED_OUTCOMES else ""
    page = lines_page(made, outcome=outcome, after=asked_number(request, "after") or 0)
    here = reverse("reconciliation", args=[made.pk])
    kept = {"outcome": outcome} if outcome else {}
    text, tone = verdict(made)
    context = {
        "made": made,
        "kind": RECONCILIATION_KINDS[made.kind],
        "status_text": text,
        "status_tone": tone,
        "figures": figures(made, here),
        "totals": [shown_total(row) for row in made.totals],
        "scope": scope_rows(made),
        "lines": [shown_line(line) for line in page.lines],
        "outcome": RECONCILED_OUTCOMES.get(outcome, ""),
        "all_url": here,
        "older_url": f"{here}?{urlencode({**kept, 'after': page.after})}#lines" if page.after else "",
        "newer_url": f"{here}?{urlencode(kept)}#lines" if asked_number(request, "after") else "",
        "crumbs": [
            {"label": "Finance", "url": reverse("finance")},
            {"label": "Reconciliation", "url": reverse("reconciliations")},
        ],
    }
    return render(request, "funds/reconciliation.html", context)


def figures(made: Reconciliation, here: str) -> list[dict[str, Any]]:
    """How many lines of each outcome; each number leads to its lines."""
    found = [{"label": "Matched", "amount": f"{made.matched:,}", "hint": "Both sides say the same"}]
    for name, label in RECONCILED_OUTCOMES.items():
        number = getattr(made, name)
        url = f"{here}?outcome={name}#lines" if number else ""
        found.append({"label": label, "amount": f"{number:,}", "hint": EXPLAINED[name], "url": url})
    return found


def shown_total(row: dict[str, str]) -> dict[str, Any]:
    currency = row["currency"]
    minors = {name: money.from_text(row[name], currency) for name in ("theirs", "ours", "difference")}
    shown = {name: money.display(minor, currency) for name, minor in minors.items()}
    return {**shown, "currency": currency, "agrees": not minors["difference"]}


def scope_rows(made: Reconciliation) -> list[dict[str, str]]:
    """What the report covers, which is where our own lines were looked for."""
    names = program_names()
    return [
        {
            "program": names.get(row["program"], row["program"]) or "All programs",
            "period": row["earning_period"],
            "first": show_day(date.fromisoformat(row["first"])),
            "last": show_day(date.fromisoformat(row["last"])),
        }
        for row in made.scope
    ]


def shown_line(line: ReconciledLine) -> dict[str, Any]:
    amounts = {
        name: money.display(minor, line.currency) if minor is not None and line.currency else ""
        for name, minor in (("theirs", line.theirs_minor), ("ours", line.ours_minor))
    }
    return {
        "line": line,
        "outcome": RECONCILED_OUTCOMES[line.outcome],
        "tone": TONES[line.outcome],
        "url": address_of(line),
        "record": "Our line" if line.record_type == "fund" else f"{line.record_type.capitalize()} {line.record}",
        **amounts,
    }


def address_of(line: ReconciledLine) -> str:
    """The page of our record, if there is one: an earning with all its versions, a payment, or the import of a rebate."""
    if line.record_type == "fund":
        return f"{reverse('fund-line', args=[line.record])}?{urlencode({'line': line.key})}"
    return reverse(line.record_type, args=[line.record]) if line.record else ""


@login_required
@require_safe
def reconciliation_lines(request: PersonRequest, made_id: int) -> StreamingHttpResponse:
    """Every line that does not match, as CSV."""
    made = find(request, made_id)
    return csv_download(download_rows(made), f"reconciliation-{made.pk}.csv")


def download_rows(made: Reconciliation) -> Iterator[list[str]]:
    yield ["outcome", "line", "id", "currency", "theirs", "ours", "difference", "note", "our_record"]
    for line in ReconciledLine.objects.filter(reconciliation=made).order_by("id").iterator():
        both = line.theirs_minor is not None and line.ours_minor is not None
        difference = (line.ours_minor or 0) - (line.theirs_minor or 0) if both else None
        amounts = (line.theirs_minor, line.ours_minor, difference)
        yield [
            line.outcome,
            str(line.line_no or ""),
            line.key,
            line.currency,
            *("" if minor is None else money.to_text(minor, line.currency) for minor in amounts),
            line.message,
            f"{line.record_type} {line.record}".strip(),
        ]
