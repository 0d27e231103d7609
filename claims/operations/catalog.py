"""Loading activities and their categories from the catalog. Safe to repeat; says what it changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from claims.models import Activity, Category
from funds.operations.catalog import plain, put


@transaction.atomic
def load_activities(catalog: Mapping[str, Any]) -> list[str]:
    """Load the activity side of a catalog (format 1); returns a sentence for each change."""
    said: list[str] = []
    for row in catalog["categories"]:
        put(said, Category, {"code": row["code"]}, {"names": plain(row["names"])}, f"category {row['code']}")
    for row in catalog["activities"]:
        values = {
            "name": row["name"],
            "description": row["description"],
            "valid_from": row["valid_from"],
            "valid_to": row.get("valid_to"),
            "only_programs": row.get("only_programs", []),
            "except_programs": row.get("except_programs", []),
            "categories": plain(row.get("categories", [])),
            "proofs": plain(row.get("proofs", [])),
            "metrics": plain(row.get("metrics", [])),
            "limits": plain(row.get("limits", {})),
            "example": row.get("example", False),
        }
        put(said, Activity, {"code": row["code"]}, values, f"activity {row['code']}")
    return said
