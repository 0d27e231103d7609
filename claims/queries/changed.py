"""What changed for somebody: between two days, or between what was published at two instants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from claims.models import Activity, Publication
from claims.queries.book import current_book
from claims.queries.catalog import catalog_of, current_catalog
from claims.queries.offers import offers_of
from claims.rules.book import Case
from claims.rules.changes import Change, changes_between, what_changed
from funds.models import Program

# Where a change is told, by the section of the catalog that it is of; a rule by its kind.
GROUPS = {
    "activities": "Activities and categories",
    "shown": "What must be shown and reported",
    "paid": "What is paid",
    "programs": "Splits, thresholds and approval",
    "other": "Everything else",
}
BY_SECTION = {
    "activities": "activities",
    "categories": "activities",
    "programs": "programs",
    "country_classes": "shown",
}
BY_KIND = {
    **dict.fromkeys(("activity_offered",), "activities"),
    **dict.fromkeys(("limit", "head_count", "allowance"), "paid"),
    **dict.fromkeys(("plan_approval",), "programs"),
    **dict.fromkeys(
        ("claim_window", "use_period", "money_there", "payout_profile", "guidance", "solution_area"), "other"
    ),
}


@dataclass
class Told:
    """One change, and the programs of the reader in which it counts."""

    change: Change
    programs: list[Program] = field(default_factory=list)

    @property
    def group(self) -> str:
        if self.change.rule is not None:
            return BY_KIND.get(self.change.rule.kind, "shown")
        return BY_SECTION.get(self.change.section, "other")

    @property
    def example(self) -> bool:
        return self.change.rule is not None and self.change.rule.example


def changes_for(
    programs: Sequence[Program], before: date, after: date, *, country: str = "", partner: str = ""
) -> list[Told]:
    """What counts on the later day and did not on the earlier one, each change once, by its group and first day.

    Rules of activities that a program pays for on neither day change nothing for anybody in it.
    """
    catalog, book = current_catalog(), current_book()
    known = list(Activity.objects.all())
    found: list[tuple[Change, Program]] = []
    for program in programs:
        cases = [
            Case(program.code, "", "", country, book.class_of(country, day), partner, day) for day in (before, after)
        ]
        paid = {offer.code for case in cases for offer in offers_of(book, known, case)}
        if not paid:
            continue
        changes = what_changed(
            catalog, book, before, after, program=program.code, country=country, partner=partner, activities=paid
        )
        found += [(change, program) for change in changes]
    return together(found)


def together(found: Iterable[tuple[Change, Program]]) -> list[Told]:
    """Changes that several programs share are told once."""
    told: dict[str, Told] = {}
    for change, program in found:
        one = told.setdefault(change.sentence, Told(change))
        if program not in one.programs:
            one.programs.append(program)
    return sorted(told.values(), key=lambda one: (list(GROUPS).index(one.group), one.change.on or date.min))


def published_between(
    first: datetime, last: datetime, programs: Sequence[Program], *, country: str = "", partner: str = ""
) -> list[Told]:
    """What the publication known at the later instant says otherwise than the one known at the earlier one."""
    old, new = published_at(first), published_at(last)
    if old is None or new is None or old == new:
        return []
    return together(
        (change, program)
        for change in changes_between(old, new)
        for program in programs
        if concerns(change, program.code, country, partner)
    )


def published_at(at: datetime) -> Mapping[str, Any] | None:
    found = Publication.objects.filter(published_at__lte=at).order_by("-id").values_list("id", "sha256").first()
    return catalog_of(*found) if found else None


def concerns(change: Change, program: str, country: str, partner: str) -> bool:
    """Whether a change is of a program, or of all; rules for other countries or partners concern nobody else."""
    if change.section == "programs":
        return change.code == program
    scopes = [rule.scope for rule in (change.old, change.rule) if rule is not None]
    asked = {"programs": program, "partners": partner, **({"countries": country} if country else {})}
    return not scopes or any(
        all(code in scope[name] for name, code in asked.items() if name in scope) for scope in scopes
    )
