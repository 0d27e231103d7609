"""The simulator: rules of a draft or a publication, tried on what was decided in a range of days. It writes nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from claims.models import Claim
from claims.queries.catalog import current_catalog, publications, rule_draft, rule_drafts
from claims.queries.simulation import MOST, Simulation, run
from claims.rules.simulation import SAME, Outcome, Totals, totals
from claims.web.rules import require_reader
from coop.lib import money
from coop.lib.dates import show_day
from coop.lib.forms import DayField
from coop.lib.web import asked_number, now
from partners.models import Person
from partners.web.request import PersonRequest

PAGE = 50
LONGEST = 366 * 2  # days
CUT = f"More was decided than is tried at once: these are the first {MOST:,} claims and {MOST:,} activities of plans."
PARTNER_COLUMNS = [
    {"label": "Partner", "kind": "lead"},
    {"label": "Decided", "kind": "number"},
    {"label": "Granted", "kind": "number"},
    {"label": "Would have been", "kind": "number"},
    {"label": "Difference", "kind": "amount"},
    {"label": "Could have asked for", "kind": "number"},
]
BURDEN_COLUMNS = [{"label": "Asked for", "kind": "lead"}, {"label": "Claims", "kind": "number"}]


class SimulatorForm(forms.Form):
    """What is tried on what."""

    rules = forms.ChoiceField(label="Rules", help_text="Of a draft, or of a publication")
    first = DayField(label="Decided from", error_messages={"required": "Say from which day on"})
    last = DayField(label="Until", error_messages={"required": "Say until which day"})
    programs = forms.MultipleChoiceField(
        label="Programs", required=False, widget=forms.CheckboxSelectMultiple, help_text="Nothing chosen means all"
    )

    def __init__(self, *args: Any, choices: Any, programs: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["rules"].choices = choices  # type: ignore[attr-defined]
        self.fields["programs"].choices = programs  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        said = super().clean() or self.cleaned_data
        first, last = said.get("first"), said.get("last")
        if first and last and last < first:
            self.add_error("last", "Choose a last day that is not before the first.")
        elif first and last and (last - first).days > LONGEST:
            self.add_error("last", "Choose at most two years.")
        return said


@login_required
@require_safe
def simulator(request: PersonRequest) -> HttpResponse:
    """The form, and once everything is said its result; the address says it all, so it can be shared."""
    require_reader(request)
    today = now(request).date()
    asked = "first" in request.GET
    initial = {"rules": request.GET.get("rules"), "first": date(today.year - 1, 7, 1), "last": today}
    catalog = current_catalog()
    programs = sorted(((row["code"], row["name"]) for row in catalog["programs"]), key=lambda pair: pair[1])
    choices = rules_to_choose()
    form = SimulatorForm(request.GET if asked else None, initial=initial, choices=choices, programs=programs)
    context: dict[str, Any] = {
        "form": form,
        "crumbs": [{"label": "Rules", "url": reverse("rules")}, {"label": "Simulator"}],
    }
    if asked and form.is_valid():
        context |= result(request, form.cleaned_data, dict(flat(choices)))
    return render(request, "claims/rules/simulator.html", context, status=400 if form.errors else 200)


def rules_to_choose() -> list[tuple[str, list[tuple[str, str]]]]:
    """Drafts that are not decided, then publications, newest first."""
    drafts = [(f"draft-{d.pk}", d.title) for d in rule_drafts().filter(status__in=["draft", "requested"])]
    known = [(f"publication-{p.pk}", f"{p}, {show_day(p.published_at.date())}") for p in publications()[:200]]
    return [group for group in (("Drafts", drafts), ("Publications", known)) if group[1]]


def flat(groups: Iterable[tuple[str, list[tuple[str, str]]]]) -> Iterable[tuple[str, str]]:
    for _, choices in groups:
        yield from choices


def result(request: PersonRequest, said: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    found = run(said["rules"], said["first"], said["last"], said["programs"], request.user)
    page = max(asked_number(request, "page") or 1, 1)
    differing = [outcome for outcome in found.outcomes if outcome.verdict != SAME]
    part = differing[(page - 1) * PAGE : page * PAGE]
    address = request.GET.copy()
    address.pop("page", None)
    here = f"{reverse('rules-simulator')}?{address.urlencode()}"
    return {
        "result": True,
        "name": names[said["rules"]],
        "changed_since": changed_since(request, said["rules"]),
        "pinned": pinned(here, said["rules"], request),
        "nothing": not found.outcomes,
        "cut": CUT if found.cut else "",
        "sentence": sentence(found, names[said["rules"]]),
        "sums": [sums(currency, outcomes) for currency, outcomes in by_currency(found.outcomes).items()],
        "partner_columns": PARTNER_COLUMNS,
        "partners": partners(differing, found.outcomes),
        "outcomes": [told(outcome) for outcome in part],
        "more": len(differing),
        "burden_columns": BURDEN_COLUMNS,
        "burden": burden(found.outcomes),
        "newer_url": f"{here}&page={page - 1}" if page > 1 else "",
        "older_url": f"{here}&page={page + 1}" if len(differing) > page * PAGE else "",
    }


def pinned(here: str, choice: str, request: PersonRequest) -> str:
    """The address of this result; of a draft it names the state, so that a later reader is told of changes."""
    revision = revision_of(choice, request.user)
    return here if revision is None or "revision" in request.GET else f"{here}&revision={revision}"


def revision_of(choice: str, person: Person) -> int | None:
    kind, _, number = choice.partition("-")
    return rule_draft(int(number), person).revision if kind == "draft" else None


def changed_since(request: PersonRequest, choice: str) -> bool:
    """Whether a shared address names an older state of a draft."""
    pinned, actual = asked_number(request, "revision"), revision_of(choice, request.user)
    return pinned is not None and actual is not None and pinned != actual


def by_currency(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    found: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        found[outcome.decided.currency].append(outcome)
    return found


def sentence(found: Simulation, name: str) -> str:
    """The result in one sentence."""
    decided, differing = len(found.outcomes), sum(outcome.verdict != SAME for outcome in found.outcomes)
    if not differing:
        return f"On the rules of {name} all {decided:,} decisions would have come out as they did."
    flipped = sum(outcome.is_flipped for outcome in found.outcomes)
    refused = f"; {flipped:,} of what was approved would have been refused" if flipped else ""
    return f"On the rules of {name} {differing:,} of {decided:,} decisions would have come out otherwise{refused}."


def sums(currency: str, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The sums of one currency, as figures."""
    whole: Totals = totals(outcomes)

    def figure(label: str, minor: int, hint: str) -> dict[str, str]:
        amount, _, code = money.display(minor, currency).rpartition(" ")
        return {"label": label, "amount": amount, "currency": code, "hint": hint}

    return {
        "figures": [
            figure("Granted", whole.approved_minor, f"decisions: {whole.decided:,}"),
            figure("Would have been granted", whole.would_minor, f"{money.display(whole.lost_minor, currency)} less"),
            figure("Refused on these rules", whole.refused_minor, f"decisions: {whole.flipped:,}"),
            figure("Above new limits", whole.over_limits_minor, f"decisions that lose: {whole.losing:,}"),
            figure("Could have been asked for", whole.more_minor, f"decisions that gain: {whole.gaining:,}"),
        ]
    }


def partners(differing: Sequence[Outcome], outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Who would have lost and who gained, by partner and currency, the largest loss first."""
    touched = {(partner_of(outcome), outcome.decided.currency) for outcome in differing}
    grouped: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        key = (partner_of(outcome), outcome.decided.currency)
        if key in touched:
            grouped[key].append(outcome)
    rows = [(name, currency, totals(found)) for (name, currency), found in grouped.items()]
    rows.sort(key=lambda row: (-row[2].lost_minor, -row[2].more_minor, row[0]))
    return [
        {
            "cells": [
                {"text": name},
                {"text": f"{whole.decided:,}"},
                {"text": money.display(whole.approved_minor, currency)},
                {"text": money.display(whole.would_minor, currency)},
                {"amount": money.display(-whole.lost_minor, currency)},
                {"text": money.display(whole.more_minor, currency)},
            ]
        }
        for name, currency, whole in rows
    ]


def partner_of(outcome: Outcome) -> str:
    record = outcome.decided.key
    return str(record.partner if isinstance(record, Claim) else record.plan.partner)


def told(outcome: Outcome) -> dict[str, Any]:
    """One decision, as it was and as it would have been, side by side."""
    record, currency = outcome.decided.key, outcome.decided.currency
    is_claim = isinstance(record, Claim)
    program = record.fund.program if is_claim else record.plan.fund.program
    asked = money.display(outcome.decided.asked_minor, currency)
    return {
        "name": f"Claim {record.number}" if is_claim else f"{record.title}, plan {record.plan}",
        "url": reverse("claim", args=[record.pk]) if is_claim else "",
        "about": f"{partner_of(outcome)}: {record.activity.name}, {program}",
        "asked": asked,
        "was": granted(outcome.decided.approved_minor, currency),
        "why_then": reasons(record),
        "would": granted(outcome.would_minor, currency)
        + (
            f", and {money.display(outcome.more_minor, currency)} more could have been asked for"
            if outcome.more_minor
            else ""
        ),
        "why_now": [
            f"{found.text} Seen: {found.seen}. Wanted: {found.wanted}. {found.basis}." for found in outcome.lost
        ],
    }


def granted(minor: int, currency: str) -> str:
    return f"{money.display(minor, currency)} approved" if minor else "Declined"


def reasons(record: Any) -> list[str]:
    """Why it was decided as it was: the reasons of its lines, or the note."""
    if isinstance(record, Claim):
        found = [line.reason for line in record.lines.all() if line.reason]
        return list(dict.fromkeys(found)) or [note for note in [record.decision_note] if note]
    return [record.reason] if record.reason else []


def burden(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """What more, or less, would have had to be shown, with the number of claims."""
    more = Counter(name for outcome in outcomes for name in outcome.more_proofs)
    fewer = Counter(name for outcome in outcomes for name in outcome.fewer_proofs)
    rows = [(f"Also asked for: {name}", count) for name, count in more.most_common()]
    rows += [(f"No longer asked for: {name}", count) for name, count in fewer.most_common()]
    return [{"cells": [{"text": name}, {"text": f"{count:,}"}]} for name, count in rows]
