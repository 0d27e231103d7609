"""Serializers that refuse what they do not know, and the shapes that every resource shares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError


class Input(serializers.Serializer[Any]):
    """What a write takes. A name that it does not know is an error beside all the others, never ignored."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            raise ValidationError({"non_field_errors": [ErrorDetail("Send an object of JSON.", "invalid")]})
        errors: dict[str, Any] = {
            str(name)[:80]: [ErrorDetail("There is no field of this name that can be written here.", "unknown_field")]
            for name in data
            if name not in self.fields or self.fields[name].read_only
        }
        values: dict[str, Any] = {}
        try:
            values = super().to_internal_value(data)
        except ValidationError as error:
            errors = {**dict(error.detail), **errors}  # type: ignore[arg-type]
        if errors:
            raise ValidationError(errors)
        return values


class Nothing(Input):
    """A verb that takes no words: an empty body, or an empty object."""


class Finding(serializers.Serializer[Any]):
    """What one rule says. `basis` names the rule that counted, of several that could: its version, days and scope."""

    rule = serializers.CharField()
    version = serializers.IntegerField()
    outcome = serializers.ChoiceField(["passed", "failed", "warning", "person"])
    text = serializers.CharField()
    seen = serializers.CharField()
    wanted = serializers.CharField()
    fix = serializers.CharField()
    field = serializers.CharField()
    basis = serializers.CharField()


class FieldFault(serializers.Serializer[Any]):
    field = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class Problem(serializers.Serializer[Any]):
    """RFC 9457 problem details."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
    errors = FieldFault(many=True)  # type: ignore[assignment]
    findings = Finding(many=True)
