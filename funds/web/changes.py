"""What changed between two moments: of one fund, of a program, or of all funds that the reader sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from coop.lib.dates import show_day, show_instant
from coop.lib.errors import Invalid
from coop.lib.forms import DayField, add_refusal
from coop.lib.web import asked_number, now
from funds import references, states
from funds.models import Entry, Fund
from funds.models.proof import READERS
from funds.queries.changes import (
    Between,
    Change,
    ChangedFund,
    change_of_fund,
    changed_funds,
    changes_of,
    entries_between,
    require_order,
)
from funds.queries.entries import numbers_of
from funds.queries.funds import fund_seen_by
from funds.queries.past import FIGURES
from funds.queries.vendor import program_names
from funds.statements import LABELS, plain
from funds.web.clocks import earned_in
from funds.web.entries import reference_of, way_of
from funds.web.moments import KnownField
from partners.web.request import PersonRequest

MOST = 200  # entries on the page
MOMENTS = ("as_of", "known_at")


class ChangesForm(forms.Form):
    """The two moments of knowledge, the days that are looked at, and which program where there are several."""

    def __init__(self, data: Any, *, at: datetime, zone: str = "UTC", programs: dict[str, str] | None = None) -> None:
        super().__init__(data)
        self.fields["since"] = KnownField(label="Known on", name="since", at=at, zone=zone)
        self.fields["since"].error_messages["required"] = "Choose the first of the two days"
        self.fields["until"] = KnownField(label="Compared with", name="until", required=False, at=at, zone=zone)
        self.fields["as_of"] = DayField(label="Balances on", required=False)
        if programs is not None:
            choices = [("", "All programs"), *programs.items()]
            self.fields["program"] = forms.ChoiceField(label="Program", choices=choices, required=False)

    def between(self, at: datetime) -> Between | None:
        """The two moments, if they can be read and stand in their order."""
        if not self.is_bound or not self.is_valid():
            return None
        said = self.cleaned_data
        found = Between(said["since"], said["until"] or at, said["as_of"])
        try:
            require_order(found)
        except Invalid as refusal:
            add_refusal(self, refusal)
            return None
        return found


def data_of(request: PersonRequest) -> Any:
    """What was asked; None before any moment was."""
    return request.GET if any(request.GET.get(name) for name in ("since", "until", "as_of")) else None


@dataclass(frozen=True)
class Behind:
    """The page of what is behind a figure, the parameters that it knows, and those that it always gets."""

    page: str
    known: tuple[str, ...]
    kept: Mapping[str, str] = field(default_factory=dict)

    def url(self, **wanted: Any) -> str:
        query = {name: value for name, value in {**self.kept, **wanted}.items() if value}
        query = {name: value for name, value in query.items() if name in self.known or name in self.kept}
        return f"{self.page}?{urlencode(query)}#entries"


@login_required
@require_safe
def fund_changes(request: PersonRequest, fund_id: int) -> HttpResponse:
    """What changed in one fund, with the entries that did it."""
    fund, at = fund_seen_by(request.user, fund_id), now(request)
    form = ChangesForm(data_of(request), at=at, zone=fund.program.time_zone)
    between = form.between(at)
    context: dict[str, Any] = {"fund": fund, "name": earned_in(fund.earning_period), "form": form}
    if between:
        change = change_of_fund(fund, between)
        entries = entries_between(fund, between, person=request.user, most=MOST)
        context |= {
            "words": words_of(between),
            "changes": [
                shown_change(change, between, Behind(reverse("fund", args=[fund.pk]), ("bucket", "kind", *MOMENTS)))
            ],
            "entries": entry_rows(fund, entries),
            "more": change.entries > MOST,
        }
    return render(request, "funds/fund_changes.html", context, status=400 if form.errors else 200)


@login_required
@require_safe
def changes(request: PersonRequest) -> HttpResponse:
    """What changed in all funds that the reader sees, or in those of one program, and in which."""
    at = now(request)
    form = ChangesForm(data_of(request), at=at, programs=program_names())
    form.initial = {"program": request.GET.get("program", "")}
    between = form.between(at)
    context: dict[str, Any] = {"form": form}
    if between:
        funds = Fund.objects.visible_to(request.user)
        if program := form.cleaned_data["program"]:
            funds = funds.filter(program__code=program)
        behind = Behind(reverse("funds"), MOMENTS)
        if request.user.role in READERS:
            behind = Behind(reverse("ledger"), ("bucket", "kind", "since", *MOMENTS), {"program": program})
        found, older = changed_funds(funds, between, after=asked_number(request, "after") or 0)
        query = {name: request.GET[name] for name in ("since", "until", "as_of", "program") if request.GET.get(name)}
        context |= {
            "words": words_of(between),
            "changes": [shown_change(change, between, behind) for change in changes_of(funds, between)],
            "funds": [shown_fund(changed, query) for changed in found],
            "older_url": f"?{urlencode({**query, 'after': older})}#funds" if older else "",
        }
    return render(request, "funds/changes.html", context, status=400 if form.errors else 200)


def words_of(between: Between) -> str:
    days = f", of days until {show_day(between.as_of)}" if between.as_of else ""
    return f"Known at {show_instant(between.since)} and at {show_instant(between.until)}{days}"


def shown_change(change: Change, between: Between, behind: Behind) -> dict[str, Any]:
    """Figures at both moments and what moved by kind, as a page shows them; each leads to what is behind it."""
    difference, currency = change.difference, change.currency
    first, second, days = iso(between.since), iso(between.until), between.as_of or ""
    return {
        "currency": currency,
        "rows": [
            {
                "label": LABELS[name],
                "before": plain(change.before[name], currency),
                "before_url": behind.url(bucket=name, known_at=first, as_of=days),
                "after": plain(change.after[name], currency),
                "after_url": behind.url(bucket=name, known_at=second, as_of=days),
                "difference": signed(difference[name], currency) if difference[name] else "",
            }
            for name in FIGURES
        ],
        "moved": [
            {
                "what": states.SENTENCES[(row.kind, row.to_bucket)],
                "way": f"from {row.from_bucket} to {row.to_bucket}".replace("_", " "),
                "number": f"{row.number:,}",
                "amount": plain(row.minor, currency),
                "url": behind.url(kind=row.kind, since=first, known_at=second, as_of=days),
            }
            for row in change.moved
        ],
        "entries": f"{change.entries:,}",
        "sentence": sentence(change),
    }


def iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def signed(minor: int, currency: str) -> str:
    return f"{'+' if minor > 0 else ''}{plain(minor, currency)}"


def sentence(change: Change) -> str:
    """The finding in words."""
    if not change.entries:
        return "Nothing was recorded between these two moments, so every figure is the same."
    number = f"{change.entries:,} entr{'y was' if change.entries == 1 else 'ies were'} recorded in between"
    moved = [
        f"{LABELS[name].lower()} by {signed(minor, change.currency)}"
        for name, minor in change.difference.items()
        if minor
    ]
    return f"{number}. They changed {', '.join(moved)}." if moved else f"{number}, and they made each other good."


def entry_rows(fund: Fund, entries: list[Entry]) -> list[dict[str, Any]]:
    names = references.show_all((entry.reference_type, entry.reference) for entry in entries)
    numbers = numbers_of(fund, entries)
    rows = []
    for entry in entries:
        named = reference_of(entry, fund, names)
        reason = states.REASON_CODES.get(entry.reason_code, "")
        rows.append(
            {
                "what": entry.sentence,
                "detail": ", ".join(filter(None, (reason, entry.note))),
                "page": reverse("fund-entry", args=[fund.pk, numbers[entry.pk]]),
                "way": way_of(entry, fund).partition(" from ")[2],
                "day": show_day(entry.effective_on),
                "recorded": show_instant(entry.recorded_at),
                "reference": named.text,
                "url": named.url,
                "amount": plain(entry.amount_minor, fund.currency),
            }
        )
    return rows


def shown_fund(changed: ChangedFund, query: dict[str, str]) -> dict[str, Any]:
    fund = changed.fund
    own = urlencode({name: value for name, value in query.items() if name != "program"})
    return {
        "url": f"{reverse('fund-changes', args=[fund.pk])}?{own}",
        "name": earned_in(fund.earning_period),
        "place": f"{fund.partner}, {fund.location}, {fund.program}",
        "entries": f"{changed.entries:,}",
        "figures": [
            f"{LABELS[name].lower()} {signed(minor, fund.currency)}"
            for name, minor in changed.difference.items()
            if minor
        ],
        "currency": fund.currency,
    }
