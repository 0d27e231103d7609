"""Pages of finance: imports, payment runs, payments."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
