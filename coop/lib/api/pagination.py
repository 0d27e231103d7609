"""Cursor pages by key: the next page begins after the last row's key, so no page costs more than the first."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any
from urllib.parse import urlencode

from django.db.models import ForeignKey, IntegerField, Q
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from coop.lib.errors import Invalid
from coop.lib.text import text_fault

DEFAULT_SIZE, MAX_SIZE = 50, 200
PARAMETERS = ("cursor", "page_size")


class KeysetPagination(BasePagination):
    """Pages `{"next", "previous", "results"}` in the order of the view's `ordering`: columns that together are unique,
    each ascending, or all with a leading minus.
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.request = request
        names = [name.lstrip("-") for name in view.ordering]
        falling = view.ordering[0].startswith("-")
        size = read_size(request.query_params.get("page_size"))
        after, back = read_cursor(request.query_params.get("cursor"), queryset.model, names)
        if after:
            queryset = queryset.filter(beyond(names, after, rising=falling == back))
        order = [f"-{name}" if falling != back else name for name in names]
        found = list(queryset.order_by(*order)[: size + 1])
        more, page = len(found) > size, found[:size]
        if back:
            page.reverse()
        self.next_link = self.link(page[-1], names, back=False) if page and (more or back) else None
        self.previous_link = self.link(page[0], names, back=True) if page and after and (more or not back) else None
        return page

    def link(self, row: Any, names: list[str], *, back: bool) -> str:
        kept = {name: value for name, value in self.request.query_params.items() if name != "cursor"}
        said = json.dumps([back, *(getattr(row, name) for name in names)])
        cursor = base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")
        return self.request.build_absolute_uri(f"{self.request.path}?{urlencode({**kept, 'cursor': cursor})}")

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self.next_link, "previous": self.previous_link, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        size = {"type": "integer", "minimum": 1, "maximum": MAX_SIZE, "default": DEFAULT_SIZE}
        return [
            {"name": "cursor", "in": "query", "required": False, "schema": {"type": "string"}},
            {"name": "page_size", "in": "query", "required": False, "schema": size},
        ]


def beyond(names: list[str], after: list[Any], *, rising: bool) -> Q:
    """Rows whose key lies beyond another key, compared column by column."""
    test = "gt" if rising else "lt"
    condition, same = Q(), Q()
    for name, value in zip(names, after, strict=True):
        condition |= same & Q(**{f"{name}__{test}": value})
        same &= Q(**{name: value})
    return condition


def read_size(text: str | None) -> int:
    """Raises Invalid for what is not a number from 1 to 200."""
    if text is None:
        return DEFAULT_SIZE
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MAX_SIZE):
        raise Invalid.field("page_size", f"A page has 1 to {MAX_SIZE} rows. Write the number in digits.")
    return int(text)


def read_cursor(text: str | None, model: Any, names: list[str]) -> tuple[list[Any], bool]:
    """The key that a cursor stands for and whether it looks back; an empty key for the first page.

    Raises Invalid for a cursor that this list did not give.
    """
    if text is None:
        return [], False
    try:
        read = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        back, *after = read
        fits = isinstance(back, bool) and len(after) == len(names)
        fits = fits and all(
            is_key(value, model._meta.get_field(name)) for name, value in zip(names, after, strict=True)
        )
    except (binascii.Error, ValueError, TypeError, RecursionError):
        fits = False
    if not fits:
        raise Invalid.field("cursor", "This is not a cursor of this list. Begin without one and follow “next”.")
    return after, back


def is_key(value: Any, field: Any) -> bool:
    if isinstance(field, IntegerField | ForeignKey):
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63
    return isinstance(value, str) and len(value) <= 200 and not text_fault(value)
