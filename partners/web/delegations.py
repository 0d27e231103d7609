"""Standing in: who covers for which channel manager, from when until when, for which partners."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from coop.lib.dates import show_day
from coop.lib.errors import NotFound, Refused
from coop.lib.forms import DayField, add_refusal
from coop.lib.web import now
from partners.models import Delegation, Partner, Person
from partners.operations import delegate, end_delegation
from partners.permissions import require_role
from partners.states import CHANNEL_MANAGER, PROGRAM_ADMIN
from partners.web.request import PersonRequest

PLACES = {"to_id": "to", "person_id": "person", "partner_ids": "partners"}
SHOWN = 100


class DelegationForm(forms.Form):
    """Who stands in, when, and for which partners. A program admin also says for whom."""

    person = forms.ChoiceField(label="Who is away", error_messages={"required": "Choose who is away"})
    to = forms.ChoiceField(
        label="Who stands in",
        help_text="They see these partners on these days, and decide if they have the title that the program asks for.",
        error_messages={"required": "Choose who stands in"},
    )
    starts_on = DayField(label="First day", error_messages={"required": "Enter the first day"})
    ends_on = DayField(label="Last day", error_messages={"required": "Enter the last day"})
    partners = forms.MultipleChoiceField(
        label="For which partners",
        help_text="Leave all open to hand over the whole portfolio.",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    note = forms.CharField(label="Note for your colleague", max_length=500, required=False)

    def __init__(self, *args: Any, by: Person, **options: Any) -> None:
        super().__init__(*args, **options)
        managers = Person.objects.filter(role=CHANNEL_MANAGER, is_active=True).order_by("name", "id")
        people = [
            (str(one.pk), f"{one.name}, {one.get_title_display()}" if one.title else one.name) for one in managers
        ]
        others = [(key, name) for key, name in people if key != str(by.pk)]
        self.fields["to"].choices = [("", "Choose a colleague"), *others]  # type: ignore[attr-defined]
        if by.role == PROGRAM_ADMIN:
            self.fields["person"].choices = [("", "Choose who is away"), *people]  # type: ignore[attr-defined]
            del self.fields["partners"]  # whose they could be is not known before the person is chosen
        else:
            del self.fields["person"]
            mine = Partner.objects.all() if by.sees_every_partner else by.portfolio.all()
            named = [(str(one.pk), one.name) for one in mine.order_by("name", "id")[:SHOWN]]
            self.fields["partners"].choices = named  # type: ignore[attr-defined]


@login_required
@require_safe
def delegations(request: PersonRequest) -> HttpResponse:
    """What stands now and later, and what is over; a channel manager's own, a program admin's all."""
    require_role(request.user, CHANNEL_MANAGER, PROGRAM_ADMIN, to="let somebody stand in")
    today = now(request).date()
    found = Delegation.objects.select_related("person", "to").prefetch_related("partners")
    if request.user.role == CHANNEL_MANAGER:
        found = found.filter(Q(person=request.user) | Q(to=request.user))
    rows = [row(one, request.user, today) for one in found.order_by("-starts_on", "-id")[:SHOWN]]
    context = {"rows": [one for one in rows if not one["over"]], "over": [one for one in rows if one["over"]]}
    return render(request, "partners/delegations.html", context)


def row(one: Delegation, reader: Person, today: date) -> dict[str, Any]:
    """One delegation in words."""
    over = one.ended_at is not None or one.ends_on < today
    coming = one.starts_on > today
    if one.ended_at is not None:
        status, tone = f"Ended {show_day(one.ended_at.date())}", "done"
    else:
        status, tone = ("Over", "done") if over else ("Coming", "locked") if coming else ("Now", "active")
    may_end = reader.role == PROGRAM_ADMIN or reader.pk in (one.person_id, one.to_id)
    return {
        "id": one.pk,
        "who": f"{one.to.name} for {one.person.name}",
        "partners": ", ".join(partner.name for partner in one.partners.all()) or "The whole portfolio",
        "days": f"{show_day(one.starts_on)} to {show_day(one.ends_on)}",
        "note": one.note,
        "status": status,
        "tone": tone,
        "over": over,
        "may_end": may_end and not over,
    }


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delegation_new(request: PersonRequest) -> HttpResponse:
    require_role(request.user, CHANNEL_MANAGER, PROGRAM_ADMIN, to="let somebody stand in")
    form = DelegationForm(request.POST or None, by=request.user)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = delegate(
                int(given.get("person") or request.user.pk),
                int(given["to"]),
                starts_on=given["starts_on"],
                ends_on=given["ends_on"],
                partner_ids=[int(one) for one in given.get("partners", ())],
                note=given["note"],
                by=request.user,
                at=now(request),
            )
        except NotFound:
            raise
        except Refused as refusal:
            add_refusal(form, refusal, PLACES)
        else:
            messages.success(
                request, f"{made.to.name} stands in from {show_day(made.starts_on)} to {show_day(made.ends_on)}."
            )
            return redirect("portfolio-delegations")
    return render(request, "partners/delegation_new.html", {"form": form}, status=400 if form.errors else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delegation_end(request: PersonRequest, delegation_id: int) -> HttpResponse:
    """Ask, then end a delegation before its last day."""
    require_role(request.user, CHANNEL_MANAGER, PROGRAM_ADMIN, to="end a delegation")
    found = Delegation.objects.select_related("person", "to").prefetch_related("partners").filter(id=delegation_id)
    if request.user.role == CHANNEL_MANAGER:
        found = found.filter(Q(person=request.user) | Q(to=request.user))
    one = found.first()
    if one is None:
        raise NotFound("There is no such delegation.")
    if request.method == "POST":
        end_delegation(one.pk, by=request.user, at=now(request))
        messages.success(request, f"{one.to.name} does not stand in for {one.person.name} any more.")
        return redirect("portfolio-delegations")
    return render(request, "partners/delegation_end.html", {"one": row(one, request.user, now(request).date())})
