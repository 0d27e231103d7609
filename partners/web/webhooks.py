"""One's webhooks: the list, adding and changing one, its secret, and deleting it."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.db.models.functions import Now
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from coop.lib.dates import show_instant
from coop.lib.errors import Invalid, NotFound, Refused, Stale
from coop.lib.forms import add_refusal
from coop.lib.web import now
from partners import states
from partners.hooks import operations
from partners.hooks.addresses import URL_MAX
from partners.hooks.news import host_of
from partners.models import Delivery, Person, Webhook
from partners.web.request import PersonRequest


class WebhookForm(forms.Form):
    """Where it leads and what it gets; nothing chosen means everything."""

    url = forms.CharField(
        label="Address",
        max_length=URL_MAX,
        help_text="Where your program listens, for example https://example.com/coop",
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "Enter the address that events are posted to"},
    )
    areas = forms.MultipleChoiceField(
        label="Events about",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Choose none for all events that you may see.",
    )
    kinds = forms.CharField(
        label="Single kinds of events",
        required=False,
        max_length=2_000,
        help_text="Beside those above, for example: claim.approved, plan.returned",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    revision = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, by: Person, **options: Any) -> None:
        super().__init__(*args, **options)
        areas = states.EVENT_AREAS if by.is_vendor else {one: states.EVENT_AREAS[one] for one in states.PARTNER_AREAS}
        self.fields["areas"].choices = [(f"{area}.*", name) for area, name in areas.items()]  # type: ignore[attr-defined]

    def wanted(self) -> dict[str, Any]:
        """What to save: the address, and the kinds of events."""
        given = self.cleaned_data
        return {"url": given["url"], "events": [*given["areas"], *re.findall(r"[^\s,;]+", given["kinds"])]}

    def refuse(self, refusal: Refused) -> None:
        """Kinds of events that are not known belong to the text field: the boxes hold known ones."""
        places = {error.field: "kinds" for error in refusal.errors if error.field.startswith("events")}
        add_refusal(self, refusal, places)


def chosen(webhook: Webhook, by: Person) -> dict[str, Any]:
    """A webhook as the form shows it."""
    areas = states.EVENT_AREAS if by.is_vendor else states.PARTNER_AREAS
    boxes = [kind for kind in webhook.events if kind.endswith(".*") and kind[:-2] in areas]
    others = [kind for kind in webhook.events if kind not in boxes]
    return {"url": webhook.url, "areas": boxes, "kinds": ", ".join(others), "revision": webhook.revision}


def own_webhook(request: PersonRequest, webhook_id: int) -> Webhook:
    """Raises NotFound, for somebody else's too."""
    found = Webhook.objects.visible_to(request.user).annotate(wall=Now()).filter(id=webhook_id).first()
    if found is None:
        raise NotFound(operations.NOT_FOUND)
    return found


def standing(webhook: Any) -> tuple[str, str]:
    """How a webhook stands, in words, and the tone of its status; it carries the wall clock as `wall`."""
    if webhook.off_reason and not webhook.active:
        return "Switched off", "problem"
    if not webhook.active:
        return "Paused", "locked"
    if webhook.paused_until_wall and webhook.paused_until_wall > webhook.wall:
        return f"Resting until {show_instant(webhook.paused_until_wall)}", "attention"
    return ("Failing", "attention") if webhook.failures else ("Active", "done")


def kinds_in_words(webhook: Webhook) -> str:
    """E.g. "Claims, plan.approved"."""
    named = [states.EVENT_AREAS.get(kind[:-2], kind) if kind.endswith(".*") else kind for kind in webhook.events]
    return ", ".join(named) or "All that you may see"


def trail(webhook: Webhook | None = None) -> list[dict[str, str]]:
    crumbs = [{"label": "Webhooks", "url": reverse("webhooks")}]
    if webhook:
        host = host_of(webhook.url)[:40] or "Webhook"
        crumbs.append({"label": host, "url": reverse("webhook", args=[webhook.pk])})
    return crumbs


@login_required
@require_safe
def webhooks(request: PersonRequest) -> HttpResponse:
    """All of one's own."""
    operations.require_place(request.user)
    found = list(Webhook.objects.visible_to(request.user).annotate(wall=Now()).order_by("id"))
    waiting = Delivery.objects.filter(webhook__in=found, status="waiting").order_by().values("webhook_id")
    numbers = dict(waiting.annotate(number=Count("id")).values_list("webhook_id", "number"))
    rows = []
    for one in found:
        text, tone = standing(one)
        row = {"id": one.pk, "url": one.url, "kinds": kinds_in_words(one), "text": text, "tone": tone}
        rows.append({**row, "waiting": numbers.get(one.pk, 0)})
    full = len(rows) >= operations.MOST_WEBHOOKS
    return render(request, "partners/webhooks.html", {"rows": rows, "full": full, "most": operations.MOST_WEBHOOKS})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def webhook_new(request: PersonRequest) -> HttpResponse:
    """Add one; the answer shows its secret, which no other page does."""
    operations.require_place(request.user)
    form = WebhookForm(request.POST if request.method == "POST" else None, by=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            made, secret = operations.create_webhook(**form.wanted(), by=request.user, at=now(request))
        except Invalid as refusal:
            form.refuse(refusal)
        else:
            return show_secret(request, made, secret)
    context = {
        "form": form,
        "crumbs": trail(),
        "title": "Add a webhook",
        "save": "Add webhook",
        "back": reverse("webhooks"),
    }
    return render(request, "partners/webhook_form.html", context, status=400 if form.errors else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def webhook_change(request: PersonRequest, webhook_id: int) -> HttpResponse:
    known = own_webhook(request, webhook_id)
    initial = chosen(known, request.user)
    form = WebhookForm(request.POST if request.method == "POST" else None, initial=initial, by=request.user)
    if request.method == "POST" and form.is_valid():
        revision = form.cleaned_data["revision"]
        try:
            operations.update_webhook(known.pk, form.wanted(), revision=revision, by=request.user, at=now(request))
        except (Invalid, Stale) as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, "The webhook is saved.")
            return redirect("webhook", known.pk)
    back = reverse("webhook", args=[known.pk])
    context = {
        "form": form,
        "crumbs": trail(known),
        "title": "Change the webhook",
        "save": "Save webhook",
        "back": back,
    }
    return render(request, "partners/webhook_form.html", context, status=400 if form.errors else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def webhook_secret(request: PersonRequest, webhook_id: int) -> HttpResponse:
    """Ask, then make a new secret and show it."""
    known = own_webhook(request, webhook_id)
    if request.method == "POST":
        made, secret = operations.rotate_secret(known.pk, by=request.user, at=now(request))
        return show_secret(request, made, secret)
    return ask(
        request,
        known,
        title="Make a new secret?",
        text=f"The new secret is shown once. For {operations.HOURS_OF_TWO_SECRETS} hours everything is signed with both, so "
        "that you can change it in your program without losing anything. Then the old one ends.",
        act="Make a new secret",
        keep="Keep the one I have",
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def webhook_delete(request: PersonRequest, webhook_id: int) -> HttpResponse:
    """Ask, then delete."""
    known = own_webhook(request, webhook_id)
    if request.method == "POST":
        operations.delete_webhook(known.pk, by=request.user, at=now(request))
        messages.success(request, "The webhook is deleted.")
        return redirect("webhooks")
    waiting = known.deliveries.filter(status="waiting").count()
    return ask(
        request,
        known,
        title="Delete this webhook?",
        text=f"Its log goes with it. What still waits ({waiting}) is not sent any more. To stop it for a while, pause it.",
        act="Delete webhook",
        keep="Keep it",
        danger=True,
    )


def ask(request: PersonRequest, known: Webhook, **words: Any) -> HttpResponse:
    return render(request, "partners/webhook_ask.html", {"webhook": known, "crumbs": trail(known), **words})


def show_secret(request: PersonRequest, webhook: Webhook, secret: str) -> HttpResponse:
    """The one page that shows it; it is kept nowhere on the way, so reloading does not bring it back."""
    return render(
        request, "partners/webhook_secret.html", {"webhook": webhook, "secret": secret, "crumbs": trail(webhook)}
    )
