"""What one gets by mail: choosing it, ending it from a mail, and the mails that were written."""

from __future__ import annotations

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from csp.decorators import csp_replace
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from coop.lib import clock
from coop.lib.dates import show_instant
from coop.lib.errors import NotFound, Refused
from coop.lib.forms import add_refusal
from coop.lib.web import now
from partners import states
from partners.mail_ways import choose_second_contact, choose_ways, read_stop, stop_mails
from partners.mailing_times import way_of
from partners.models import Mail, Person
from partners.web.request import PersonRequest

PAGE = 50
READERS = (states.PROGRAM_ADMIN, states.AUDITOR)  # who may look at everybody's mails, to say what was sent
# A page on which nothing runs and nothing is fetched; styles may stand in its elements.
BARE = {"default-src": ["'none'"], "style-src": ["'unsafe-inline'"], "sandbox": ["allow-popups"]}
TONES = {"waiting": "active", "sent": "done", "failed": "problem"}


@cache
def zones() -> list[tuple[str, str]]:
    """The zones that people know by a place: Europe/Berlin, not CET or Etc/GMT+2."""
    places = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/")))
    return [("UTC", "UTC"), *((zone, zone.replace("_", " ")) for zone in places)]


class WaysForm(forms.Form):
    """How each kind of notice is mailed, the zone, the quiet hours and, for a partner admin, the second contact."""

    time_zone = forms.ChoiceField(
        label="Your time zone", help_text="Notices show the official time and yours. Digests come at 7:00 of yours."
    )
    quiet_from = forms.TimeField(
        label="No mail from",
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages={"invalid": "Enter a time like 20:00"},
        help_text="Mails that would come too late for their deadline come all the same.",
    )
    quiet_to = forms.TimeField(
        label="until",
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages={"invalid": "Enter a time like 07:00"},
    )

    def __init__(self, *args: Any, person: Person, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["time_zone"].choices = zones()  # type: ignore[attr-defined]
        for kind, (name, _) in states.NOTICES.items():
            if concerns(person, kind):
                self.fields[kind] = forms.ChoiceField(label=name, choices=list(states.WAYS.items()))
        if person.role == states.PARTNER_ADMIN and person.partner:
            people = person.partner.people.filter(is_active=True).exclude(role=states.AGENCY).order_by("name", "id")
            self.fields["second_contact"] = forms.ChoiceField(
                label="Who is told when nobody acts on money that is about to be lost",
                choices=[("", "All partner admins"), *((str(one.pk), f"{one.name}, {one.email}") for one in people)],
                required=False,
            )

    @property
    def kinds(self) -> list[str]:
        return [name for name in self.fields if name in states.NOTICES]


def concerns(person: Person, kind: str) -> bool:
    """Whether somebody in this role can get this kind at all."""
    if person.role == states.AGENCY:
        return kind in ("needs_you", "deadline")
    vendors_own, partners_own = ("operations",), ("payment", "forecast", "balance", "expired")
    if kind in vendors_own:
        return person.role in (states.PROGRAM_ADMIN, states.PARTNER_ADMIN)
    return kind not in partners_own or not person.is_vendor or person.role == states.FINANCE


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def notice_ways(request: PersonRequest) -> HttpResponse:
    """Choose what comes by mail, how, and when not."""
    person = request.user
    initial = {
        "time_zone": person.time_zone,
        "quiet_from": person.quiet_from,
        "quiet_to": person.quiet_to,
        "second_contact": str((person.partner and person.partner.second_contact_id) or ""),
        **{kind: way_of(person, kind) for kind in states.NOTICES},
    }
    form = WaysForm(request.POST or None, initial=initial, person=person)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            choose_ways(
                {kind: data[kind] for kind in form.kinds},
                time_zone=data["time_zone"],
                quiet_from=data["quiet_from"],
                quiet_to=data["quiet_to"],
                by=person,
                at=now(request),
            )
            if "second_contact" in form.fields:
                contact = int(data["second_contact"]) if data["second_contact"] else None
                choose_second_contact(contact, by=person, at=now(request))
        except Refused as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, "Saved. It counts from the next notice on.")
            return redirect("notice-ways")
    context = {
        "form": form,
        "kinds": [form[kind] for kind in form.kinds],
        "hours": [form["time_zone"], form["quiet_from"], form["quiet_to"]],
        "contact": form["second_contact"] if "second_contact" in form.fields else None,
    }
    return render(request, "partners/notice_ways.html", context)


@csrf_exempt  # mail programs press the button for their reader (RFC 8058), and the signed address says who that is
@require_http_methods(["GET", "HEAD", "POST"])
def mail_stop(request: HttpRequest, token: str) -> HttpResponse:
    """End mails from a mail, without signing in. Only the button does it: mail scanners open every link."""
    done = request.method == "POST"
    person, kind = stop_mails(token, at=clock.now()) if done else read_stop(token)
    context = {"done": done, "email": person.email, "kind": states.NOTICES[kind][0] if kind in states.NOTICES else ""}
    return render(request, "partners/mail_stop.html", context)


@login_required
@require_safe
def mails(request: PersonRequest) -> HttpResponse:
    """The mails that were written to the reader; with `?everybody=1`, for who looks after the product, to all."""
    everybody = "everybody" in request.GET and request.user.role in READERS
    found = (Mail.objects.all() if everybody else Mail.objects.filter(person=request.user)).select_related("person")
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    more = "&everybody=1" if everybody else ""
    context = {
        "mails": [
            {
                "mail": mail,
                "written": show_instant(mail.created_at, request.user.time_zone),
                "status": states.SENDING[mail.status],
                "tone": TONES[mail.status],
            }
            for mail in page.object_list
        ],
        "total": page.paginator.count,
        "everybody": everybody,
        "may_see_all": request.user.role in READERS,
        "newer_url": f"?page={page.previous_page_number()}{more}" if page.has_previous() else "",
        "older_url": f"?page={page.next_page_number()}{more}" if page.has_next() else "",
    }
    return render(request, "partners/mails.html", context)


def mail_for(request: PersonRequest, mail_id: int) -> Mail:
    """A mail that the reader may look at. Raises NotFound."""
    found = Mail.objects.select_related("person").filter(id=mail_id).first()
    if found is None or (found.person_id != request.user.pk and request.user.role not in READERS):
        raise NotFound("There is no such mail.")
    return found


@login_required
@require_safe
def mail(request: PersonRequest, mail_id: int) -> HttpResponse:
    """One mail: what became of it, and its words."""
    found = mail_for(request, mail_id)
    context = {
        "mail": found,
        "written": show_instant(found.created_at, request.user.time_zone),
        "status": states.SENDING[found.status],
        "tone": TONES[found.status],
    }
    return render(request, "partners/mail.html", context)


@login_required
@require_safe
@csp_replace(BARE)  # type: ignore[arg-type]
def mail_body(request: PersonRequest, mail_id: int) -> HttpResponse:
    """The mail as mail programs show it, alone on its page: its styles stand in its elements, and nothing in it may run."""
    return HttpResponse(mail_for(request, mail_id).html)
