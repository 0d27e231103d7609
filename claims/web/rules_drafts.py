"""Drafts of the rules: begin one, see what it changes and what is wrong with it, have it published by a second person."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
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
from claims.queries.book import current_publication
from claims.queries.catalog import catalog_file, publication, rule_draft
from claims.rules.changes import Change, changes_between
from claims.rules.drafts import versions
from claims.rules.kinds import KINDS
from claims.web.rules import DRAFT_STATUSES, kind_name, require_reader
from claims.web.rules_publications import toml_download
from claims.web.rules_timeline import timeline
from coop.lib.dates import show_instant
from coop.lib.errors import Invalid, NotFound, SelfDecision, Stale
from coop.lib.forms import add_refusal
from coop.lib.web import now, whole_number
from partners.permissions import require_role
from partners.states import PROGRAM_ADMIN
from partners.web.request import PersonRequest

LARGEST_FILE = 2_000_000  # bytes; the shipped catalog has 60,000


class TitleForm(forms.Form):
    """What a draft is about."""

    title = forms.CharField(
        label="What is to change",
        max_length=200,
        help_text="In a few words, e.g. FY28: higher limit for SPIFF",
        error_messages={"required": "Say in a few words what is to change"},
    )
    rule = forms.CharField(required=False, widget=forms.HiddenInput)


class NoteForm(forms.Form):
    """What one says to the other person."""

    note = forms.CharField(label="Note", required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))


class FileForm(forms.Form):
    """A whole catalog as a file."""

    file = forms.FileField(
        label="Catalog file (TOML)",
        help_text="For what no form here changes: programs, splits, activities. Download the draft, edit it, upload it.",
        error_messages={"required": "Choose the file", "empty": "The file is empty. Choose the file once more."},
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def draft_new(request: PersonRequest) -> HttpResponse:
    """Begin a draft from the catalog in force."""
    require_role(request.user, PROGRAM_ADMIN, to="change the rules")
    form = TitleForm(request.POST) if request.method == "POST" else TitleForm(initial={"rule": request.GET.get("rule")})
    if request.method == "POST" and form.is_valid():
        draft = operations.begin_draft(title=form.cleaned_data["title"], by=request.user, at=now(request))
        if form.cleaned_data["rule"]:
            return redirect("rules-draft-rule", draft.pk, form.cleaned_data["rule"])
        return redirect("rules-draft", draft.pk)
    context = {"form": form, "crumbs": crumbs("New draft"), "publication": current_publication()[0]}
    return render(request, "claims/rules/draft_new.html", context, status=400 if form.errors else 200)


def crumbs(*labels: str, draft: RuleDraft | None = None) -> list[dict[str, str]]:
    found = [{"label": "Rules", "url": reverse("rules")}]
    if draft is not None:
        found.append({"label": draft.title, "url": reverse("rules-draft", args=[draft.pk])})
    return [*found, *({"label": label} for label in labels)]


@login_required
@require_safe
def draft_page(request: PersonRequest, draft_id: int) -> HttpResponse:
    """One draft: what it changes in words, its faults, and what may be done with it."""
    require_reader(request)
    return page_of(request, draft_id)


def page_of(
    request: PersonRequest, draft_id: int, *, note: forms.Form | None = None, file: forms.Form | None = None
) -> HttpResponse:
    draft = rule_draft(draft_id, request.user)
    admin = request.user.role == PROGRAM_ADMIN
    text, tone = DRAFT_STATUSES[draft.status]
    changes = changes_between(draft.base.catalog, draft.catalog)
    changed = list(dict.fromkeys(change.code for change in changes if change.section == "rules"))
    open_ = draft.status in ("draft", "requested")
    newest = current_publication()[0]
    stale = open_ and newest != draft.base_id
    faults = all_faults(draft.catalog, draft.base) if open_ else []
    context = {
        "draft": draft,
        "status_text": text,
        "status_tone": tone,
        "changes": [told(draft, change) for change in changes],
        "faults": faults,
        "timelines": [drawn for code in changed if (drawn := timeline(code, versions(draft.catalog, code)))],
        "stale": stale,
        "newest": newest,
        "meanwhile": meanwhile(draft, newest, request) if stale else [],
        "writes": admin and draft.status == "draft",
        "mine": draft.requested_by_id == request.user.pk,
        "decides": admin and draft.status == "requested" and draft.requested_by_id != request.user.pk,
        "takes_back": admin and draft.status == "requested" and draft.requested_by_id == request.user.pk,
        "kinds": rules_by_kind(draft),
        "all_kinds": [(kind, kind_name(kind)) for kind in KINDS],
        "form": note or NoteForm(),
        "file_form": file or FileForm(),
        "history": history(draft),
        "actions": [
            {"label": "Simulate on past claims", "url": f"{reverse('rules-simulator')}?rules=draft-{draft.pk}"},
            {"label": "Download (TOML)", "url": reverse("rules-draft-file", args=[draft.pk])},
        ],
        "crumbs": crumbs(draft.title),
    }
    refused = any(form is not None and form.errors for form in (note, file))
    return render(request, "claims/rules/draft.html", context, status=400 if refused else 200)


def told(draft: RuleDraft, change: Change) -> dict[str, str]:
    url = reverse("rules-draft-rule", args=[draft.pk, change.code]) if change.section == "rules" else ""
    return {"sentence": change.sentence, "url": url}


def meanwhile(draft: RuleDraft, newest: int, request: PersonRequest) -> list[str]:
    """What was published since the draft was begun."""
    return [
        change.sentence for change in changes_between(draft.base.catalog, publication(newest, request.user).catalog)
    ]


def rules_by_kind(draft: RuleDraft) -> list[tuple[str, list[tuple[str, str]]]]:
    """The rules of a draft for a list to choose from, by what they are about."""
    found: dict[str, dict[str, str]] = {}
    for row in draft.catalog["rules"]:
        found.setdefault(row["code"].partition(".")[0], {})[row["code"]] = row["sentence"]
    return [(kind_name(kind), list(rules.items())) for kind, rules in found.items()]


def history(draft: RuleDraft) -> list[dict[str, Any]]:
    """Who did what with the draft, newest first."""
    found = [(draft.created_at, draft.created_by.name, f"began it from publication {draft.base_id}", "")]
    if draft.requested_at and draft.requested_by:
        asked = "" if draft.decided_by else draft.note
        found.append((draft.requested_at, draft.requested_by.name, "asked for its publication", asked))
    if draft.decided_at and draft.decided_by:
        did = "published it" if draft.status == "published" else "sent it back"
        found.append((draft.decided_at, draft.decided_by.name, did, draft.note if draft.status == "draft" else ""))
    return [
        {"who": who, "what": what, "when": show_instant(at), "iso": at.isoformat(), "note": note}
        for at, who, what, note in reversed(found)
    ]


# --- What is done with a draft ------------------------------------------------------------------------------------------

Act = Callable[..., Any]
ACTS: dict[str, tuple[Act, str]] = {
    "request": (operations.request_publication, "Another program admin was asked to publish this draft."),
    "publish": (operations.publish_draft, "Published: these rules are in force now."),
    "send_back": (operations.send_back, "Sent back."),
    "take_back": (operations.take_back, "You can go on writing."),
    "renew": (operations.renew_draft, "The draft rests on the catalog in force now."),
    "discard": (operations.discard_draft, "Given up. It stays to be read."),
}
WITH_NOTE = ("request", "send_back")


@login_required
@require_POST
def draft_act(request: PersonRequest, draft_id: int, act: str) -> HttpResponse:
    """Do one thing with the draft as a whole; what does not fit is shown on its page."""
    require_reader(request)
    if act not in ACTS:
        raise NotFound("Nothing of this name can be done with a draft.")
    form = NoteForm(request.POST)
    if form.is_valid():
        operation, said = ACTS[act]
        words = {"note": form.cleaned_data["note"]} if act in WITH_NOTE else {}
        try:
            operation(
                draft_id,
                **words,
                revision=whole_number(request.POST.get("revision", "")),
                by=request.user,
                at=now(request),
            )
        except (Invalid, SelfDecision, Stale) as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, said)
            return redirect("rules-draft", draft_id)
    return page_of(request, draft_id, note=form)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def draft_file(request: PersonRequest, draft_id: int) -> HttpResponse:
    """The draft as a file; a POST puts an edited file in its place."""
    require_reader(request)
    if request.method != "POST":
        draft = rule_draft(draft_id, request.user)
        return toml_download(
            catalog_file(draft.catalog, f"draft {draft.pk}, {draft.title!r}"), f"draft-{draft.pk}.toml"
        )
    form = FileForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            operations.replace_catalog(
                draft_id,
                read_file(form),
                revision=whole_number(request.POST.get("revision", "")),
                by=request.user,
                at=now(request),
            )
        except Stale as refusal:
            add_refusal(form, refusal)
        except Invalid as refusal:
            for error in refusal.errors:
                form.add_error("file", f"{error.field}: {error.message}")
        else:
            messages.success(request, "The file was taken. See below what it changes.")
            return redirect("rules-draft", draft_id)
    return page_of(request, draft_id, file=form)


def read_file(form: FileForm) -> dict[str, Any]:
    """The catalog in the file that was sent. Raises Invalid."""
    file = form.cleaned_data["file"]
    if file.size > LARGEST_FILE:
        raise Invalid.field("file", "The file is larger than any catalog: at most 2 MB are read.")
    try:
        return tomllib.loads(file.read().decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Invalid.field("file", f"This is not a TOML file: {error}.") from None
    except (RecursionError, ValueError):  # lists in lists without end, and numbers of thousands of digits
        raise Invalid.field("file", "This is not a catalog: it is nested too deep, or a number is too long.") from None
