"""Glue for pages: what may be cached, how a refusal becomes a page, how the time is read once for a request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from coop.lib import clock
from coop.lib.errors import NotFound, Refused

Answer = Callable[[HttpRequest], HttpResponse]


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
    """A refusal that a page did not show beside its field becomes a page of its own, with the sentence and the status."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.answer(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, Refused):
            return refusal_page(request, exception)
        return None


def refusal_page(request: HttpRequest, refusal: Refused) -> HttpResponse:
    template = "404.html" if isinstance(refusal, NotFound) else "refused.html"
    return render(request, template, {"refusal": refusal}, status=refusal.status)


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
