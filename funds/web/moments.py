"""The two moments that a page may be asked for: the day that a balance is of, and when it was known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from coop.lib.api.fields import read_instant
from coop.lib.dates import end_of_day, show_day, show_instant
from coop.lib.errors import Invalid
from coop.lib.forms import DayField
from coop.lib.web import now
from funds.queries.past import INSTANT, Moment, require_past


class KnownInput(forms.TextInput):
    """A day is chosen in the browser's calendar; an exact instant, as links give it, stands as its text."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"]["type"] = "text" if "T" in str(value) else "date"
        return context


class KnownField(forms.Field):
    """A moment of knowledge that has come: a day, which means its end (of today: now), or an exact instant."""

    widget = KnownInput

    def __init__(self, *, at: datetime, zone: str, name: str, **options: Any) -> None:
        super().__init__(**options)
        self.at, self.zone, self.name = at, zone, name

    def to_python(self, value: Any) -> datetime | None:
        text = str(value or "").strip()
        if not text:
            return None
        try:
            found = read_instant(text) if "T" in text else self.end_of(text)
            require_past({self.name: found}, at=self.at)
        except ValueError as error:
            raise ValidationError(str(error), "invalid") from error
        except Invalid as refusal:
            raise ValidationError(refusal.message, refusal.errors[0].code) from refusal
        return found

    def end_of(self, text: str) -> datetime:
        day: date | None = DayField().clean(text)
        if day is None or day == self.at.astimezone(ZoneInfo(self.zone)).date():
            return self.at
        return end_of_day(day, self.zone) - INSTANT


class MomentForm(forms.Form):
    """Which day, and as it was known when; both may be left out."""

    as_of = DayField(label="Balance on", required=False)

    def __init__(self, data: Any, *, at: datetime, zone: str) -> None:
        super().__init__(data)
        self.fields["known_at"] = KnownField(label="As known on", required=False, at=at, zone=zone, name="known_at")


@dataclass(frozen=True)
class Asked:
    """What a page was asked for. `kept` are the parameters that links of the page must carry on."""

    form: MomentForm
    moment: Moment
    kept: dict[str, str]
    zone: str

    def __bool__(self) -> bool:
        return bool(self.moment)

    def url(self, page: str, anchor: str = "", **more: Any) -> str:
        """The address of a page with the same moments and further parameters; empty ones are left out."""
        query = urlencode({name: value for name, value in {**more, **self.kept}.items() if value})
        return f"{page}?{query}{anchor}" if query else f"{page}{anchor}"

    @property
    def title(self) -> str:
        """ "Balance on 31 Dec 2023 as known on 10 Jan 2024"."""
        day = f"Balance on {show_day(self.moment.as_of)}" if self.moment.as_of else "Balance"
        return f"{day} as known {self.known}"

    @property
    def known(self) -> str:
        known_at = self.moment.known_at
        if known_at is None:
            return "now"
        local = known_at.astimezone(ZoneInfo(self.zone))
        if end_of_day(local.date(), self.zone) - INSTANT == known_at:
            return f"on {show_day(local.date())}"
        return f"at {show_instant(known_at)}"


def asked_moment(request: HttpRequest, *, zone: str = "UTC") -> Asked:
    """The moments of the address. With a fault in them the form says so, and the page shows the present."""
    said = {name: request.GET.get(name, "").strip() for name in ("as_of", "known_at")}
    form = MomentForm(said if any(said.values()) else None, at=now(request), zone=zone)
    if not form.is_valid():
        return Asked(form, Moment(), {}, zone)
    moment = Moment(form.cleaned_data["as_of"], form.cleaned_data["known_at"])
    return Asked(form, moment, {name: value for name, value in said.items() if value}, zone)


def hidden(parameters: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Parameters of the address that a form of the page must send along; empty ones are left out."""
    return [(name, value) for name, value in parameters if value]
