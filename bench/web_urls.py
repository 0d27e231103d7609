"""The product's addresses, and the bare view beside them."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path

from coop import urls
from coop.urls import handler400, handler403, handler404

__all__ = ["handler400", "handler403", "handler404", "urlpatterns"]


def bare(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


urlpatterns = [path("bench/ok", bare), *urls.urlpatterns]
