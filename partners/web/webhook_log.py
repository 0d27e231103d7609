"""One webhook: how it stands and what was sent; tests, replays, and delivering again."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from coop.lib.dates import show_instant
from coop.lib.errors import NotFound, Refused
from coop.lib.web import asked_number, now
from partners import states
from partners.hooks import operations
from partners.hooks.fanout import seen_by
from partners.hooks.letters import TEST, body_of
from partners.models import Delivery, Webhook
from partners.web.request import PersonRequest
from partners.web.webhooks import kinds_in_words, own_webhook, standing, trail

PAGE = 50
TONES = {"waiting": "active", "sent": "done", "failed": "problem"}


class ShowForm(forms.Form):
    """Which deliveries to show."""

    show = forms.ChoiceField(label="Status", required=False, choices=[("", "All"), *states.SENDING.items()])


class ReplayForm(forms.Form):
    """From when on to look for what was missed."""

    since = forms.DateTimeField(
        label="Since (UTC)",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
        error_messages={"required": "Enter the day and time", "invalid": "Write it like 2024-03-31 09:00"},
    )


@login_required
@require_safe
def webhook(request: PersonRequest, webhook_id: int) -> HttpResponse:
    return show_webhook(request, own_webhook(request, webhook_id))


def show_webhook(request: PersonRequest, known: Webhook, replay: ReplayForm | None = None) -> HttpResponse:
    text, tone = standing(known)
    filters = ShowForm(request.GET)
    wanted = filters.cleaned_data["show"] if filters.is_valid() else ""
    found = known.deliveries.prefetch_related("tries").order_by("-id")
    if wanted:
        found = found.filter(status=wanted)
    if (before := asked_number(request, "before")) is not None:
        found = found.filter(id__lt=before)
    deliveries = list(found[: PAGE + 1])
    here = reverse("webhook", args=[known.pk])
    older = f"{here}?show={wanted}&before={deliveries[PAGE - 1].pk}" if len(deliveries) > PAGE else ""
    testing = known.deliveries.filter(status="waiting", verb=TEST).exists()
    context = {
        "webhook": known,
        "crumbs": trail(),
        "status_text": text,
        "status_tone": tone,
        "facts": facts(known),
        "rows": [row(one) for one in deliveries[:PAGE]],
        "filters": filters,
        "filtered": bool(wanted),
        "testing": testing,
        "older_url": older,
        "newer_url": f"{here}?show={wanted}" if before is not None else "",
        "replay": replay or ReplayForm(),
        "form": replay,
    }
    return render(request, "partners/webhook.html", context, status=400 if replay and replay.errors else 200)


def facts(known: Any) -> list[dict[str, Any]]:
    change = {"change_url": reverse("webhook-change", args=[known.pk]), "change_label": "the webhook"}
    rows = [{"key": "Address", "value": known.url, **change}, {"key": "Events", "value": kinds_in_words(known)}]
    if known.off_reason:
        rows.append({"key": "Why it is off", "value": known.off_reason})
    if known.failures:
        since = f", the first on {show_instant(known.failing_since_wall)}" if known.failing_since_wall else ""
        rows.append({"key": "Failures in a row", "value": f"{known.failures}{since}"})
    secret = {"change_url": reverse("webhook-secret", args=[known.pk]), "change_label": "the secret"}
    old = known.old_secret_until_wall
    both = f"; signed with the one before, too, until {show_instant(old)}" if old and old > known.wall else ""
    return [*rows, {"key": "Secret", "value": f"Was shown once{both}", **secret}]


def row(one: Delivery) -> dict[str, Any]:
    """One delivery in the log, with what came of its last try."""
    last = next(iter(one.tries.all()), None)
    said = one.reason or (last.error or f"It answered {last.status}" if last else "Not tried yet")
    more = f"Next try {show_instant(one.next_try_wall)}" if one.status == "waiting" and one.attempts else ""
    return {
        "id": one.pk,
        "verb": one.verb,
        "record": one.record.replace(":", " ", 1).replace("_", " ") if one.event_id else "A test",
        "when": show_instant(one.created_wall),
        "status": states.SENDING[one.status],
        "tone": TONES[one.status],
        "said": said,
        "more": more,
        "attempts": one.attempts,
    }


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delivery(request: PersonRequest, webhook_id: int, delivery_id: int) -> HttpResponse:
    """One delivery with every try; delivers it again when asked to."""
    known = own_webhook(request, webhook_id)
    one = (
        known.deliveries.select_related("event", "webhook__owner")
        .prefetch_related("tries")
        .filter(id=delivery_id)
        .first()
    )
    if one is None:
        raise NotFound("There is no such delivery.")
    here = reverse("webhook-delivery", args=[known.pk, one.pk])
    if request.method == "POST":
        operations.redeliver(known.pk, one.pk, by=request.user, at=now(request))
        messages.success(request, "It is delivered again, with the same Webhook-Id.")
        return redirect(here)
    tries = [
        {"tried": tried, "when": show_instant(tried.at_wall), "tone": "problem" if tried.error else "done"}
        for tried in one.tries.all()
    ]
    seen = one.event is None or bool(seen_by([request.user], [one.event]))
    context = {
        "webhook": known,
        "one": row(one),
        "message_id": one.message_id,
        "waiting": one.status == "waiting",
        "may_send": known.active or one.event_id is None,
        "tries": tries,
        "body": json.dumps(json.loads(body_of(one, one.event)), indent=2, ensure_ascii=False) if seen else "",
        "crumbs": trail(known),
        "here": here,
    }
    return render(request, "partners/webhook_delivery.html", context)


@login_required
@require_POST
def webhook_test(request: PersonRequest, webhook_id: int) -> HttpResponse:
    operations.test_webhook(webhook_id, by=request.user, at=now(request))
    messages.success(request, "A test is on its way. The log shows what came of it.")
    return redirect("webhook", webhook_id)


@login_required
@require_POST
def webhook_pause(request: PersonRequest, webhook_id: int) -> HttpResponse:
    """Pause it, or let it go on: which of both, the button says."""
    active = request.POST.get("active") == "1"
    operations.update_webhook(webhook_id, {"active": active}, by=request.user, at=now(request))
    said = (
        "The webhook goes on. What happened while it was paused is sent when you replay it."
        if active
        else "The webhook is paused. Nothing is sent until you let it go on."
    )
    messages.success(request, said)
    return redirect("webhook", webhook_id)


@login_required
@require_POST
def webhook_replay(request: PersonRequest, webhook_id: int) -> HttpResponse:
    form = ReplayForm(request.POST)
    known = own_webhook(request, webhook_id)
    if form.is_valid():
        try:
            done = operations.replay(known.pk, since=form.cleaned_data["since"], by=request.user, at=now(request))
        except Refused as refusal:
            form.add_error("since", refusal.message)
        else:
            total = done.again + done.added
            messages.success(
                request, f"{total} missed events are sent now." if total else "Nothing was missed since then."
            )
            return redirect("webhook", known.pk)
    return show_webhook(request, known, form)
