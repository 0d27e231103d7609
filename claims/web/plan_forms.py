"""The forms of a plan. They read what people wrote; the operations say whether it may be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms

from claims import states
from claims.models import Plan, PlanActivity
from claims.rules.facts import Metric
from claims.web.answers import answer_field, text_of_answer
from claims.web.forms import ClaimForm, Groups, countries
from coop.lib import money
from coop.lib.dates import show_day
from coop.lib.forms import AmountField, DayField
from partners.models import Person

ANSWER = "answer-"  # before the code of a question, so that no code hides a field of the form


class PlanForm(ClaimForm):
    """What a plan is called, and who works on it."""

    title = forms.CharField(
        label="Name of the plan",
        help_text="So that you and the channel manager find it again, for example “Spring in Austria”",
        max_length=200,
        error_messages={"required": "Give the plan a name"},
    )
    people = forms.MultipleChoiceField(
        label="People who work on it",
        help_text="Everybody of your organisation who may write plans can change it; these are named as its people.",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, colleagues: Iterable[Person], **options: Any) -> None:
        super().__init__(*args, **options)
        known = [(str(person.pk), person.name) for person in colleagues]
        if known:
            self.fields["people"].choices = known  # type: ignore[attr-defined]
        else:
            del self.fields["people"]

    def changes(self) -> dict[str, Any]:
        """The values that could be read, as operations take them."""
        found: dict[str, Any] = {
            name: self.cleaned_data[name] for name in ("title", "people") if name in self.cleaned_data
        }
        if "people" in found:
            found["people"] = [int(person) for person in found["people"]]
        return found


def plan_values(plan: Plan) -> dict[str, Any]:
    return {
        "revision": plan.revision,
        "title": plan.title,
        "people": [str(person.pk) for person in plan.people.all()],
    }


# --- One activity -----------------------------------------------------------------------------------------------------


class PickForm(ClaimForm):
    """Which activity is added, and what is known of it already; all but the activity may come later."""

    activity = forms.ChoiceField(
        label="Activity",
        error_messages={
            "required": "Choose the activity that you plan",
            "invalid_choice": "This program does not pay for that activity on these dates. Choose one from the list.",
        },
    )
    starts_on = DayField(label="First day", required=False)
    ends_on = DayField(label="Last day", required=False)
    amount = AmountField(
        label="Amount to ask for", help_text="What you expect it to cost you, for example 8,000.00", required=False
    )

    def __init__(self, *args: Any, groups: Groups, plan_fund: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["activity"].choices = [  # type: ignore[attr-defined]
            (name, [(activity.code, activity.name) for activity in activities]) for name, activities in groups
        ]
        period = plan_fund.earning_period
        self.fields["starts_on"].help_text = f"The fund pays for work from {show_day(period.use_from)}"
        self.fields["ends_on"].help_text = f"until {show_day(period.use_to)}"
        self.fields["amount"].currency = plan_fund.currency  # type: ignore[attr-defined]

    def activity_values(self) -> dict[str, Any]:
        """The new activity as operations take it."""
        given = self.cleaned_data
        return {
            "activity_code": given["activity"],
            "starts_on": given["starts_on"],
            "ends_on": given["ends_on"],
            "requested_minor": given["amount"] or 0,
        }


class NewPlanForm(PickForm):
    """A new plan begins with its name and its first activity."""

    revision = None  # type: ignore[assignment]
    title = PlanForm.base_fields["title"]
    field_order = ("title", "activity")


class ActivityForm(PickForm):
    """One activity of a plan: what, when, where, how much, and what it is meant to bring about."""

    title = forms.CharField(label="Your name for it", max_length=200, required=False)
    solution_area = forms.ChoiceField(
        label="Solution area", help_text="What of the vendor's it promotes", required=False
    )
    country = forms.ChoiceField(
        label="Country",
        help_text="Where it reaches its audience; some rules differ by country",
        choices=countries,
        error_messages={"invalid_choice": "Choose a country from the list"},
    )
    expected_outcome = forms.CharField(
        label="What you expect of it",
        help_text="With numbers where you can, for example “300 companies called, 25 first meetings”",
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def __init__(
        self, *args: Any, areas: Sequence[tuple[str, str]], questions: Sequence[Metric] = (), **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.questions = questions
        known = [*areas]
        current = self.initial.get("solution_area")
        if current and current not in {code for code, _ in known}:
            known.append((current, current))
        self.fields["solution_area"].choices = [("", "Not chosen yet"), *known]  # type: ignore[attr-defined]
        for question in questions:
            self.fields[f"{ANSWER}{question.code}"] = answer_field(question, {})

    def changes(self) -> dict[str, Any]:
        """The values that could be read, as operations take them."""
        given = self.cleaned_data
        names = ("activity", "title", "solution_area", "country", "starts_on", "ends_on", "expected_outcome")
        found = {name: given[name] for name in names if name in given}
        if "amount" in given:
            found["requested_minor"] = given["amount"] or 0
        answers = {
            question.code: text_of_answer(question, given[f"{ANSWER}{question.code}"])
            for question in self.questions
            if f"{ANSWER}{question.code}" in given
        }
        # Another activity asks other questions.
        same = found.get("activity") == self.initial.get("activity")
        return {**found, "answers": answers} if answers and same else found


def activity_values(plan: Plan, activity: PlanActivity) -> dict[str, Any]:
    """What an activity's form begins with."""
    asked = activity.requested_minor
    return {
        "revision": plan.revision,
        "activity": activity.activity.code,
        "title": activity.title,
        "solution_area": activity.solution_area,
        "country": activity.country,
        "starts_on": activity.starts_on,
        "ends_on": activity.ends_on,
        "amount": money.display(asked, plan.currency).rpartition(" ")[0] if asked else "",
        "expected_outcome": activity.expected_outcome,
        **{f"{ANSWER}{code}": value for code, value in activity.answers.items()},
    }


PLACES = {"requested_minor": "amount", "requested_amount": "amount", "activity_code": "activity"}


def form_field(name: str) -> str:
    """The field of the activity's form that mends what a finding or a refusal names."""
    first, _, rest = name.partition(".")
    if first == "answers":
        return f"{ANSWER}{rest}"
    return PLACES.get(first, first)


# --- Sending and ending -----------------------------------------------------------------------------------------------


class SendForm(ClaimForm):
    declared = forms.BooleanField(
        label="I confirm that this is what we intend to do, and that the amounts are our best estimate",
        error_messages={"required": "Confirm the plan before you send it"},
    )


class CancelForm(ClaimForm):
    reason = forms.CharField(
        label="Why",
        help_text="The channel manager reads it.",
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class FilterForm(forms.Form):
    """What the list of plans is narrowed to."""

    status = forms.ChoiceField(
        label="Status",
        required=False,
        choices=[("", "All"), *((code, said[0]) for code, said in states.PLAN_STATUSES.items())],
    )
    turn = forms.ChoiceField(
        label="Whose turn",
        required=False,
        choices=[("", "Anybody's"), ("partner", "The partner's"), ("channel_manager", "The channel manager's")],
    )
    q = forms.CharField(label="Name or number", required=False, max_length=80)
