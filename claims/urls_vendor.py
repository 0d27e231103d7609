"""Pages of the channel manager: the worklist and the review of a claim."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
