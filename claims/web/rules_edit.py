"""Writing one rule of a draft: change it from a day on, add one, let one end, take a change back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from claims.models import RuleDraft
from claims.operations import rule_drafts as operations
from claims.operations.catalog import all_faults
from claims.queries.catalog import rule_draft
from claims.rules.book import read_rule
from claims.rules.drafts import versions
from claims.rules.kinds import KINDS
from claims.rules.words import Names
from claims.web.rules import kind_name, version_of
from claims.web.rules_drafts import crumbs
from claims.web.rules_form import RuleForm
from claims.web.rules_timeline import timeline
from coop.lib.errors import Invalid, NotFound
from coop.lib.forms import DayField, add_refusal
from coop.lib.web import now, whole_number
from partners.permissions import require_role
from partners.states import PROGRAM_ADMIN
from partners.web.request import PersonRequest


class EndForm(forms.Form):
    """From when on a rule holds no more."""

    end_on = DayField(label="Last day", error_messages={"required": "Say the last day on which it holds"})


def require_writer(request: PersonRequest) -> None:
    require_role(request.user, PROGRAM_ADMIN, to="change the rules")


@login_required
@require_safe
def pick_rule(request: PersonRequest, draft_id: int) -> HttpResponse:
    """From the list of rules, or of kinds, to the form."""
    require_writer(request)
    if request.GET.get("kind") in KINDS:
        return redirect(f"{reverse('rules-draft-rule-new', args=[draft_id])}?kind={request.GET['kind']}")
    draft = rule_draft(draft_id, request.user)
    code = request.GET.get("rule", "")
    if not versions(draft.catalog, code):
        raise NotFound("There is no such rule in this draft.")
    return redirect("rules-draft-rule", draft_id, code)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def draft_rule(request: PersonRequest, draft_id: int, code: str) -> HttpResponse:
    """The form of one rule of a draft; a POST changes it from a day on."""
    require_writer(request)
    draft = rule_draft(draft_id, request.user)
    newest = newest_of(draft, code)
    kind = newest["code"].partition(".")[0]
    started = versions(draft.base.catalog, code) != versions(draft.catalog, code)
    if request.method == "POST":
        form = RuleForm(request.POST, kind=kind, catalog=draft.catalog, row=newest)
        if form.is_valid() and changed(request, draft, form):
            return redirect("rules-draft-rule", draft_id, code)
    else:
        form = RuleForm(kind=kind, catalog=draft.catalog, row=newest)
        if started:
            form.initial["first_day"] = newest["valid_from"]
    return render(request, "claims/rules/draft_rule.html", page(draft, code, form), status=400 if form.errors else 200)


def newest_of(draft: RuleDraft, code: str) -> Any:
    found = versions(draft.catalog, code)
    if not found:
        raise NotFound("There is no such rule in this draft.")
    return found[-1]


def changed(request: PersonRequest, draft: RuleDraft, form: RuleForm) -> bool:
    """Whether the rule could be changed as the form says; if not, the form says why."""
    row = form.read()
    try:
        operations.change_rule(
            draft.pk,
            row,
            from_day=form.cleaned_data["first_day"],
            revision=revision_of(request),
            by=request.user,
            at=now(request),
        )
    except Invalid as refusal:
        form.refuse(refusal)
        return False
    messages.success(request, "Saved in the draft.")
    return True


def revision_of(request: PersonRequest) -> int | None:
    return whole_number(request.POST.get("revision", ""))


def page(draft: RuleDraft, code: str, form: RuleForm, end: EndForm | None = None) -> dict[str, Any]:
    known = versions(draft.catalog, code)
    names = Names(draft.catalog)
    mine = f"rules.{code}/"
    faults = all_faults(draft.catalog, draft.base)
    return {
        "draft": draft,
        "code": code,
        "kind": kind_name(code.partition(".")[0]),
        "form": form,
        "end_form": end or EndForm(),
        "versions": [version_of(read_rule(row), names, draft.created_at.date()) for row in reversed(known)],
        "timeline": timeline(code, known),
        "faults": [fault for fault in faults if fault.field.startswith(mine)],
        "changed": known != versions(draft.base.catalog, code),
        "published": bool(versions(draft.base.catalog, code)),
        "crumbs": crumbs(code, draft=draft),
    }


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def draft_rule_new(request: PersonRequest, draft_id: int) -> HttpResponse:
    """The form of a new rule of a kind; a POST adds it."""
    require_writer(request)
    draft = rule_draft(draft_id, request.user)
    kind = request.GET.get("kind", "")
    if kind not in KINDS:
        raise NotFound("There is no such kind of rule.")
    form = RuleForm(request.POST or None, kind=kind, catalog=draft.catalog)
    if request.method == "POST" and form.is_valid():
        row = form.read()
        try:
            operations.add_rule(draft_id, row, revision=revision_of(request), by=request.user, at=now(request))
        except Invalid as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, "The rule is in the draft.")
            return redirect("rules-draft-rule", draft_id, row["code"])
    context = {"draft": draft, "form": form, "kind": kind_name(kind), "crumbs": crumbs("New rule", draft=draft)}
    return render(request, "claims/rules/draft_rule_new.html", context, status=400 if form.errors else 200)


@login_required
@require_POST
def draft_rule_end(request: PersonRequest, draft_id: int, code: str) -> HttpResponse:
    """Let a rule end on a day."""
    require_writer(request)
    form = EndForm(request.POST)
    if form.is_valid():
        try:
            operations.end_rule(
                draft_id,
                code,
                last_day=form.cleaned_data["end_on"],
                revision=revision_of(request),
                by=request.user,
                at=now(request),
            )
        except Invalid as refusal:
            add_refusal(form, refusal, {"valid_to": "end_on"})
        else:
            messages.success(request, "Saved in the draft.")
            return redirect("rules-draft-rule", draft_id, code)
    draft = rule_draft(draft_id, request.user)
    rule = RuleForm(kind=code.partition(".")[0], catalog=draft.catalog, row=newest_of(draft, code))
    return render(request, "claims/rules/draft_rule.html", page(draft, code, rule, form), status=400)


@login_required
@require_POST
def draft_rule_restore(request: PersonRequest, draft_id: int, code: str) -> HttpResponse:
    """Take back what the draft changed of a rule."""
    require_writer(request)
    operations.restore_rule(draft_id, code, revision=revision_of(request), by=request.user, at=now(request))
    messages.success(request, "The rule is as it was published.")
    return redirect("rules-draft", draft_id)
