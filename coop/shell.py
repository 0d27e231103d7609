"""The frame around every page: navigation, who one is, the sandbox's banner. A context processor."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, Any]:
    return {"version": settings.VERSION}
