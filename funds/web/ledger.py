"""The ledger explorer of finance: the trial balance, all entries by what is asked for, and their export."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from coop.lib.dates import show_day, show_instant
from coop.lib.errors import FieldError, Invalid
from coop.lib.forms import DayField
from coop.lib.money import to_text
from coop.lib.spreadsheets import neutral
from coop.lib.web import asked_number, now
from funds import references, states
from funds.downloads import Echo
from funds.models import Entry
from funds.models.proof import READERS
from funds.queries.changes import Change
from funds.queries.explorer import Search, all_entries, page_of_entries, trial_balance
from funds.queries.past import FIGURES
from funds.queries.vendor import program_names
from funds.statements import LABELS, identity, plain
from funds.web.entries import reference_of, way_of
from funds.web.fund import KINDS
from funds.web.moments import KnownField
from partners.permissions import require_role
from partners.web.request import PersonRequest

COLUMNS = (
    "entry",
    "fund",
    "partner",
    "partner_name",
    "location",
    "program",
    "earning_period",
    "currency",
    "kind",
    "what",
    "from",
    "to",
    "amount",
    "effective_on",
    "recorded_at",
    "reference_type",
    "reference",
    "reason_code",
    "note",
    "key",
)


class LedgerForm(forms.Form):
    """What to look for; all of it may stay empty."""

    def __init__(self, data: Any, *, at: datetime) -> None:
        super().__init__(data)
        programs = [("", "All programs"), *program_names().items()]
        self.fields["program"] = forms.ChoiceField(label="Program", choices=programs, required=False)
        self.fields["period"] = forms.CharField(label="Earned in, as FY24-H1", max_length=10, required=False)
        self.fields["partner"] = forms.CharField(label="Partner", max_length=100, required=False)
        buckets = [("", "Anywhere"), *LABELS.items()]
        self.fields["bucket"] = forms.ChoiceField(label="Where the money is", choices=buckets, required=False)
        kinds = [("", "Anything"), *KINDS.items()]
        self.fields["kind"] = forms.ChoiceField(label="What happened", choices=kinds, required=False)
        self.fields["as_of"] = DayField(label="For days until", required=False)
        self.fields["known_at"] = KnownField(label="Recorded until", name="known_at", required=False, at=at, zone="UTC")
        self.fields["since"] = KnownField(label="Recorded after", name="since", required=False, at=at, zone="UTC")

    def search(self) -> Search:
        """Raises Invalid with all that cannot be read."""
        if not self.is_valid():
            raise Invalid(
                errors=[FieldError(name, "invalid", str(text)) for name, texts in self.errors.items() for text in texts]
            )
        return Search(**self.cleaned_data)


@login_required
@require_safe
def ledger(request: PersonRequest) -> HttpResponse:
    require_role(request.user, *READERS, to="see the ledger")
    at = now(request)
    form = LedgerForm({name: request.GET.get(name, "") for name in Search.__dataclass_fields__}, at=at)
    search = form.search() if form.is_valid() else Search()
    found, older = page_of_entries(search, person=request.user, before=asked_number(request, "before"))
    query = {name: request.GET[name] for name in Search.__dataclass_fields__ if request.GET.get(name)}
    here = reverse("ledger")
    context = {
        "form": form,
        "balances": [balance(change, query) for change in trial_balance(search, person=request.user, at=at)],
        "entries": entry_rows(found),
        "older_url": f"{here}?{urlencode({**query, 'before': older})}#entries" if older else "",
        "newest_url": f"{here}?{urlencode(query)}#entries" if request.GET.get("before") else "",
        "export_url": f"{reverse('ledger-export')}?{urlencode(query)}",
        "compare_url": f"{reverse('fund-all-changes')}?{urlencode({'program': search.program})}",
        "clear_url": here if query else "",
        "crumbs": [{"label": "Finance", "url": reverse("finance")}],
        "at": show_instant(search.known_at or at),
        "until": show_day(search.as_of) if search.as_of else "",
    }
    return render(request, "funds/ledger.html", context, status=400 if form.errors else 200)


def balance(change: Change, query: dict[str, str]) -> dict[str, Any]:
    """The figures of one currency, each a link to the entries behind it."""
    here = reverse("ledger")
    kept = {name: value for name, value in query.items() if name not in ("kind", "since")}
    return {
        "currency": change.currency,
        "rows": [
            {
                "label": LABELS[name],
                "amount": plain(change.after[name], change.currency),
                "url": f"{here}?{urlencode({**kept, 'bucket': name})}#entries",
            }
            for name in FIGURES
        ],
        "identity": identity(change.after, change.currency),
    }


def entry_rows(found: list[tuple[Entry, int]]) -> list[dict[str, Any]]:
    names = references.show_all((entry.reference_type, entry.reference) for entry, _ in found)
    rows = []
    for entry, number in found:
        fund = entry.fund
        named = reference_of(entry, fund, names)
        reason = states.REASON_CODES.get(entry.reason_code, "")
        rows.append(
            {
                "what": entry.sentence,
                "detail": ", ".join(filter(None, (reason, entry.note))),
                "page": reverse("fund-entry", args=[fund.pk, number]),
                "fund_url": reverse("fund", args=[fund.pk]),
                "fund": fund.partner.name,
                "place": f"{fund.program}, {fund.location}",
                "way": way_of(entry, fund).partition(" from ")[2],
                "day": show_day(entry.effective_on),
                "recorded": show_instant(entry.recorded_at),
                "reference": named.text,
                "url": named.url,
                "amount": fund.show(entry.amount_minor),
            }
        )
    return rows


@login_required
@require_safe
def ledger_export(request: PersonRequest) -> StreamingHttpResponse:
    """The entries that are asked for as CSV, sent as they are read. Raises Invalid."""
    require_role(request.user, *READERS, to="export the ledger")
    search = LedgerForm(request.GET, at=now(request)).search()
    rows = export_rows(all_entries(search, person=request.user))
    answer = StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="ledger-{now(request):%Y-%m-%d}.csv"'
    return answer


def export_rows(entries: Iterator[Entry]) -> Iterator[str]:
    writer = csv.writer(Echo(), lineterminator="\r\n")
    yield writer.writerow(COLUMNS)
    for entry in entries:
        yield writer.writerow(export_row(entry))


def export_row(entry: Entry) -> tuple[str, ...]:
    fund = entry.fund
    return (
        str(entry.pk),
        str(fund.pk),
        neutral(fund.partner.external_id),
        neutral(fund.partner.name),
        neutral(fund.location.external_id),
        fund.program.code,
        fund.earning_period.code,
        entry.currency,
        entry.kind,
        neutral(entry.sentence),
        entry.from_bucket,
        entry.to_bucket,
        to_text(entry.amount_minor, entry.currency),
        entry.effective_on.isoformat(),
        entry.recorded_at.isoformat().replace("+00:00", "Z"),
        entry.reference_type,
        neutral(entry.reference),
        entry.reason_code,
        neutral(entry.note),
        neutral(entry.key),
    )
