"""What is done about large forms before a byte of them is read.

Django reads a whole form, files and all, to find the token in it that protects against forged requests, and that is before
anybody asks who sends it. So a stranger could fill the disk. The API reads nothing before it knows the key.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse

from coop.lib.errors import NotAllowed, TooLarge
from coop.lib.web import Answer, refusal_page

FORM_OVERHEAD = 64 * 1024  # boundaries and the other fields of a form


class BodyLimitMiddleware:
    """Refuse a form that is larger than any that is taken, and a large one of somebody who has not signed in."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = length_of(request)
        if request.path.startswith("/api/") or length <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return self.answer(request)
        if SESSION_KEY not in request.session:
            return refusal_page(request, NotAllowed("Sign in before you send a file."))
        limit = settings.IMPORT_MAX_BYTES
        if length > limit + FORM_OVERHEAD:
            sentence = (
                f"The file is too large: at most {limit:,} bytes are taken here. Split it, pack it with gzip, or, if it holds "
                "earnings, have it imported on the server: manage.py import_earnings FILE."
            )
            return refusal_page(request, TooLarge(sentence))
        return self.answer(request)


def length_of(request: HttpRequest) -> int:
    """The bytes that a request says its body has."""
    said = str(request.META.get("CONTENT_LENGTH") or "")
    return int(said) if said.isascii() and said.isdigit() else 0
