"""What changed for you: the rules of one's programs and country on one day, compared with another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from claims.queries.changed import GROUPS, Told, changes_for
from claims.queries.offers import a_year_before
from claims.queries.reader import best_fund, home_country, programs_for
from claims.web.forms import countries
from coop.lib.dates import show_day
from coop.lib.forms import DayField
from coop.lib.web import now
from funds.models import Program
from funds.queries.funds import funds_of
from partners.web.request import PersonRequest

FISCAL_YEARS = 3  # offered to compare: the coming one and those before
FIRST_MONTH = 7  # of a fiscal year, unless a program's own calendar says otherwise
ALL = "all"


class ChangesForm(forms.Form):
    """Two days, a program and a country."""

    since = DayField(label="Since", required=False)
    to = DayField(label="Until", required=False)
    program = forms.ChoiceField(label="Program", required=False)
    country = forms.ChoiceField(label="Country", choices=countries, required=False)

    def __init__(self, *args: Any, programs: Sequence[Program], **options: Any) -> None:
        super().__init__(*args, **options)
        every = [(ALL, "All my programs")] if len(programs) > 1 else []
        self.fields["program"].choices = every + [(program.code, program.name) for program in programs]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("since") and data.get("to") and data["to"] < data["since"]:
            self.add_error("to", "Give a day after the first one.")
        return data


@login_required
@require_safe
def changes(request: PersonRequest) -> HttpResponse:
    """Sentences for all that counts on the later day and did not on the earlier one."""
    person, at = request.user, now(request)
    programs = programs_for(person)
    given = ChangesForm(request.GET, programs=programs)
    asked = given.cleaned_data if given.is_valid() else {}
    fund = best_fund(list(funds_of(person)), at) if person.partner_id else None
    to = asked.get("to") or at.date()
    since = asked.get("since") or a_year_before(to)
    country = asked.get("country") or (fund.location.country if fund else home_country(person))
    picked = asked.get("program") or (ALL if person.partner_id and len(programs) > 1 else "")
    chosen = [program for program in programs if picked in (ALL, program.code)] or programs[:1]
    shown = {"since": since, "to": to, "program": picked or chosen[0].code if chosen else "", "country": country}
    partner = person.partner.external_id if person.partner else ""
    told = changes_for(chosen, since, to, country=country, partner=partner) if not given.errors else []
    context = {
        "form": given if given.errors else ChangesForm(initial=shown, programs=programs),
        "since": show_day(since),
        "to": show_day(to),
        "names": ", ".join(program.name for program in chosen),
        "country": dict(countries()).get(country, country),
        "groups": grouped(told, many=len(chosen) > 1),
        "number": len(told),
        "years": [year_link(year, shown) for year in fiscal_years(to)],
    }
    return render(request, "claims/catalog/changes.html", context, status=400 if given.errors else 200)


def grouped(told: Sequence[Told], *, many: bool) -> list[dict[str, Any]]:
    """The sentences under what they are about; with several programs each says in which of them it counts."""
    found = []
    for key, name in GROUPS.items():
        rows = [
            {
                "text": one.change.sentence,
                "programs": ", ".join(program.name for program in one.programs) if many else "",
                "rule": rule_of(one),
                "example": one.example,
            }
            for one in told
            if one.group == key
        ]
        if rows:
            found.append({"key": key, "name": name, "rows": rows})
    return found


def rule_of(one: Told) -> str:
    """The rule that a sentence rests on, with its version and its first day."""
    change = one.change
    since = f", since {show_day(change.on)}" if change.on else ""
    if change.rule is not None:
        return f"Rule {change.rule.code}, version {change.rule.version}{since}"
    return f"Catalog, {change.section.replace('_', ' ')}: {change.code}{since}"


def fiscal_years(day: date) -> list[int]:
    """The fiscal year after the one of a day, that one, and those before."""
    this = day.year + (day.month >= FIRST_MONTH)
    return [this + 1 - back for back in range(FISCAL_YEARS)]


def year_link(year: int, shown: dict[str, Any]) -> dict[str, str]:
    """The first day of a fiscal year, compared with the first day of the year before."""
    first = date(year - 1, FIRST_MONTH, 1)
    query = {"since": a_year_before(first).isoformat(), "to": first.isoformat()}
    kept = {name: shown[name] for name in ("program", "country")}
    return {"label": f"FY{year % 100} against FY{(year - 1) % 100}", "url": f"?{urlencode({**query, **kept})}"}
