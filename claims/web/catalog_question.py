"""For whom, where and when the catalog is read: the program, country and day of the question, and the reader's own fund."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import forms

from claims.queries.reader import best_fund, home_country, paying_fund, programs_for
from claims.rules.book import Book, Case
from claims.web.forms import countries
from coop.lib.dates import show_day
from coop.lib.forms import DayField
from coop.lib.web import asked_text, now
from funds.models import Fund, Program
from funds.queries.funds import funds_of
from funds.web.clocks import earned_in
from partners.models import Person
from partners.web.request import PersonRequest


class QuestionForm(forms.Form):
    """The filters above the catalog; they count when the reader says so."""

    q = forms.CharField(label="Words", max_length=100, required=False, widget=forms.TextInput(attrs={"type": "search"}))
    program = forms.ChoiceField(label="Program", required=False)
    country = forms.ChoiceField(label="Country", choices=countries, required=False)
    on = DayField(label="On the day", required=False)

    def __init__(self, *args: Any, programs: Sequence[Program], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["program"].choices = [(program.code, program.name) for program in programs]  # type: ignore[attr-defined]


@dataclass
class Question:
    """What the reader asks about. `fund` is the one of theirs that pays on the day, where there is one."""

    person: Person
    programs: list[Program]
    funds: list[Fund]
    program: Program
    country: str
    day: date
    words: str
    form: QuestionForm

    @cached_property
    def fund(self) -> Fund | None:
        """The fund of the program that pays for work of the day: first one of a location in the country asked about."""
        return paying_fund(self.funds, self.program, self.country, self.day)

    @property
    def fund_name(self) -> str:
        return f"{earned_in(self.fund.earning_period)}, {self.fund.location}" if self.fund else ""

    @property
    def partner_code(self) -> str:
        return self.person.partner.external_id if self.person.partner else ""

    def case(self, book: Book) -> Case:
        """The case of the question, without an activity."""
        country_class = book.class_of(self.country, self.day)
        return Case(self.program.code, "", "", self.country, country_class, self.partner_code, self.day)

    @property
    def query(self) -> str:
        """The question as parameters of an address, for the links to single activities."""
        return urlencode({"program": self.program.code, "country": self.country, "on": self.day.isoformat()})

    @property
    def changes_query(self) -> str:
        """The same for the page of what changed: in the year until the day."""
        return urlencode({"program": self.program.code, "country": self.country, "to": self.day.isoformat()})

    @property
    def sentence(self) -> str:
        """Whom and when the answers are for, e.g. "MCI CSP indirect reseller, United States, 4 Mar 2024"."""
        return f"{self.program}, {dict(countries()).get(self.country, self.country)}, {show_day(self.day)}"


def read_question(request: PersonRequest) -> Question | None:
    """The question of a request, with what it leaves out filled in; None while there is no program at all.

    What cannot be read stands in the form with its reason, and what fits the reader best takes its place.
    """
    person, at = request.user, now(request)
    programs = programs_for(person)
    if not programs:
        return None
    funds = list(funds_of(person)) if person.partner_id else []
    given = QuestionForm(request.GET, programs=programs)
    asked = given.cleaned_data if given.is_valid() else {**given.cleaned_data}
    by_code = {program.code: program for program in programs}
    fund = best_fund(funds, at)
    program = by_code.get(asked.get("program") or "") or (fund.program if fund else programs[0])
    country = asked.get("country") or (fund.location.country if fund else home_country(person))
    day = asked.get("on") or at.astimezone(ZoneInfo(program.time_zone)).date()
    words = asked_text(request, "q").strip()[:100]
    shown = {"q": words, "program": program.code, "country": country, "on": day}
    form = given if given.errors else QuestionForm(initial=shown, programs=programs)
    return Question(person, programs, funds, program, country, day, words, form)
