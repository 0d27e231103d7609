"""What one was told: the new ones first, each with its instants and its money, and the way to the page where one acts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Max, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from coop.lib.web import now, whole_number
from partners.models import Notice, Person
from partners.reading import new_notices, read_all, read_notice, said
from partners.states import NOTICES
from partners.telling import amount_of, moments_of
from partners.web.request import PersonRequest

PAGE = 50
# What is said to be wrong by its colour too; the words say it anyway.
TONES = {"needs_you": "attention", "deadline": "attention", "expired": "problem", "nobody_acted": "problem"}


class KindForm(forms.Form):
    kind = forms.ChoiceField(
        label="About",
        required=False,
        choices=[("", "Everything"), *((code, name) for code, (name, _) in NOTICES.items())],
    )


@login_required
@require_safe
def notices(request: PersonRequest) -> HttpResponse:
    """All notices of the reader, or those of one kind: unread first, then the newest first."""
    kind = request.GET.get("kind", "")
    kind = kind if kind in NOTICES else ""
    found = Notice.objects.visible_to(request.user)
    found = found.filter(kind=kind) if kind else found
    ordered = found.annotate(is_read=Q(read_at__isnull=False)).order_by("is_read", "-id")
    page = Paginator(ordered, PAGE).get_page(request.GET.get("page"))
    new = new_notices(request.user)
    more = f"&kind={kind}" if kind else ""
    context = {
        "rows": [row(notice, request.user) for notice in page.object_list],
        "total": page.paginator.count,
        "new": new,
        "lede": f"{said(new)}." if new else "You have read all of them.",
        "newest": found.aggregate(last=Max("id"))["last"],
        "kind": kind,
        "form": KindForm(request.GET),
        "active": [{"label": NOTICES[kind][0], "url": reverse("notices")}] if kind else [],
        "newer_url": f"?page={page.previous_page_number()}{more}" if page.has_previous() else "",
        "older_url": f"?page={page.next_page_number()}{more}" if page.has_next() else "",
    }
    return render(request, "partners/notices.html", context)


def row(notice: Notice, reader: Person) -> dict[str, Any]:
    """One notice in words."""
    return {
        "id": notice.pk,
        "title": notice.title,
        "text": notice.text,
        "kind": NOTICES[notice.kind][0],
        "tone": TONES.get(notice.kind, "active") if notice.read_at is None else "done",
        "new": notice.read_at is None,
        "amount": amount_of(notice),
        "moments": list(moments_of(notice, reader)),
    }


@login_required
@require_POST
def notice_open(request: PersonRequest, notice_id: int) -> HttpResponse:
    """To the page that a notice is about; then it counts as read."""
    return redirect(read_notice(notice_id, by=request.user, at=now(request)).link)


@login_required
@require_POST
def notice_read(request: PersonRequest, notice_id: int) -> HttpResponse:
    read_notice(notice_id, by=request.user, at=now(request))
    return back(request)


@login_required
@require_POST
def notices_read(request: PersonRequest) -> HttpResponse:
    """All that were there when the page was made: what came since is still new."""
    until, kind = whole_number(request.POST.get("until", "")), request.POST.get("kind", "")
    read = read_all(until=until or 0, kind=kind if kind in NOTICES else "", by=request.user, at=now(request))
    messages.success(request, f"{read} notice{' is' if read == 1 else 's are'} marked as read.")
    return back(request)


def back(request: PersonRequest) -> HttpResponse:
    kind = request.POST.get("kind", "")
    return redirect(reverse("notices") + (f"?kind={kind}" if kind in NOTICES else ""))
