"""The OpenAPI document is made of what the views say they take, give and are filtered by: see `coop.lib.api.views.act`."""

from __future__ import annotations

from typing import Any

import uritemplate
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from coop.lib.api.filters import Filter
from coop.lib.api.problems import MEDIA_TYPE
from coop.lib.api.serializers import Nothing, Problem
from coop.lib.api.views import WRITES, Act

WRITE_HEADERS = (
    (
        "Idempotency-Key",
        {"type": "string", "minLength": 1, "maxLength": 200},
        "The same key and body replay the first answer for 24 hours.",
    ),
    ("If-Match", {"type": "string"}, "The ETag of the record as you read it; a stale one is refused with 412."),
)


class CoopSchema(AutoSchema):
    """Every operation with its filters, headers and problems. What `act` does not say is the view's own serializer."""

    view: Any

    @property
    def noted(self) -> Act:
        found: Act = self.view.noted()
        return found

    @property
    def writes(self) -> bool:
        return self.method.lower() in WRITES

    def get_summary(self) -> str | None:
        """The first sentence of the handler's docstring."""
        handler = getattr(self.view, self.view.action or "", None)
        text = (handler.__doc__ or "").strip().splitlines() if handler else []
        return text[0].rstrip(".") if text else None

    def get_description(self) -> str:  # type: ignore[override]
        scope = self.view.write_scope if self.writes else self.view.read_scope
        return f"A limited key needs the scope {scope}." if scope else "Any key may do this that may write at all."

    def get_operation_id(self) -> str:
        """claims_list, claims_submit, claims_lines_create: the fixed parts of the address and what is done there."""
        fixed = [part for part in self.path.split("/")[3:] if part and not part.startswith("{")]
        if self.view.action not in ("list", "retrieve", "create", "partial_update", "destroy") and len(fixed) > 1:
            fixed = fixed[:-1]
        return "_".join([*fixed, self.view.action]).replace("-", "_")

    def get_override_parameters(self) -> list[Any]:
        parameters = [
            OpenApiParameter(name, {"type": "string", "pattern": f"^{pattern}$"}, OpenApiParameter.PATH)
            for name, pattern in self.path_patterns().items()
        ]
        known: dict[str, Filter] = {**self.noted.query}
        if self.view.action == "list":
            known.update(self.view.filters)
        parameters += [OpenApiParameter(name, taken.schema) for name, taken in known.items()]
        if self.writes:
            dry = "Check and answer everything, keep nothing."
            parameters.append(OpenApiParameter("dry_run", {"type": "boolean", "default": False}, description=dry))
            parameters += [
                OpenApiParameter(name, schema, OpenApiParameter.HEADER, description=text)
                for name, schema, text in WRITE_HEADERS
            ]
        return parameters

    def path_patterns(self) -> dict[str, str]:
        """The variables of the path, each with the form that it must have."""
        own = self.view.lookup_url_kwarg or self.view.lookup_field
        return {
            name: self.view.lookup_value_regex if name in (own, "id") else "[1-9][0-9]{0,17}"
            for name in uritemplate.variables(self.path)
        }

    def get_request_serializer(self) -> Any:
        return self.noted.takes or (Nothing if self.writes else None)

    def get_response_serializers(self) -> Any:
        gives = self.noted.gives or self.view.get_serializer_class()
        status = self.noted.status
        if isinstance(gives, str | tuple):
            media_types = (gives,) if isinstance(gives, str) else gives
            success: Any = {
                (status, media_type): OpenApiResponse({"type": "string", "format": "binary"})
                for media_type in media_types
            }
        elif status == 204:
            success = {status: OpenApiResponse(description="Done; there is nothing to say.")}
        else:
            success = {status: gives}
        codes = (400, 401, 403, 404, 405) + ((409, 412, 413, 415, 422) if self.writes else ())
        codes += (410,) if isinstance(gives, str | tuple) else ()  # files are deleted when they are old
        return {**success, **{(code, MEDIA_TYPE): OpenApiResponse(Problem, description="Refused") for code in codes}}
