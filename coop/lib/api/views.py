"""The base of every view of the API: who may come in, how a write is made, how a list is read.

A write runs in one transaction. Its handler calls one operation; what the operation refuses is undone, and its answer is
kept under the Idempotency-Key all the same. With `?dry_run=true` everything is checked and answered, and then undone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar, NamedTuple, TypeVar, cast

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from rest_framework.decorators import action as drf_action
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from coop.lib import web
from coop.lib.api import idempotency
from coop.lib.api.filters import Filter
from coop.lib.api.pagination import PARAMETERS
from coop.lib.api.problems import problem_response
from coop.lib.api.serializers import Input, Nothing
from coop.lib.errors import FieldError, Invalid, LookAgain, NotAllowed, NotFound, Refused

WRITES = ("post", "put", "patch", "delete")
ETAG = re.compile(r'(?:W/)?"([0-9]{1,9})"', re.ASCII)
Handler = TypeVar("Handler", bound=Callable[..., Any])


class Act(NamedTuple):
    """What one action of a view takes and gives; the schema is made of it."""

    takes: type[Input] | None = None
    gives: Any = None
    status: int = 200
    query: Mapping[str, Filter] = {}


def act(
    takes: type[Input] | None = None, gives: Any = None, status: int = 200, query: Mapping[str, Filter] | None = None
) -> Callable[[Handler], Handler]:
    """Say what an action takes (a serializer), gives (the view's own serializer unless said otherwise) and answers with.

    `gives` may be a media type, or several, where the answer is a file.
    """

    def note(handler: Handler) -> Handler:
        handler.act = Act(takes, gives, status, query or {})  # type: ignore[attr-defined]
        return handler

    return note


def verb(name: str, takes: type[Input] = Nothing, gives: Any = None) -> Callable[[Handler], Handler]:
    """An action `POST /resource/{id}/name/` that answers with the record."""

    def note(handler: Handler) -> Handler:
        made = drf_action(detail=True, methods=["post"], url_path=name, url_name=name)(act(takes, gives)(handler))
        return cast(Handler, made)

    return note


class JSONOnly(BaseContentNegotiation):
    """There is one representation; what Accept says about others changes nothing."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == media_type), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, first.media_type


class DryRun(Exception):
    def __init__(self, response: Response) -> None:
        self.response = response


class ApiViewSet(GenericViewSet[Any]):
    """One resource. `read_scope` and `write_scope` are what a limited key must hold beside its owner's role."""

    http_method_names = ["get", "head", *WRITES]
    content_negotiation_class = JSONOnly
    read_scope = "funds:read"
    write_scope = ""
    filters: ClassVar[dict[str, Filter]] = {}
    ordering: tuple[str, ...] = ("id",)
    lookup_value_regex = "[1-9][0-9]{0,17}"
    missing = "There is no such record."
    max_upload = 0
    too_large = "Make it smaller or split it."

    # --- Coming in ----------------------------------------------------------------------------------------------------

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.asked: dict[str, Any] = {}
        self.undo: list[Callable[[], None]] = []
        method = (request.method or "").lower()
        handler = getattr(self, method, None) if method in self.http_method_names else None
        if handler is None:
            return
        self.require_scope(method)
        self.read_parameters(method)
        if method in WRITES:
            setattr(self, method, lambda *a, **k: self.write(handler, *a, **k))

    def require_scope(self, method: str) -> None:
        """Raises NotAllowed when the key is limited to other things."""
        wanted = self.write_scope if method in WRITES else self.read_scope
        held = getattr(self.request.auth, "scopes", ())
        if wanted not in held:
            raise NotAllowed(f"This key does not have the scope {wanted}. Use one that has it.")

    def read_parameters(self, method: str) -> None:
        """Read the query into `asked`. Raises Invalid with all that is unknown, doubled or unreadable."""
        known = self.known_parameters(method)
        errors = []
        for name, values in self.request.query_params.lists():
            taken = known.get(name)
            if name not in known:
                wanted = ", ".join(sorted(known)) or "none"
                message = f"This address knows no parameter of this name. It knows: {wanted}."
                errors.append(FieldError(name[:40], "unknown_parameter", message))
            elif len(values) > 1:
                errors.append(FieldError(name, "duplicate", "Give this parameter once."))
            elif taken is not None:
                try:
                    self.asked[name] = taken.read(values[0])
                except ValueError as error:
                    errors.append(FieldError(name, "invalid", str(error)))
        if self.request.query_params.get("dry_run") not in (None, "true", "false") and "dry_run" in known:
            errors.append(FieldError("dry_run", "invalid", "Say true or false."))
        if errors:
            raise Invalid(errors=errors)

    def known_parameters(self, method: str) -> dict[str, Filter | None]:
        if method in WRITES:
            return {"dry_run": None, **self.noted().query}
        if self.action == "list":
            return {**dict.fromkeys(PARAMETERS), **self.filters}
        return dict(self.noted().query)

    def noted(self) -> Act:
        """What the current action takes and gives."""
        found: Act | None = getattr(getattr(self, self.action or "", None), "act", None)
        return found or Act()

    # --- What handlers ask --------------------------------------------------------------------------------------------

    @property
    def person(self) -> Any:
        return self.request.user

    @property
    def at(self) -> datetime:
        """The instant of this request, read once."""
        return web.now(cast(HttpRequest, self.request))

    @property
    def revision(self) -> int | None:
        """The revision that the client read, from If-Match. Raises Invalid for what is not one of our ETags."""
        said = self.request.headers.get("If-Match")
        if said is None or said.strip() == "*":
            return None
        found = ETAG.fullmatch(said.strip())
        if not found:
            raise Invalid.field("If-Match", 'Send the ETag that the record came with, for example "3" in quotes.')
        return int(found[1])

    @property
    def dry_run(self) -> bool:
        return self.request.query_params.get("dry_run") == "true"

    def take(self, *, partial: bool = False, **context: Any) -> dict[str, Any]:
        """The body as the action's input serializer reads it. Raises ValidationError with all faults."""
        takes = self.noted().takes or Nothing
        serializer = takes(data=self.request.data, partial=partial, context=context)
        serializer.is_valid(raise_exception=True)
        taken: dict[str, Any] = serializer.validated_data
        return taken

    def get_object(self) -> Any:
        """The record of the address, if the person may see it. Raises NotFound, in the same words for both."""
        key = self.kwargs[self.lookup_url_kwarg or self.lookup_field]
        found = self.filter_queryset(self.get_queryset()).filter(**{self.lookup_field: key}).first()
        if found is None:
            raise NotFound(self.missing)
        return found

    def require_visible(self, model_rows: QuerySet[Any], key: Any, missing: str) -> Any:
        """A parent record of the address. Raises NotFound."""
        found = model_rows.filter(pk=key).first()
        if found is None:
            raise NotFound(missing)
        return found

    # --- Answers ------------------------------------------------------------------------------------------------------

    def get_serializer_context(self) -> dict[str, Any]:
        """Beside REST framework's own, the instant: what a record shows may depend on the clock."""
        context = dict(super().get_serializer_context())
        if not getattr(self, "swagger_fake_view", False):
            context["at"] = self.at
        return context

    def answer(self, record: Any, *, status: int | None = None, revision: int | None = None) -> Response:
        """The record as its serializer shows it, with its ETag."""
        gives = self.noted().gives or self.get_serializer_class()
        serializer: BaseSerializer[Any] = gives(record, context=self.get_serializer_context())
        response = Response(serializer.data, status=status or self.noted().status)
        revision = revision if revision is not None else getattr(record, "revision", None)
        if revision is not None:
            response["ETag"] = f'"{revision}"'
        return response

    def answer_fresh(self, record: Any) -> Response:
        """As `answer`, with the record read once more with all that its serializer shows."""
        return self.answer(self.get_queryset().get(pk=record.pk))

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers["Vary"] = "Authorization"
        if self.action == "retrieve" and response.status_code == 200 and "ETag" not in response:
            response["ETag"] = f'"{hashlib.sha256(repr(response.data).encode()).hexdigest()[:16]}"'
        return response

    # --- Writing ------------------------------------------------------------------------------------------------------

    def write(self, handler: Callable[..., Response], request: Request, *args: Any, **kwargs: Any) -> Response:
        """Run a handler in one transaction, answer a retry with the first answer, undo a dry run."""
        key = idempotency.read_key(request.headers.get("Idempotency-Key"))
        if key is None or self.dry_run:
            with transaction.atomic():
                return self.attempt(handler, request, *args, **kwargs)
        scope = f"{request.user.pk} {request.method} {request.path}"[:300]
        attempt = idempotency.Attempt(scope, key, idempotency.fingerprint(request.data))
        with transaction.atomic():
            known = idempotency.begin(attempt)
            if known is not None:
                return known
            response = self.attempt(handler, request, *args, **kwargs)
            idempotency.keep(attempt, response)
        return response

    def attempt(self, handler: Callable[..., Response], request: Request, *args: Any, **kwargs: Any) -> Response:
        """The handler's answer, or the refusal's; what was refused, failed or only tried leaves nothing behind."""
        try:
            with transaction.atomic():
                try:
                    response = handler(request, *args, **kwargs)
                except LookAgain as refusal:
                    response = self.handle_exception(refusal)
                check_constraints()
                if self.dry_run:
                    raise DryRun(response)
        except DryRun as tried:
            response = tried.response
            self.undo_outside()
        except Exception as error:  # noqa: BLE001 - every error becomes problem details, the unexpected one as a 500
            response = self.handle_exception(error)
            self.undo_outside()
        return response

    def undo_outside(self) -> None:
        """Undo what no rollback undoes, such as a file that was written."""
        for step in self.undo:
            step()

    def handle_exception(self, exc: Exception) -> Response:
        """As REST framework does it, but a refusal or a failure is always an answer and never leaves the view."""
        if isinstance(exc, Refused):
            return problem_response(exc, {})
        return super().handle_exception(exc)


def check_constraints() -> None:
    """Let the foreign keys that are checked at the end of the transaction be checked now, while it can be answered."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


class ListMixin:
    """`GET /resource/`: a cursor page of what the person may see, filtered."""

    def list(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        """A page of those that you may see."""
        rows = self.get_queryset()
        wanted = Q()
        for name, value in self.asked.items():
            where = self.filters[name].where
            wanted &= where(value) if where else Q()
        page = self.paginate_queryset(rows.filter(wanted))
        serializer = self.get_serializer_class()(page, many=True, context=self.get_serializer_context())
        answer: Response = self.get_paginated_response(serializer.data)
        return answer


class RetrieveMixin:
    """`GET /resource/{id}/`: one record, with its ETag."""

    def retrieve(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One of those that you may see."""
        answer: Response = self.answer(self.get_object())
        return answer
