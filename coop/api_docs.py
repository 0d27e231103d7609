"""The OpenAPI document, and a page for people that is made of it: no script, nothing from elsewhere."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer

METHODS = ("get", "post", "put", "patch", "delete")
# The codes of api.md with what each means to a client.
PROBLEMS = {
    "invalid": (400, "Something that was sent cannot be used; errors names each field."),
    "not_authenticated": (401, "No key, or one that is unknown, revoked or expired."),
    "not_allowed": (403, "You may see this, but your role or your key may not do it."),
    "self_decision": (403, "Nobody decides for themselves: another person is needed."),
    "not_found": (404, "There is no such record, or you may not know of it."),
    "method_not_allowed": (405, "The address exists, but not with this method."),
    "gone": (410, "The bytes of a document were kept as long as they had to be, and deleted; its hash stays."),
    "wrong_status": (409, "The record is not in a state from which this verb leads anywhere."),
    "in_progress": (409, "The same request, or another on the same record, is still running. Try again."),
    "stale": (412, "The record changed since you read it. Read it again."),
    "too_large": (413, "The body or the file is too large."),
    "unsupported_media_type": (415, "The body, or the file, is of a kind that is not taken."),
    "idempotency_mismatch": (422, "The idempotency key was used with another body."),
    "rule_failed": (422, "At least one rule failed; findings says which, and the fix."),
    "window_not_open": (422, "It is too early for this."),
    "window_closed": (422, "The deadline has passed."),
    "insufficient_funds": (422, "There is not enough money in the fund."),
    "throttled": (429, "Too many requests. Wait as Retry-After says."),
    "internal": (500, "Something broke on our side and changed nothing."),
    "unavailable": (503, "The database does not answer; nothing was changed. Try again."),
}


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document of this version, made once a process."""
    made: dict[str, Any] = SchemaGenerator().get_schema(public=True)
    return made


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """The document as YAML, or with `?format=json` as JSON."""
    if request.GET.get("format") == "json":
        return JsonResponse(document(), content_type="application/vnd.oai.openapi+json")
    text = OpenApiYamlRenderer().render(document(), renderer_context={})
    return HttpResponse(text, content_type="application/vnd.oai.openapi; charset=utf-8")


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    made = document()
    resources: dict[str, list[dict[str, Any]]] = {}
    for path, methods in made["paths"].items():
        for method in METHODS:
            if method in methods:
                shown = operation(path, method, methods[method])
                resources.setdefault(path.split("/")[3], []).append(shown)
    components = made["components"]["schemas"]
    context = {
        "info": made["info"],
        "resources": sorted(resources.items()),
        "shapes": [shape(name, schema) for name, schema in sorted(components.items())],
        "problems": [(code, *said) for code, said in PROBLEMS.items()],
    }
    return render(request, "api/docs.html", context)


def operation(path: str, method: str, said: dict[str, Any]) -> dict[str, Any]:
    """What the page shows of one operation."""
    bodies = said.get("requestBody", {}).get("content", {})
    answers = {
        status: next(iter(answer.get("content", {"": {}}).values())).get("schema", {})
        for status, answer in said["responses"].items()
        if status < "400"
    }
    queries = [p for p in said.get("parameters", []) if p["in"] == "query" and p["name"] not in ("dry_run",)]
    return {
        "id": said["operationId"],
        "method": method.upper(),
        "path": path,
        "summary": said.get("summary", ""),
        "description": said.get("description", ""),
        "queries": ", ".join(query["name"] for query in queries),
        "takes": [(kind, name_of(body.get("schema", {}))) for kind, body in bodies.items()],
        "gives": [(status, name_of(schema)) for status, schema in answers.items()],
    }


def name_of(schema: dict[str, Any]) -> str:
    """The name of the component that a schema points to; empty for one without a name."""
    return str(schema.get("$ref", "")).rpartition("/")[2]


def shape(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """What the page shows of one component: its fields with their types."""
    required = schema.get("required", [])
    fields = [
        {"name": field, "type": type_of(said), "required": field in required}
        for field, said in schema.get("properties", {}).items()
    ]
    return {"name": name, "text": schema.get("description", ""), "fields": fields, "values": schema.get("enum", [])}


def type_of(said: dict[str, Any]) -> str:
    """A type in words: string (date), list of LineOut, string or null."""
    if name := name_of(said):
        return name
    parts = said.get("oneOf") or said.get("allOf") or said.get("anyOf")
    if parts:
        return " or ".join(type_of(part) for part in parts)
    kinds = said.get("type", "any")
    words = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    if words == "array":
        return f"list of {type_of(said.get('items', {}))}"
    return f"{words} ({said['format']})" if "format" in said else words
