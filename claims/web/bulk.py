"""Several claims at once: taken into one's review, or approved where nothing in them is open. Each gets its own answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from claims.models import Claim
from claims.operations.bulk import approve_clean
from claims.operations.review import start_review
from claims.queries.book import current_book, share_book
from claims.queries.vendor import UNDECIDED, findings_for_review, open_duplicates, why_not_at_once
from coop.lib import money
from coop.lib.errors import Refused
from coop.lib.web import now
from partners.permissions import require_role
from partners.states import CHANNEL_MANAGER
from partners.web.request import PersonRequest

MOST = 50  # rows of two pages of the worklist


@login_required
@require_POST
def several(request: PersonRequest) -> HttpResponse:
    """What was picked on the worklist: taken at once, or shown with count and total before it is approved."""
    require_role(request.user, CHANNEL_MANAGER, to="decide on claims")
    picked = read_picked(request.POST.getlist("pick"))
    if not picked:
        messages.error(request, "Pick at least one claim first.")
        return redirect("worklist")
    act = request.POST.get("act")
    if act == "take":
        return take_all(request, picked)
    if act == "confirm":
        return approve_all(request, picked)
    return check(request, picked)


def read_picked(given: Iterable[str]) -> dict[int, int | None]:
    """The claims that were picked, each with the revision that was shown where it was: "17" or "17:3"."""
    found: dict[int, int | None] = {}
    for text in given:
        claim, _, revision = text.partition(":")
        if claim.isascii() and claim.isdigit() and len(claim) < 19:
            found[int(claim)] = (
                int(revision) if revision.isascii() and revision.isdigit() and len(revision) < 10 else None
            )
    return dict(list(found.items())[:MOST])


def take_all(request: PersonRequest, picked: dict[int, int | None]) -> HttpResponse:
    """Begin the review of each; what cannot be taken is said."""
    taken, refused = 0, []
    for claim_id in picked:
        try:
            start_review(claim_id, by=request.user, at=now(request))
            taken += 1
        except Refused as refusal:
            refused.append(refusal.message)
    if taken:
        messages.success(request, f"You are reviewing {taken} claim{'' if taken == 1 else 's'}.")
    for sentence in refused[:5]:
        messages.warning(request, sentence)
    return redirect("worklist")


def check(request: PersonRequest, picked: dict[int, int | None]) -> HttpResponse:
    """Which of the picked claims would be approved, with their number and total, and why the others not."""
    at, who = now(request), request.user
    found = Claim.objects.visible_to(who).with_names().select_related("fund__enrollment", "reviewer")
    claims = list(found.filter(id__in=picked, status__in=UNDECIDED).prefetch_related("lines", "documents__stored"))
    share_book(claims, current_book())
    doubles = open_duplicates(picked)
    clean, others = [], []
    sums: dict[str, int] = defaultdict(int)
    for claim in claims:
        why = why_not_at_once(claim, findings_for_review(claim, at=at), doubles[claim.pk], by=who)
        if why:
            others.append({"claim": claim, "why": why})
        else:
            clean.append(claim)
            sums[claim.currency] += claim.claimed_minor
    return render(
        request,
        "claims/review/several.html",
        {
            "clean": clean,
            "others": others,
            "gone": len(picked) - len(claims),
            "total": ", ".join(money.display(sums[currency], currency) for currency in sorted(sums)),
            "crumbs": [{"label": "Worklist", "url": reverse("worklist")}],
        },
    )


def approve_all(request: PersonRequest, picked: dict[int, int | None]) -> HttpResponse:
    """Approve each by itself: what one is refused does not hold up the others."""
    answers: list[dict[str, Any]] = []
    numbers = dict(Claim.objects.visible_to(request.user).filter(id__in=picked).values_list("id", "number"))
    for claim_id, revision in picked.items():
        number = numbers.get(claim_id, "")
        url = reverse("review", args=[claim_id]) if number else ""
        try:
            claim = approve_clean(claim_id, revision=revision, by=request.user, at=now(request))
            answers.append({"number": number, "url": url, "done": claim.show(claim.approved_minor)})
        except Refused as refusal:
            answers.append({"number": number or "One claim", "url": url, "why": refusal.message})
    return render(
        request,
        "claims/review/several_done.html",
        {
            "answers": answers,
            "done": sum("done" in answer for answer in answers),
            "crumbs": [{"label": "Worklist", "url": reverse("worklist")}],
        },
    )
