"""Imports: earnings as a file, checked by a worker and then committed or discarded by a person."""

from __future__ import annotations

import csv
import io
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from coop.lib.api import filters
from coop.lib.api.fields import AMOUNT_SCHEMA
from coop.lib.api.parsers import FormParser, StrictJSONParser
from coop.lib.api.serializers import Input
from coop.lib.api.views import ApiViewSet, ListMixin, RetrieveMixin, act, verb
from coop.lib.nudge import nudge
from coop.lib.spreadsheets import neutral
from funds import states
from funds.models import Import
from funds.operations.earnings import commit_import, discard_import, rejected_lines
from funds.operations.imports import receive_file
from funds.queries.effects import effects_of

COUNTS = ("lines", "new", "changed", "unchanged", "rejected")


class ImportOut(serializers.Serializer[Any]):
    """One delivery of earnings; `filename` is empty for the lines of a REST request."""

    id = serializers.CharField()
    filename = serializers.CharField()
    format = serializers.ChoiceField(list(states.IMPORT_FORMATS))
    status = serializers.ChoiceField(list(states.IMPORT_STATUSES))
    progress = serializers.IntegerField()
    counts = serializers.SerializerMethodField()
    totals = serializers.SerializerMethodField()
    failure = serializers.CharField()
    sha256 = serializers.CharField()
    created_by = serializers.CharField(source="created_by_id")
    created_at = serializers.DateTimeField()
    committed_by = serializers.CharField(source="committed_by_id", allow_null=True)
    committed_at = serializers.DateTimeField(allow_null=True)
    revision = serializers.IntegerField()

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


class EffectOut(serializers.Serializer[Any]):
    """What an import does to one fund; `fund` is null where it makes a new one."""

    fund = serializers.CharField(allow_null=True)
    partner = serializers.CharField()
    location = serializers.CharField()
    program = serializers.CharField()
    earning_period = serializers.CharField()
    earning_period_code = serializers.CharField()
    currency = serializers.CharField()
    lines = serializers.IntegerField()
    amount = extend_schema_field(AMOUNT_SCHEMA)(serializers.CharField)()
    coop_amount = serializers.CharField()
    rebate_amount = serializers.CharField()
    available = serializers.CharField()


class Effects(serializers.Serializer[Any]):
    results = EffectOut(many=True)


class ReportFile(Input):
    file = serializers.FileField(allow_empty_file=True, max_length=None, use_url=False)


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
        """Send a file; a worker checks it. Nothing is posted before somebody commits it."""
        upload = self.take()["file"]
        delivery = receive_file(filename=upload.name or "", file=upload, by=self.person, at=self.at)
        self.undo.append(lambda: delivery.file.storage.delete(str(delivery.file.name)))
        nudge("coop.check_imports")
        return self.answer(delivery)

    @verb("commit")
    def commit(self, request: Request, pk: str) -> Response:
        """Post all new lines of a checked import."""
        self.take()
        return self.answer(commit_import(int(pk), revision=self.revision, by=self.person, at=self.at))

    @verb("discard")
    def discard(self, request: Request, pk: str) -> Response:
        """Drop an import that was not committed."""
        self.take()
        return self.answer(discard_import(int(pk), revision=self.revision, by=self.person, at=self.at))

    @action(detail=True, methods=["get"])
    @act(gives="text/csv")
    def errors(self, request: Request, pk: str) -> HttpResponse:
        """The lines that were not taken, each with its reason, as CSV."""
        delivery = self.get_object()
        return HttpResponse(
            errors_csv(delivery.columns, rejected_lines(delivery.pk)),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="import-{delivery.pk}-errors.csv"'},
        )

    @action(detail=True, methods=["get"])
    @act(gives=Effects)
    def effects(self, request: Request, pk: str) -> Response:
        """What the import does, or did, to each fund."""
        return self.answer({"results": effects_of(self.get_object())})


def errors_csv(columns: list[str], rows: list[dict[str, Any]]) -> str:
    """The rejected lines as they came, behind their line, code, field and message."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(["line", "code", "field", "message", *map(neutral, columns)])
    for row in rows:
        said = [row["problem"], row["field"], row["message"], *(cell or "" for cell in row["cells"] or [])]
        writer.writerow([row["line_no"], *map(neutral, said)])
    return file.getvalue()
