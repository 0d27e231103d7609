"""Answering a retry with the first answer.

The answer is stored in the transaction of its effect: either both are there or neither. While the first request runs, an
advisory lock of PostgreSQL that ends with its transaction keeps the others out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from coop.lib.db import execute, take_lock
from coop.lib.errors import IdempotencyMismatch, InProgress, Invalid
from coop.lib.models import IdempotencyRecord

MAX_KEY = 200
KEPT_HEADERS = ("ETag",)
# Kept by the wall clock, also in a sandbox: retries happen on the network's clock.
FRESH = "created_at > clock_timestamp() - interval '24 hours'"
# The same key was being worked on, or who asked was not known: neither is an answer to the request itself.
NOT_KEPT = ("in_progress", "throttled", "not_authenticated")


@dataclass(frozen=True)
class Attempt:
    """One keyed request: who sends it where (`scope`), its key, and the fingerprint of what it says."""

    scope: str
    key: str
    fingerprint: bytes


def read_key(text: str | None) -> str | None:
    """The Idempotency-Key header. Raises Invalid for one that is empty, too long or not plain ASCII."""
    if text is None:
        return None
    if not text or len(text) > MAX_KEY or not (text.isascii() and text.isprintable()):
        raise Invalid.field(
            "Idempotency-Key", f"An idempotency key is 1 to {MAX_KEY} printable ASCII characters, for example a UUID."
        )
    return text


def fingerprint(data: Any) -> bytes:
    """The SHA-256 of what a body says, however it is spaced and ordered; of files, their names and bytes count."""
    if isinstance(data, QueryDict):
        said: Any = sorted((name, [said_of(value) for value in values]) for name, values in data.lists())
    else:
        said = data if data is not None else {}
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":"), default=str).encode()).digest()


def said_of(value: Any) -> Any:
    if not isinstance(value, UploadedFile):
        return value
    digest = hashlib.sha256()
    for chunk in value.chunks():
        digest.update(chunk)
    value.seek(0)
    return [value.name, digest.hexdigest()]


def begin(attempt: Attempt) -> Response | None:
    """Claim the key for this transaction; returns the first answer where there is one already.

    Raises InProgress while the first request still runs, and IdempotencyMismatch for another body.
    """
    lock = int.from_bytes(hashlib.sha256(f"{attempt.scope}\n{attempt.key}".encode()).digest()[:8], "big", signed=True)
    if not take_lock(lock):
        raise InProgress("A request with this idempotency key is still being worked on. Ask again in a moment.")
    known = IdempotencyRecord.objects.filter(scope=attempt.scope, key=attempt.key).extra(where=[FRESH]).first()  # noqa: S610
    if known is None:
        return None
    if bytes(known.fingerprint) != attempt.fingerprint:
        raise IdempotencyMismatch(
            "This idempotency key was used for a request with another body. Use a new key for a new request."
        )
    headers = {**known.headers, "Idempotent-Replayed": "true"}
    content_type = headers.pop("Content-Type", None)
    return Response(known.body, status=known.status, headers=headers, content_type=content_type)


def keep(attempt: Attempt, response: Response) -> None:
    """Store a definite answer with the effect. What does not answer the request itself is not kept.

    An answer that shows a secret carries in `data_to_keep` what may be kept of it.
    """
    data = getattr(response, "data_to_keep", response.data)
    if response.status_code >= 500 or (isinstance(data, Mapping) and data.get("code") in NOT_KEPT):
        return
    body = None if data is None else json.loads(JSONRenderer().render(data))
    headers = {name: response[name] for name in KEPT_HEADERS if name in response}
    if response.content_type:
        headers["Content-Type"] = response.content_type
    IdempotencyRecord.objects.filter(scope=attempt.scope, key=attempt.key).delete()
    IdempotencyRecord.objects.create(
        scope=attempt.scope,
        key=attempt.key,
        fingerprint=attempt.fingerprint,
        status=response.status_code,
        body=body,
        headers=headers,
    )
    forget_old()


def forget_old() -> None:
    """Delete some answers that are past their day: each keyed write takes a few along, so no job is needed."""
    execute(
        f"""DELETE FROM lib_idempotencyrecord WHERE id IN (
              SELECT id FROM lib_idempotencyrecord WHERE NOT ({FRESH}) ORDER BY created_at LIMIT 20
              FOR UPDATE SKIP LOCKED)"""
    )
