"""Loading and publishing the catalog. Safe to repeat; says what it changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from claims.models import Activity, Category, Publication
from claims.rules.catalog_file import as_file
from claims.rules.changes import changes_between
from claims.rules.faults import faults_against, faults_of
from coop.lib.db import execute
from coop.lib.errors import FieldError, Invalid
from funds.operations.catalog import load_programs, plain, put
from partners import events
from partners.models import Person

# These become rows, which say by themselves what was changed of them.
SAID_BY_ROWS = ("programs", "categories", "activities", "calendars", "amounts", "fiscal_years")
# Hashes of catalogs that were found to be in order by this process.
in_order: set[str] = set()


@transaction.atomic
def load_catalog(catalog: Mapping[str, Any], *, by: Person | None = None, at: datetime) -> list[str]:
    """Load a whole catalog (format 2) and publish it, if it differs from the one in force; returns what changed.

    `by` None is whoever runs this installation. Raises Invalid with every fault of the catalog; then nothing is loaded.
    """
    return publish(catalog, requested_by=None, published_by=by, note="", at=at)[1]


@transaction.atomic
def load_if_new(catalog: Mapping[str, Any], *, at: datetime) -> list[str]:
    """Load a catalog that was never published here; one that was is the past, and what came after it stays in force.

    For the file that a release ships, which every start offers once more. Raises as `load_catalog`.
    """
    if Publication.objects.filter(sha256=hash_of(kept_form(catalog))).exists():
        return []
    return load_catalog(catalog, at=at)


def publish(
    catalog: Mapping[str, Any], *, requested_by: Person | None, published_by: Person | None, note: str, at: datetime
) -> tuple[Publication, list[str]]:
    """Load a catalog and make it the one in force; returns its publication, and what changed. One publishes at a time."""
    lock_publications()
    newest = Publication.objects.order_by("-id").first()
    kept = kept_form(catalog)
    sha256 = hash_of(kept)
    require_order(kept, sha256, newest)
    readable = as_file({name: kept[name] for name in SAID_BY_ROWS if name in kept})
    said = load_programs(readable) + load_activities(readable)
    if newest is not None and newest.sha256 == sha256:
        return newest, said
    changes = changes_between(newest.catalog, kept) if newest else []
    publication = Publication.objects.create(
        catalog=kept,
        sha256=sha256,
        said=[change.sentence for change in changes] if newest else [first_words(kept)],
        note=note,
        requested_by=requested_by,
        published_by=published_by,
        published_at=at,
    )
    if newest is None:
        return publication, [*said, f"added {len(kept['rules'])} rules"]
    events.record("catalog.published", publication, by=published_by, at=at, vendor_only=True, said=publication.said)
    return publication, [*said, *(c.sentence for c in changes if c.section not in SAID_BY_ROWS)]


def lock_publications() -> None:
    """Let nobody else publish until this transaction ends; reading goes on."""
    execute("LOCK TABLE claims_publication IN SHARE ROW EXCLUSIVE MODE")


def kept_form(catalog: Mapping[str, Any]) -> dict[str, Any]:
    """A catalog as it is kept: plain JSON, days as text, nothing where a file has nothing."""
    return without_nothing(plain(dict(catalog)))  # type: ignore[no-any-return]


def without_nothing(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_nothing(item) for name, item in value.items() if item is not None}
    return [without_nothing(item) for item in value] if isinstance(value, list) else value


def hash_of(kept: Mapping[str, Any]) -> str:
    text = json.dumps(kept, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def require_order(kept: dict[str, Any], sha256: str, newest: Publication | None) -> None:
    """Refuse a catalog with faults, and one that takes back what was published. Raises Invalid with all of them."""
    faults = all_faults(kept, newest, sha256)
    if faults:
        raise Invalid(f"The catalog has {number_of(faults)}; nothing was loaded.", errors=faults)


def all_faults(kept: dict[str, Any], newest: Publication | None, sha256: str = "") -> list[FieldError]:
    """Every fault of a catalog as it is kept, by itself and against the publication in force."""
    sha256 = sha256 or hash_of(kept)
    if sha256 not in in_order:
        found = faults_of(kept)
        if not found:
            in_order.add(sha256)
    else:
        found = []
    return [*found, *(faults_against(kept, newest.catalog) if newest and newest.sha256 != sha256 else ())]


def number_of(faults: list[FieldError]) -> str:
    return f"{len(faults)} fault{'' if len(faults) == 1 else 's'}"


def first_words(kept: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{len(kept[name])} {name}" for name in ("programs", "activities"))
    return f"The first catalog: {counts} and {len(kept['rules'])} rules."


def load_activities(catalog: Mapping[str, Any]) -> list[str]:
    """Make activities and categories those of the catalog; returns a sentence for each change."""
    said: list[str] = []
    names = {row["code"]: {"names": plain(row["names"])} for row in catalog["categories"]}
    put(said, Category, names, "category")
    put(said, Activity, {row["code"]: activity_values(row) for row in catalog["activities"]}, "activity")
    return said


def activity_values(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": row["name"],
        "description": row["description"],
        "valid_from": row["valid_from"],
        "valid_to": row.get("valid_to"),
        "categories": plain(row.get("categories", [])),
        "example": row.get("example", False),
    }
