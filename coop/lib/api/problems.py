"""Every error of the API as RFC 9457 problem details, whoever raised it: an operation, REST framework or Django."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.db import DataError, IntegrityError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse, UnreadablePostError
from rest_framework import exceptions
from rest_framework.response import Response

from coop.lib.errors import FieldError, Refused
from coop.lib.web import BUSY, TAKEN

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
MAX_ERRORS = 500  # in one answer: a body that is wrong throughout is not answered with many times its size

# REST framework's errors: which code of the contract they are, and the title that goes with it.
FRAMEWORK: tuple[tuple[type[Exception], int, str, str], ...] = (
    (exceptions.AuthenticationFailed, 401, "not_authenticated", "Who are you?"),
    (exceptions.NotAuthenticated, 401, "not_authenticated", "Who are you?"),
    (exceptions.PermissionDenied, 403, "not_allowed", "Your role does not allow this"),
    (PermissionDenied, 403, "not_allowed", "Your role does not allow this"),
    (exceptions.MethodNotAllowed, 405, "method_not_allowed", "This address does not know this method"),
    (exceptions.UnsupportedMediaType, 415, "unsupported_media_type", "The body is of a kind that is not read here"),
    (exceptions.Throttled, 429, "throttled", "Too many requests"),
    (exceptions.ParseError, 400, "invalid", "The body cannot be read"),
    (RequestDataTooBig, 413, "too_large", "The body is too large"),
    (TooManyFieldsSent, 413, "too_large", "The body has too many fields"),
    (TooManyFilesSent, 413, "too_large", "The body has too many files"),
    (SuspiciousOperation, 400, "invalid", "The request cannot be read"),
    (UnreadablePostError, 400, "invalid", "The body ended too early"),
    (UnicodeError, 400, "invalid", "The text cannot be stored"),
    (RecursionError, 400, "invalid", "The body is nested too deeply"),
    (DataError, 400, "invalid", "A value cannot be stored"),
)
# Their own words are for developers, or tell about the inside; these are said instead.
SAID = {
    PermissionDenied: "Your role does not allow this.",
    RequestDataTooBig: "The body is larger than what is taken. Send less at once.",
    TooManyFieldsSent: "The body has more fields than are taken. Send fewer at once.",
    TooManyFilesSent: "The body has more files than are taken. Send one at a time.",
    SuspiciousOperation: "The request cannot be read. Check its headers and its body.",
    UnreadablePostError: "The body ended before it was whole. Send it again.",
    UnicodeError: "A text holds characters that no text may hold, such as half of a pair. Take them out.",
    RecursionError: "The body is nested too deeply.",
    DataError: "A value is out of range, or holds characters that cannot be stored.",
}


def body(
    status: int, code: str, title: str, detail: str, *, errors: Sequence[FieldError] = (), findings: Sequence[Any] = ()
) -> dict[str, Any]:
    """The problem details of one error."""
    return {
        "type": f"/api/docs/#problem-{code}",
        "title": title,
        "status": status,
        "detail": printable(detail),
        "code": code,
        "errors": [{name: printable(text) for name, text in error.as_dict().items()} for error in errors[:MAX_ERRORS]],
        "findings": list(findings),
    }


def printable(text: str) -> str:
    """A text that any encoder takes: what was sent may be quoted in a sentence."""
    return text.encode("utf-8", "replace").decode()


def refusal_body(refusal: Refused) -> dict[str, Any]:
    return body(
        refusal.status,
        refusal.code,
        refusal.title,
        refusal.message,
        errors=refusal.errors,
        findings=refusal.findings,
    )


def problem_response(error: Exception, context: Mapping[str, Any]) -> Response:
    """REST framework's exception handler. What nobody expected is logged and answered as a 500 without its details."""
    if isinstance(error, Refused):
        problem = refusal_body(error)
    elif isinstance(error, exceptions.ValidationError):
        errors = list(islice(field_errors(error.detail), MAX_ERRORS))
        problem = body(
            400, "invalid", "Some of what was sent cannot be used", " ".join(e.message for e in errors), errors=errors
        )
    elif isinstance(error, Http404 | exceptions.NotFound):
        problem = body(404, "not_found", "Not found", "There is no such record.")
    elif isinstance(error, IntegrityError | OperationalError):
        problem = database_body(error)
    else:
        problem = framework_body(error)
    headers = {}
    challenge = getattr(error, "auth_header", None)
    if problem["status"] == 401 and challenge:
        headers["WWW-Authenticate"] = challenge
    wait = getattr(error, "wait", None)
    if isinstance(error, exceptions.Throttled) and wait:
        headers["Retry-After"] = str(int(wait) + 1)
    return Response(problem, status=problem["status"], headers=headers, content_type=MEDIA_TYPE)


def framework_body(error: Exception) -> dict[str, Any]:
    for kind, status, code, title in FRAMEWORK:
        if isinstance(error, kind):
            said = next((text for known, text in SAID.items() if isinstance(error, known)), None)
            detail = getattr(error, "detail", None)
            return body(status, code, title, said or str(detail or title))
    log.error("api.failed", exc_info=error)
    return body(
        500, "internal", "Something broke on our side", "The request failed and changed nothing. Please tell us when."
    )


def database_body(error: IntegrityError | OperationalError) -> dict[str, Any]:
    """What the database refused although the operation let it pass: mostly two writers at the same moment."""
    state = getattr(error.__cause__, "sqlstate", None)
    if state in TAKEN:
        return body(
            400,
            "invalid",
            "This is there already",
            "Somebody saved the same at the same moment. Read it and try again.",
        )
    if state in BUSY:
        return body(
            409, "in_progress", "Somebody else is writing here", "The record is being changed. Try again in a moment."
        )
    log.error("api.database_refused", exc_info=error)
    if isinstance(error, IntegrityError):
        return body(400, "invalid", "The database refused this", "This would break a rule of the records. Check it.")
    return body(503, "unavailable", "The database does not answer", "Nothing was changed. Try again in a moment.")


def field_errors(detail: Any, path: str = "") -> Iterator[FieldError]:
    """The errors of a serializer, nested or not, as a flat list with the path of each field."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            here = "" if name == "non_field_errors" else str(name)
            yield from field_errors(inner, ".".join(part for part in (path, here) if part))
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, Mapping | list)
            yield from field_errors(inner, ".".join(part for part in (path, str(index)) if part) if nested else path)
    else:
        yield FieldError(path, getattr(detail, "code", "invalid"), str(detail))


def no_such_address(request: HttpRequest, **_: Any) -> JsonResponse:
    """The answer for every address under /api/ that does not exist."""
    hint = "" if request.path.endswith("/") else " Addresses of the API end with a slash."
    problem = body(404, "not_found", "Not found", f"There is nothing at this address.{hint}")
    return JsonResponse(problem, status=404, content_type=MEDIA_TYPE)
