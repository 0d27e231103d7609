"""Imports: earnings as a file, checked by a worker, looked at, and then committed, discarded or reversed by a person."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from coop.lib.api import filters
from coop.lib.api.fields import AMOUNT_SCHEMA, Text
from coop.lib.api.filters import Filter
from coop.lib.api.pagination import read_size
from coop.lib.api.parsers import FormParser, StrictJSONParser
from coop.lib.api.serializers import Input
from coop.lib.api.views import ApiViewSet, ListMixin, RetrieveMixin, act, verb
from coop.lib.errors import Invalid
from coop.lib.nudge import nudge
from funds import states
from funds.downloads import csv_download
from funds.models import Import
from funds.operations.earnings import commit_import, discard_import
from funds.operations.imports import needs_mapping, receive_file
from funds.operations.reversal import reverse_import
from funds.queries.effects import progress_of, rejected_lines, status_shown
from funds.queries.import_effects import LOOKS, effects_page, read_place

COUNTS = ("lines", "new", "changed", "unchanged", "rejected")
MAX_MAPPING = 10_000


class ImportOut(serializers.Serializer[Any]):
    """One delivery of earnings; `filename` is empty for the lines of a REST request.

    `asked_for` says what a worker is about to do (commit or reverse) once somebody asked for it; `failure` why a file could
    not be read, or why what was asked for was not done; `needs_mapping` that the columns must be explained first.
    """

    id = serializers.CharField()
    filename = serializers.CharField()
    format = serializers.ChoiceField(list(states.IMPORT_FORMATS))
    status = serializers.SerializerMethodField()
    progress = serializers.SerializerMethodField()
    step = serializers.SerializerMethodField()
    asked_for = serializers.ChoiceField(["", "commit", "reverse"])
    counts = serializers.SerializerMethodField()
    totals = serializers.SerializerMethodField()
    columns = serializers.ListField(child=serializers.CharField())
    mapping = serializers.DictField(child=serializers.CharField())
    needs_mapping = serializers.SerializerMethodField()
    failure = serializers.CharField()
    remark = serializers.CharField()
    sha256 = serializers.CharField()
    created_by = serializers.CharField(source="created_by_id")
    created_at = serializers.DateTimeField()
    committed_by = serializers.CharField(source="committed_by_id", allow_null=True)
    committed_at = serializers.DateTimeField(allow_null=True)
    reversed_by = serializers.CharField(source="reversed_by_id", allow_null=True)
    reversed_at = serializers.DateTimeField(allow_null=True)
    reversal_reason = serializers.CharField()
    revision = serializers.IntegerField()

    @extend_schema_field({"type": "string", "enum": list(states.IMPORT_STATUSES)})
    def get_status(self, delivery: Any) -> str:
        return status_shown(delivery)

    @extend_schema_field({"type": "integer", "minimum": 0, "maximum": 100})
    def get_progress(self, delivery: Any) -> int:
        return progress_of(delivery)[1]

    def get_step(self, delivery: Any) -> str:
        return progress_of(delivery)[0]

    @extend_schema_field(
        {
            "type": "object",
            "properties": {name: {"type": "integer"} for name in COUNTS},
            "required": list(COUNTS),
        }
    )
    def get_counts(self, delivery: Any) -> dict[str, int]:
        return {name: getattr(delivery, name) for name in COUNTS}

    @extend_schema_field({"type": "array", "items": {"type": "object", "additionalProperties": {"type": "string"}}})
    def get_totals(self, delivery: Any) -> Any:
        return delivery.totals

    def get_needs_mapping(self, delivery: Any) -> bool:
        return needs_mapping(delivery)


class EffectOut(serializers.Serializer[Any]):
    """What an import does to one fund; `fund` is null where it makes a new one (`new_fund`) or brings rebate only.

    `before`, `change` and `after` are what is available; of a committed import, at its commit. `crossing` says whether what
    was earned passes the threshold: up, down, or neither; `late` that the period was tested before.
    """

    fund = serializers.CharField(allow_null=True)
    new_fund = serializers.BooleanField()
    partner = serializers.CharField()
    location = serializers.CharField()
    program = serializers.CharField()
    earning_period = serializers.CharField()
    earning_period_code = serializers.CharField()
    currency = serializers.CharField()
    lines = serializers.IntegerField()
    new = serializers.IntegerField()
    changed = serializers.IntegerField()
    amount = extend_schema_field(AMOUNT_SCHEMA)(serializers.CharField)()
    rebate_amount = serializers.CharField()
    coop_amount = serializers.CharField()
    earned_before = serializers.CharField()
    earned_after = serializers.CharField()
    before = serializers.CharField()
    change = serializers.CharField()
    after = serializers.CharField()
    available = serializers.CharField()
    threshold = serializers.CharField()
    crossing = serializers.ChoiceField(["", "up", "down"])
    late = serializers.BooleanField()
    overdrawn = serializers.BooleanField()


class Effects(serializers.Serializer[Any]):
    next = serializers.URLField(allow_null=True)
    results = EffectOut(many=True)


@extend_schema_field({"type": "string", "contentMediaType": "application/json", "examples": ['{"amount_text": "Sum"}']})
class Mapping(serializers.Field[Any, Any, Any, Any]):
    """An object of JSON, as a field of a form: what a staged field is filled from, by the column's name."""

    default_error_messages = {"invalid": 'Send an object of JSON with texts, for example {{"amount_text": "Sum"}}.'}

    def to_internal_value(self, data: Any) -> dict[str, str]:
        try:
            read = json.loads(data) if isinstance(data, str) and len(data) <= MAX_MAPPING else None
        except (ValueError, RecursionError):
            read = None
        if not isinstance(read, dict) or not all(isinstance(name, str) for name in read.values()):
            self.fail("invalid")
        return read


class ReportFile(Input):
    file = serializers.FileField(allow_empty_file=True, max_length=None, use_url=False)
    mapping = Mapping(required=False)


class Reason(Input):
    reason = Text(limit=500, one_line=False)


def read_place_of(text: str) -> str:
    if not read_place(text):
        raise ValueError("This is not a cursor of this list. Begin without one and follow “next”.")
    return text


def read_page_size(text: str) -> int:
    try:
        return read_size(text)
    except Invalid as fault:
        raise ValueError(fault.message) from None


def read_look(text: str) -> str:
    if text not in LOOKS:
        raise ValueError(f"Say one of {', '.join(LOOKS)}.")
    return text


EFFECTS_QUERY = {
    "cursor": Filter(read_place_of, None, {"type": "string"}),
    "page_size": Filter(read_page_size, None, {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}),
    "only": Filter(read_look, None, {"type": "string", "enum": list(LOOKS)}),
}


class ImportViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """Earnings files and their fate. Only finance, program admins and auditors see them."""

    queryset = Import.objects.all()
    serializer_class = ImportOut
    write_scope = "earnings:write"
    missing = "There is no such import."
    ordering = ("-id",)
    max_upload = settings.IMPORT_MAX_BYTES
    too_large = "Split it, or have it imported on the server: manage.py import_earnings FILE."
    parser_classes = [StrictJSONParser]
    filters = {"status": filters.by_choice("status", states.IMPORT_STATUSES)}

    def get_parsers(self) -> list[Any]:
        return [FormParser()] if self.action_map.get("post") == "create" else [StrictJSONParser()]

    def get_queryset(self) -> QuerySet[Any]:
        return Import.objects.visible_to(self.person)

    @act(takes=ReportFile, status=202)
    def create(self, request: Request) -> Response:
        """Send a file (CSV, TSV, either with gzip, or XLSX); a worker checks it. Nothing is posted before a commit.

        `mapping` says which columns fill which fields where their names do not, and is remembered for the same header.
        """
        taken = self.take()
        upload = taken["file"]
        delivery = receive_file(
            filename=upload.name or "", file=upload, mapping=taken.get("mapping"), by=self.person, at=self.at
        )
        self.undo.append(lambda: delivery.file.storage.delete(str(delivery.file.name)))
        nudge("coop.check_imports")
        return self.answer(delivery)

    @verb("commit")
    def commit(self, request: Request, pk: str) -> Response:
        """Post all new and changed lines of a checked import: at once, or a large one by a worker (`asked_for`).

        412 where things changed since the check: the import is ready again and shows what it would do now.
        """
        self.take()
        delivery = commit_import(int(pk), revision=self.revision, by=self.person, at=self.at)
        nudge("coop.commit_imports")
        return self.answer(delivery)

    @verb("discard")
    def discard(self, request: Request, pk: str) -> Response:
        """Drop an import that was not committed."""
        self.take()
        return self.answer(discard_import(int(pk), revision=self.revision, by=self.person, at=self.at))

    @verb("reverse", takes=Reason)
    def reverse(self, request: Request, pk: str) -> Response:
        """Take a committed import back by entries of its own: at once, or a large one by a worker (`asked_for`)."""
        reason = self.take()["reason"]
        delivery = reverse_import(int(pk), reason=reason, revision=self.revision, by=self.person, at=self.at)
        nudge("coop.commit_imports")
        return self.answer(delivery)

    @action(detail=True, methods=["get"])
    @act(gives="text/csv")
    def errors(self, request: Request, pk: str) -> StreamingHttpResponse:
        """The lines that were not taken, each with its reason, as CSV."""
        delivery = self.get_object()
        return csv_download(errors_of(delivery), f"import-{delivery.pk}-errors.csv")

    @action(detail=True, methods=["get"])
    @act(gives=Effects, query=EFFECTS_QUERY)
    def effects(self, request: Request, pk: str) -> Response:
        """What the import does, or did, to each fund: the largest change first."""
        delivery = self.get_object()
        page = effects_page(
            delivery,
            look=self.asked.get("only", ""),
            after=self.asked.get("cursor", ""),
            limit=self.asked.get("page_size", 50),
        )
        following = None
        if page.after:
            kept = {name: value for name, value in request.query_params.items() if name != "cursor"}
            following = request.build_absolute_uri(f"{request.path}?{urlencode({**kept, 'cursor': page.after})}")
        return self.answer({"next": following, "results": page.effects})


def errors_of(delivery: Import) -> Iterator[list[str]]:
    """The rejected lines as they came, behind their line, code, field and message."""
    yield ["line", "code", "field", "message", *delivery.columns]
    for row in rejected_lines(delivery.pk):
        said = [row["problem"], row["field"], row["message"]]
        yield [str(row["line_no"]), *said, *(cell or "" for cell in row["cells"] or [])]
