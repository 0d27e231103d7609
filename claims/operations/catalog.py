"""Loading and publishing the catalog. Safe to repeat; says what it changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from claims.models import Activity, Category, Publication
from funds.operations.catalog import load_programs, plain, put
from partners.models import Person


@transaction.atomic
def load_catalog(catalog: Mapping[str, Any], *, by: Person | None = None, at: datetime) -> list[str]:
    """Load a whole catalog (format 2) and publish it, if it differs from the one in force; returns what changed.

    `by` None is whoever runs this installation. Raises Invalid with every fault of the catalog; then nothing is loaded.
    """
    kept = plain(dict(catalog))
    text = json.dumps(kept, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    said = load_programs(catalog) + load_activities(catalog)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    newest = Publication.objects.order_by("-id").only("sha256").first()
    if newest is None or newest.sha256 != sha256:
        Publication.objects.create(catalog=kept, sha256=sha256, said=said, published_by=by, published_at=at)
    return said


def load_activities(catalog: Mapping[str, Any]) -> list[str]:
    """Make activities and categories those of the catalog; returns a sentence for each change."""
    said: list[str] = []
    for row in catalog["categories"]:
        put(said, Category, {"code": row["code"]}, {"names": plain(row["names"])}, f"category {row['code']}")
    for row in catalog["activities"]:
        values = {
            "name": row["name"],
            "description": row["description"],
            "valid_from": row["valid_from"],
            "valid_to": row.get("valid_to"),
            "categories": plain(row.get("categories", [])),
            "example": row.get("example", False),
        }
        put(said, Activity, {"code": row["code"]}, values, f"activity {row['code']}")
    return said
