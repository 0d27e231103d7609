"""Reads of the catalog in force that are no rules: reasons, solution areas; and the publications so far."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from django.db.models import QuerySet

from claims.models import Publication
from claims.queries.book import current_publication
from claims.rules.book import valid


def current_catalog() -> Mapping[str, Any]:
    """The whole catalog in force, as it is kept (days are text). Raises WrongStatus while there is none; never change it."""
    return catalog_of(*current_publication())


@lru_cache(maxsize=8)
def catalog_of(publication: int, sha256: str) -> Mapping[str, Any]:
    """The catalog of one publication. Its hash is only there to keep them apart in memory."""
    catalog: Mapping[str, Any] = Publication.objects.get(id=publication).catalog
    return catalog


def reasons_for(subject: str, decision: str) -> list[tuple[str, str]]:
    """The reasons, as (code, text), that are offered for a decision (approve_less, return, decline, dispute) on a plan,
    a claim or a document.
    """
    return [
        (row["code"], row["text"])
        for row in current_catalog().get("reasons", ())
        if subject in row["for"] and decision in row["decisions"]
    ]


def solution_areas_on(day: date) -> list[tuple[str, str]]:
    """The solution areas of a day, as (code, name)."""
    return [(row["code"], row["name"]) for row in current_catalog().get("solution_areas", ()) if valid(row, day)]


def publications() -> QuerySet[Publication]:
    """All publications, the newest first, without their catalogs, which are large."""
    return Publication.objects.select_related("requested_by", "published_by").defer("catalog")
