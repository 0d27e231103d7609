"""What a page's view may rely on: it was asked by somebody who has signed in."""

from __future__ import annotations

from django.http import HttpRequest

from partners.models import Person


class PersonRequest(HttpRequest):
    """A request behind `login_required`, for the type checker: its user is a person."""

    user: Person
