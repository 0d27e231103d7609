"""What money is for, without knowing it: the settings name who knows each kind of reference.

Funds keeps "claim 17" beside an entry and never looks into it. Whoever owns claims says how such a reference is shown and
what must happen, in the same transaction, when it has been paid or the money came back (`FUND_REFERENCES` in the settings).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from functools import cache
from typing import NamedTuple, Protocol

from django.conf import settings
from django.urls import reverse
from django.utils.module_loading import import_string

from partners.models import Person


class Shown(NamedTuple):
    """How a reference reads on a page: a text and, where there is one, the address of its page."""

    text: str
    url: str


class ReferenceKind(Protocol):
    def show(self, references: Iterable[str]) -> dict[str, Shown]: ...

    def paid(self, reference: str, amount_minor: int, *, by: Person, at: datetime) -> None: ...

    def unpaid(self, reference: str, amount_minor: int, *, by: Person, at: datetime) -> None: ...


class RebateReferences:
    """A month's rebate, "2024-03:17:4:USD": the month, the partner, the program, the currency. Nothing follows its payment."""

    def show(self, references: Iterable[str]) -> dict[str, Shown]:
        return {reference: Shown(f"Rebate of {show_month(reference)}", "") for reference in references}

    def paid(self, reference: str, amount_minor: int, *, by: Person, at: datetime) -> None:
        pass

    def unpaid(self, reference: str, amount_minor: int, *, by: Person, at: datetime) -> None:
        pass


class AdjustmentReferences:
    """An adjustment has a page of its own, also for the partner once it is posted. It is never paid as such."""

    def show(self, references: Iterable[str]) -> dict[str, Shown]:
        return {
            reference: Shown(f"Adjustment {reference}", reverse("adjustment", args=[reference]))
            for reference in references
        }

    def paid(self, reference: str, amount_minor: int, *, by: Person, at: datetime) -> None:
        pass

    def unpaid(self, reference: str, amount_minor: int, *, by: Person, at: datetime) -> None:
        pass


def show_month(reference: str) -> str:
    """The month of a rebate's reference for people: "March 2024"."""
    return f"{date.fromisoformat(f'{reference[:7]}-01'):%B %Y}"


@cache
def kind_of(reference_type: str) -> ReferenceKind | None:
    """Who knows this kind of reference; None for those that are funds' own (imports, periods)."""
    path = settings.FUND_REFERENCES.get(reference_type)
    return import_string(path)() if path else None


def show_all(pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Shown]:
    """Texts and addresses for many (type, reference) pairs, one look-up a type."""
    wanted: dict[str, set[str]] = {}
    for reference_type, reference in pairs:
        wanted.setdefault(reference_type, set()).add(reference)
    shown: dict[tuple[str, str], Shown] = {}
    for reference_type, references in wanted.items():
        kind = kind_of(reference_type)
        known = kind.show(references) if kind else {}
        for reference in references:
            shown[(reference_type, reference)] = known.get(
                reference, Shown(f"{reference_type.replace('_', ' ').capitalize()} {reference}", "")
            )
    return shown
