"""Could I spend on this? What the rules say of an idea, before there is a plan or a claim. Nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from claims import rules
from claims.models import Activity
from claims.permissions import WRITERS
from claims.queries.book import current_book
from claims.queries.offers import offer_of
from claims.queries.plan_facts import facts_of_idea
from claims.queries.reader import best_fund, home_country, programs_for
from claims.rules import FAILED, PERSON, WARNING, Finding
from claims.rules.book import Book
from claims.web.catalog import plan_new_url
from claims.web.forms import countries
from coop.lib import money
from coop.lib.forms import AmountField, DayField
from coop.lib.web import now
from funds.models import Fund, Program
from funds.queries.deadlines import open_still
from funds.queries.funds import funds_of
from funds.web.clocks import earned_in
from partners.models import Person
from partners.web.request import PersonRequest

FIELDS = ("money", "activity", "country", "amount", "starts_on", "ends_on", "solution_area", "title")


class IdeaForm(forms.Form):
    """An idea: from which money, on what, how much, when and where."""

    money = forms.ChoiceField(
        label="Which money",
        help_text="A fund of yours, or a program if you only want to know its rules",
        error_messages={
            "required": "Choose the fund or the program",
            "invalid_choice": "Choose a fund or a program from the list",
        },
    )
    activity = forms.ChoiceField(
        label="Activity",
        error_messages={"required": "Choose the activity", "invalid_choice": "Choose an activity from the list"},
    )
    amount = AmountField(
        label="What it would cost",
        help_text="In the currency of the fund or program, for example 4,200.00",
        error_messages={"required": "Enter about what it would cost"},
    )
    starts_on = DayField(label="First day", error_messages={"required": "Enter the first day of the work"})
    ends_on = DayField(label="Last day", required=False, help_text="The first day, if you leave it empty")
    country = forms.ChoiceField(label="Country", choices=countries, help_text="Where it reaches its audience")
    solution_area = forms.ChoiceField(label="Solution area", required=False)
    title = forms.CharField(
        label="In your own words",
        help_text="What you have in mind; it becomes the name of the plan",
        max_length=200,
        required=False,
    )

    def __init__(self, *args: Any, money: Any, activities: Any, areas: Any, currencies: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["money"].choices = money  # type: ignore[attr-defined]
        self.fields["activity"].choices = [("", "Choose an activity"), *activities]  # type: ignore[attr-defined]
        self.fields["solution_area"].choices = [("", "Not decided yet"), *areas]  # type: ignore[attr-defined]
        if not areas:
            del self.fields["solution_area"]
        picked = self.data.get("money", "")
        self.fields["amount"].currency = currencies.get(picked, "USD")  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        first, last = data.get("starts_on"), data.get("ends_on")
        if first and not last:
            data["ends_on"] = first
        if first and last and last < first:
            self.add_error("ends_on", "Give a last day on or after the first one.")
        return data


@dataclass(frozen=True)
class Sources:
    """The money that the reader may ask about: funds that are not closed, and programs."""

    funds: Sequence[Fund]
    programs: Sequence[Program]

    @property
    def choices(self) -> list[Any]:
        mine = [
            (f"fund:{fund.pk}", f"{earned_in(fund.earning_period)}, {fund.program}, {fund.location}")
            for fund in self.funds
        ]
        bare = [(f"program:{program.code}", program.name) for program in self.programs]
        return [*([("Your funds", mine)] if mine else []), ("Programs, without a fund", bare)]

    @property
    def currencies(self) -> dict[str, str]:
        mine = {f"fund:{fund.pk}": fund.currency for fund in self.funds}
        return mine | {f"program:{program.code}": program.currency for program in self.programs}

    def pick(self, said: str) -> tuple[Fund | None, Program]:
        """The fund and the program of a choice."""
        kind, _, key = said.partition(":")
        if kind == "fund":
            fund = next(fund for fund in self.funds if str(fund.pk) == key)
            return fund, fund.program
        return None, next(program for program in self.programs if program.code == key)


def sources_for(person: Person, at: datetime) -> Sources:
    mine = funds_of(person).filter(open_still(at)) if person.partner_id else []
    return Sources(list(mine), programs_for(person))


@login_required
@require_safe
def check_idea(request: PersonRequest) -> HttpResponse:
    """The form, and once an amount or a day was given what the rules say; nothing is stored, so it is all in the address."""
    at, sources = now(request), sources_for(request.user, now(request))
    if not sources.programs:
        return render(request, "claims/catalog/empty.html")
    book = current_book()
    activities = {activity.code: activity for activity in Activity.objects.all()}
    options: dict[str, Any] = {
        "money": sources.choices,
        "currencies": sources.currencies,
        "activities": [(activity.code, activity.name) for activity in activities.values()],
        "areas": list(book.areas_on(at.date()).items()),
    }
    context: dict[str, Any] = {}
    if "amount" in request.GET or "starts_on" in request.GET:
        form = IdeaForm(request.GET, **options)
        if form.is_valid():
            context = answer(request, form, sources, activities, book, at)
    else:
        form = IdeaForm(initial=first_guess(request, sources, at), **options)
    return render(request, "claims/catalog/check.html", {"form": form, **context}, status=400 if form.errors else 200)


def first_guess(request: PersonRequest, sources: Sources, at: datetime) -> dict[str, Any]:
    """What the form holds at first: what the address brings, else the fund and country that the reader likely means."""
    fund = best_fund(sources.funds, at)
    guess: dict[str, Any] = {
        "money": f"fund:{fund.pk}" if fund else f"program:{sources.programs[0].code}",
        "country": fund.location.country if fund else home_country(request.user),
    }
    return guess | {name: request.GET[name][:200] for name in FIELDS if request.GET.get(name)}


def answer(
    request: PersonRequest,
    form: IdeaForm,
    sources: Sources,
    activities: Mapping[str, Activity],
    book: Book,
    at: datetime,
) -> dict[str, Any]:
    """What the rules say of the idea, in the order in which one reads it, and what it would ask for later."""
    given = form.cleaned_data
    fund, program = sources.pick(given["money"])
    activity = activities[given["activity"]]
    partner = fund.partner if fund else request.user.partner
    currency = fund.currency if fund else program.currency
    facts = facts_of_idea(
        fund,
        program,
        activity,
        given["country"],
        given["amount"],
        currency,
        given["starts_on"],
        given["ends_on"],
        partner,
        at,
        book,
    )
    found = rules.evaluate(book, facts)
    may_plan = request.user.role in WRITERS and program.plan_approval != "none" and fund is not None
    return {
        "findings": [with_place(finding, form) for finding in found],
        "verdict": verdict(found, money.display(given["amount"], currency), activity.name),
        "passes": not any(finding.outcome == FAILED for finding in found),
        "offer": offer_of(book, activity, facts.case),
        "plan_url": plan_url(fund, given, currency) if may_plan else "",
    }


def verdict(found: Sequence[Finding], amount: str, activity: str) -> str:
    """What the findings come to, in one sentence."""
    number = {outcome: sum(finding.outcome == outcome for finding in found) for outcome in (FAILED, PERSON, WARNING)}
    if number[FAILED]:
        things = "one thing" if number[FAILED] == 1 else f"{number[FAILED]} things"
        return f"Not like this: {things} to mend before {amount} could be spent on {inline(activity)}."
    rest = number[PERSON] + number[WARNING]
    looked = "" if not rest else " One point is worth a look." if rest == 1 else f" {rest} points are worth a look."
    return f"Yes: nothing speaks against spending {amount} on {inline(activity)}.{looked}"


def inline(name: str) -> str:
    return name if name[1:2].isupper() else name[:1].lower() + name[1:]


def with_place(finding: Finding, form: IdeaForm) -> dict[str, str | int]:
    """A finding with the field of this page that mends it."""
    name = finding.field.partition(".")[0]
    return {**finding.as_dict(), "url": f"#id_{name}" if name in form.fields and finding.fix else ""}


def plan_url(fund: Fund | None, given: dict[str, Any], currency: str) -> str:
    """Where the idea becomes a plan, with all that was said of it."""
    said = {name: given.get(name) or "" for name in ("activity", "country", "solution_area", "title")}
    days = {name: given[name].isoformat() for name in ("starts_on", "ends_on")}
    return plan_new_url(fund, **said, **days, amount=money.to_text(given["amount"], currency))
