"""The rules as the vendor's people read them: the list, one rule with all its versions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from claims.queries.book import current_book, current_publication
from claims.queries.catalog import current_catalog, rule_drafts
from claims.rules.book import Book, Rule
from claims.rules.kinds import KINDS
from claims.rules.words import Names, days_of
from coop.lib.dates import show_day
from coop.lib.errors import NotFound
from coop.lib.forms import DayField
from coop.lib.web import asked_number, now
from partners.permissions import require_role
from partners.states import PROGRAM_ADMIN, VENDOR_ROLES
from partners.web.request import PersonRequest

PAGE = 50
COLUMNS = [
    {"label": "Rule", "kind": "lead"},
    {"label": "Holds for"},
    {"label": "Holds"},
    {"label": "Version", "kind": "number"},
]
# How people call the kinds of rules.
KIND_NAMES = {
    "claim_window": "When claims are sent",
    "use_period": "When the work is done",
    "activity_offered": "What is paid for at all",
    "invoice_date": "Dates of invoices",
    "money_evidence": "Evidence of money",
    "poe_threshold": "From which amount on proof is asked for",
    "proof_of_execution": "Proof of execution",
    "proof_of_parts": "Proof of the parts of a campaign",
    "approval_before": "Approval before the work",
    "results": "Results",
    "declaration": "What is confirmed",
    "line_detail": "What is written beside a line",
    "money_there": "Money in the fund",
    "payout_profile": "Bank and tax profile",
    "limit": "Limits",
    "head_count": "How many people",
    "allowance": "Which share of the cost is paid",
    "plan_approval": "Approved plan",
    "within_plan": "Within the plan",
    "solution_area": "Solution area",
    "guidance": "Advised shares",
    "duplicate_evidence": "Evidence seen before",
}


def kind_name(kind: str) -> str:
    return KIND_NAMES.get(kind, kind.replace("_", " ").capitalize())


def require_reader(request: PersonRequest) -> None:
    require_role(request.user, *VENDOR_ROLES, to="see the rules behind the catalog")


class RulesForm(forms.Form):
    """Which rules the list shows. Nothing said shows all that hold today."""

    on = DayField(label="Hold on", required=False)
    kind = forms.ChoiceField(label="About", required=False)
    program = forms.ChoiceField(label="Program", required=False)
    activity = forms.ChoiceField(label="Activity", required=False)

    def __init__(self, *args: Any, catalog: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = [("", "Everything"), *((kind, kind_name(kind)) for kind in KINDS)]
        self.fields["kind"].choices = kinds  # type: ignore[attr-defined]
        for name, section in (("program", "programs"), ("activity", "activities")):
            rows = sorted((row["name"], row["code"]) for row in catalog[section])
            choices = [("", "All"), *((code, label) for label, code in rows)]
            self.fields[name].choices = choices  # type: ignore[attr-defined]


@login_required
@require_safe
def rules(request: PersonRequest) -> HttpResponse:
    """The rules that hold on a day, each in a sentence, with its scope, days and version."""
    require_reader(request)
    catalog, book = current_catalog(), current_book()
    form = RulesForm(request.GET or None, catalog=catalog)
    wanted = form.cleaned_data if form.is_valid() else {}
    day = wanted.get("on") or now(request).date()
    found = [rule for rule in book.rules if rule.holds_on(day) and shown_for(rule, wanted)]
    page = max(asked_number(request, "page") or 1, 1)
    part = found[(page - 1) * PAGE : page * PAGE]
    names = Names(catalog)
    here = reverse("rules")
    kept = {name: value for name, value in request.GET.items() if name != "page" and value}
    context = {
        "form": form,
        "active": [
            {"label": label_of(form, name), "url": f"{here}?{urlencode({k: v for k, v in kept.items() if k != name})}"}
            for name in kept
            if name in form.fields
        ],
        "clear_url": here,
        "columns": COLUMNS,
        "rows": [row_of(rule, names) for rule in part],
        "caption": f"{len(found)} rules hold on {show_day(day)}",
        "publication": current_publication()[0],
        "newer_url": f"{here}?{urlencode({**kept, 'page': page - 1})}" if page > 1 else "",
        "older_url": f"{here}?{urlencode({**kept, 'page': page + 1})}" if len(found) > page * PAGE else "",
        "may_write": request.user.role == PROGRAM_ADMIN,
        "drafts": [draft_row(draft) for draft in rule_drafts().filter(status__in=["draft", "requested"])],
    }
    return render(request, "claims/rules/rules.html", context)


def label_of(form: RulesForm, name: str) -> str:
    """A filter as it is shown, to be taken away."""
    value = form.data.get(name, "")
    choices = dict(getattr(form.fields[name], "choices", ()))
    return f"{form.fields[name].label}: {choices.get(value, value)}"


def shown_for(rule: Rule, wanted: Mapping[str, Any]) -> bool:
    """Whether a rule is of the kind and may count for the program and activity that were asked for."""
    if wanted.get("kind") and rule.kind != wanted["kind"]:
        return False
    for name, dimension in (("program", "programs"), ("activity", "activities")):
        code = wanted.get(name)
        if code and dimension in rule.scope and code not in rule.scope[dimension]:
            return False
    return True


def row_of(rule: Rule, names: Names) -> dict[str, Any]:
    scope = names.scope(rule)
    return {
        "cells": [
            {
                "text": KINDS[rule.kind].words(rule),
                "url": reverse("rules-rule", args=[rule.code]),
                "sub": kind_name(rule.kind) + (", an example that is not published" if rule.example else ""),
            },
            {"text": scope[:1].upper() + scope[1:] if scope else "Everything"},
            {"text": capital(days_of(rule.valid_from, rule.valid_to))},
            {"text": str(rule.version)},
        ]
    }


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


DRAFT_STATUSES = {
    "draft": ("Being written", "draft"),
    "requested": ("Waits for a second person", "attention"),
    "published": ("Published", "done"),
    "discarded": ("Given up", "done"),
}


def draft_row(draft: Any) -> dict[str, Any]:
    text, tone = DRAFT_STATUSES[draft.status]
    asked = f", asked for by {draft.requested_by.name}" if draft.requested_by else ""
    return {
        "label": draft.title,
        "url": reverse("rules-draft", args=[draft.pk]),
        "hint": f"Begun by {draft.created_by.name} on {show_day(draft.created_at.date())}{asked}",
        "status": text,
        "tone": tone,
    }


@login_required
@require_safe
def rule_page(request: PersonRequest, code: str) -> HttpResponse:
    """One rule: its versions, what each of them says, and the examples that it is tried with."""
    require_reader(request)
    catalog, book = current_catalog(), current_book()
    versions = sorted((rule for rule in book.rules if rule.code == code), key=lambda rule: -rule.version)
    if not versions:
        raise NotFound("There is no such rule.")
    names, today = Names(catalog), now(request).date()
    shown = next((rule for rule in versions if rule.holds_on(today)), versions[0])
    context = {
        "code": code,
        "title": KINDS[shown.kind].words(shown),
        "kind": kind_name(versions[0].kind),
        "versions": [version_of(rule, names, today) for rule in versions],
        "crumbs": [{"label": "Rules", "url": reverse("rules")}, {"label": code}],
        "others": [row_of(rule, names) for rule in beside(versions[0], book, today)],
        "columns": COLUMNS,
        "may_write": request.user.role == PROGRAM_ADMIN,
        "drafts": rule_drafts().filter(status="draft") if request.user.role == PROGRAM_ADMIN else (),
    }
    return render(request, "claims/rules/rule.html", context)


def beside(rule: Rule, book: Book, day: date) -> list[Rule]:
    """The rules that answer the same question on a day: where they are more specific, they count instead."""
    slot = rule.slot or rule.code
    return [
        other
        for other in book.rules
        if other.code != rule.code and (other.slot or other.code) == slot and other.holds_on(day)
    ]


def version_of(rule: Rule, names: Names, today: date) -> dict[str, Any]:
    """What the page says of one version."""
    return {
        "number": rule.version,
        "now": rule.holds_on(today),
        "rows": [
            {"key": "Says", "value": rule.sentence},
            {"key": "In figures", "value": KINDS[rule.kind].words(rule)},
            {"key": "Holds", "value": capital(days_of(rule.valid_from, rule.valid_to))},
            {"key": "Holds for", "value": capital(names.scope(rule)) or "Everything"},
            *([{"key": "Example", "value": "No source publishes it"}] if rule.example else []),
        ],
        "examples": [
            {"outcome": str(example.get("outcome", "")), "facts": facts_of_example(example)}
            for example in rule.examples
        ],
    }


def facts_of_example(example: Mapping[str, Any]) -> str:
    """The facts of an example in words: what differs from a complete claim that passes."""
    facts = example.get("facts", {})
    said = [f"{name.replace('_', ' ')}: {plain_words(value)}" for name, value in facts.items()]
    return capital("; ".join(said)) if said else "A complete claim"


def plain_words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {plain_words(item)}" for name, item in value.items())
    if isinstance(value, list):
        return ", ".join(plain_words(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
