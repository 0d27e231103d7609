"""Reads of the catalog in force that are no rules: reasons, solution areas; and the publications and drafts so far."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any

import tomli_w
from django.db.models import QuerySet

from claims.models import Publication, RuleDraft
from claims.queries.book import current_publication
from claims.rules.book import valid
from claims.rules.catalog_file import as_file
from coop.lib.errors import NotFound
from partners.models import Person

HEAD = "# The catalog, as {}. Load it with: manage.py load_catalog FILE\n\n"


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
    return reasons_by_decision(subject, [decision])[decision]


def reasons_by_decision(subject: str, decisions: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
    """The same for several decisions at once, in one read."""
    rows = current_catalog().get("reasons", ())
    return {
        decision: [(row["code"], row["text"]) for row in rows if subject in row["for"] and decision in row["decisions"]]
        for decision in decisions
    }


def solution_areas_on(day: date) -> list[tuple[str, str]]:
    """The solution areas of a day, as (code, name)."""
    return [(row["code"], row["name"]) for row in current_catalog().get("solution_areas", ()) if valid(row, day)]


def publications() -> QuerySet[Publication]:
    """All publications, the newest first, without their catalogs, which are large."""
    return Publication.objects.select_related("requested_by", "published_by").defer("catalog")


def publication(publication_id: int, person: Person) -> Publication:
    """One publication with its catalog; the vendor's people see them. Raises NotFound."""
    found = Publication.objects.select_related("requested_by", "published_by").filter(id=publication_id).first()
    if found is None or not person.is_vendor:
        raise NotFound("There is no such publication.")
    return found


def rule_drafts() -> QuerySet[RuleDraft]:
    """All drafts, the newest first, without their catalogs."""
    return RuleDraft.objects.select_related("created_by", "requested_by", "decided_by").defer("catalog")


def rule_draft(draft_id: int, person: Person) -> RuleDraft:
    """One draft with its catalog and what it was begun from; the vendor's people see them. Raises NotFound."""
    related = ("base", "created_by", "requested_by", "decided_by", "publication")
    found = RuleDraft.objects.select_related(*related).filter(id=draft_id).first()
    if found is None or not person.is_vendor:
        raise NotFound("There is no such draft.")
    return found


def catalog_file(catalog: Mapping[str, Any], what: str) -> str:
    """A catalog as TOML; loading it again changes nothing. `what` says in its head which one it is."""
    return HEAD.format(what) + tomli_w.dumps(as_file(catalog))
