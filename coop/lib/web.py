"""Glue for pages: what may be cached, how a refusal becomes a page, how the time is read once for a request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import DataError, IntegrityError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from coop.lib import clock
from coop.lib.errors import Busy, Invalid, NotFound, Refused, WrongStatus

Answer = Callable[[HttpRequest], HttpResponse]
# SQLSTATEs that tell of another writer at the same moment.
TAKEN = ("23505", "23P01")  # unique and exclusion violations
BUSY = ("55P03", "40P01", "40001")  # lock not available, deadlock, serialization failure


class PrivatePagesMiddleware:
    """Pages of people who signed in are theirs alone: no cache on the way may keep them."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.answer(request)
        if not request.path.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response


class RefusalMiddleware:
    """A refusal that a page did not show beside its field becomes a page of its own, with the sentence and the status.

    So does what only the database saw: two writers at one moment, or a value that no column holds.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.answer(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        refusal = exception if isinstance(exception, Refused) else refusal_of(exception)
        return refusal_page(request, refusal) if refusal else None


def refusal_of(error: Exception) -> Refused | None:
    """What to say of an error of the database that is nobody's fault in the code; None for all others."""
    state = getattr(error.__cause__, "sqlstate", None)
    if isinstance(error, OperationalError) and state in BUSY:
        return Busy("The record is being changed at this moment. Try again in a moment.")
    if isinstance(error, IntegrityError) and state in TAKEN:
        return WrongStatus("Somebody saved the same at the same moment. Look at it and try again.")
    if isinstance(error, DataError):
        return Invalid("A value is out of range, or holds characters that cannot be stored.")
    return None


def refusal_page(request: HttpRequest, refusal: Refused) -> HttpResponse:
    template = "404.html" if isinstance(refusal, NotFound) else "refused.html"
    return render(request, template, {"refusal": refusal}, status=refusal.status)


def whole_number(text: str) -> int | None:
    """A plain whole number that somebody sent; None for anything else, and for more digits than an id can have."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def asked_number(request: HttpRequest, name: str) -> int | None:
    """A parameter of the address that is a plain whole number; None where it is missing or anything else."""
    return whole_number(request.GET.get(name, ""))


def asked_text(request: HttpRequest, name: str) -> str:
    """A parameter of the address as text to look for. No column holds a NUL, so none is looked for."""
    return request.GET.get(name, "").replace("\x00", "")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The page for a form that came without its token: usually a page that was open for too long."""
    return render(request, "403_csrf.html", status=403)


def now(request: HttpRequest) -> datetime:
    """The instant of this request: read once, passed to every operation and query as `at`."""
    known: Any = getattr(request, "at", None)
    if known is None:
        known = clock.now()
        request.at = known  # type: ignore[attr-defined]
    at: datetime = known
    return at
