"""Reading bodies strictly: one meaning, or a refusal. What a lenient parser would guess is said to be wrong."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, DataAndFiles, MultiPartParser

from coop.lib.bodies import FORM_OVERHEAD
from coop.lib.errors import FieldError, Invalid, TooLarge

MAX_DEPTH = 20


class StrictJSONParser(BaseParser):
    """JSON in UTF-8 without duplicate names, NaN or Infinity, and not nested deeper than 20.

    Fractions are read as Decimal; no field takes them, so that a float never gets near money.
    """

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        data = stream.read(limit + 1)
        if len(data) > limit:
            raise TooLarge(f"The body has more than {limit:,} bytes. Send less at once.")
        try:
            read = json.loads(
                data.decode("utf-8"),
                object_pairs_hook=no_duplicates,
                parse_constant=no_constant,
                parse_float=Decimal,
            )
        except UnicodeDecodeError as error:
            raise ParseError(f"The body is not UTF-8: byte {error.start} cannot be read.") from None
        except RecursionError:
            raise ParseError(f"The body is nested deeper than {MAX_DEPTH} levels.") from None
        except json.JSONDecodeError as error:
            raise ParseError(
                f"The body is not JSON: {error.msg} in line {error.lineno}, column {error.colno}."
            ) from None
        except ValueError as error:
            raise ParseError(f"The body is not JSON: {str(error)[:200]}") from None
        if depth(read) > MAX_DEPTH:
            raise ParseError(f"The body is nested deeper than {MAX_DEPTH} levels.")
        return read


def no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        # Counted in one walk: asked name by name, a body of a few megabytes would keep the process busy for hours.
        twice = sorted(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        raise ParseError("A name stands twice in an object: " + ", ".join(name[:40] for name in twice[:5]) + ".")
    return found


def no_constant(name: str) -> Any:
    raise ParseError(f"{name} is not a value of JSON.")


def depth(value: Any) -> int:
    """How many objects and lists lie inside each other. Walks level by level, so depth costs no stack."""
    level, found = [value], 0
    while level := [item for item in level if isinstance(item, dict | list)]:
        found += 1
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    return found


class FormParser(MultiPartParser):
    """multipart/form-data whose size is known to be acceptable before a byte of it is read, and where no field comes
    twice. The view says by `max_upload` how many bytes its file may have, and by `too_large` what
    to do about a larger one.
    """

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> DataAndFiles[Any, Any]:
        context = parser_context or {}
        view = context["view"]
        limit = view.max_upload
        length = int(context["request"].META.get("CONTENT_LENGTH") or 0)
        if length > limit + FORM_OVERHEAD:
            raise TooLarge(f"The file is too large: at most {limit:,} bytes are taken. {view.too_large}")
        parsed = super().parse(stream, media_type, parser_context)
        twice = [name for part in (parsed.data, parsed.files) for name, values in part.lists() if len(values) > 1]
        twice += [name for name in parsed.files if name in parsed.data]
        if twice:
            raise Invalid(errors=[FieldError(name[:40], "duplicate", "Send this field once.") for name in twice])
        return parsed
