"""A fund's statement: as a page to read and to choose the days on, and as files to keep."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from coop.lib.dates import show_day, show_instant
from coop.lib.errors import FieldError, Invalid, NotFound
from coop.lib.forms import DayField, add_refusal
from coop.lib.web import now
from funds import statements
from funds.models import Fund
from funds.queries.funds import fund_seen_by
from funds.queries.past import FIGURES
from funds.queries.statement import Statement, statement_of
from funds.web.clocks import earned_in
from funds.web.moments import KnownField
from partners.web.request import PersonRequest

FORMS = {"csv": "text/csv; charset=utf-8", "pdf": "application/pdf"}
SHOWN = 200  # movements on the page; the files have all


class StatementForm(forms.Form):
    """Which days, and as they were known when. Empty fields mean the beginning, today and now."""

    to = DayField(label="To", required=False)

    def __init__(self, data: Any, *, at: datetime, zone: str) -> None:
        super().__init__(data)
        # "from" is a word of Python.
        self.fields["from"] = DayField(label="From", required=False)
        self.fields["known_at"] = KnownField(label="As known on", required=False, at=at, zone=zone, name="known_at")
        self.order_fields(["from", "to", "known_at"])


def made_of(request: PersonRequest, fund: Fund, form: StatementForm) -> Statement:
    """The statement that a form asks for. Raises Invalid with all that is wrong."""
    if not form.is_valid():
        raise Invalid(
            errors=[FieldError(name, "invalid", str(text)) for name, texts in form.errors.items() for text in texts]
        )
    at, said = now(request), form.cleaned_data
    known_at = said["known_at"] or at
    if known_at < fund.created_at:
        message = f"This fund has existed since {show_instant(fund.created_at)}. Choose that or a later moment."
        raise Invalid.field("known_at", message)
    last = said["to"] or at.astimezone(ZoneInfo(fund.program.time_zone)).date()
    return statement_of(fund, first=said["from"], last=last, known_at=known_at)


@login_required
@require_safe
def statement(request: PersonRequest, fund_id: int) -> HttpResponse:
    """The statement as a page, with the form that chooses its days."""
    fund = fund_seen_by(request.user, fund_id)
    asked = {name: request.GET.get(name, "") for name in ("from", "to", "known_at")}
    form = StatementForm(asked, at=now(request), zone=fund.program.time_zone)
    made = None
    try:
        made = made_of(request, fund, form)
    except Invalid as refusal:
        if form.is_valid():
            add_refusal(form, refusal)
    context = {"fund": fund, "name": earned_in(fund.earning_period), "form": form, "made": shown(made)}
    return render(request, "funds/fund_statement.html", context, status=200 if made else 400)


@login_required
@require_safe
def statement_file(request: PersonRequest, fund_id: int, form: str) -> HttpResponse:
    """The same as a file. Raises Invalid, NotFound."""
    fund = fund_seen_by(request.user, fund_id)
    if form not in FORMS:
        raise NotFound("There is no such file of a statement.")
    made = made_of(request, fund, StatementForm(request.GET, at=now(request), zone=fund.program.time_zone))
    content = statements.as_csv(made) if form == "csv" else statements.as_pdf(made)
    answer = HttpResponse(content, content_type=FORMS[form])
    answer["Content-Disposition"] = f'attachment; filename="{statements.filename_of(made, form)}"'
    return answer


def shown(made: Statement | None) -> dict[str, Any] | None:
    """What the page shows of a statement; the addresses of the files name its days and its instant."""
    if made is None:
        return None
    fund, currency = made.fund, made.fund.currency
    inputs = {
        "from": made.first.isoformat() if made.first else "",
        "to": made.last.isoformat(),
        "known_at": made.known_at.isoformat().replace("+00:00", "Z"),
    }
    query = urlencode({name: value for name, value in inputs.items() if value})
    page = reverse("fund", args=[fund.pk])
    return {
        "facts": [{"key": key, "value": value} for key, value in statements.facts_of(made)],
        "balances": [
            {
                "label": statements.LABELS[name],
                "opening": statements.plain(made.opening[name], currency),
                "closing": statements.plain(made.closing[name], currency),
                "url": f"{page}?{urlencode({'bucket': name, 'as_of': inputs['to'], 'known_at': inputs['known_at']})}#entries",
            }
            for name in FIGURES
        ],
        "identity": statements.identity(made.closing, currency),
        "lines": [
            {
                "number": line.number,
                "url": reverse("fund-entry", args=[fund.pk, line.number]),
                "what": line.entry.sentence,
                "details": statements.details_of(line, currency),
                "day": show_day(line.entry.effective_on),
                "recorded": show_instant(line.entry.recorded_at),
                "reference": line.reference,
                "money_in": statements.plain(line.change_minor, currency) if line.change_minor > 0 else "",
                "money_out": statements.plain(-line.change_minor, currency) if line.change_minor < 0 else "",
                "available": statements.plain(line.available_minor, currency),
            }
            for line in made.lines[:SHOWN]
        ],
        "number": len(made.lines),
        "more": len(made.lines) > SHOWN,
        "proof": statements.proof_of(made),
        "pdf": f"{reverse('fund-statement-file', args=[fund.pk, 'pdf'])}?{query}",
        "csv": f"{reverse('fund-statement-file', args=[fund.pk, 'csv'])}?{query}",
        "last": show_day(made.last),
        "known_at": show_instant(made.known_at),
    }
